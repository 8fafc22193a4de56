//! Waiting for places of what is full: classes of a gym.

use std::time::{Duration, Instant};

use berth_devkit::{Tenant, demo::Client, mailbox::Filter};
use jiff::{Timestamp, ToSpan as _, Zoned};
use serde_json::{Value, json};

use crate::{
    backoffice::{in_berlin, refused},
    house::House,
    shop::{self, Checkout, Intention},
};

struct Gym {
    tenant: Tenant,
    admin: Client,
    class: String,
}

impl Gym {
    async fn open(house: &House, payment_mode: &str) -> Self {
        let tenant = house.gym().clone();
        let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
        let class = json!({
            "kind": "session", "name": "Spinning", "duration_min": 60, "max_quantity": 4, "payment_mode": payment_mode,
            "price": { "amount": 1_500, "currency": "USD" },
        });
        let class = admin.post("/v1/products", &class).await.unwrap();
        Self {
            class: class["id"].as_str().unwrap().to_owned(),
            tenant,
            admin,
        }
    }

    /// A class so many days ahead; the id.
    async fn session(&self, days: i32, capacity: i32) -> String {
        let at = in_berlin(Zoned::now().date() + days.days(), 19, 0);
        let path = format!("/v1/products/{}/sessions", self.class);
        let session = json!({ "starts_at": at, "capacity": capacity });
        let session = self.admin.post(&path, &session).await.unwrap();
        session["id"].as_str().unwrap().to_owned()
    }

    fn wish(&self, session: &str, quantity: i32) -> Value {
        json!({ "product_id": self.class, "session_id": session, "quantity": quantity })
    }

    /// The same for somebody who has no account.
    fn guest(&self, session: &str, quantity: i32, name: &str) -> Value {
        let mut wish = self.wish(session, quantity);
        wish["customer"] =
            json!({ "name": name, "email": format!("{name}@example.test"), "locale": "en" });
        wish
    }

    async fn book(&self, session: &str, quantity: i32) -> Value {
        let wish = self.guest(session, quantity, "first");
        self.admin.post("/v1/bookings", &wish).await.unwrap()
    }

    async fn cancel(&self, booking: &Value) {
        let path = format!("/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
        self.admin.post(&path, &json!({})).await.unwrap();
    }

    async fn wait(&self, session: &str, quantity: i32, name: &str) -> anyhow::Result<Value> {
        let wish = self.guest(session, quantity, name);
        self.admin.post("/v1/waitlist", &wish).await
    }

    /// The entry once it has a booking, and that.
    async fn served(&self, entry: &Value) -> (Value, Value) {
        let path = entry_path(entry);
        let entry = shop::until(&self.admin, &path, |entry| {
            (entry["status"] == "SERVED").then(|| entry.clone())
        })
        .await;
        let path = format!("/v1/bookings/{}", entry["booking_id"].as_str().unwrap());
        let booking = self.admin.get(&path).await.unwrap();
        (entry, booking)
    }
}

/// The text of the mail that tells of a place, once it is there.
async fn offer_mail(house: &House, to: &str) -> String {
    let offer = Filter {
        to: Some(to.to_owned()),
        subject: Some("A place is free for you".to_owned()),
    };
    let began = Instant::now();
    loop {
        if let Some(mail) = house.mailbox.messages(&offer).first() {
            let detail = house.mailbox.message(&mail.id).unwrap().unwrap();
            return detail.text.unwrap();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "no mail");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn entry_path(entry: &Value) -> String {
    format!("/v1/waitlist/{}", entry["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_served_in_turn_and_as_far_as_there_is_room() {
    let house = House::open().await;
    let gym = Gym::open(&house, "on_site").await;
    let session = gym.session(10, 4).await;
    let free = refused(gym.wait(&session, 1, "early").await);
    assert_eq!(free, (422, "PLACES_FREE".to_owned()));
    let (two, one) = (gym.book(&session, 2).await, gym.book(&session, 1).await);
    let last = gym.book(&session, 1).await;

    let three = gym.wait(&session, 3, "three").await.unwrap();
    let single = gym.wait(&session, 1, "single").await.unwrap();
    assert_eq!(
        (&three["position"], &single["position"]),
        (&json!(1), &json!(2))
    );
    let again = refused(gym.wait(&session, 2, "three").await);
    assert_eq!(again, (409, "ALREADY_WAITING".to_owned()));
    let too_many = refused(gym.wait(&session, 5, "many").await);
    assert_eq!(too_many, (422, "QUANTITY_OUT_OF_RANGE".to_owned()));

    // One place: too few for the first, enough for the second.
    gym.cancel(&last).await;
    let (_, booking) = gym.served(&single).await;
    assert_eq!(
        (&booking["status"], &booking["quantity"]),
        (&json!("CONFIRMED"), &json!(1))
    );
    assert_eq!(booking["customer"]["email"], "single@example.test");
    // Three: nobody else has them, though they are free for a moment.
    gym.cancel(&two).await;
    gym.cancel(&one).await;
    let late = gym
        .admin
        .post("/v1/bookings", &gym.guest(&session, 1, "late"))
        .await;
    let late = refused(late);
    assert_eq!(late, (409, "BOOKING_CONFLICT".to_owned()));
    let (_, booking) = gym.served(&three).await;
    assert_eq!(
        (&booking["status"], &booking["quantity"]),
        (&json!("CONFIRMED"), &json!(3))
    );
    let gone = refused(gym.admin.delete(&entry_path(&three)).await);
    assert_eq!(gone, (409, "NOT_WAITING".to_owned()));

    // Who leaves the line is passed over, and who is in none is told of nobody.
    let leaver = gym.wait(&session, 1, "leaver").await.unwrap();
    let stayer = gym.wait(&session, 1, "stayer").await.unwrap();
    let line = format!("/v1/waitlist?session_id={session}");
    let listed = gym.admin.get(&line).await.unwrap();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    gym.admin.delete(&entry_path(&leaver)).await.unwrap();
    assert_eq!(
        gym.admin.get(&entry_path(&stayer)).await.unwrap()["position"],
        1
    );
    gym.cancel(&booking).await;
    gym.served(&stayer).await;
    let stranger = house.customer(&gym.tenant, "stranger@example.test").await;
    assert_eq!(stranger.get(&line).await.unwrap()["items"], json!([]));
    let hidden = refused(stranger.get(&entry_path(&stayer)).await);
    assert_eq!(hidden, (404, "NOT_FOUND".to_owned()));
    house.agrees(&gym.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_paid_online_is_held_for_who_waited_and_then_goes_to_the_next() {
    let house = House::open().await;
    let gym = Gym::open(&house, "online").await;
    let session = gym.session(10, 1).await;
    let owner = house.customer(&gym.tenant, "owner@example.test").await;
    let wish = gym.wish(&session, 1);
    let booking = owner.post("/v1/bookings", &wish).await.unwrap();
    let first = house.customer(&gym.tenant, "first@example.test").await;
    let second = house.customer(&gym.tenant, "second@example.test").await;
    let entry = first.post("/v1/waitlist", &wish).await.unwrap();
    let next = second.post("/v1/waitlist", &wish).await.unwrap();
    gym.cancel(&booking).await;

    let (_, offered) = gym.served(&entry).await;
    assert_eq!(offered["status"], "PENDING");
    let until: Timestamp = offered["expires_at"].as_str().unwrap().parse().unwrap();
    let left = until.duration_since(Timestamp::now());
    assert!(left.as_hours() >= 23, "{left:?}");
    let mail = offer_mail(&house, "first@example.test").await;
    assert_eq!(mail.matches("/checkout/").count(), 1, "{mail}");

    // It is not wanted after all.
    let path = format!("/v1/bookings/{}/cancel", offered["id"].as_str().unwrap());
    first.post(&path, &json!({})).await.unwrap();
    let (_, offered) = gym.served(&next).await;
    shop::settle(&Checkout::at(&house), &second, &offered, Intention::Pay).await;
    let path = format!("/v1/bookings/{}", offered["id"].as_str().unwrap());
    let paid = second.get(&path).await.unwrap();
    assert_eq!(paid["status"], "CONFIRMED");
    house.agrees(&gym.tenant).await;
}
