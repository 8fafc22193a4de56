//! Events that cannot be handled rest, hold nobody up, and can be replayed.

use std::time::Duration;

use berth_devkit::{demo::Client, environment::Role};
use serde_json::{Value, json};

use crate::{
    house::House,
    shop::{self, until},
};

/// Runs `berth dead-letters` with `arguments`; what it prints.
async fn dead_letters(house: &House, arguments: &[&str]) -> String {
    let seeder = house.seeder();
    let output = tokio::process::Command::new(&seeder.program)
        .arg("dead-letters")
        .args(arguments)
        .envs(seeder.environment)
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    text
}

async fn edit(client: &Client, path: &str, notes: &str) {
    let version = client.get(path).await.unwrap()["version"].clone();
    let change = json!({ "version": version, "notes": notes });
    client.patch(path, &change).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_read_holds_nobody_up_and_is_replayed_when_mended() {
    let mut house = House::open().await;
    let gym = house.gym().clone();
    let client = Client::sign_in(&gym, &gym.customer).await.unwrap();
    let wish = shop::first_session(&gym).await;
    let booked = client.post("/v1/bookings", &wish).await.unwrap();
    let id = booked["id"].as_str().unwrap();
    let path = format!("/v1/bookings/{id}");
    shop::payable(&client, id).await;

    // The second event of the booking is broken on its way.
    house.stop(Role::Relay).await;
    edit(&client, &path, "One").await;
    let spoil =
        "UPDATE platform.outbox SET envelope = replace(envelope, '\"change\"', '\"chance\"')
                 WHERE published_at IS NULL AND event_type = 'booking.booking.updated'";
    house.sql(&gym, spoil).await;
    house.start(Role::Relay).await;
    let resting = "SELECT count(*) FROM platform.dead_letter WHERE replayed_at IS NULL";
    // Two want to know of changes.
    while house.count(&gym, resting).await < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The third is handled all the same.
    edit(&client, &path, "Two").await;
    let kept = "SELECT (booking ->> 'version')::bigint FROM payment";
    while house.count(&gym, kept).await < 3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let mend =
        "UPDATE platform.dead_letter SET envelope = replace(envelope, '\"chance\"', '\"change\"')";
    house.sql(&gym, mend).await;
    let listed = dead_letters(&house, &["list"]).await;
    let mut consumers = Vec::new();
    for line in listed.lines() {
        assert!(line.contains("booking.booking.updated"), "{line}");
        let words: Vec<&str> = line.split_whitespace().collect();
        let (consumer, event) = (words[1], words[2]);
        dead_letters(&house, &["replay", consumer, event]).await;
        let handled = format!(
            "SELECT count(*) FROM inbox WHERE consumer = '{consumer}' AND event_id = '{event}'"
        );
        while house.count(&gym, &handled).await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        consumers.push(consumer);
    }
    consumers.sort_unstable();
    assert_eq!(consumers, ["notification", "payment"]);
    assert_eq!(dead_letters(&house, &["list"]).await, "");

    // What comes after the replay is handled as well, and what came before it was not undone.
    assert_eq!(house.count(&gym, kept).await, 3);
    let cancel = format!("{path}/cancel");
    client.post(&cancel, &json!({})).await.unwrap();
    let payments = format!("/v1/payments?booking_id={id}");
    until(&client, &payments, |page: &Value| {
        (page["items"][0]["status"] == "CANCELED").then_some(())
    })
    .await;
}
