//! What tests ask the emulator itself.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Bench, send};

#[tokio::test]
async fn health_requests_and_summary_tell_what_happened() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let health = bench.control("/health", Value::Null).await?;
    assert_eq!(health["status"], "ok");
    let account = bench.account().await?;
    bench.paid(&account).await?;
    bench.pay(&account, "pm_card_chargeDeclined").await?;
    let request = bench.request(Method::POST, "/v1/payment_intents", &account);
    send(
        request
            .header("Idempotency-Key", "seen")
            .form(&[("amount", "1000"), ("currency", "eur")]),
    )
    .await?
    .ok()?;
    let log = bench.control("/requests?limit=1", Value::Null).await?;
    let last = &log["requests"][0];
    assert_eq!(last["method"], "POST");
    assert_eq!(last["path"], "/v1/payment_intents");
    assert_eq!(last["account"], account.as_str());
    assert_eq!(last["idempotency_key"], "seen");
    assert_eq!(last["status"], 200);
    let summary = bench.control("/summary", Value::Null).await?;
    let seen = &summary["accounts"][&account];
    assert_eq!(
        seen["payment_intents"],
        json!({ "requires_payment_method": 2, "succeeded": 1 })
    );
    assert_eq!(
        seen["charges"],
        json!({ "count": 1, "amount": { "eur": 10_000 }, "failed": 1 })
    );
    assert_eq!(seen["refunds"], json!({ "count": 0, "amount": {} }));
    assert_eq!(
        summary["platform"]["application_fees"],
        json!({ "count": 1, "net": { "eur": 500 } })
    );
    Ok(())
}

#[tokio::test]
async fn the_clock_goes_forward() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let before = bench.control("/clock", Value::Null).await?["now"].as_i64();
    let after = bench
        .control("/clock", json!({ "advance_seconds": 500 }))
        .await?["now"]
        .as_i64();
    assert!(after >= before.map(|before| before + 500));
    let created = bench.post("/v1/accounts", "", &[]).await?.ok()?["created"].as_i64();
    assert!(created >= after);
    Ok(())
}

#[tokio::test]
async fn an_account_can_be_put_at_any_stage() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let path = format!("/accounts/{account}/stage");
    let back = bench
        .control(&path, json!({ "stage": "incomplete" }))
        .await?;
    assert_eq!(back["charges_enabled"], false);
    assert!(
        bench
            .control("/accounts/acct_no/complete", json!({}))
            .await
            .is_err()
    );
    Ok(())
}

#[tokio::test]
async fn an_account_that_a_database_remembers_is_taken_over_once() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let path = "/_emulator/accounts/acct_1Remembered";
    let put = async |path: &str| {
        let request = bench.request(Method::PUT, path, "");
        send(request.json(&json!({ "stage": "complete" }))).await
    };
    let taken = put(path).await?.ok()?;
    assert_eq!(taken["charges_enabled"], true);
    bench.paid("acct_1Remembered").await?;
    let again = put(path).await?.ok()?;
    assert_eq!(again["created"], taken["created"]);
    assert_eq!(put("/_emulator/accounts/1").await?.status, 400);
    Ok(())
}
