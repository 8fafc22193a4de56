//! How long a place is kept for money that has not come.

use berth_devkit::{demo::Client, environment::Role};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    backoffice::refused,
    caller::Caller,
    house::{AT_THE_BANK, House},
    shop::{self, Checkout},
};

/// A booking waiting for its money, and who made it.
struct Held {
    house: House,
    client: Client,
    checkout: Checkout,
    path: String,
}

impl Held {
    /// Books a class of the gym and waits until it can be paid.
    async fn open() -> (Self, Value) {
        let house = House::open().await;
        let gym = house.gym();
        let client = Client::sign_in(gym, &gym.customer).await.unwrap();
        let wish = shop::first_session(gym).await;
        let booked = client.post("/v1/bookings", &wish).await.unwrap();
        assert_eq!(booked["status"], "PENDING");
        let id = booked["id"].as_str().unwrap();
        let path = format!("/v1/bookings/{id}");
        let payment = shop::payable(&client, id).await;
        let checkout = Checkout::at(&house);
        let held = Self {
            house,
            client,
            checkout,
            path,
        };
        (held, payment)
    }

    /// Waits until the booking says `status`.
    async fn until(&self, status: &str) -> Value {
        shop::until(&self.client, &self.path, |booking| {
            (booking["status"] == status).then(|| booking.clone())
        })
        .await
    }

    /// Waits until the booking is held for longer than it was at first.
    async fn until_extended(&self) {
        let week = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(7 * 24);
        shop::until(&self.client, &self.path, |booking| {
            assert_eq!(booking["status"], "PENDING");
            let until: jiff::Timestamp = booking["expires_at"].as_str().unwrap().parse().unwrap();
            (until > week).then_some(())
        })
        .await;
    }

    /// Puts the end of the customer's time to pay into the past.
    async fn time_is_over(&self) {
        let sql = "UPDATE payment SET expires_at = clock_timestamp() - interval '1 second',
                                      check_at = clock_timestamp()";
        self.house.sql(self.house.gym(), sql).await;
    }

    /// Waits until the payment was looked over since its time was put into the past.
    async fn until_looked_over(&self) {
        let waiting = "SELECT count(*) FROM payment WHERE check_at > clock_timestamp()";
        while self.house.count(self.house.gym(), waiting).await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// The bank says its word.
    async fn bank_decides(&self) {
        let advance = json!({ "advance_seconds": AT_THE_BANK.as_secs() });
        self.house.emulator("clock", &advance).await;
    }

    async fn assert_places(&self, held: i64, sold: i64) {
        let gym = self.house.gym();
        for (column, expected) in [("held", held), ("sold", sold)] {
            let sum = format!("SELECT coalesce(sum({column}), 0)::bigint FROM session");
            assert_eq!(self.house.count(gym, &sum).await, expected, "{column}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_not_paid_in_time_is_free_again_and_can_no_more_be_paid() {
    let (held, payment) = Held::open().await;
    held.assert_places(1, 0).await;
    let gym = held.house.gym();
    let over = "UPDATE booking SET expires_at = clock_timestamp() - interval '1 second'";
    held.house.sql(gym, over).await;
    held.time_is_over().await;
    let failed = held.until("FAILED").await;
    assert_eq!(failed["status_reason"], "hold_expired");
    held.assert_places(0, 0).await;
    assert_eq!(held.checkout.pay(&payment, "pm_card_visa").await, 400);
    let caller = Caller::to(&held.house, gym);
    let customer = caller.token(&gym.customer).await;
    let path = format!("/payments/{}", payment["id"].as_str().unwrap());
    let (_, payment) = caller.call(&Method::GET, &path, None, &customer).await;
    assert_eq!(payment["status"], "CANCELED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_kept_while_the_bank_is_at_it_and_confirmed_when_it_pays() {
    let (held, payment) = Held::open().await;
    let paid = held
        .checkout
        .pay(&payment, "pm_usBankAccount_success")
        .await;
    assert_eq!(paid, 200);
    held.until_extended().await;
    held.time_is_over().await;
    held.until_looked_over().await;
    held.assert_places(1, 0).await;
    held.bank_decides().await;
    held.until("CONFIRMED").await;
    held.assert_places(0, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_free_again_when_the_bank_returns_the_debit_after_its_time() {
    let (held, payment) = Held::open().await;
    let method = "pm_usBankAccount_accountClosed";
    assert_eq!(held.checkout.pay(&payment, method).await, 200);
    held.until_extended().await;
    held.time_is_over().await;
    held.until_looked_over().await;
    held.bank_decides().await;
    held.until("FAILED").await;
    held.assert_places(0, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debit_that_nothing_was_heard_of_keeps_its_place_until_the_bank_returns_it() {
    let (held, payment) = Held::open().await;
    let gym = held.house.gym();
    let silence = json!({ "kind": "drop_webhooks", "match": { "event_type": "payment_intent." } });
    held.house.emulator("faults", &silence).await;
    let method = "pm_usBankAccount_accountClosed";
    assert_eq!(held.checkout.pay(&payment, method).await, 200);
    // It is to be called off, and cannot be: the bank is at it.
    held.time_is_over().await;
    held.until_extended().await;
    held.bank_decides().await;
    held.time_is_over().await;
    held.until("FAILED").await;
    held.assert_places(0, 0).await;
    let ended = "SELECT count(*) FROM payment_attempt WHERE action = 'cancel' AND outcome = $$OK$$";
    assert_eq!(held.house.count(gym, ended).await, 1);
}

/// Books a class, lets the hold run out with `changed` in the books, and only then lets the product
/// hear that it was paid.
async fn paid_after_the_hold(changed: &str) -> (Held, Value) {
    let (mut held, payment) = Held::open().await;
    held.house.stop(Role::Worker).await;
    assert_eq!(held.checkout.pay(&payment, "pm_card_visa").await, 200);
    let over = format!(
        "UPDATE session_claim SET state = 'released';
         UPDATE session SET held = 0;
         UPDATE booking SET status = 'FAILED', status_reason = 'hold_expired', expires_at = NULL;
         {changed}"
    );
    held.house.sql(held.house.gym(), &over).await;
    held.house.start(Role::Worker).await;
    (held, payment)
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_late_takes_the_place_again() {
    let (held, _) = paid_after_the_hold("").await;
    held.until("CONFIRMED").await;
    held.assert_places(0, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_for_what_has_begun_or_is_called_off_goes_back() {
    for changed in [
        "UPDATE booking SET starts_at = starts_at - interval '30 days', ends_at = ends_at - interval '30 days'",
        "UPDATE session SET status = 'closed'",
    ] {
        let (held, payment) = paid_after_the_hold(changed).await;
        let cancelled = held.until("CANCELLED").await;
        assert_eq!(cancelled["status_reason"], "place_lost", "{changed}");
        held.assert_places(0, 0).await;
        let id = payment["id"].as_str().unwrap();
        shop::until(&held.client, &format!("/v1/payments/{id}"), |payment| {
            (payment["status"] == "REFUNDED").then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_asks_for_no_more_than_one_address_may() {
    let house = House::with(&[("BERTH_LIMITS", "on")]).await;
    let gym = house.gym();
    let wish = shop::first_session(gym).await;
    let client = house.customer(gym, "many@example.test").await;
    let mut answers = Vec::new();
    for _ in 0..241 {
        answers.push(match client.post("/v1/bookings", &wish).await {
            Ok(_) => 200,
            Err(error) => refused(Err(error)).0,
        });
    }
    // What it may hold, what it may ask for, and no more.
    assert_eq!(answers[..10], [200; 10]);
    assert!(answers[10..240].iter().all(|status| *status == 422));
    assert_eq!(answers[240], 429);
    // Another account there is no way around it; whose business it is books on.
    let other = house.customer(gym, "more@example.test").await;
    assert_eq!(refused(other.post("/v1/bookings", &wish).await).0, 429);
    let admin = Client::sign_in(gym, &gym.admin).await.unwrap();
    let mut guest = wish.clone();
    guest["customer"] = json!({ "name": "Guest", "email": "guest@example.test" });
    admin.post("/v1/bookings", &guest).await.unwrap();
}
