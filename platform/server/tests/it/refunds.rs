//! Money that goes back: as much as is due, once, and known to the minor unit.

use std::time::{Duration, Instant};

use berth_devkit::demo::Client;
use reqwest::{Body, Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    caller::{Caller, Credential},
    house::{AT_THE_BANK, House},
    shop::{self, Checkout},
};

/// How long a refund may take to go through.
const PATIENCE: Duration = Duration::from_secs(60);

/// A class that was paid for, and the gym's administrator.
struct Paid {
    house: House,
    booking: String,
    payment: String,
    caller: Caller,
    admin: Credential,
}

impl Paid {
    async fn with(card: &str) -> Self {
        let house = House::open().await;
        let gym = house.gym();
        let client = Client::sign_in(gym, &gym.customer).await.unwrap();
        let wish = shop::first_session(gym).await;
        let booked = client.post("/v1/bookings", &wish).await.unwrap();
        let booking = booked["id"].as_str().unwrap().to_owned();
        let payment = shop::payable(&client, &booking).await;
        let checkout = Checkout::at(&house);
        assert_eq!(checkout.pay(&payment, card).await, 200);
        shop::confirmed(&client, &booked).await;
        let caller = Caller::to(&house, gym);
        let admin = caller.token(&gym.admin).await;
        let payment = payment["id"].as_str().unwrap().to_owned();
        Self {
            house,
            booking,
            payment,
            caller,
            admin,
        }
    }

    async fn refund(&self, amount: i64, key: &str) -> (StatusCode, Value) {
        let body =
            json!({ "amount": { "amount": amount, "currency": "USD" }, "reason": "Too hot" });
        let path = format!("/payments/{}/refunds", self.payment);
        let headers = [("Idempotency-Key", key)];
        let body = Some(Body::from(body.to_string()));
        self.caller
            .send(&Method::POST, &path, body, &headers, &self.admin)
            .await
    }

    /// Waits until the payment is in `status` with so much given back; its refunds' states.
    async fn until(&self, status: &str, refunded: i64) -> Vec<String> {
        let path = format!("/payments/{}", self.payment);
        let started = Instant::now();
        loop {
            let (_, payment) = self
                .caller
                .call(&Method::GET, &path, None, &self.admin)
                .await;
            if payment["status"] == status && payment["refunded"]["amount"] == refunded {
                let refunds = payment["refunds"].as_array().unwrap().iter();
                return refunds
                    .map(|refund| refund["status"].as_str().unwrap().to_owned())
                    .collect();
            }
            assert!(started.elapsed() < PATIENCE, "still {payment}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Holds our book against the provider's.
    async fn assert_books(&self, refunds: i64) {
        let url = format!("{}/_emulator/summary", self.house.stripe.url);
        let summary: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        let accounts = summary["accounts"].as_object().unwrap().values();
        let used: Vec<&Value> = accounts
            .filter(|books| books["charges"]["count"] != 0)
            .collect();
        assert_eq!(used[0]["refunds"]["count"], refunds, "{summary}");
        let balance: i64 = used[0]["balance"]
            .as_object()
            .unwrap()
            .values()
            .map(|amount| amount.as_i64().unwrap())
            .sum();
        let gym = self.house.gym();
        let ours =
            "SELECT sum(amount_minor)::bigint FROM ledger_entry WHERE account = 'provider_balance'";
        assert_eq!(self.house.count(gym, ours).await, balance, "{summary}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_whose_answer_was_lost_is_found_and_not_made_again() {
    let paid = Paid::with("pm_card_visa").await;
    let creating = json!({ "method": "POST", "path_suffix": "/v1/refunds" });
    let fault = json!({ "kind": "error_after_commit", "times": 1, "match": creating });
    paid.house.emulator("faults", &fault).await;
    let (status, lost) = paid.refund(700, "r1").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{lost}");
    let (status, again) = paid.refund(700, "r1").await;
    assert_eq!(status, StatusCode::OK, "{again}");
    assert_eq!(paid.until("PARTIALLY_REFUNDED", 700).await, ["SUCCEEDED"]);
    paid.assert_books(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_gives_back_what_was_not_given_back_before() {
    let paid = Paid::with("pm_card_visa").await;
    let (status, answer) = paid.refund(700, "r1").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let cancel = format!("/bookings/{}/cancel", paid.booking);
    let (status, answer) = paid
        .caller
        .call(&Method::POST, &cancel, Some(&json!({})), &paid.admin)
        .await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["refund_due"]["amount"], 1_800);
    let states = paid.until("REFUNDED", 1_800).await;
    assert_eq!(states, ["SUCCEEDED", "SUCCEEDED"]);
    paid.assert_books(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_comes_back_from_the_bank_is_due_again() {
    let paid = Paid::with("pm_card_refundFail").await;
    let (status, answer) = paid.refund(700, "r1").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(paid.until("PARTIALLY_REFUNDED", 700).await, ["SUCCEEDED"]);
    let advance = json!({ "advance_seconds": AT_THE_BANK.as_secs() });
    paid.house.emulator("clock", &advance).await;
    assert_eq!(paid.until("SUCCEEDED", 0).await, ["FAILED"]);
    // The provider counts those that went through.
    paid.assert_books(0).await;
    let told =
        "SELECT count(*) FROM platform.outbox WHERE event_type = 'payment.payment.refund_failed'";
    assert_eq!(paid.house.count(paid.house.gym(), told).await, 1);
    // All of it is there to be given back again.
    let (status, answer) = paid.refund(1_800, "r2").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}
