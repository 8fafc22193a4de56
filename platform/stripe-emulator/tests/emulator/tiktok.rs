//! The Events API counts duplicates and refuses what TikTok refuses.

use serde_json::{Value, json};

use crate::support::{Bench, config, send};

const HASH: &str = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b";

fn purchase(id: &str) -> Value {
    json!({
        "event_source": "web",
        "event_source_id": "PIXEL1",
        "data": [{
            "event": "CompletePayment",
            "event_time": 1_700_000_000,
            "event_id": id,
            "user": { "email": HASH },
            "properties": { "currency": "EUR", "value": 49.5 },
        }],
    })
}

async fn track(bench: &Bench, token: &str, body: &Value) -> anyhow::Result<Value> {
    let url = format!("{}/open_api/v1.3/event/track/", bench.emulator.url);
    send(
        bench
            .http
            .post(url)
            .header("Access-Token", token)
            .json(body),
    )
    .await?
    .ok()
}

async fn events(bench: &Bench) -> anyhow::Result<Vec<Value>> {
    let events = bench.control("/tiktok/events", Value::Null).await?;
    Ok(events["events"].as_array().cloned().unwrap_or_default())
}

#[tokio::test]
async fn the_same_event_within_48_hours_is_kept_once() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for _ in 0..3 {
        let answer = track(&bench, "token", &purchase("e-1")).await?;
        assert_eq!(
            (&answer["code"], &answer["message"]),
            (&json!(0), &json!("OK"))
        );
    }
    track(&bench, "token", &purchase("e-2")).await?;
    let mut other = purchase("e-1");
    other["event_source_id"] = json!("PIXEL2");
    track(&bench, "token", &other).await?;
    let kept: Vec<_> = events(&bench)
        .await?
        .iter()
        .map(|one| one["deliveries"].clone())
        .collect();
    assert_eq!(json!(kept), json!([3, 1, 1]));
    bench
        .control("/clock", json!({ "advance_seconds": 48 * 3_600 }))
        .await?;
    track(&bench, "token", &purchase("e-1")).await?;
    assert_eq!(events(&bench).await?.len(), 4);
    Ok(())
}

#[tokio::test]
async fn bad_tokens_and_shapes_have_tiktok_s_codes() -> anyhow::Result<()> {
    let config = berth_stripe_emulator::Config {
        tiktok_access_token: Some("right".to_owned()),
        ..config()
    };
    let bench = Bench::with(config).await?;
    assert_eq!(track(&bench, "", &purchase("e")).await?["code"], 40104);
    assert_eq!(track(&bench, "wrong", &purchase("e")).await?["code"], 40105);
    let spoilt = |pointer: &str, value: Value| {
        let mut body = purchase("e");
        if let Some(slot) = body.pointer_mut(pointer) {
            *slot = value;
        }
        body
    };
    for body in [
        spoilt("/event_source", json!("tv")),
        spoilt("/event_source_id", json!("")),
        spoilt("/data", json!([])),
        spoilt("/data/0/event", json!(null)),
        spoilt("/data/0/event_time", json!(1_700_000_000_000_i64)),
        spoilt("/data/0/user/email", json!("guest@example.test")),
        spoilt("/data/0/properties/value", json!("49.50")),
    ] {
        assert_eq!(
            track(&bench, "right", &body).await?["code"],
            40002,
            "{body}"
        );
    }
    assert_eq!(events(&bench).await?.len(), 0);
    bench.fault(json!({ "match": { "path_prefix": "/open_api" }, "kind": "error_after_commit", "times": 1 })).await?;
    assert_eq!(track(&bench, "right", &purchase("e")).await?["code"], 50000);
    assert_eq!(events(&bench).await?.len(), 1);
    Ok(())
}
