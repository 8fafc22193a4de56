//! Each fault does what its name says, as often as it was asked to.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    delivery::bench_for,
    receiver::{Receiver, SECRET},
    support::{Bench, send, text},
};

/// How many intents there are: what was done behind a fault.
async fn intents(bench: &Bench, account: &str) -> anyhow::Result<usize> {
    let page = bench
        .get("/v1/payment_intents?limit=100", account)
        .await?
        .ok()?;
    Ok(page["data"].as_array().map_or(0, Vec::len))
}

#[tokio::test]
async fn errors_come_before_or_after_the_commit() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    for (kind, done) in [("error_before_commit", 0), ("error_after_commit", 1)] {
        let before = intents(&bench, &account).await?;
        bench
            .fault(json!({ "match": { "method": "POST" }, "kind": kind, "times": 1 }))
            .await?;
        let failed = bench.pay(&account, "pm_card_visa").await?;
        assert_eq!(
            (failed.status, &failed.body["error"]["type"]),
            (500, &json!("api_error"))
        );
        assert_eq!(intents(&bench, &account).await?, before + done, "{kind}");
        bench.pay(&account, "pm_card_visa").await?.ok()?;
    }
    Ok(())
}

#[tokio::test]
async fn a_timeout_never_answers_though_it_was_done() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    for (commit, done) in [(Value::Null, 1), (json!(false), 0)] {
        let before = intents(&bench, &account).await?;
        let fault = json!({ "match": { "path_prefix": "/v1/payment_intents", "method": "POST" }, "kind": "timeout", "times": 1, "commit": commit });
        bench.fault(fault).await?;
        let form = [("amount", "1000"), ("currency", "eur")];
        let asked = bench
            .request(Method::POST, "/v1/payment_intents", &account)
            .header("Idempotency-Key", format!("slow-{done}"))
            .timeout(Duration::from_millis(1_500))
            .form(&form);
        let error = asked.send().await.expect_err("no answer");
        assert!(error.is_timeout(), "{error}");
        assert_eq!(intents(&bench, &account).await?, before + done);
        let again = bench.request(Method::POST, "/v1/payment_intents", &account);
        send(
            again
                .header("Idempotency-Key", format!("slow-{done}"))
                .form(&form),
        )
        .await?
        .ok()?;
        assert_eq!(
            intents(&bench, &account).await?,
            before + 1,
            "the same key: once"
        );
    }
    let log = bench.control("/requests?limit=100", Value::Null).await?;
    let unanswered = log["requests"].as_array().into_iter().flatten();
    assert_eq!(unanswered.filter(|one| one["status"].is_null()).count(), 2);
    Ok(())
}

#[tokio::test]
async fn proxies_and_limits_answer_in_stripe_s_stead() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    bench
        .fault(json!({ "match": { "path_prefix": "/v1/" }, "kind": "html_502", "times": 1 }))
        .await?;
    let failed = bench.pay(&account, "pm_card_visa").await?;
    assert_eq!(failed.status, 502);
    assert!(failed.text.starts_with("<html>"));
    assert_eq!(failed.headers["content-type"], "text/html");
    bench
        .fault(json!({ "kind": "rate_limit", "times": 2 }))
        .await?;
    for _ in 0..2 {
        let limited = bench.pay(&account, "pm_card_visa").await?;
        assert_eq!(
            (limited.status, limited.error_code()),
            (429, Some("rate_limit"))
        );
    }
    assert_eq!(intents(&bench, &account).await?, 0);
    bench.fault(json!({ "match": { "method": "POST" }, "kind": "html_502", "times": 1, "commit": true })).await?;
    assert_eq!(bench.pay(&account, "pm_card_visa").await?.status, 502);
    assert_eq!(intents(&bench, &account).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_delay_makes_the_answer_late() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let account = bench.account().await?;
    bench
        .fault(
            json!({ "match": { "path_suffix": "/balance" }, "kind": "delay", "delay_ms": 1_000 }),
        )
        .await?;
    let started = Instant::now();
    bench.get("/v1/balance", &account).await?.ok()?;
    assert!(started.elapsed() >= Duration::from_secs(1));
    let cleared = send(
        bench
            .http
            .delete(format!("{}/_emulator/faults", bench.emulator.url)),
    )
    .await?;
    assert_eq!(cleared.ok()?["faults"], json!([]));
    let started = Instant::now();
    bench.get("/v1/balance", &account).await?.ok()?;
    assert!(started.elapsed() < Duration::from_secs(1));
    Ok(())
}

#[tokio::test]
async fn webhooks_are_doubled_and_dropped() -> anyhow::Result<()> {
    let receiver = Receiver::start(&[]).await?;
    let bench = bench_for(&receiver).await?;
    let account = bench.account().await?;
    let on = |kind: &str, event: &str| json!({ "match": { "event_type": event }, "kind": kind, "times": 1 });
    bench
        .fault(on("duplicate_webhook", "charge.succeeded"))
        .await?;
    bench
        .fault(on("drop_webhooks", "payment_intent.succeeded"))
        .await?;
    bench.paid(&account).await?;
    let doubled = receiver.wait("charge.succeeded", 2).await?;
    assert_eq!(doubled[0].event["id"], doubled[1].event["id"]);
    bench.paid(&account).await?;
    receiver.wait("charge.succeeded", 3).await?;
    receiver.wait("payment_intent.succeeded", 1).await?;
    let flushed = bench.control("/webhooks/flush", json!({})).await?;
    assert_eq!(flushed["pending"], 0);
    assert_eq!(
        receiver.of("payment_intent.succeeded").len(),
        1,
        "the first one is lost"
    );
    // What was lost as a webhook is still found by asking.
    let listed = bench
        .get("/v1/events?type=payment_intent.succeeded", &account)
        .await?
        .ok()?;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(2));
    Ok(())
}

#[tokio::test]
async fn webhooks_are_delayed_until_they_are_flushed() -> anyhow::Result<()> {
    let receiver = Receiver::start(&[]).await?;
    let bench = bench_for(&receiver).await?;
    let account = bench.account().await?;
    receiver.wait("account.updated", 1).await?;
    bench.fault(json!({ "match": { "account": account }, "kind": "delay_webhooks", "delay_ms": 60_000 })).await?;
    bench.paid(&account).await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(receiver.received().len(), 1);
    let flushed = bench.control("/webhooks/flush", json!({})).await?;
    assert_eq!(flushed, json!({ "delivered": 3, "pending": 0 }));
    assert_eq!(receiver.received().len(), 4);
    Ok(())
}

#[tokio::test]
async fn shuffled_webhooks_come_in_another_order() -> anyhow::Result<()> {
    let receiver = Receiver::start(&[]).await?;
    let bench = bench_for(&receiver).await?;
    let account = bench.account().await?;
    bench
        .fault(json!({ "kind": "shuffle_webhooks", "delay_ms": 500 }))
        .await?;
    for _ in 0..10 {
        bench.paid(&account).await?;
    }
    let came = receiver.wait("payment_intent.succeeded", 10).await?;
    let came: Vec<_> = came
        .iter()
        .map(|one| one.event["data"]["object"]["id"].clone())
        .collect();
    let made = bench
        .get("/v1/payment_intents?limit=10", &account)
        .await?
        .ok()?;
    let made: Vec<_> = made["data"]
        .as_array()
        .into_iter()
        .flatten()
        .rev()
        .map(|intent| intent["id"].clone())
        .collect();
    // Ten in their old order by chance: once in 3.6 million runs.
    assert_ne!(came, made);
    let (came, made): (HashSet<_>, HashSet<_>) = (
        came.iter().map(Value::to_string).collect(),
        made.iter().map(Value::to_string).collect(),
    );
    assert_eq!(came, made);
    Ok(())
}

#[tokio::test]
async fn spoilt_signatures_spoil_one_try() -> anyhow::Result<()> {
    let receiver = Receiver::start(&[400, 400]).await?;
    let bench = bench_for(&receiver).await?;
    bench
        .fault(json!({ "kind": "bad_signature", "times": 1 }))
        .await?;
    bench
        .fault(json!({ "kind": "old_timestamp", "times": 1 }))
        .await?;
    let account = bench.account().await?;
    let tries = receiver.wait("account.updated", 3).await?;
    assert!(!tries[0].is_signed_with(SECRET)?);
    assert!(tries[1].is_signed_with(SECRET)?);
    let age = tries[2].signed_at()? - tries[1].signed_at()?;
    assert!(age >= 3_599, "an old timestamp, honestly signed: {age}");
    assert!(tries[2].is_signed_with(SECRET)?);
    assert_eq!(text(&tries[2].event, "account")?, account);
    Ok(())
}

#[tokio::test]
async fn a_fault_that_is_none_is_refused() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    assert!(bench.fault(json!({ "kind": "earthquake" })).await.is_err());
    assert!(
        bench
            .fault(json!({ "kind": "delay", "match": { "verb": "GET" } }))
            .await
            .is_err()
    );
    Ok(())
}
