//! `Idempotency-Key`: once is once.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Bench, Reply, send, text};

async fn keyed(
    bench: &Bench,
    account: &str,
    key: &str,
    form: &[(&str, &str)],
) -> anyhow::Result<Reply> {
    let request = bench.request(Method::POST, "/v1/payment_intents", account);
    send(request.header("Idempotency-Key", key).form(form)).await
}

const PAY: [(&str, &str); 4] = [
    ("amount", "1000"),
    ("currency", "eur"),
    ("payment_method", "pm_card_visa"),
    ("confirm", "true"),
];

async fn intents(bench: &Bench, account: &str) -> anyhow::Result<usize> {
    let page = bench
        .get("/v1/payment_intents?limit=100", account)
        .await?
        .ok()?;
    Ok(page["data"].as_array().map_or(0, Vec::len))
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    let first = keyed(&bench, &account, "k-1", &PAY).await?;
    let mut reordered = PAY;
    reordered.reverse();
    let second = keyed(&bench, &account, "k-1", &reordered).await?;
    assert_eq!(first.text, second.text);
    assert_eq!(second.headers["idempotent-replayed"], "true");
    assert_eq!(
        second.headers["original-request"],
        first.headers["request-id"]
    );
    assert!(!first.headers.contains_key("idempotent-replayed"));
    assert_eq!(intents(&bench, &account).await?, 1);
    let declined = [
        ("amount", "1000"),
        ("currency", "eur"),
        ("payment_method", "pm_card_chargeDeclined"),
        ("confirm", "true"),
    ];
    let one = keyed(&bench, &account, "k-2", &declined).await?;
    let two = keyed(&bench, &account, "k-2", &declined).await?;
    assert_eq!((one.status, two.status), (402, 402));
    assert_eq!(one.text, two.text);
    Ok(())
}

#[tokio::test]
async fn the_same_key_with_other_parameters_is_refused() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    keyed(&bench, &account, "k", &PAY).await?.ok()?;
    let other = [("amount", "1001"), ("currency", "eur")];
    let refused = keyed(&bench, &account, "k", &other).await?;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.body["error"]["type"], "idempotency_error");
    let elsewhere = bench
        .request(Method::POST, "/v1/refunds", &account)
        .header("Idempotency-Key", "k");
    let refused = send(elsewhere.form(&PAY)).await?;
    assert_eq!(refused.body["error"]["type"], "idempotency_error");
    // What failed validation was not executed and does not occupy its key.
    let bad = keyed(&bench, &account, "k-3", &[("amount", "1000")]).await?;
    assert_eq!(bad.error_code(), Some("parameter_missing"));
    keyed(&bench, &account, "k-3", &PAY).await?.ok()?;
    let other_account = bench.account().await?;
    keyed(&bench, &other_account, "k", &other).await?.ok()?;
    Ok(())
}

#[tokio::test]
async fn a_failure_is_replayed_too() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    for kind in ["error_before_commit", "error_after_commit"] {
        let before = intents(&bench, &account).await?;
        let matcher = json!({ "method": "POST", "path_prefix": "/v1/payment_intents" });
        bench
            .fault(json!({ "match": matcher, "kind": kind, "times": 1 }))
            .await?;
        for _ in 0..3 {
            let failed = keyed(&bench, &account, kind, &PAY).await?;
            assert_eq!(failed.status, 500);
            assert_eq!(failed.body["error"]["type"], "api_error");
        }
        let done = usize::from(kind == "error_after_commit");
        assert_eq!(intents(&bench, &account).await?, before + done, "{kind}");
        keyed(&bench, &account, &format!("{kind}-again"), &PAY)
            .await?
            .ok()?;
    }
    Ok(())
}

#[tokio::test]
async fn a_key_in_use_is_a_conflict_until_its_request_ends() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    bench
        .fault(
            json!({ "match": { "method": "POST" }, "kind": "delay", "delay_ms": 2_000, "times": 1 }),
        )
        .await?;
    let slow = keyed(&bench, &account, "k", &PAY);
    let quick = async {
        // The slow one is under way once its fault has struck.
        while bench.control("/faults", Value::Null).await?["faults"] != json!([]) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        keyed(&bench, &account, "k", &PAY).await
    };
    let (slow, quick) = tokio::join!(slow, quick);
    let (slow, quick) = (slow?, quick?);
    assert_eq!(
        (quick.status, quick.error_code()),
        (409, Some("idempotency_key_in_use"))
    );
    let intent = slow.ok()?;
    let replayed = keyed(&bench, &account, "k", &PAY).await?.ok()?;
    assert_eq!(text(&replayed, "id")?, text(&intent, "id")?);
    Ok(())
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    keyed(&bench, &account, "k", &PAY).await?.ok()?;
    bench
        .control("/clock", json!({ "advance_seconds": 86_400 }))
        .await?;
    let fresh = keyed(&bench, &account, "k", &PAY).await?;
    assert!(!fresh.headers.contains_key("idempotent-replayed"));
    assert_eq!(intents(&bench, &account).await?, 2);
    Ok(())
}
