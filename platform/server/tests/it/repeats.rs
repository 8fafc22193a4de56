//! The same request twice is one request: under its idempotency key it gets the answer it had, and
//! what was changed in the meantime is not overwritten by somebody who has not seen it.

use berth_devkit::demo::{self, Client};
use reqwest::{Body, Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    caller::{Caller, Credential},
    house::House,
    shop,
};

/// Posts under a key; status and answer.
async fn post(
    caller: &Caller,
    path: &str,
    body: &Value,
    key: &str,
    credential: &Credential,
) -> (StatusCode, Value) {
    let body = Some(Body::from(body.to_string()));
    let headers = [("Idempotency-Key", key)];
    caller
        .send(&Method::POST, path, body, &headers, credential)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_books_once_and_belongs_to_one_request_of_one_person() {
    let house = House::open().await;
    let gym = house.gym();
    let caller = Caller::to(&house, gym);
    let customer = caller.token(&gym.customer).await;
    let admin = caller.token(&gym.admin).await;
    let wish = shop::first_session(gym).await;

    let (status, first) = post(&caller, "/bookings", &wish, "k1", &customer).await;
    assert!(status.is_success(), "{first}");
    let (_, again) = post(&caller, "/bookings", &wish, "k1", &customer).await;
    assert_eq!(first["id"], again["id"]);
    let (_, other) = post(&caller, "/bookings", &wish, "k2", &customer).await;
    assert_ne!(first["id"], other["id"]);
    // Somebody else's key of the same name is another key.
    let (_, theirs) = post(&caller, "/bookings", &wish, "k1", &admin).await;
    assert_ne!(first["id"], theirs["id"]);

    let mut more = wish.clone();
    more["quantity"] = json!(2);
    let (status, refusal) = post(&caller, "/bookings", &more, "k1", &customer).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refusal["code"], "IDEMPOTENCY_MISMATCH");
    assert_eq!(house.count(gym, "SELECT count(*) FROM booking").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_given_once_and_never_more_than_was_paid() {
    let house = House::open().await;
    let gym = house.gym();
    demo::play(&house.endpoints, gym, |_| {}).await.unwrap();
    let caller = Caller::to(&house, gym);
    let admin = caller.token(&gym.admin).await;
    let (_, payments) = caller.call(&Method::GET, "/payments", None, &admin).await;
    let path = format!(
        "/payments/{}/refunds",
        payments["items"][0]["id"].as_str().unwrap()
    );
    let refund = |amount: i64| json!({ "amount": { "amount": amount, "currency": "USD" }, "reason": "Too hot" });

    let (status, first) = post(&caller, &path, &refund(700), "r1", &admin).await;
    assert!(status.is_success(), "{first}");
    let (_, again) = post(&caller, &path, &refund(700), "r1", &admin).await;
    assert_eq!(first["id"], again["id"]);
    let (status, refusal) = post(&caller, &path, &refund(800), "r1", &admin).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refusal["code"], "IDEMPOTENCY_MISMATCH");
    let (status, refusal) = post(&caller, &path, &refund(1_101), "r2", &admin).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refusal["code"], "REFUND_REFUSED");
    let euros = json!({ "amount": { "amount": 1, "currency": "EUR" }, "reason": "Too hot" });
    let (status, refusal) = post(&caller, &path, &euros, "r3", &admin).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refusal}");
    let (status, rest) = post(&caller, &path, &refund(1_100), "r4", &admin).await;
    assert!(status.is_success(), "{rest}");

    let summary = format!("{}/_emulator/summary", house.stripe.url);
    let summary: Value = reqwest::get(summary).await.unwrap().json().await.unwrap();
    let accounts = summary["accounts"].as_object().unwrap().values();
    let refunded: Vec<&Value> = accounts
        .filter(|books| books["refunds"]["count"] != 0)
        .collect();
    assert_eq!(refunded.len(), 1, "{summary}");
    assert_eq!(refunded[0]["refunds"]["count"], 2);
    assert_eq!(refunded[0]["refunds"]["amount"]["usd"], 1_800);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_version_that_is_past_is_refused() {
    let house = House::open().await;
    let clinic = house.clinic();
    let client = Client::sign_in(clinic, &clinic.customer).await.unwrap();
    let caller = Caller::to(&house, clinic);
    let customer = caller.token(&clinic.customer).await;
    let played = demo::play(&house.endpoints, clinic, |_| {}).await.unwrap();
    let path = format!("/bookings/{}", played.booking_id);
    let booking = client.get(&format!("/v1{path}")).await.unwrap();
    let edit = |notes: &str| json!({ "version": booking["version"], "notes": notes });

    let (status, edited) = caller
        .call(&Method::PATCH, &path, Some(&edit("One")), &customer)
        .await;
    assert!(status.is_success(), "{edited}");
    assert_eq!(edited["notes"], "One");
    let (status, refusal) = caller
        .call(&Method::PATCH, &path, Some(&edit("Two")), &customer)
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(refusal["code"], "VERSION_CONFLICT");
    let now = client.get(&format!("/v1{path}")).await.unwrap();
    assert_eq!(
        (&now["notes"], &now["version"]),
        (&json!("One"), &edited["version"])
    );
}
