//! The port against an emulator of Stripe: accounts, intents, refunds, and what they do to the
//! tenant's balance.

use berth_kernel::{Money, PaymentId, RefundId};
use berth_payment::provider::{
    IntentStatus, NewIntent, NewRefund, Provider as _, ProviderError, RefundStatus,
};
use berth_payment_stripe::{Stripe, StripeSettings};

use crate::fixture::{Bench, new_intent, refusal};

#[tokio::test]
async fn an_account_opens_once_and_is_ready_after_onboarding() {
    let bench = Bench::start().await;
    let new = bench.new_account();
    let made = bench.stripe.create_account(&new).await.unwrap();
    let again = bench.stripe.create_account(&new).await.unwrap();
    assert_eq!(made.id, again.id, "the same key opens one account");
    assert!(!made.charges_enabled && !made.details_submitted && !made.livemode);
    assert!(!made.requirements.is_empty());

    let url = bench
        .stripe
        .onboarding_url(
            &made.id,
            "https://a.example/done",
            "https://a.example/again",
        )
        .await
        .unwrap();
    let page = bench.http.get(&url).send().await.unwrap();
    assert!(page.status().is_success(), "{url}");

    bench.complete(&made.id).await;
    let ready = bench.stripe.account(&made.id).await.unwrap();
    assert!(ready.charges_enabled && ready.payouts_enabled && ready.details_submitted);
    assert!(ready.requirements.is_empty(), "{:?}", ready.requirements);
}

#[tokio::test]
async fn the_account_s_controller_is_as_agreed() {
    let bench = Bench::start().await;
    let account = bench
        .stripe
        .create_account(&bench.new_account())
        .await
        .unwrap();
    let raw = bench
        .get(&format!("/v1/accounts/{}", account.id), None)
        .await;
    assert_eq!(raw["controller"]["stripe_dashboard"]["type"], "full");
    assert_eq!(raw["controller"]["fees"]["payer"], "account");
    assert_eq!(raw["controller"]["losses"]["payments"], "stripe");
    assert_eq!(raw["controller"]["requirement_collection"], "stripe");
    assert_eq!(raw["email"], "owner@example.org");
    assert_eq!(raw["business_profile"]["name"], "Lagoon Yoga");
}

#[tokio::test]
async fn an_intent_is_made_once_per_key_and_found_by_its_payment() {
    let bench = Bench::start().await;
    let (account, payment) = (bench.account().await, PaymentId::new());
    assert!(
        bench
            .stripe
            .find_intent(&account, payment)
            .await
            .unwrap()
            .is_none()
    );

    let new = new_intent(&account, payment);
    let made = bench.stripe.create_intent(&new).await.unwrap();
    let again = bench.stripe.create_intent(&new).await.unwrap();
    assert_eq!(made.id, again.id);
    assert_eq!(
        (made.status, made.amount),
        (IntentStatus::RequiresPayment, new.amount)
    );
    assert!(made.client_secret.is_some() && made.balance.is_none() && !made.livemode);

    let other = NewIntent {
        amount: Money::new(100, new.amount.currency),
        ..new
    };
    assert_eq!(
        refusal(bench.stripe.create_intent(&other).await),
        "idempotency_error"
    );

    let found = bench
        .stripe
        .find_intent(&account, payment)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.id, made.id);
    let raw = bench
        .get(&format!("/v1/payment_intents/{}", made.id), Some(&account))
        .await;
    assert_eq!(raw["application_fee_amount"], 150);
    assert_eq!(raw["automatic_payment_methods"]["enabled"], true);
    assert_eq!(raw["metadata"]["payment_id"], payment.to_string());
    assert_eq!(raw["description"], "Yoga & tea, 7 March");
    assert!(raw["receipt_email"].is_null());
}

#[tokio::test]
async fn an_intent_is_found_behind_a_hundred_others() {
    let bench = Bench::start().await;
    let (account, payment) = (bench.account().await, PaymentId::new());
    let made = bench
        .stripe
        .create_intent(&new_intent(&account, payment))
        .await
        .unwrap();
    for _ in 0..120 {
        bench
            .stripe
            .create_intent(&new_intent(&account, PaymentId::new()))
            .await
            .unwrap();
    }
    let found = bench
        .stripe
        .find_intent(&account, payment)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.id, made.id);
}

#[tokio::test]
async fn of_several_intents_the_paid_one_is_found() {
    let bench = Bench::start().await;
    let (account, payment) = (bench.account().await, PaymentId::new());
    let mut made = Vec::new();
    for attempt in 1..=3 {
        let idempotency_key = format!("intent:{payment}:{attempt}");
        let new = NewIntent {
            idempotency_key,
            ..new_intent(&account, payment)
        };
        made.push(bench.stripe.create_intent(&new).await.unwrap().id);
    }
    bench
        .stripe
        .cancel_intent(&account, &made[0], "cancel:1")
        .await
        .unwrap();
    bench.pay(&account, &made[1], "pm_card_visa").await;
    let found = bench
        .stripe
        .find_intent(&account, payment)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.id.as_str(), found.status),
        (made[1].as_str(), IntentStatus::Succeeded)
    );
}

#[tokio::test]
async fn a_paid_intent_tells_method_and_balance_in_one_call() {
    let bench = Bench::start().await;
    let (account, intent) = bench.paid("pm_card_visa").await;
    let paid = bench.stripe.intent(&account, &intent).await.unwrap();
    assert_eq!(paid.status, IntentStatus::Succeeded);
    assert_eq!(paid.method.as_deref(), Some("visa •••• 4242"));
    assert_eq!(paid.failure_code, None);
    let balance = paid.balance.unwrap();
    assert_eq!(balance.amount, Money::new(4_905, "EUR".parse().unwrap()));
    assert_eq!(balance.platform_fee_minor, 150);
    assert!(balance.processing_fee_minor > 0);
    assert_eq!(
        balance.net_minor,
        4_905 - 150 - balance.processing_fee_minor
    );
}

#[tokio::test]
async fn a_decline_is_told_by_the_bank_s_reason() {
    for (card, reason) in [
        ("pm_card_chargeDeclined", "generic_decline"),
        (
            "pm_card_chargeDeclinedInsufficientFunds",
            "insufficient_funds",
        ),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
    ] {
        let bench = Bench::start().await;
        let account = bench.account().await;
        let new = new_intent(&account, PaymentId::new());
        let made = bench.stripe.create_intent(&new).await.unwrap();
        bench.pay(&account, &made.id, card).await;
        let declined = bench.stripe.intent(&account, &made.id).await.unwrap();
        assert_eq!(declined.status, IntentStatus::RequiresPayment);
        assert_eq!(declined.failure_code.as_deref(), Some(reason));
        assert!(declined.balance.is_none());
    }
}

#[tokio::test]
async fn the_holder_s_proof_is_waited_for() {
    let bench = Bench::start().await;
    let (account, intent) = bench.paid("pm_card_threeDSecure2Required").await;
    let waiting = bench.stripe.intent(&account, &intent).await.unwrap();
    assert_eq!(waiting.status, IntentStatus::RequiresAction);
}

#[tokio::test]
async fn an_unpaid_intent_is_canceled_and_a_paid_one_is_not() {
    let bench = Bench::start().await;
    let account = bench.account().await;
    let made = bench
        .stripe
        .create_intent(&new_intent(&account, PaymentId::new()))
        .await
        .unwrap();
    let canceled = bench
        .stripe
        .cancel_intent(&account, &made.id, "cancel:a")
        .await
        .unwrap();
    assert_eq!(canceled.status, IntentStatus::Canceled);
    let again = bench
        .stripe
        .cancel_intent(&account, &made.id, "cancel:a")
        .await
        .unwrap();
    assert_eq!(
        again.status,
        IntentStatus::Canceled,
        "the same key is answered the same"
    );

    let (account, paid) = bench.paid("pm_card_visa").await;
    let refused = bench
        .stripe
        .cancel_intent(&account, &paid, "cancel:b")
        .await;
    assert_eq!(refusal(refused), "payment_intent_unexpected_state");
    assert_eq!(
        refusal(bench.stripe.intent(&account, "pi_none").await),
        "resource_missing"
    );
}

fn new_refund(account: &str, intent: &str, minor: i64, key: &str) -> NewRefund {
    NewRefund {
        account: account.into(),
        intent: intent.into(),
        amount: Money::new(minor, "EUR".parse().unwrap()),
        refund: RefundId::new(),
        idempotency_key: key.into(),
    }
}

#[tokio::test]
async fn money_goes_back_once_per_key_and_never_beyond_what_was_paid() {
    let bench = Bench::start().await;
    let (account, intent) = bench.paid("pm_card_visa").await;
    let new = new_refund(&account, &intent, 1_000, "refund:1");
    let made = bench.stripe.refund(&new).await.unwrap();
    let again = bench.stripe.refund(&new).await.unwrap();
    assert_eq!(made.id, again.id);
    assert_eq!(
        (made.status, made.amount),
        (RefundStatus::Succeeded, new.amount)
    );
    let balance = made.balance.unwrap();
    assert_eq!((balance.amount.amount, balance.net_minor), (-1_000, -1_000));
    assert_eq!(
        (balance.processing_fee_minor, balance.platform_fee_minor),
        (0, 0)
    );

    let state = bench.stripe.refund_state(&account, &made.id).await.unwrap();
    assert_eq!((state.id, state.balance.unwrap().id), (made.id, balance.id));
    let raw = bench
        .get(&format!("/v1/refunds/{}", again.id), Some(&account))
        .await;
    assert_eq!(raw["metadata"]["refund_id"], new.refund.to_string());

    let beyond = bench
        .stripe
        .refund(&new_refund(&account, &intent, 3_906, "refund:2"))
        .await;
    refusal(beyond);
    let rest = bench
        .stripe
        .refund(&new_refund(&account, &intent, 3_905, "refund:3"))
        .await;
    assert_eq!(rest.unwrap().status, RefundStatus::Succeeded);
    let more = bench
        .stripe
        .refund(&new_refund(&account, &intent, 1, "refund:4"))
        .await;
    assert_eq!(refusal(more), "charge_already_refunded");
}

#[tokio::test]
async fn the_platform_s_share_goes_back_where_the_settings_say_so() {
    let bench = Bench::start().await;
    let settings = StripeSettings {
        api_url: bench.emulator.url.clone(),
        refund_application_fee: true,
        ..StripeSettings::new("sk_test_berth")
    };
    let stripe = Stripe::new(&settings).unwrap();
    let (account, intent) = bench.paid("pm_card_visa").await;
    let made = stripe
        .refund(&new_refund(&account, &intent, 4_905, "refund:1"))
        .await
        .unwrap();
    let balance = made.balance.unwrap();
    assert_eq!(
        (balance.platform_fee_minor, balance.net_minor),
        (-150, -4_755)
    );
}

#[tokio::test]
async fn a_refund_may_wait_and_may_come_back() {
    let bench = Bench::start().await;
    let (account, intent) = bench.paid("pm_card_pendingRefund").await;
    let made = bench
        .stripe
        .refund(&new_refund(&account, &intent, 4_905, "refund:1"))
        .await
        .unwrap();
    assert_eq!(made.status, RefundStatus::Pending);

    let (account, intent) = bench.paid("pm_card_refundFail").await;
    let made = bench
        .stripe
        .refund(&new_refund(&account, &intent, 4_905, "refund:2"))
        .await
        .unwrap();
    bench.advance(3_600).await;
    let failed = bench.stripe.refund_state(&account, &made.id).await.unwrap();
    assert_eq!(failed.status, RefundStatus::Failed);
    assert!(failed.failure_code.is_some());
}

#[tokio::test]
async fn one_tenant_s_intent_is_not_another_s() {
    let bench = Bench::start().await;
    let (_, intent) = bench.paid("pm_card_visa").await;
    let other = bench.account().await;
    assert_eq!(
        refusal(bench.stripe.intent(&other, &intent).await),
        "resource_missing"
    );
    let stranger = bench.stripe.intent("acct_unknown", &intent).await;
    assert!(
        matches!(stranger, Err(ProviderError::Refused { .. })),
        "{stranger:?}"
    );
}
