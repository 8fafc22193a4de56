//! Customers who do not give up: what a good client does when an answer does not come.

use std::time::{Duration, Instant};

use berth_devkit::{
    Tenant,
    demo::{ApiError, Client},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;

/// How long a customer waits for anything.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// What a customer does with a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intention {
    /// Pays.
    Pay,
    /// Tries a card that is declined, then pays with one that is not.
    PayAtSecondTry,
    /// Thinks better of it before paying.
    CallOff,
    /// Has paid already.
    Nothing,
}

impl Intention {
    pub(crate) const fn pays(self) -> bool {
        !matches!(self, Self::CallOff)
    }
}

/// A booking that was acknowledged, and what its customer did with it.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    pub(crate) id: String,
    pub(crate) intention: Intention,
    /// Minor units.
    pub(crate) price: i64,
    /// What the tracking pixel named the purchase.
    pub(crate) pixel: String,
}

/// Sends a POST until it is answered, under one idempotency key. An answer that is neither a
/// success nor a request to try again is the test's end.
async fn post(client: &Client, path: &str, body: &Value) -> Value {
    let key = Uuid::new_v4().to_string();
    let started = Instant::now();
    loop {
        let error = match client.post_once(path, body, &key).await {
            Ok(answer) => return answer,
            Err(error) => error,
        };
        check(&error);
        assert!(started.elapsed() < PATIENCE, "POST {path}: {error:#}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Asks until `seen` finds what it looks for.
pub(crate) async fn until<T>(client: &Client, path: &str, seen: impl Fn(&Value) -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        match client.get(path).await {
            Ok(answer) => {
                if let Some(found) = seen(&answer) {
                    return found;
                }
                assert!(
                    started.elapsed() < PATIENCE,
                    "GET {path} still says {answer}"
                );
            }
            Err(error) => {
                check(&error);
                assert!(started.elapsed() < PATIENCE, "GET {path}: {error:#}");
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A connection that broke is no answer, and a request that is still at work may be sent again;
/// any other refusal is a fault.
fn check(error: &anyhow::Error) {
    if let Some(refusal) = error.downcast_ref::<ApiError>() {
        let again = refusal.status < 500 && refusal.body["retryable"] == true;
        assert!(again, "{refusal}");
    }
}

/// Books a wish, does with it what is intended, and waits until that shows.
pub(crate) async fn shop(
    checkout: &Checkout,
    client: &Client,
    wish: Value,
    intention: Intention,
) -> Acknowledged {
    let pixel = format!("pixel-{}", Uuid::new_v4());
    let wish = with_pixel(&wish, &pixel);
    let booked = post(client, "/v1/bookings", &wish).await;
    let (id, price) = settle(checkout, client, &booked, intention).await;
    Acknowledged {
        id,
        intention,
        price,
        pixel,
    }
}

/// Does with a booking what is intended, and waits until that shows; its id and price.
pub(crate) async fn settle(
    checkout: &Checkout,
    client: &Client,
    booked: &Value,
    intention: Intention,
) -> (String, i64) {
    let id = booked["id"].as_str().unwrap().to_owned();
    let price = booked["price"]["amount"].as_i64().unwrap();
    let path = format!("/v1/bookings/{id}");
    let end = if intention == Intention::Nothing {
        "CONFIRMED"
    } else if intention.pays() {
        let payment = payable(client, &id).await;
        if intention == Intention::PayAtSecondTry {
            let status = checkout.pay(&payment, "pm_card_chargeDeclined").await;
            assert_eq!(status, 402);
        }
        assert_eq!(checkout.pay(&payment, "pm_card_visa").await, 200);
        "CONFIRMED"
    } else {
        post(client, &format!("{path}/cancel"), &json!({})).await;
        "CANCELLED"
    };
    until(client, &path, |booking| match booking["status"].as_str() {
        Some(status) if status == end => Some(()),
        Some("PENDING") => None,
        _ => panic!("{booking}"),
    })
    .await;
    (id, price)
}

/// Waits until a booking can be paid; its payment.
pub(crate) async fn payable(client: &Client, booking: &str) -> Value {
    let payments = format!("/v1/payments?booking_id={booking}");
    until(client, &payments, |page| {
        let payment = &page["items"][0];
        payment["client_secret"]
            .is_string()
            .then(|| payment.clone())
    })
    .await
}

/// Waits until a booking is confirmed, whatever it was before; its id and price.
pub(crate) async fn confirmed(client: &Client, booked: &Value) -> (String, i64) {
    let id = booked["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/bookings/{id}");
    until(client, &path, |booking| {
        (booking["status"] == "CONFIRMED").then_some(())
    })
    .await;
    (id, booked["price"]["amount"].as_i64().unwrap())
}

/// A wish that came by an advertisement, whose pixel named it `pixel`.
pub(crate) fn with_pixel(wish: &Value, pixel: &str) -> Value {
    let mut wish = wish.clone();
    wish["attribution"] = json!({ "pixel_event_id": pixel, "ttclid": "click" });
    wish
}

/// Pays as the browser does: with the publishable key and the intent's secret.
#[derive(Clone, Debug)]
pub(crate) struct Checkout {
    stripe: String,
    http: reqwest::Client,
}

impl Checkout {
    pub(crate) fn at(house: &House) -> Self {
        Self {
            stripe: house.stripe.url.clone(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// Pays without waiting for the event that would ask for the money.
    pub(crate) async fn pay_at_once(&self, client: &Client, booked: &Value) {
        let wish = json!({ "booking_id": booked["id"] });
        let payment = client.post("/v1/payments", &wish).await.unwrap();
        assert_eq!(self.pay(&payment, "pm_card_visa").await, 200);
    }

    /// Tries to pay with `method`; the provider's status.
    pub(crate) async fn pay(&self, payment: &Value, method: &str) -> u16 {
        let intent = payment["provider_ref"].as_str().unwrap();
        let url = format!("{}/v1/payment_intents/{intent}/confirm", self.stripe);
        let secret = payment["client_secret"].as_str().unwrap();
        let answer = self
            .http
            .post(url)
            .bearer_auth(payment["publishable_key"].as_str().unwrap())
            .header("Stripe-Account", payment["account_id"].as_str().unwrap())
            .form(&[("client_secret", secret), ("payment_method", method)])
            .send()
            .await
            .unwrap();
        answer.status().as_u16()
    }
}

/// What is free of a tenant's first product, from tomorrow until in `days` days.
pub(crate) async fn free(tenant: &Tenant, days: i64) -> Value {
    let customer = Client::sign_in(tenant, &tenant.customer).await.unwrap();
    let product = &tenant.product_ids[0];
    let today = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let day = |ahead: i64| today.checked_add(jiff::Span::new().days(ahead)).unwrap();
    let path = format!(
        "/v1/products/{product}/slots?from={}&to={}",
        day(1),
        day(days)
    );
    customer.get(&path).await.unwrap()
}

/// The first session of the programme with enough places.
pub(crate) async fn first_session(gym: &Tenant) -> Value {
    let product = &gym.product_ids[0];
    let answer = free(gym, 14).await;
    json!({ "product_id": product, "session_id": answer["slots"][0]["session_id"] })
}
