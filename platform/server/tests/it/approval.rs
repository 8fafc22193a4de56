//! What the business has to say yes to before it is a booking.

use berth_devkit::{Tenant, demo::Client, mailbox::Filter};
use jiff::{Timestamp, ToSpan as _, Zoned};
use serde_json::{Value, json};

use crate::{
    backoffice::{in_berlin, refused},
    house::House,
    shop::{self, Checkout, Intention},
    wait,
};

/// A gym with a class for four that has to be asked for.
struct Desk {
    house: House,
    gym: Tenant,
    admin: Client,
    customer: Client,
    class: String,
    session: String,
}

impl Desk {
    async fn open(payment_mode: &str) -> Self {
        let house = House::open().await;
        let gym = house.gym().clone();
        let admin = Client::sign_in(&gym, &gym.admin).await.unwrap();
        let customer = Client::sign_in(&gym, &gym.customer).await.unwrap();
        let class = json!({
            "kind": "session", "name": "Retreat", "duration_min": 60, "max_quantity": 4,
            "payment_mode": payment_mode, "approval_hours": 24,
            "price": { "amount": 1_500, "currency": "USD" },
        });
        let class = admin.post("/v1/products", &class).await.unwrap();
        assert_eq!(class["approval_hours"], 24);
        let class = class["id"].as_str().unwrap().to_owned();
        let at = in_berlin(Zoned::now().date() + 10.days(), 19, 0);
        let session = json!({ "starts_at": at, "capacity": 4 });
        let path = format!("/v1/products/{class}/sessions");
        let session = admin.post(&path, &session).await.unwrap();
        Self {
            session: session["id"].as_str().unwrap().to_owned(),
            house,
            gym,
            admin,
            customer,
            class,
        }
    }

    fn wish(&self, quantity: i32) -> Value {
        json!({ "product_id": self.class, "session_id": self.session, "quantity": quantity })
    }

    /// Asks for so many places; the request.
    async fn ask(&self, quantity: i32) -> Value {
        let wish = self.wish(quantity);
        let asked = self.customer.post("/v1/bookings", &wish).await.unwrap();
        assert_eq!(asked["status"], "REQUESTED", "{asked}");
        asked
    }

    async fn answer(&self, request: &Value, word: &str) -> anyhow::Result<Value> {
        answer(&self.admin, request, word).await
    }

    /// Waits for a mail to the customer whose subject begins so; its text.
    async fn mail(&self, subject: &str) -> String {
        let theirs = Filter {
            to: Some(self.gym.customer.email.clone()),
            ..Filter::default()
        };
        let mut found = None;
        wait::once(subject, async || {
            let mails = self.house.mailbox.messages(&theirs);
            let mut mails = mails.into_iter();
            found = mails.find(|mail| mail.subject.starts_with(subject));
            found.is_some()
        })
        .await;
        let mail = self.house.mailbox.message(&found.unwrap().id);
        mail.unwrap().unwrap().text.unwrap()
    }

    async fn free(&self) -> i64 {
        let free = format!(
            "SELECT (capacity - held - sold)::bigint FROM session WHERE id = '{}'",
            self.session
        );
        self.house.count(&self.gym, &free).await
    }
}

async fn answer(who: &Client, request: &Value, word: &str) -> anyhow::Result<Value> {
    let id = request["id"].as_str().unwrap();
    who.post(&format!("/v1/bookings/{id}/{word}"), &json!({}))
        .await
}

fn conflict() -> (u16, String) {
    (409, "STATUS_CONFLICT".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_takes_its_place_and_is_paid_once_the_business_says_yes() {
    let desk = Desk::open("online").await;
    let asked = desk.ask(3).await;
    assert_eq!(desk.free().await, 1, "nobody else gets what is asked for");
    assert!(asked.get("checkout_url").is_none(), "{asked}");
    let by: Timestamp = asked["expires_at"].as_str().unwrap().parse().unwrap();
    let hours = by.duration_since(Timestamp::now()).as_hours();
    assert!((23..=24).contains(&hours), "{asked}");
    desk.mail("Your request").await;

    // Nobody pays before, answers for themselves, or passes a request on.
    let pay = json!({ "booking_id": asked["id"] });
    let early = refused(desk.customer.post("/v1/payments", &pay).await);
    assert_eq!(early, (409, "NOTHING_TO_PAY".to_owned()));
    assert_eq!(
        refused(answer(&desk.customer, &asked, "approve").await).0,
        403
    );
    assert_eq!(
        refused(answer(&desk.customer, &asked, "reject").await).0,
        403
    );
    let noor = json!({ "name": "Noor", "email": "noor@example.test" });
    let to = json!({ "version": asked["version"], "customer": noor });
    let id = asked["id"].as_str().unwrap();
    let transfer = format!("/v1/bookings/{id}/transfer");
    let given = desk.customer.post(&transfer, &to).await;
    assert_eq!(refused(given), conflict());

    let approved = desk.answer(&asked, "approve").await.unwrap();
    assert_eq!(approved["status"], "PENDING", "{approved}");
    let until: Timestamp = approved["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(
        until.duration_since(Timestamp::now()).as_hours() >= 23,
        "{approved}"
    );
    let url = approved["checkout_url"].as_str().unwrap();
    assert!(desk.mail("You can book").await.contains(url));
    assert_eq!(refused(desk.answer(&asked, "approve").await), conflict());
    assert_eq!(refused(desk.answer(&asked, "reject").await), conflict());
    let checkout = Checkout::at(&desk.house);
    shop::settle(&checkout, &desk.customer, &asked, Intention::Pay).await;
    assert_eq!(desk.free().await, 1);
    desk.house.agrees(&desk.gym).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paid_on_site_is_certain_once_the_business_says_yes() {
    let desk = Desk::open("on_site").await;
    let asked = desk.ask(1).await;
    let approved = desk.answer(&asked, "approve").await.unwrap();
    assert_eq!(approved["status"], "CONFIRMED", "{approved}");
    assert!(approved["confirmed_at"].is_string() && approved.get("expires_at").is_none());
    desk.mail("Confirmed").await;
    // Its own people need nobody's word.
    let guest = json!({ "name": "Guest", "email": "guest@example.test" });
    let mut wish = desk.wish(1);
    wish["customer"] = guest;
    let booked = desk.admin.post("/v1/bookings", &wish).await.unwrap();
    assert_eq!(booked["status"], "CONFIRMED", "{booked}");
    // A change of the product leaves what is asked for.
    let again = desk.ask(1).await;
    let product = format!("/v1/products/{}", desk.class);
    let edit = |hours: Value| json!({ "version": 1, "approval_hours": hours });
    let wrong = refused(desk.admin.patch(&product, &edit(json!(0))).await);
    assert_eq!(wrong, (422, "OUT_OF_RANGE".to_owned()));
    let edited = desk
        .admin
        .patch(&product, &edit(Value::Null))
        .await
        .unwrap();
    assert!(edited.get("approval_hours").is_none(), "{edited}");
    let at_once = desk.customer.post("/v1/bookings", &desk.wish(1)).await;
    assert_eq!(at_once.unwrap()["status"], "CONFIRMED");
    desk.answer(&again, "approve").await.unwrap();
    assert_eq!(desk.free().await, 0);
    desk.house.agrees(&desk.gym).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_declined_withdrawn_or_not_answered_gives_its_place_back() {
    let desk = Desk::open("online").await;
    let declined = desk.ask(4).await;
    let full = refused(desk.customer.post("/v1/bookings", &desk.wish(1)).await);
    assert_eq!(full, (409, "BOOKING_CONFLICT".to_owned()));
    let rejected = desk.answer(&declined, "reject").await.unwrap();
    assert_eq!(
        (&rejected["status"], &rejected["status_reason"]),
        (&json!("CANCELLED"), &json!("rejected"))
    );
    assert_eq!(desk.free().await, 4);
    assert!(desk.mail("Not booked").await.contains("cannot take"));
    assert_eq!(refused(desk.answer(&declined, "approve").await), conflict());
    assert_eq!(
        refused(desk.answer(&declined, "reinstate").await),
        conflict()
    );

    let withdrawn = desk.ask(2).await;
    let gone = answer(&desk.customer, &withdrawn, "cancel").await.unwrap();
    assert_eq!(
        (&gone["status"], &gone["status_reason"]),
        (&json!("CANCELLED"), &json!("withdrawn"))
    );
    assert_eq!(desk.free().await, 4);

    let late = desk.ask(2).await;
    let id = late["id"].as_str().unwrap();
    let over = format!(
        "UPDATE booking SET expires_at = clock_timestamp() - interval '1 second' WHERE id = '{id}'"
    );
    desk.house.sql(&desk.gym, &over).await;
    // Whoever answers now is too late, whether or not it has been looked at.
    let answered = refused(desk.answer(&late, "approve").await);
    assert_eq!(answered, (422, "ANSWER_TOO_LATE".to_owned()));
    let path = format!("/v1/bookings/{id}");
    let ended = shop::until(&desk.customer, &path, |booking| {
        (booking["status"] == "FAILED").then(|| booking.clone())
    });
    assert_eq!(ended.await["status_reason"], "not_answered");
    assert_eq!(desk.free().await, 4);
    let theirs = Filter {
        to: Some(desk.gym.customer.email.clone()),
        ..Filter::default()
    };
    wait::once("written to of all three", async || {
        let mails = desk.house.mailbox.messages(&theirs);
        let ends = mails
            .iter()
            .filter(|mail| mail.subject.starts_with("Not booked"));
        ends.count() == 3
    })
    .await;
    desk.house.agrees(&desk.gym).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_answers_at_once_are_one() {
    let desk = Desk::open("on_site").await;
    for _ in 0..8 {
        let asked = desk.ask(1).await;
        let (yes, no) = tokio::join!(
            desk.answer(&asked, "approve"),
            desk.answer(&asked, "reject")
        );
        assert!(yes.is_ok() != no.is_ok(), "{yes:?} and {no:?}");
        if yes.is_ok() {
            answer(&desk.customer, &asked, "cancel").await.unwrap();
        }
    }
    assert_eq!(desk.free().await, 4);
    desk.house.agrees(&desk.gym).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_time_is_another_question() {
    let desk = Desk::open("on_site").await;
    let at = in_berlin(Zoned::now().date() + 12.days(), 19, 0);
    let path = format!("/v1/products/{}/sessions", desk.class);
    let other = desk
        .admin
        .post(&path, &json!({ "starts_at": at, "capacity": 4 }))
        .await
        .unwrap();
    let to = |booking: &Value, session: &Value| {
        let path = format!(
            "/v1/bookings/{}/reschedule",
            booking["id"].as_str().unwrap()
        );
        (
            path,
            json!({ "version": booking["version"], "session_id": session }),
        )
    };
    // What is only asked for may be asked for at another time.
    let asked = desk.ask(1).await;
    let (path, wish) = to(&asked, &other["id"]);
    let asked = desk.customer.post(&path, &wish).await.unwrap();
    assert_eq!(asked["status"], "REQUESTED");
    let approved = desk.answer(&asked, "approve").await.unwrap();
    let (path, wish) = to(&approved, &json!(desk.session));
    let refused = refused(desk.customer.post(&path, &wish).await);
    assert_eq!(refused, (422, "APPROVAL_NEEDED".to_owned()));
    let moved = desk.admin.post(&path, &wish).await.unwrap();
    assert_eq!(moved["status"], "CONFIRMED");
    desk.house.agrees(&desk.gym).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waited_for_what_has_to_be_asked_for_has_asked_for_it() {
    let desk = Desk::open("online").await;
    let full = desk.ask(4).await;
    let guest = json!({ "name": "Waits", "email": "waits@example.test" });
    let wait = json!({ "product_id": desk.class, "session_id": desk.session, "customer": guest });
    desk.admin.post("/v1/waitlist", &wait).await.unwrap();
    desk.answer(&full, "reject").await.unwrap();
    let asked = "SELECT count(*) FROM booking WHERE status = 'REQUESTED' AND customer_email = 'waits@example.test'";
    wait::once("served", async || {
        desk.house.count(&desk.gym, asked).await == 1
    })
    .await;
    assert_eq!(desk.free().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_coming_night_can_be_asked_for_after_its_check_in_has_begun() {
    let house = House::open().await;
    let gym = house.gym();
    let admin = Client::sign_in(gym, &gym.admin).await.unwrap();
    let customer = Client::sign_in(gym, &gym.customer).await.unwrap();
    let pool = json!({ "name": "Beds", "quantity": 2, "sold_by": "night" });
    let pool = admin.post("/v1/pools", &pool).await.unwrap();
    let bed = json!({
        "kind": "stay", "name": "Bed", "pool_id": pool["id"], "payment_mode": "on_site", "approval_hours": 2,
        "price": { "amount": 1_500, "currency": "USD" }, "timezone": "UTC",
        "stay": { "check_in": "00:01:00", "check_out": "00:00:00" },
    });
    let bed = admin.post("/v1/products", &bed).await.unwrap();
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let wish = json!({ "product_id": bed["id"], "arrival": today, "departure": today + 2.days() });
    let asked = customer.post("/v1/bookings", &wish).await.unwrap();
    let by: Timestamp = asked["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(
        by.duration_since(Timestamp::now()).as_mins() >= 119,
        "{asked}"
    );
    let approved = answer(&admin, &asked, "approve").await.unwrap();
    assert_eq!(approved["status"], "CONFIRMED", "{approved}");
}
