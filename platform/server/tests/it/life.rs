//! What happens to a booking besides being moved and cancelled: it is checked in, handed on, held for longer,
//! and cancelled by mistake.

use berth_devkit::{Tenant, demo::Client, mailbox::Filter};
use jiff::{Timestamp, ToSpan as _, Zoned};
use serde_json::{Value, json};

use crate::{
    backoffice::{in_berlin, refused},
    house::House,
    shop,
};

/// A gym that is paid at its desk, somebody who works there, and one who comes.
struct Desk {
    house: House,
    gym: Tenant,
    admin: Client,
    customer: Client,
    class: String,
}

impl Desk {
    async fn open() -> Self {
        let house = House::open().await;
        let gym = house.gym().clone();
        let admin = Client::sign_in(&gym, &gym.admin).await.unwrap();
        let customer = Client::sign_in(&gym, &gym.customer).await.unwrap();
        let class = json!({
            "kind": "session", "name": "Rowing", "duration_min": 60, "max_quantity": 4, "payment_mode": "on_site",
            "price": { "amount": 1_500, "currency": "USD" },
        });
        let class = admin.post("/v1/products", &class).await.unwrap();
        Self {
            class: class["id"].as_str().unwrap().to_owned(),
            house,
            gym,
            admin,
            customer,
        }
    }

    /// A class in ten days; the id.
    async fn session(&self, capacity: i32) -> String {
        let at = in_berlin(Zoned::now().date() + 10.days(), 19, 0);
        let path = format!("/v1/products/{}/sessions", self.class);
        let session = json!({ "starts_at": at, "capacity": capacity });
        let session = self.admin.post(&path, &session).await.unwrap();
        session["id"].as_str().unwrap().to_owned()
    }

    /// Books as the customer; the address of the booking.
    async fn book(&self, session: &str) -> String {
        let wish = json!({ "product_id": self.class, "session_id": session });
        address(&self.customer.post("/v1/bookings", &wish).await.unwrap())
    }

    /// Puts the start of a booking so far from now.
    async fn starts_in(&self, booking: &str, time: &str) {
        let id = booking.rsplit('/').next().unwrap();
        let sql = format!(
            "UPDATE booking SET starts_at = clock_timestamp() + interval '{time}',
                    ends_at = clock_timestamp() + interval '{time}' + interval '1 hour' WHERE id = '{id}'"
        );
        self.house.sql(&self.gym, &sql).await;
    }

    /// Places of a session that are sold.
    async fn sold(&self, session: &str) -> i64 {
        let sold = format!("SELECT sold::bigint FROM session WHERE id = '{session}'");
        self.house.count(&self.gym, &sold).await
    }
}

fn address(booking: &Value) -> String {
    format!("/v1/bookings/{}", booking["id"].as_str().unwrap())
}

/// Asks for a change of a booking that needs no more than a word.
async fn ask(who: &Client, booking: &str, change: &str) -> anyhow::Result<Value> {
    who.post(&format!("{booking}/{change}"), &json!({})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_come_is_noted_and_did_not_stay_away() {
    let desk = Desk::open().await;
    let booking = desk.book(&desk.session(2).await).await;
    let come = async |who: &Client| ask(who, &booking, "check-in").await;
    let early = refused(come(&desk.admin).await);
    assert_eq!(early, (422, "CHECK_IN_TOO_EARLY".to_owned()));
    desk.starts_in(&booking, "23 hours").await;
    assert_eq!(refused(come(&desk.customer).await).0, 403);
    let noted = come(&desk.admin).await.unwrap();
    assert!(noted["checked_in_at"].is_string(), "{noted}");
    assert_eq!(come(&desk.admin).await.unwrap(), noted, "once is enough");

    desk.starts_in(&booking, "-10 minutes").await;
    let absent = refused(ask(&desk.admin, &booking, "no-show").await);
    assert_eq!(absent, (422, "CHECKED_IN".to_owned()));
    let path = format!("{booking}/check-in");
    let undone = desk.admin.delete(&path).await.unwrap();
    assert!(undone.get("checked_in_at").is_none(), "{undone}");
    ask(&desk.admin, &booking, "no-show").await.unwrap();
    let over = refused(come(&desk.admin).await);
    assert_eq!(over, (409, "STATUS_CONFLICT".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistaken_cancellation_is_taken_back_while_the_place_is_free() {
    let desk = Desk::open().await;
    let session = desk.session(1).await;
    let booking = desk.book(&session).await;
    let back = async |who: &Client| ask(who, &booking, "reinstate").await;
    let standing = refused(back(&desk.customer).await);
    assert_eq!(standing, (409, "STATUS_CONFLICT".to_owned()));
    ask(&desk.customer, &booking, "cancel").await.unwrap();
    assert_eq!(desk.sold(&session).await, 0);
    let again = back(&desk.customer).await.unwrap();
    assert_eq!(again["status"], "CONFIRMED");
    assert!(again.get("refund_due").is_none() && again.get("status_reason").is_none());
    assert_eq!(desk.sold(&session).await, 1);

    // What the business called off, its customer does not take back.
    ask(&desk.admin, &booking, "cancel").await.unwrap();
    let theirs = refused(back(&desk.customer).await);
    assert_eq!(theirs, (409, "STATUS_CONFLICT".to_owned()));
    back(&desk.admin).await.unwrap();

    // Somebody else was faster.
    ask(&desk.customer, &booking, "cancel").await.unwrap();
    let guest = json!({ "name": "Guest", "email": "guest@example.test" });
    let wish = json!({ "product_id": desk.class, "session_id": session, "customer": guest });
    let other = desk.admin.post("/v1/bookings", &wish).await.unwrap();
    let taken = (409, "BOOKING_CONFLICT".to_owned());
    assert_eq!(refused(back(&desk.customer).await), taken);
    // Nobody has it, but somebody waits for it.
    let waits = json!({ "name": "Waits", "email": "waits@example.test" });
    let wait = json!({ "product_id": desk.class, "session_id": session, "customer": waits });
    desk.admin.post("/v1/waitlist", &wait).await.unwrap();
    ask(&desk.admin, &address(&other), "cancel").await.unwrap();
    assert_eq!(refused(back(&desk.customer).await), taken);
    desk.starts_in(&booking, "-1 hours").await;
    let over = refused(back(&desk.admin).await);
    assert_eq!(over, (422, "IN_THE_PAST".to_owned()));
    desk.house.agrees(&desk.gym).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appointment_comes_back_to_where_it_was_last() {
    let house = House::open().await;
    let clinic = house.clinic();
    let admin = Client::sign_in(clinic, &clinic.admin).await.unwrap();
    let customer = Client::sign_in(clinic, &clinic.customer).await.unwrap();
    let product = &clinic.product_ids[0];
    let tomorrow = Zoned::now().date() + 1.days();
    let slots = format!(
        "/v1/products/{product}/slots?from={tomorrow}&to={}",
        tomorrow + 7.days()
    );
    let free = admin.get(&slots).await.unwrap();
    let at = |n: usize| free["slots"][n]["starts_at"].as_str().unwrap().to_owned();
    let wish = json!({ "product_id": product, "starts_at": at(0) });
    let booking = customer.post("/v1/bookings", &wish).await.unwrap();
    let path = address(&booking);
    // It was only held: there is nothing to go back to.
    ask(&customer, &path, "cancel").await.unwrap();
    let held = refused(ask(&customer, &path, "reinstate").await);
    assert_eq!(held, (409, "STATUS_CONFLICT".to_owned()));

    let booking = customer.post("/v1/bookings", &wish).await.unwrap();
    let path = address(&booking);
    let sure = ask(&admin, &path, "confirm").await.unwrap();
    let to = json!({ "version": sure["version"], "starts_at": at(5) });
    let moved = admin.post(&format!("{path}/reschedule"), &to).await;
    let moved = moved.unwrap();
    ask(&admin, &path, "cancel").await.unwrap();
    let again = ask(&admin, &path, "reinstate").await.unwrap();
    for what in ["starts_at", "resource_id", "status"] {
        assert_eq!(again[what], moved[what], "{what}");
    }
    house.agrees(clinic).await;
    // Where money goes back, it goes back.
    let refund = "UPDATE booking SET paid = true, status = 'CONFIRMED'";
    house.sql(clinic, refund).await;
    ask(&admin, &path, "cancel").await.unwrap();
    let returned = refused(ask(&admin, &path, "reinstate").await);
    assert_eq!(returned, (422, "MONEY_RETURNED".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_is_handed_on_and_belongs_to_its_giver_no_more() {
    let desk = Desk::open().await;
    let booking = desk.book(&desk.session(2).await).await;
    let before = desk.customer.get(&booking).await.unwrap();
    let to = |version: &Value, email: &str| {
        let customer = json!({ "name": "Noor", "email": email, "locale": "de" });
        json!({ "version": version, "customer": customer })
    };
    let path = format!("{booking}/transfer");
    let give = async |to: Value| desk.customer.post(&path, &to).await;
    let wrong = refused(give(to(&before["version"], "nobody")).await);
    assert_eq!(wrong, (422, "INVALID_EMAIL".to_owned()));
    let stale = refused(give(to(&json!(99), "noor@example.test")).await);
    assert_eq!(stale, (409, "VERSION_CONFLICT".to_owned()));
    let given = give(to(&before["version"], "Noor@example.test"))
        .await
        .unwrap();
    assert_eq!(given["customer"]["email"], "noor@example.test");
    assert!(given.get("customer_id").is_none(), "{given}");
    assert_eq!(refused(desk.customer.get(&booking).await).0, 404);
    let seen = desk.admin.get(&booking).await.unwrap();
    assert_eq!(
        (&seen["status"], &seen["quantity"]),
        (&json!("CONFIRMED"), &json!(1))
    );
    let theirs = Filter {
        to: Some("noor@example.test".to_owned()),
        ..Filter::default()
    };
    let began = std::time::Instant::now();
    while desk.house.mailbox.messages(&theirs).is_empty() {
        assert!(began.elapsed().as_secs() < 60, "they are not told");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    desk.starts_in(&booking, "-1 hours").await;
    let begun = refused(
        desk.admin
            .post(&path, &to(&seen["version"], "a@b.test"))
            .await,
    );
    assert_eq!(begun, (422, "IN_THE_PAST".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_pays_has_longer_once_and_staff_gives_more() {
    let house = House::open().await;
    let gym = house.gym();
    let admin = Client::sign_in(gym, &gym.admin).await.unwrap();
    let customer = Client::sign_in(gym, &gym.customer).await.unwrap();
    let wish = shop::first_session(gym).await;
    let booked = customer.post("/v1/bookings", &wish).await.unwrap();
    let path = address(&booked);
    let id = booked["id"].as_str().unwrap();
    shop::payable(&customer, id).await;
    let ends = |booking: &Value| -> Timestamp {
        let ends = booking["expires_at"].as_str().unwrap();
        ends.parse().unwrap()
    };
    let longer = async |who: &Client| ask(who, &path, "prolong-hold").await;
    let older = |by: &str| {
        format!(
            "UPDATE booking SET created_at = created_at - interval '{by}', expires_at = expires_at - interval '{by}'"
        )
    };
    house.sql(gym, &older("5 minutes")).await;
    let held = longer(&customer).await.unwrap();
    assert!(ends(&held) > ends(&booked), "{held}");
    // The payment is not called off before.
    let same = format!(
        "SELECT count(*) FROM payment WHERE booking_id = '{id}' AND expires_at = '{}'",
        ends(&held)
    );
    let began = std::time::Instant::now();
    while house.count(gym, &same).await == 0 {
        assert!(began.elapsed().as_secs() < 60, "the payment ends before");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let old = "UPDATE booking SET created_at = created_at - interval '1 day'";
    house.sql(gym, old).await;
    let enough = refused(longer(&customer).await);
    assert_eq!(enough, (422, "HOLD_LONG_ENOUGH".to_owned()));
    let more = longer(&admin).await.unwrap();
    assert!(ends(&more) > ends(&held), "{more}");
    let soon = "UPDATE booking SET expires_at = clock_timestamp() + interval '10 seconds'";
    house.sql(gym, soon).await;
    let late = refused(longer(&admin).await);
    assert_eq!(late, (422, "HOLD_ENDS".to_owned()));
    ask(&customer, &path, "cancel").await.unwrap();
    let over = refused(longer(&admin).await);
    assert_eq!(over, (409, "STATUS_CONFLICT".to_owned()));
}
