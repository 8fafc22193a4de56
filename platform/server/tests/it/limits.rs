//! How much one customer may have: unpaid at once, and of a product in a week.

use berth_devkit::{Tenant, demo::Client};
use futures::future::join_all;
use jiff::{ToSpan as _, civil::Date};
use serde_json::{Value, json};

use crate::{
    backoffice::{in_berlin, monday, refused},
    house::House,
};

struct Studio {
    tenant: Tenant,
    admin: Client,
    class: String,
}

impl Studio {
    /// A class that is taken twice a week at most.
    async fn open(house: &House, payment_mode: &str, limit: &Value) -> Self {
        let tenant = house.clinic().clone();
        let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
        let class = json!({
            "kind": "session", "name": "Yoga", "duration_min": 60, "payment_mode": payment_mode,
            "price": { "amount": 1000, "currency": "EUR" }, "customer_limit": limit,
        });
        let class = admin.post("/v1/products", &class).await.unwrap();
        Self {
            tenant,
            admin,
            class: class["id"].as_str().unwrap().to_owned(),
        }
    }

    async fn session(&self, day: Date, hour: i8) -> String {
        let path = format!("/v1/products/{}/sessions", self.class);
        let session = json!({ "starts_at": in_berlin(day, hour, 0), "capacity": 500 });
        let session = self.admin.post(&path, &session).await.unwrap();
        session["id"].as_str().unwrap().to_owned()
    }

    async fn book(&self, client: &Client, session: &str) -> anyhow::Result<Value> {
        let wish = json!({
            "product_id": self.class, "session_id": session,
            "customer": { "name": "Guest", "email": "guest@example.test" },
        });
        client.post("/v1/bookings", &wish).await
    }
}

fn path(booking: &Value, step: &str) -> String {
    format!("/v1/bookings/{}/{step}", booking["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_takes_a_class_as_often_in_a_week_as_one_may() {
    let house = House::open().await;
    let studio = Studio::open(&house, "on_site", &json!({ "most": 2, "period": "week" })).await;
    let customer = house.customer(&studio.tenant, "keen@example.test").await;
    let monday = monday(3);
    let mut week = Vec::new();
    for day in 0..4 {
        week.push(studio.session(monday + day.days(), 10).await);
    }
    let next = studio.session(monday + 7.days(), 10).await;
    let first = studio.book(&customer, &week[0]).await.unwrap();
    studio.book(&customer, &week[1]).await.unwrap();
    let third = refused(studio.book(&customer, &week[2]).await);
    assert_eq!(third, (422, "LIMIT_REACHED".to_owned()));
    // It is another week's own, the studio's word is above it, and others have their own.
    let other = studio.book(&customer, &next).await.unwrap();
    studio.book(&studio.admin, &week[2]).await.unwrap();
    let friend = house.customer(&studio.tenant, "friend@example.test").await;
    studio.book(&friend, &week[2]).await.unwrap();

    // Moving is no way around it; within the week it is none of its business.
    let to = json!({ "version": other["version"], "session_id": week[2] });
    let moved = refused(customer.post(&path(&other, "reschedule"), &to).await);
    assert_eq!(moved, (422, "LIMIT_REACHED".to_owned()));
    let to = json!({ "version": first["version"], "session_id": week[3] });
    let first = customer
        .post(&path(&first, "reschedule"), &to)
        .await
        .unwrap();
    // What is called off does not count.
    customer
        .post(&path(&first, "cancel"), &json!({}))
        .await
        .unwrap();
    studio.book(&customer, &week[2]).await.unwrap();
    house.agrees(&studio.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_ask_at_once_the_limit_holds() {
    let house = House::open().await;
    let studio = Studio::open(&house, "on_site", &json!({ "most": 3, "period": "day" })).await;
    let customer = house.customer(&studio.tenant, "hasty@example.test").await;
    let monday = monday(3);
    let mut sessions = Vec::new();
    for hour in 0..24 {
        sessions.push(studio.session(monday, hour).await);
    }
    let answers = sessions
        .iter()
        .map(|session| studio.book(&customer, session));
    let mut won = 0;
    for answer in join_all(answers).await {
        match answer {
            Ok(_) => won += 1,
            refusal => assert_eq!(refused(refusal), (422, "LIMIT_REACHED".to_owned())),
        }
    }
    assert_eq!(won, 3);
    house.agrees(&studio.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_books_and_moves_at_once_waits_for_nobody_in_a_ring() {
    let house = House::open().await;
    let studio = Studio::open(
        &house,
        "on_site",
        &json!({ "most": 1000, "period": "week" }),
    )
    .await;
    let customer = house
        .customer(&studio.tenant, "restless@example.test")
        .await;
    let one = studio.session(monday(3), 10).await;
    let other = studio.session(monday(3), 12).await;
    let mut moving = studio.book(&customer, &one).await.unwrap();
    for round in 0..30 {
        let to = if round % 2 == 0 { &other } else { &one };
        let body = json!({ "version": moving["version"], "session_id": to });
        let move_path = path(&moving, "reschedule");
        let moved = customer.post(&move_path, &body);
        let booked = join_all((0..4).map(|_| studio.book(&customer, to)));
        let (moved, booked) = tokio::join!(moved, booked);
        moving = moved.unwrap();
        for answer in booked {
            answer.unwrap();
        }
    }
    house.agrees(&studio.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_much_pays_before_holding_more() {
    let house = House::open().await;
    let studio = Studio::open(&house, "online", &Value::Null).await;
    let customer = house.customer(&studio.tenant, "greedy@example.test").await;
    let session = studio.session(monday(3), 10).await;
    let mut held = Vec::new();
    for _ in 0..10 {
        held.push(studio.book(&customer, &session).await.unwrap());
    }
    let one_more = refused(studio.book(&customer, &session).await);
    assert_eq!(one_more, (422, "TOO_MANY_HOLDS".to_owned()));
    let confirmed = studio
        .admin
        .post(&path(&held[0], "confirm"), &json!({}))
        .await;
    assert_eq!(confirmed.unwrap()["status"], "CONFIRMED");
    studio.book(&customer, &session).await.unwrap();
    let one_more = refused(studio.book(&customer, &session).await);
    assert_eq!(one_more, (422, "TOO_MANY_HOLDS".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_of_one_at_least() {
    let house = House::open().await;
    let studio = Studio::open(&house, "online", &Value::Null).await;
    for most in [0, 1_001] {
        let class = json!({
            "kind": "session", "name": "Yoga", "duration_min": 60, "price": { "amount": 1000, "currency": "EUR" },
            "customer_limit": { "most": most, "period": "ever" },
        });
        let answer = refused(studio.admin.post("/v1/products", &class).await);
        assert_eq!(answer, (422, "OUT_OF_RANGE".to_owned()));
    }
}
