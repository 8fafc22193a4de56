//! From an account's onboarding to a payment that went through, or did not.

use reqwest::Method;
use serde_json::json;

use crate::support::{Bench, send, text};

#[tokio::test]
async fn an_account_takes_payments_once_onboarding_is_complete() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench
        .post("/v1/accounts", "", &[("country", "DE")])
        .await?
        .ok()?;
    let id = text(&account, "id")?;
    assert_eq!(account["charges_enabled"], false);
    assert_eq!(account["details_submitted"], false);
    assert_eq!(account["default_currency"], "eur");
    assert_eq!(account["controller"]["stripe_dashboard"]["type"], "full");
    let due = account["requirements"]["currently_due"]
        .as_array()
        .map(Vec::len);
    assert_ne!(due, Some(0));
    let refused = bench.pay(id, "pm_card_visa").await?;
    assert_eq!(
        (refused.status, refused.error_code()),
        (400, Some("payment_intent_invalid_parameter"))
    );
    let done = bench
        .control(&format!("/accounts/{id}/complete"), json!({}))
        .await?;
    assert_eq!(done["charges_enabled"], true);
    assert_eq!(done["payouts_enabled"], true);
    assert_eq!(done["capabilities"]["card_payments"], "active");
    assert_eq!(done["requirements"]["currently_due"], json!([]));
    bench.paid(id).await?;
    Ok(())
}

#[tokio::test]
async fn a_payment_goes_through_step_by_step() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let form = [
        ("amount", "2500"),
        ("currency", "EUR"),
        ("automatic_payment_methods[enabled]", "true"),
        ("metadata[booking]", "b-7"),
    ];
    let intent = bench
        .post("/v1/payment_intents", &account, &form)
        .await?
        .ok()?;
    assert_eq!(intent["status"], "requires_payment_method");
    assert_eq!(intent["currency"], "eur");
    let path = format!("/v1/payment_intents/{}", text(&intent, "id")?);
    let without = bench
        .post(&format!("{path}/confirm"), &account, &[])
        .await?;
    assert_eq!(
        without.error_code(),
        Some("payment_intent_unexpected_state")
    );
    let changed = [("amount", "2600"), ("metadata[note]", "later")];
    let intent = bench.post(&path, &account, &changed).await?.ok()?;
    assert_eq!(intent["amount"], 2600);
    assert_eq!(
        intent["metadata"],
        json!({ "booking": "b-7", "note": "later" })
    );
    let card = [
        ("payment_method_data[type]", "card"),
        ("payment_method_data[card][number]", "4242 4242 4242 4242"),
        ("payment_method_data[card][exp_month]", "12"),
        ("payment_method_data[card][exp_year]", "34"),
        ("payment_method_data[card][cvc]", "123"),
        ("expand[]", "latest_charge.balance_transaction"),
    ];
    let paid = bench
        .post(&format!("{path}/confirm"), &account, &card)
        .await?
        .ok()?;
    assert_eq!(paid["status"], "succeeded");
    assert_eq!(paid["amount_received"], 2600);
    assert_eq!(
        paid["latest_charge"]["payment_method_details"]["card"]["last4"],
        "4242"
    );
    assert_eq!(
        paid["latest_charge"]["balance_transaction"]["net"],
        2600 - 39 - 25
    );
    let again = bench
        .post(&format!("{path}/confirm"), &account, &card)
        .await?;
    assert_eq!(again.error_code(), Some("payment_intent_unexpected_state"));
    assert_eq!(again.body["error"]["payment_intent"]["status"], "succeeded");
    Ok(())
}

#[tokio::test]
async fn a_declined_card_leaves_the_intent_open_for_another() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let declined = bench.pay(&account, "pm_card_chargeDeclined").await?;
    assert_eq!(
        (declined.status, declined.error_code()),
        (402, Some("card_declined"))
    );
    let error = &declined.body["error"];
    assert_eq!(error["type"], "card_error");
    assert_eq!(error["decline_code"], "generic_decline");
    let intent = &error["payment_intent"];
    assert_eq!(intent["status"], "requires_payment_method");
    assert_eq!(intent["last_payment_error"]["code"], "card_declined");
    let charge = bench
        .get(&format!("/v1/charges/{}", text(error, "charge")?), &account)
        .await?
        .ok()?;
    assert_eq!(charge["status"], "failed");
    assert_eq!(charge["balance_transaction"], json!(null));
    let path = format!("/v1/payment_intents/{}/confirm", text(intent, "id")?);
    let poor = [("payment_method", "pm_card_chargeDeclinedInsufficientFunds")];
    let poor = bench.post(&path, &account, &poor).await?;
    assert_eq!(poor.body["error"]["decline_code"], "insufficient_funds");
    let paid = bench
        .post(&path, &account, &[("payment_method", "pm_card_visa")])
        .await?
        .ok()?;
    assert_eq!(paid["status"], "succeeded");
    assert_eq!(paid["last_payment_error"], json!(null));
    Ok(())
}

#[tokio::test]
async fn three_d_secure_is_completed_on_its_page() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let form = [
        ("amount", "9900"),
        ("currency", "eur"),
        ("payment_method", "pm_card_authenticationRequired"),
        ("confirm", "true"),
        ("return_url", "http://shop.test/back?order=1"),
    ];
    for (button, redirect_status, status) in [
        ("complete", "succeeded", "succeeded"),
        ("fail", "failed", "requires_payment_method"),
    ] {
        let intent = bench
            .post("/v1/payment_intents", &account, &form)
            .await?
            .ok()?;
        assert_eq!(intent["status"], "requires_action");
        assert_eq!(intent["next_action"]["type"], "redirect_to_url");
        let url = text(&intent["next_action"]["redirect_to_url"], "url")?;
        let page = send(bench.http.get(url)).await?;
        assert!(
            page.text.contains("name=\"action\" value=\"complete\""),
            "{}",
            page.text
        );
        let done = send(bench.http.post(url).form(&[("action", button)])).await?;
        assert_eq!(done.status, 303);
        let (id, secret) = (text(&intent, "id")?, text(&intent, "client_secret")?);
        let wanted = format!(
            "http://shop.test/back?order=1&payment_intent={id}&payment_intent_client_secret={secret}&redirect_status={redirect_status}"
        );
        assert_eq!(done.headers["location"], wanted.as_str());
        let path = format!("/v1/payment_intents/{id}?expand[]=latest_charge");
        let after = bench.get(&path, &account).await?.ok()?;
        assert_eq!(after["status"], status);
        // A second press of a button changes nothing.
        send(bench.http.post(url).form(&[("action", "complete")])).await?;
        assert_eq!(bench.get(&path, &account).await?.ok()?, after);
        if button == "fail" {
            let code = &after["last_payment_error"]["code"];
            assert_eq!(code, "payment_intent_authentication_failure");
            assert_eq!(after["latest_charge"], json!(null));
        }
    }
    let wrong = format!("{}/3ds/{account}/pi_none?secret=x", bench.emulator.url);
    assert_eq!(send(bench.http.get(wrong)).await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn a_canceled_intent_cannot_be_paid_and_a_paid_one_not_canceled() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let form = [
        ("amount", "1000"),
        ("currency", "eur"),
        ("payment_method", "pm_card_visa"),
    ];
    let intent = bench
        .post("/v1/payment_intents", &account, &form)
        .await?
        .ok()?;
    assert_eq!(intent["status"], "requires_confirmation");
    let path = format!("/v1/payment_intents/{}", text(&intent, "id")?);
    let reason = [("cancellation_reason", "abandoned")];
    let canceled = bench
        .post(&format!("{path}/cancel"), &account, &reason)
        .await?
        .ok()?;
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(canceled["cancellation_reason"], "abandoned");
    let late = bench
        .post(&format!("{path}/confirm"), &account, &[])
        .await?;
    assert_eq!(late.error_code(), Some("payment_intent_unexpected_state"));
    let paid = bench.paid(&account).await?;
    let path = format!("/v1/payment_intents/{}/cancel", text(&paid, "id")?);
    let refused = bench.post(&path, &account, &[]).await?;
    assert_eq!(
        (refused.status, refused.error_code()),
        (400, Some("payment_intent_unexpected_state"))
    );
    Ok(())
}

#[tokio::test]
async fn a_bank_debit_is_processing_before_it_is_paid_or_returned() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    for (method, end) in [
        ("pm_usBankAccount_success", "succeeded"),
        ("pm_usBankAccount_accountClosed", "requires_payment_method"),
    ] {
        let intent = bench.pay(&account, method).await?.ok()?;
        assert_eq!(intent["status"], "processing");
        let path = format!("/v1/payment_intents/{}", text(&intent, "id")?);
        let refused = bench.post(&format!("{path}/cancel"), &account, &[]).await?;
        assert_eq!(
            refused.error_code(),
            Some("payment_intent_unexpected_state")
        );
        bench
            .until(&path, &account, |intent| intent["status"] == end)
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_publishable_key_confirms_with_the_secret_and_sees_no_more_than_it_should()
-> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let form = [
        ("amount", "1000"),
        ("currency", "eur"),
        ("metadata[private]", "yes"),
    ];
    let intent = bench
        .post("/v1/payment_intents", &account, &form)
        .await?
        .ok()?;
    let secret = text(&intent, "client_secret")?;
    let url = format!(
        "{}/v1/payment_intents/{}",
        bench.emulator.url,
        text(&intent, "id")?
    );
    let public = |method: Method, url: &str| {
        let request = bench
            .http
            .request(method, url)
            .bearer_auth("pk_test_browser");
        request
            .header("Stripe-Account", &account)
            .header("Origin", "http://shop.test")
    };
    let without = send(public(Method::GET, &url)).await?;
    assert_eq!(
        (without.status, without.error_code()),
        (403, Some("secret_key_required"))
    );
    let wrong = send(public(Method::GET, &url).query(&[("client_secret", "pi_x")])).await?;
    assert_eq!(wrong.status, 404);
    let seen = send(public(Method::GET, &url).query(&[("client_secret", secret)])).await?;
    assert_eq!(seen.headers["access-control-allow-origin"], "*");
    let seen = seen.ok()?;
    assert_eq!(seen["status"], "requires_payment_method");
    assert!(seen.get("metadata").is_none());
    let confirm = [
        ("client_secret", secret),
        ("payment_method", "pm_card_visa"),
    ];
    let confirmed = send(public(Method::POST, &format!("{url}/confirm")).form(&confirm)).await?;
    assert_eq!(confirmed.ok()?["status"], "succeeded");
    let list = format!("{}/v1/payment_intents", bench.emulator.url);
    assert_eq!(send(public(Method::GET, &list)).await?.status, 403);
    let preflight = send(
        public(Method::OPTIONS, &url).header("Access-Control-Request-Headers", "stripe-account"),
    )
    .await?;
    assert_eq!(preflight.status, 204);
    assert_eq!(
        preflight.headers["access-control-allow-headers"],
        "stripe-account"
    );
    Ok(())
}

#[tokio::test]
async fn intents_are_found_by_metadata_and_listed_by_cursor() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    for number in 0..12 {
        let booking = format!("b-{}", number % 4);
        let form = [
            ("amount", "1000"),
            ("currency", "eur"),
            ("metadata[booking]", &booking),
        ];
        bench
            .post("/v1/payment_intents", &account, &form)
            .await?
            .ok()?;
    }
    let query = [(
        "query",
        "metadata['booking']:'b-3' AND status:'requires_payment_method'",
    )];
    let request = bench.request(Method::GET, "/v1/payment_intents/search", &account);
    let found = send(request.query(&query)).await?.ok()?;
    assert_eq!(found["object"], "search_result");
    assert_eq!(found["data"].as_array().map(Vec::len), Some(3));
    let mut seen = Vec::new();
    let mut path = "/v1/payment_intents?limit=5".to_owned();
    loop {
        let page = bench.get(&path, &account).await?.ok()?;
        for intent in page["data"].as_array().into_iter().flatten() {
            seen.push(text(intent, "id")?.to_owned());
        }
        if page["has_more"] == false {
            break;
        }
        path = format!(
            "/v1/payment_intents?limit=5&starting_after={}",
            seen[seen.len() - 1]
        );
    }
    assert_eq!(seen.len(), 12);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 12);
    Ok(())
}

#[tokio::test]
async fn bad_requests_are_refused_as_stripe_refuses_them() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[("currency", "eur")], "parameter_missing"),
        (
            &[("amount", "ten"), ("currency", "eur")],
            "parameter_invalid_integer",
        ),
        (&[("amount", "49"), ("currency", "eur")], "amount_too_small"),
        (
            &[("amount", "100000000"), ("currency", "eur")],
            "amount_too_large",
        ),
        (
            &[
                ("amount", "500"),
                ("currency", "eur"),
                ("payment_method", "pm_no"),
            ],
            "resource_missing",
        ),
    ];
    for (form, code) in cases {
        let refused = bench.post("/v1/payment_intents", &account, form).await?;
        assert_eq!(refused.error_code(), Some(code), "{form:?}");
        assert!(refused.headers.contains_key("request-id"));
    }
    let no_key = send(bench.http.get(format!("{}/v1/balance", bench.emulator.url))).await?;
    assert_eq!(no_key.status, 401);
    assert_eq!(bench.get("/v1/nonsense", "").await?.status, 404);
    let expand = bench
        .get("/v1/payment_intents?expand[]=data.nonsense", &account)
        .await?;
    assert_eq!(expand.status, 200, "nothing to expand in an empty list");
    bench.paid(&account).await?;
    let expand = bench
        .get("/v1/payment_intents?expand[]=data.nonsense", &account)
        .await?;
    assert_eq!(expand.status, 400);
    let json = bench.request(Method::POST, "/v1/payment_intents", &account);
    assert_eq!(send(json.json(&json!({ "amount": 1 }))).await?.status, 400);
    Ok(())
}
