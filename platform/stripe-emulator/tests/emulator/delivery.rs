//! Webhooks come signed, come again, and come to those who asked for them.

use berth_stripe_emulator::WebhookTarget;
use reqwest::Method;
use serde_json::json;

use crate::{
    receiver::{Receiver, SECRET},
    support::{Bench, config, send, text},
};

/// An emulator whose connected accounts' events go to `receiver`.
pub(crate) async fn bench_for(receiver: &Receiver) -> anyhow::Result<Bench> {
    let target = WebhookTarget {
        url: receiver.url(),
        secret: SECRET.to_owned(),
        connect: true,
    };
    Bench::with(berth_stripe_emulator::Config {
        webhooks: vec![target],
        ..config()
    })
    .await
}

#[tokio::test]
async fn an_event_is_signed_and_comes_again_after_a_500() -> anyhow::Result<()> {
    let receiver = Receiver::start(&[500, 302, 404]).await?;
    let bench = bench_for(&receiver).await?;
    let account = bench.account().await?;
    let tries = receiver.wait("account.updated", 4).await?;
    assert!(
        tries
            .iter()
            .all(|one| one.event["id"] == tries[0].event["id"])
    );
    for one in &tries {
        assert!(one.is_signed_with(SECRET)?);
        assert!(!one.is_signed_with("whsec_other")?);
    }
    let event = &tries[0].event;
    assert_eq!(event["object"], "event");
    assert_eq!(event["account"], account.as_str());
    assert_eq!(event["livemode"], false);
    assert_eq!(event["data"]["object"]["charges_enabled"], true);
    let pending = format!("/v1/events/{}", text(event, "id")?);
    bench
        .until(&pending, &account, |event| event["pending_webhooks"] == 0)
        .await?;
    assert_eq!(
        receiver.of("account.updated").len(),
        4,
        "a taken event does not come again"
    );
    Ok(())
}

#[tokio::test]
async fn a_payment_tells_its_whole_story() -> anyhow::Result<()> {
    let receiver = Receiver::start(&[]).await?;
    let bench = bench_for(&receiver).await?;
    let account = bench.account().await?;
    let key = bench.request(Method::POST, "/v1/payment_intents", &account);
    let form = [
        ("amount", "1000"),
        ("currency", "eur"),
        ("payment_method", "pm_card_createDispute"),
        ("confirm", "true"),
    ];
    send(key.header("Idempotency-Key", "story").form(&form))
        .await?
        .ok()?;
    bench.pay(&account, "pm_card_chargeDeclined").await?;
    bench
        .pay(&account, "pm_card_authenticationRequired")
        .await?
        .ok()?;
    bench
        .pay(&account, "pm_usBankAccount_success")
        .await?
        .ok()?;
    let paid = bench.paid(&account).await?;
    let refund = [("payment_intent", text(&paid, "id")?)];
    bench.post("/v1/refunds", &account, &refund).await?.ok()?;
    bench
        .control("/payouts", json!({ "account": account, "amount": 100 }))
        .await?;
    bench
        .control(
            "/payouts",
            json!({ "account": account, "amount": 100, "fail": true }),
        )
        .await?;
    for kind in [
        "account.updated",
        "payment_intent.created",
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_intent.processing",
        "charge.succeeded",
        "charge.failed",
        "charge.refunded",
        "charge.dispute.created",
        "refund.created",
        "payout.paid",
        "payout.failed",
    ] {
        receiver.wait(kind, 1).await?;
    }
    let created = receiver.of("payment_intent.created");
    assert!(
        created
            .iter()
            .any(|one| one.event["request"]["idempotency_key"] == "story")
    );
    Ok(())
}

#[tokio::test]
async fn a_receiver_that_was_down_gets_everything_when_it_is_back() -> anyhow::Result<()> {
    let receiver = Receiver::start(&[]).await?;
    let bench = bench_for(&receiver).await?;
    let account = bench.account().await?;
    receiver.wait("account.updated", 1).await?;
    let address = receiver.stop().await?;
    for _ in 0..20 {
        bench.paid(&account).await?;
    }
    let flushed = bench.control("/webhooks/flush", json!({})).await?;
    assert_eq!(flushed["delivered"], 0);
    let receiver = Receiver::at(address, &[]).await?;
    let succeeded = receiver.wait("payment_intent.succeeded", 20).await?;
    assert_eq!(succeeded.len(), 20);
    Ok(())
}

#[tokio::test]
async fn endpoints_of_the_api_get_the_kinds_they_asked_for() -> anyhow::Result<()> {
    let (platform, connect) = (Receiver::start(&[]).await?, Receiver::start(&[]).await?);
    let bench = Bench::start().await?;
    let form = [
        ("url", platform.url()),
        ("enabled_events[0]", "application_fee.created".to_owned()),
    ];
    let form: Vec<_> = form
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    let own = bench.post("/v1/webhook_endpoints", "", &form).await?.ok()?;
    let form = [
        ("url", connect.url()),
        ("enabled_events[]", "charge.succeeded".to_owned()),
        ("connect", "true".to_owned()),
    ];
    let form: Vec<_> = form
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    bench.post("/v1/webhook_endpoints", "", &form).await?.ok()?;
    let account = bench.account().await?;
    bench.paid(&account).await?;
    let fee = platform.wait("application_fee.created", 1).await?;
    assert!(fee[0].is_signed_with(text(&own, "secret")?)?);
    assert!(fee[0].event.get("account").is_none());
    connect.wait("charge.succeeded", 1).await?;
    assert_eq!(
        (platform.received().len(), connect.received().len()),
        (1, 1)
    );
    let path = format!("/v1/webhook_endpoints/{}", text(&own, "id")?);
    assert!(
        bench.get(&path, "").await?.ok()?.get("secret").is_none(),
        "shown once only"
    );
    let deleted = send(bench.request(Method::DELETE, &path, "")).await?.ok()?;
    assert_eq!(deleted["deleted"], true);
    bench.paid(&account).await?;
    connect.wait("charge.succeeded", 2).await?;
    assert_eq!(platform.received().len(), 1);
    Ok(())
}
