//! What the adapter says of the emulator's faults, and that nothing is done twice behind them.

use berth_kernel::PaymentId;
use berth_payment::provider::{IntentStatus, Provider as _, ProviderError};
use serde_json::{Value, json};

use crate::fixture::{Bench, new_intent};

fn on_intents(kind: &str) -> Value {
    json!({ "kind": kind, "times": 1, "match": { "method": "POST", "path_prefix": "/v1/payment_intents" } })
}

#[tokio::test]
async fn what_is_unknown_is_looked_up_and_was_done_once() {
    for (kind, done) in [
        ("error_after_commit", true),
        ("timeout", true),
        ("html_502", false),
        ("error_before_commit", false),
    ] {
        let bench = Bench::start().await;
        let (account, payment) = (bench.account().await, PaymentId::new());
        bench.fault(&on_intents(kind)).await;
        let new = new_intent(&account, payment);
        let lost = bench.stripe.create_intent(&new).await;
        assert!(
            matches!(lost, Err(ProviderError::Indeterminate(_))),
            "{kind}: {lost:?}"
        );
        let found = bench.stripe.find_intent(&account, payment).await.unwrap();
        assert_eq!(found.is_some(), done, "{kind}");
        let count = bench.get("/v1/payment_intents", Some(&account)).await["data"].clone();
        assert_eq!(
            count.as_array().map(Vec::len),
            Some(usize::from(done)),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn the_same_key_finishes_what_a_proxy_s_page_hid() {
    let bench = Bench::start().await;
    let (account, payment) = (bench.account().await, PaymentId::new());
    let mut fault = on_intents("html_502");
    fault["commit"] = true.into();
    bench.fault(&fault).await;
    let new = new_intent(&account, payment);
    assert!(matches!(
        bench.stripe.create_intent(&new).await,
        Err(ProviderError::Indeterminate(_))
    ));
    let made = bench.stripe.create_intent(&new).await.unwrap();
    assert_eq!(made.status, IntentStatus::RequiresPayment);
    let found = bench
        .stripe
        .find_intent(&account, payment)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.id, made.id);
}

#[tokio::test]
async fn a_limit_did_nothing_and_the_next_try_succeeds() {
    let bench = Bench::start().await;
    let (account, payment) = (bench.account().await, PaymentId::new());
    bench.fault(&on_intents("rate_limit")).await;
    let new = new_intent(&account, payment);
    let limited = bench.stripe.create_intent(&new).await;
    assert!(
        matches!(limited, Err(ProviderError::Unavailable(_))),
        "{limited:?}"
    );
    assert!(
        bench
            .stripe
            .find_intent(&account, payment)
            .await
            .unwrap()
            .is_none()
    );
    assert!(bench.stripe.create_intent(&new).await.is_ok());
}

#[tokio::test]
async fn a_key_still_in_use_leaves_the_outcome_unknown() {
    let bench = Bench::start().await;
    let (account, payment) = (bench.account().await, PaymentId::new());
    let mut slow = on_intents("delay");
    slow["delay_ms"] = 1_000.into();
    bench.fault(&slow).await;
    let new = new_intent(&account, payment);
    let (first, second) = tokio::join!(
        bench.stripe.create_intent(&new),
        bench.stripe.create_intent(&new)
    );
    let (made, unknown) = if first.is_ok() {
        (first, second)
    } else {
        (second, first)
    };
    assert!(made.is_ok(), "{made:?}");
    assert!(
        matches!(unknown, Err(ProviderError::Indeterminate(_))),
        "{unknown:?}"
    );
    let found = bench
        .stripe
        .find_intent(&account, payment)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.id, made.unwrap().id);
}
