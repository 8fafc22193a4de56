//! What was there is there again after a restart.

use std::time::Duration;

use berth_stripe_emulator::{Config, WebhookTarget};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    receiver::{Receiver, SECRET},
    support::{Bench, config, send, text},
};

#[tokio::test]
async fn accounts_payments_keys_and_pending_webhooks_survive() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let down = Receiver::start(&[]).await?;
    let url = down.url();
    let address = down.stop().await?;
    let config = Config {
        state: Some(folder.path().join("state.json")),
        webhooks: vec![WebhookTarget {
            url,
            secret: SECRET.to_owned(),
            connect: true,
        }],
        ..config()
    };
    let bench = Bench::with(config.clone()).await?;
    let account = bench.account().await?;
    bench
        .control("/clock", json!({ "advance_seconds": 1_000 }))
        .await?;
    let form = [
        ("amount", "1000"),
        ("currency", "eur"),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
    ];
    let create = |bench: &Bench| {
        let request = bench.request(Method::POST, "/v1/payment_intents", &account);
        send(request.header("Idempotency-Key", "k").form(&form))
    };
    let first = create(&bench).await?;
    let summary = bench.control("/summary", Value::Null).await?;
    assert_eq!(summary["webhooks_pending"], 4);
    bench.emulator.stop().await?;

    let bench = Bench::with(config).await?;
    assert_eq!(bench.control("/summary", Value::Null).await?, summary);
    let again = create(&bench).await?;
    assert_eq!(again.text, first.text);
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let id = text(&first.body, "id")?;
    let refund = bench
        .post("/v1/refunds", &account, &[("payment_intent", id)])
        .await?
        .ok()?;
    assert_eq!(refund["status"], "succeeded");
    let receiver = Receiver::at(address, &[]).await?;
    receiver.wait("payment_intent.succeeded", 1).await?;
    receiver.wait("account.updated", 1).await?;
    Ok(())
}

#[tokio::test]
async fn a_snapshot_is_written_soon_after_a_change() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let state = folder.path().join("state.json");
    let bench = Bench::with(Config {
        state: Some(state.clone()),
        ..config()
    })
    .await?;
    let account = bench.account().await?;
    let written = async {
        // The file is whole at every moment at which it exists.
        loop {
            if let Ok(bytes) = std::fs::read(&state) {
                let world: Value = serde_json::from_slice(&bytes)?;
                if world["accounts"][0]["id"] == account.as_str() {
                    return anyhow::Ok(());
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), written).await??;
    Ok(())
}

#[tokio::test]
async fn a_broken_snapshot_stops_the_start() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let state = folder.path().join("state.json");
    std::fs::write(&state, "{ half")?;
    let started = Bench::with(Config {
        state: Some(state),
        ..config()
    })
    .await;
    assert!(started.is_err());
    Ok(())
}
