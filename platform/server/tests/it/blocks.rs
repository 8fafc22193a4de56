//! Time for which somebody or something is not to be had, and sessions that take who gives them and
//! where.

use berth_devkit::{Tenant, demo::Client};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    backoffice::{refused, resource},
    document::in_days,
    house::House,
};

/// A course of an hour that takes one of two trainers and the only hall.
struct Studio {
    tenant: Tenant,
    admin: Client,
    course: String,
    trainers: [String; 2],
    hall: String,
    /// A treatment of half an hour with the first trainer.
    massage: String,
}

impl Studio {
    async fn open(house: &House) -> Self {
        let tenant = house.gym().clone();
        let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
        let made = async |kind: &str, name: &str| resource(&admin, kind, name).await;
        let trainers = [made("staff", "Ada").await, made("staff", "Ben").await];
        let hall = made("room", "Hall").await;
        let price = json!({ "amount": 0, "currency": "USD" });
        let course = json!({
            "kind": "session", "name": "Spinning", "duration_min": 60, "price": price,
            "payment_mode": "on_site", "max_quantity": 5,
            "requirements": [
                { "role": "trainer", "resource_ids": trainers },
                { "role": "hall", "resource_ids": [hall], "buffer_after_min": 15 },
            ],
        });
        let massage = json!({
            "kind": "appointment", "name": "Massage", "duration_min": 30, "price": price,
            "payment_mode": "on_site", "resource_ids": [trainers[0]],
        });
        let id = async |product: &Value| {
            let made = admin.post("/v1/products", product).await.unwrap();
            made["id"].as_str().unwrap().to_owned()
        };
        Self {
            course: id(&course).await,
            massage: id(&massage).await,
            tenant,
            trainers,
            hall,
            admin,
        }
    }

    async fn session(&self, starts_at: &str, resource_ids: &[&String]) -> anyhow::Result<Value> {
        let path = format!("/v1/products/{}/sessions", self.course);
        let body = json!({ "starts_at": starts_at, "capacity": 10, "resource_ids": resource_ids });
        self.admin.post(&path, &body).await
    }

    async fn massage(&self, starts_at: &str) -> anyhow::Result<Value> {
        let wish = json!({
            "product_id": self.massage, "starts_at": starts_at,
            "customer": { "name": "Guest", "email": "guest@example.test" },
        });
        self.admin.post("/v1/bookings", &wish).await
    }

    async fn block(&self, resource: &str, from: &str, to: &str) -> anyhow::Result<Value> {
        let path = format!("/v1/resources/{resource}/blocks");
        let body = json!({ "starts_at": from, "ends_at": to, "reason": "Leave" });
        self.admin.post(&path, &body).await
    }

    /// Starts of the massage that are free on the day after tomorrow.
    async fn massages(&self) -> Vec<String> {
        let day = jiff::Zoned::now().date() + jiff::Span::new().days(2);
        let path = format!("/v1/products/{}/slots?from={day}&to={day}", self.massage);
        let slots = self.admin.get(&path).await.unwrap();
        let starts = slots["slots"].as_array().unwrap().iter();
        starts
            .map(|slot| slot["starts_at"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn minutes_after(start: &str, minutes: i64) -> String {
    let start: jiff::Timestamp = start.parse().unwrap();
    (start + jiff::SignedDuration::from_mins(minutes)).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_takes_who_gives_it_and_where() {
    let house = House::open().await;
    let studio = Studio::open(&house).await;
    let free = studio.massages().await;
    let start = &free[2];
    let [ada, ben] = &studio.trainers;

    // Ada has a massage then, so that Ben gives the session.
    studio.massage(start).await.unwrap();
    let session = studio.session(start, &[]).await.unwrap();
    assert_eq!(session["resource_ids"], json!([ben, studio.hall]));
    // The hall is aired for a quarter of an hour, and there is but one.
    for overlapping in [minutes_after(start, -30), minutes_after(start, 60)] {
        let answer = studio.session(&overlapping, &[]).await;
        assert_eq!(refused(answer), (409, "RESOURCE_TAKEN".to_owned()));
    }
    let later = minutes_after(start, 90);
    let named = studio.session(&later, &[ada, &studio.hall]).await.unwrap();
    assert_eq!(named["resource_ids"], json!([ada, studio.hall]));
    // Ada is at the session now.
    let now_free = studio.massages().await;
    assert!(free.contains(&later) && !now_free.contains(&later));
    assert_eq!(
        refused(studio.massage(&later).await),
        (409, "BOOKING_CONFLICT".to_owned())
    );

    // Somebody else takes it over, and Ada is free again.
    let path = format!(
        "/v1/products/{}/sessions/{}",
        studio.course,
        named["id"].as_str().unwrap()
    );
    let change =
        json!({ "version": named["version"], "resource_ids": [ben, studio.hall], "capacity": 12 });
    let changed = studio.admin.patch(&path, &change).await.unwrap();
    assert_eq!(
        (
            &changed["capacity"],
            &changed["free"],
            &changed["resource_ids"]
        ),
        (&json!(12), &json!(12), &json!([ben, studio.hall]))
    );
    studio.massage(&later).await.unwrap();
    assert_eq!(
        refused(studio.admin.patch(&path, &change).await),
        (409, "VERSION_CONFLICT".to_owned())
    );
    // Ada is not to be had for it any more.
    let back = json!({ "version": changed["version"], "resource_ids": [ada, studio.hall] });
    assert_eq!(
        refused(studio.admin.patch(&path, &back).await),
        (409, "RESOURCE_TAKEN".to_owned())
    );

    for (wrong, code) in [
        (vec![ada], "REQUIREMENTS_UNMET"),
        (vec![ada, ben, &studio.hall], "REQUIREMENTS_UNMET"),
        (vec![ada, ada], "WRONG_RESOURCE"),
        (vec![ada, &studio.course], "WRONG_RESOURCE"),
    ] {
        let answer = studio.session(&in_days(20), &wrong).await;
        assert_eq!(refused(answer), (422, code.to_owned()), "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn places_are_never_fewer_than_are_taken() {
    let house = House::open().await;
    let studio = Studio::open(&house).await;
    let start = studio.massages().await[0].clone();
    let session = studio.session(&start, &[]).await.unwrap();
    let wish = json!({
        "product_id": studio.course, "session_id": session["id"], "quantity": 4,
        "customer": { "name": "Guest", "email": "guest@example.test" },
    });
    studio.admin.post("/v1/bookings", &wish).await.unwrap();
    let path = format!(
        "/v1/products/{}/sessions/{}",
        studio.course,
        session["id"].as_str().unwrap()
    );
    let change = |change: Value| {
        let mut change = change;
        change["version"] = session["version"].clone();
        let (admin, path) = (&studio.admin, &path);
        async move { admin.patch(path, &change).await }
    };
    assert_eq!(
        refused(change(json!({ "capacity": 3 })).await),
        (422, "BELOW_TAKEN".to_owned())
    );
    assert_eq!(
        refused(change(json!({ "capacity": 0 })).await),
        (422, "OUT_OF_RANGE".to_owned())
    );
    let closed = change(json!({ "capacity": 4, "open": false }))
        .await
        .unwrap();
    assert_eq!(
        (&closed["free"], &closed["open"]),
        (&json!(0), &json!(false))
    );
    assert_eq!(
        refused(studio.admin.post("/v1/bookings", &wish).await),
        (422, "WRONG_SESSION".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_called_off_lets_its_people_go() {
    let house = House::open().await;
    let studio = Studio::open(&house).await;
    let start = studio.massages().await[0].clone();
    let session = studio.session(&start, &[]).await.unwrap();
    assert!(!studio.massages().await.contains(&start), "Ada gives it");
    let path = format!(
        "/v1/products/{}/sessions/{}",
        studio.course,
        session["id"].as_str().unwrap()
    );
    let wish = json!({
        "product_id": studio.course, "session_id": session["id"],
        "customer": { "name": "Guest", "email": "guest@example.test" },
    });
    let booking = studio.admin.post("/v1/bookings", &wish).await.unwrap();
    assert_eq!(
        refused(studio.admin.delete(&path).await),
        (409, "SESSION_BOOKED".to_owned())
    );
    let cancel = format!("/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
    studio.admin.post(&cancel, &json!({})).await.unwrap();
    studio.admin.delete(&path).await.unwrap();
    assert!(studio.massages().await.contains(&start));
    studio.massage(&start).await.unwrap();

    // Nobody sees, books or changes it any more.
    assert_eq!(refused(studio.admin.delete(&path).await).0, 404);
    let change = json!({ "version": 2, "open": true });
    assert_eq!(refused(studio.admin.patch(&path, &change).await).0, 404);
    assert_eq!(
        refused(studio.admin.post("/v1/bookings", &wish).await),
        (422, "WRONG_SESSION".to_owned())
    );
    let listed = format!(
        "/v1/products/{}/sessions?from={start}&to={}",
        studio.course,
        in_days(30)
    );
    let sessions = studio.admin.get(&listed).await.unwrap();
    assert_eq!(sessions["items"], json!([]));
    let customer = Client::sign_in(&studio.tenant, &studio.tenant.customer)
        .await
        .unwrap();
    assert_eq!(refused(customer.delete(&path).await).0, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_sessions_at_once_in_the_only_hall_one_is_made() {
    let house = House::open().await;
    let studio = Studio::open(&house).await;
    let start = studio.massages().await[1].clone();
    let tries = (0..12).map(|_| studio.session(&start, &[]));
    let (made, refusals): (Vec<_>, Vec<_>) =
        join_all(tries).await.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    for one in refusals {
        assert_eq!(refused(one), (409, "RESOURCE_TAKEN".to_owned()));
    }
    assert_eq!(
        house
            .count(
                &studio.tenant,
                "SELECT count(*) FROM claim WHERE holder = 'session'"
            )
            .await,
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_keeps_a_resource_free_of_bookings() {
    let house = House::open().await;
    let studio = Studio::open(&house).await;
    let free = studio.massages().await;
    let ada = &studio.trainers[0];
    let booked = studio.massage(&free[4]).await.unwrap();

    // What is booked is in the way, and named.
    let answer = studio
        .block(ada, &free[0], &minutes_after(&free[4], 15))
        .await;
    let refusal = answer.unwrap_err().to_string();
    let reference = booked["reference"].as_str().unwrap();
    assert!(
        refusal.contains("RESOURCE_TAKEN") && refusal.contains(reference),
        "{refusal}"
    );
    let block = studio.block(ada, &free[0], &free[4]).await.unwrap();
    assert_eq!(studio.massages().await, free[5..]);
    assert_eq!(
        refused(studio.massage(&free[1]).await),
        (409, "BOOKING_CONFLICT".to_owned())
    );
    assert_eq!(
        refused(studio.block(ada, &free[1], &free[2]).await),
        (409, "RESOURCE_TAKEN".to_owned())
    );
    let listed = format!("/v1/resources/{ada}/blocks?from={}&to={}", free[1], free[2]);
    let blocks = studio.admin.get(&listed).await.unwrap();
    assert_eq!(blocks["items"], json!([block]));

    let path = format!("/v1/blocks/{}", block["id"].as_str().unwrap());
    studio.admin.delete(&path).await.unwrap();
    assert_eq!(refused(studio.admin.delete(&path).await).0, 404);
    let mut without = free.clone();
    without.remove(4);
    assert_eq!(studio.massages().await, without);
    studio.massage(&free[1]).await.unwrap();

    let long = minutes_after(&free[0], 367 * 24 * 60);
    for (from, to, code) in [
        (&free[1], &free[0], "END_BEFORE_START"),
        (&free[0], &free[0], "END_BEFORE_START"),
        (&free[0], &long, "TOO_LONG"),
        (&in_days(-3), &in_days(-2), "IN_THE_PAST"),
    ] {
        let answer = studio.block(ada, from, to).await;
        assert_eq!(refused(answer), (422, code.to_owned()), "{from} {to}");
    }
    let nobody = "00000000-0000-7000-8000-000000000001";
    assert_eq!(
        refused(studio.block(nobody, &free[0], &free[1]).await).0,
        404
    );
    // Customers do not see them, and make none.
    let customer = Client::sign_in(&studio.tenant, &studio.tenant.customer)
        .await
        .unwrap();
    assert_eq!(refused(customer.get(&listed).await).0, 403);
}
