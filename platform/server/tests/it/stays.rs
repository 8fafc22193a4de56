//! Nights of a pool of rooms: a house with three doubles.

use berth_devkit::{Tenant, demo::Client};
use futures::future::join_all;
use jiff::{ToSpan as _, civil::Date};
use serde_json::{Value, json};

use crate::{
    backoffice::{in_berlin, refused, resource_of},
    house::House,
};

struct Hotel {
    tenant: Tenant,
    admin: Client,
    pool: Value,
    /// Two of the three; the other has no name.
    rooms: Vec<String>,
    double: String,
}

impl Hotel {
    /// A night is a hundred euros; two to seven of them.
    async fn open(house: &House) -> Self {
        let tenant = house.clinic().clone();
        let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
        let pool = json!({ "name": "Double", "quantity": 1 });
        let pool = admin.post("/v1/pools", &pool).await.unwrap();
        let mut rooms = Vec::new();
        for name in ["101", "102"] {
            rooms.push(resource_of(&admin, "room", name, Some(&pool["id"])).await);
        }
        let mut hotel = Self {
            tenant,
            admin,
            pool,
            rooms,
            double: String::new(),
        };
        hotel.double = hotel.sold("on_site", &[]).await;
        hotel
    }

    /// A product of the pool's nights.
    async fn sold(&self, payment_mode: &str, arrival_weekdays: &[i8]) -> String {
        let product = json!({
            "kind": "stay", "name": "Double room", "pool_id": self.pool["id"],
            "price": { "amount": 10_000, "currency": "EUR" }, "payment_mode": payment_mode, "max_quantity": 3,
            "stay": {
                "check_in": "15:00:00", "check_out": "11:00:00", "min_nights": 2, "max_nights": 7,
                "arrival_weekdays": arrival_weekdays,
            },
        });
        let made = self.admin.post("/v1/products", &product).await.unwrap();
        made["id"].as_str().unwrap().to_owned()
    }

    fn wish(&self, arrival: Date, nights: i64, quantity: i32) -> Value {
        json!({
            "product_id": self.double, "arrival": arrival, "departure": arrival + nights.days(),
            "quantity": quantity, "customer": { "name": "Guest", "email": "guest@example.test" },
        })
    }

    async fn book(&self, arrival: Date, nights: i64, quantity: i32) -> anyhow::Result<Value> {
        let wish = self.wish(arrival, nights, quantity);
        self.admin.post("/v1/bookings", &wish).await
    }

    /// Shuts a room from noon of a day to noon of another.
    async fn block(&self, room: &str, from: Date, to: Date) -> anyhow::Result<Value> {
        let noon = |day: Date| in_berlin(day, 12, 0);
        let body = json!({ "starts_at": noon(from), "ends_at": noon(to), "reason": "Painting" });
        let path = format!("/v1/resources/{room}/blocks");
        self.admin.post(&path, &body).await
    }

    /// How many are free in each of so many nights.
    async fn free(&self, from: Date, nights: i64) -> Vec<i64> {
        let nights = self.nights(from, nights).await;
        nights
            .iter()
            .map(|night| night["free"].as_i64().unwrap())
            .collect()
    }

    async fn nights(&self, from: Date, nights: i64) -> Vec<Value> {
        let to = from + (nights - 1).days();
        let path = format!("/v1/products/{}/nights?from={from}&to={to}", self.double);
        let found = self.admin.get(&path).await.unwrap();
        found["nights"].as_array().unwrap().clone()
    }
}

/// A day so far ahead that nothing else happens then.
fn in_spring() -> Date {
    jiff::Zoned::now().date() + 90.days()
}

#[tokio::test(flavor = "multi_thread")]
async fn nights_are_booked_moved_and_given_back() {
    let house = House::open().await;
    let hotel = Hotel::open(&house).await;
    let monday = in_spring();
    assert_eq!(hotel.pool["capacity"], 1, "before it had rooms with names");
    let pools = hotel.admin.get("/v1/pools").await.unwrap();
    assert_eq!(pools["items"][0]["capacity"], 3);

    let booking = hotel.book(monday, 3, 2).await.unwrap();
    assert_eq!(
        (
            &booking["status"],
            &booking["price"]["amount"],
            &booking["pool_id"]
        ),
        (&json!("CONFIRMED"), &json!(60_000), &hotel.pool["id"])
    );
    let local = booking["local_start"].as_str().unwrap();
    assert!(local.starts_with(&format!("{monday}T15:00:00")), "{local}");
    assert_eq!(hotel.free(monday, 5).await, [1, 1, 1, 3, 3]);
    // One more fits, two do not, and nearby they would.
    let answer = hotel.book(monday + 1.day(), 3, 2).await;
    let conflict = answer.unwrap_err();
    let conflict = conflict
        .downcast_ref::<berth_devkit::demo::ApiError>()
        .unwrap();
    assert_eq!(
        (conflict.status, &*conflict.code),
        (409, "BOOKING_CONFLICT")
    );
    let near = conflict.body["alternatives"].as_array().unwrap();
    let after = monday + 3.days();
    assert!(
        near.len() == 5 && near[0]["starts_at"].as_str().unwrap() >= after.to_string().as_str()
    );
    hotel.book(monday + 1.day(), 2, 1).await.unwrap();
    assert_eq!(hotel.free(monday, 5).await, [1, 0, 0, 3, 3]);
    // One can come on the first day no more: two nights is the least.
    let arrivals: Vec<bool> = hotel
        .nights(monday, 5)
        .await
        .iter()
        .map(|one| one["arrival"] == true)
        .collect();
    assert_eq!(arrivals, [false, false, false, true, true]);

    let path = format!(
        "/v1/bookings/{}/reschedule",
        booking["id"].as_str().unwrap()
    );
    let to = |arrival: Date, nights: i64, version: &Value| json!({ "version": version, "arrival": arrival, "departure": arrival + nights.days() });
    let longer = to(monday, 4, &booking["version"]);
    assert_eq!(
        refused(hotel.admin.post(&path, &longer).await),
        (422, "OTHER_LENGTH".to_owned())
    );
    let moved = to(monday + 2.days(), 3, &booking["version"]);
    let moved = hotel.admin.post(&path, &moved).await.unwrap();
    assert_eq!(hotel.free(monday, 6).await, [3, 2, 0, 1, 1, 3]);
    house.agrees(&hotel.tenant).await;
    // Somebody takes what it left; there it cannot go back to.
    hotel.book(monday, 2, 2).await.unwrap();
    let back = to(monday, 3, &moved["version"]);
    assert_eq!(
        refused(hotel.admin.post(&path, &back).await),
        (409, "BOOKING_CONFLICT".to_owned())
    );
    assert_eq!(hotel.free(monday, 6).await, [1, 0, 0, 1, 1, 3]);

    let path = format!("/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
    hotel.admin.post(&path, &json!({})).await.unwrap();
    assert_eq!(hotel.free(monday, 6).await, [1, 0, 2, 3, 3, 3]);
    house.agrees(&hotel.tenant).await;

    // A room less: what is booked stays.
    let path = format!("/v1/pools/{}", hotel.pool["id"].as_str().unwrap());
    let change = json!({ "version": 1, "quantity": 0 });
    let pool = hotel.admin.patch(&path, &change).await.unwrap();
    assert_eq!(pool["capacity"], 2);
    assert_eq!(hotel.free(monday, 4).await, [0, 0, 1, 2]);
    assert_eq!(
        refused(hotel.admin.patch(&path, &change).await),
        (409, "VERSION_CONFLICT".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_not_to_be_had_is_not_sold_with_its_pool() {
    let house = House::open().await;
    let hotel = Hotel::open(&house).await;
    let day = in_spring();
    let [first, second] = [&hotel.rooms[0], &hotel.rooms[1]];

    let block = hotel.block(first, day, day + 2.days()).await.unwrap();
    assert_eq!(hotel.free(day - 1.day(), 4).await, [3, 2, 2, 3]);
    house.agrees(&hotel.tenant).await;
    // Of what is left all is sold, and nothing can be shut on top of it.
    let booking = hotel.book(day, 2, 2).await.unwrap();
    assert_eq!(
        refused(hotel.book(day, 2, 1).await),
        (409, "BOOKING_CONFLICT".to_owned())
    );
    let answer = hotel.block(second, day + 1.day(), day + 3.days()).await;
    let refusal = answer.unwrap_err().to_string();
    let reference = booking["reference"].as_str().unwrap();
    assert!(
        refusal.contains("RESOURCE_TAKEN") && refusal.contains(reference),
        "{refusal}"
    );
    assert_eq!(
        refused(hotel.block(first, day, day + 1.day()).await),
        (409, "RESOURCE_TAKEN".to_owned())
    );
    let blocked = "SELECT count(*) FROM block";
    assert_eq!(house.count(&hotel.tenant, blocked).await, 1);
    let path = format!("/v1/blocks/{}", block["id"].as_str().unwrap());
    hotel.admin.delete(&path).await.unwrap();
    assert_eq!(hotel.free(day - 1.day(), 4).await, [3, 1, 1, 3]);
    house.agrees(&hotel.tenant).await;

    // It is one of its pool, and nothing else.
    let massage = json!({
        "kind": "appointment", "name": "Massage", "duration_min": 30, "resource_ids": [first],
        "price": { "amount": 0, "currency": "EUR" },
    });
    assert_eq!(
        refused(hotel.admin.post("/v1/products", &massage).await),
        (422, "POOLED_RESOURCE".to_owned())
    );
    let wanted = json!({ "version": 1, "resource_ids": [first] });
    let product = format!("/v1/products/{}", hotel.double);
    assert_eq!(
        refused(hotel.admin.patch(&product, &wanted).await),
        (422, "WRONG_KIND".to_owned())
    );
    let mut wish = hotel.wish(day, 2, 1);
    wish["resource_id"] = json!(first);
    assert_eq!(
        refused(hotel.admin.post("/v1/bookings", &wish).await),
        (422, "WRONG_RESOURCE".to_owned())
    );

    // It is given up for good.
    let path = format!("/v1/resources/{second}");
    let gone = json!({ "version": 1, "active": false, "name": "102 (store)" });
    let changed = hotel.admin.patch(&path, &gone).await.unwrap();
    assert_eq!(
        (&changed["active"], &changed["name"], &changed["version"]),
        (&json!(false), &json!("102 (store)"), &json!(2))
    );
    assert_eq!(hotel.free(day - 1.day(), 4).await, [2, 0, 0, 2]);
    assert_eq!(
        refused(hotel.admin.patch(&path, &gone).await),
        (409, "VERSION_CONFLICT".to_owned())
    );
    assert_eq!(
        refused(hotel.block(second, day, day + 1.day()).await),
        (422, "NOT_ACTIVE".to_owned())
    );
    let nobody = "/v1/resources/00000000-0000-7000-8000-000000000001";
    assert_eq!(refused(hotel.admin.patch(nobody, &gone).await).0, 404);

    // Who has two there keeps what overlaps where a stay is moved, though it is one too many by now.
    hotel
        .admin
        .patch(&path, &json!({ "version": 2, "active": true }))
        .await
        .unwrap();
    let quantity = json!({ "version": 1, "quantity": 0 });
    let pool = format!("/v1/pools/{}", hotel.pool["id"].as_str().unwrap());
    hotel.book(day, 2, 1).await.unwrap();
    hotel.admin.patch(&pool, &quantity).await.unwrap();
    let path = format!(
        "/v1/bookings/{}/reschedule",
        booking["id"].as_str().unwrap()
    );
    let to = json!({ "version": booking["version"], "arrival": day + 1.day(), "departure": day + 3.days() });
    hotel.admin.post(&path, &to).await.unwrap();
    assert_eq!(hotel.free(day, 4).await, [1, 0, 0, 2]);
    house.agrees(&hotel.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_becomes_certain_when_it_is_confirmed() {
    let house = House::open().await;
    let mut hotel = Hotel::open(&house).await;
    hotel.double = hotel.sold("online", &[]).await;
    let day = in_spring();
    let booking = hotel.book(day, 2, 1).await.unwrap();
    assert_eq!(booking["status"], "PENDING");
    let held = "SELECT sum(held)::bigint FROM bucket";
    assert_eq!(house.count(&hotel.tenant, held).await, 2);
    let path = format!("/v1/bookings/{}/confirm", booking["id"].as_str().unwrap());
    hotel.admin.post(&path, &json!({})).await.unwrap();
    let sold = "SELECT sum(sold - held)::bigint FROM bucket";
    assert_eq!(house.count(&hotel.tenant, sold).await, 2);
    house.agrees(&hotel.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nights_that_are_not_sold_like_that_are_refused() {
    let house = House::open().await;
    let mut hotel = Hotel::open(&house).await;
    let day = in_spring();
    let today = jiff::Zoned::now().date();
    for (arrival, nights, quantity, code) in [
        (day, 1, 1, "STAY_TOO_SHORT"),
        (day, 8, 1, "STAY_TOO_LONG"),
        (day, 0, 1, "END_BEFORE_START"),
        (day, -2, 1, "END_BEFORE_START"),
        (day, 2, 0, "QUANTITY_OUT_OF_RANGE"),
        (day, 2, 4, "QUANTITY_OUT_OF_RANGE"),
        (today - 3.days(), 2, 1, "IN_THE_PAST"),
        (today + 400.days(), 2, 1, "TOO_FAR_AHEAD"),
    ] {
        let answer = hotel.book(arrival, nights, quantity).await;
        assert_eq!(
            refused(answer),
            (422, code.to_owned()),
            "{arrival} {nights} {quantity}"
        );
        let wish = hotel.wish(arrival, nights, quantity);
        let check = hotel
            .admin
            .post("/v1/availability/check", &wish)
            .await
            .unwrap();
        assert_eq!(check["reason"], code, "{check}");
    }
    let mut both = hotel.wish(day, 2, 1);
    both["starts_at"] = json!("2030-01-01T10:00:00Z");
    assert_eq!(
        refused(hotel.admin.post("/v1/bookings", &both).await),
        (422, "WRONG_SHAPE".to_owned())
    );
    let slots = format!("/v1/products/{}/slots?from={day}&to={day}", hotel.double);
    assert_eq!(
        refused(hotel.admin.get(&slots).await),
        (422, "WRONG_KIND".to_owned())
    );

    let weekday = day.weekday().to_monday_one_offset();
    hotel.double = hotel.sold("on_site", &[weekday]).await;
    hotel.book(day, 2, 1).await.unwrap();
    assert_eq!(
        refused(hotel.book(day + 1.day(), 2, 1).await),
        (422, "NO_ARRIVAL_THEN".to_owned())
    );

    let product = |change: Value| {
        let mut product = json!({
            "kind": "stay", "name": "Double room", "pool_id": hotel.pool["id"],
            "price": { "amount": 10_000, "currency": "EUR" },
            "stay": { "check_in": "15:00:00", "check_out": "11:00:00" },
        });
        for (name, value) in change.as_object().unwrap() {
            product[name] = value.clone();
        }
        product
    };
    let terms = |min: i32, max: i32| json!({ "stay": { "check_in": "15:00:00", "check_out": "11:00:00", "min_nights": min, "max_nights": max } });
    for (change, code) in [
        (json!({ "pool_id": null }), "REQUIRED"),
        (json!({ "stay": null }), "REQUIRED"),
        (json!({ "duration_min": 60 }), "WRONG_KIND"),
        (
            json!({ "kind": "session", "duration_min": 60 }),
            "WRONG_KIND",
        ),
        (json!({ "pool_id": hotel.double }), "UNKNOWN_REFERENCE"),
        (terms(0, 5), "OUT_OF_RANGE"),
        (terms(5, 4), "OUT_OF_RANGE"),
        (terms(1, 400), "OUT_OF_RANGE"),
        (
            json!({ "stay": { "check_in": "10:00:00", "check_out": "11:00:00" } }),
            "OUT_OF_RANGE",
        ),
    ] {
        let answer = hotel
            .admin
            .post("/v1/products", &product(change.clone()))
            .await;
        assert_eq!(refused(answer), (422, code.to_owned()), "{change}");
    }
}

/// Overlapping stays from both sides, so that nights are wanted in every order.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_never_gets_more_than_there_are() {
    let house = House::open().await;
    let hotel = Hotel::open(&house).await;
    let day = in_spring();
    let tries = (0..48_i64).map(|n| hotel.book(day + (n % 6).days(), 2 + n % 5, 1));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(tries).await.into_iter().partition(Result::is_ok);
    assert!(won.len() >= 3, "{} won", won.len());
    for one in lost {
        assert_eq!(refused(one), (409, "BOOKING_CONFLICT".to_owned()));
    }
    // Those who have one change their minds all at once.
    let moves = won.iter().flatten().enumerate().map(|(n, booking)| {
        let path = format!(
            "/v1/bookings/{}/reschedule",
            booking["id"].as_str().unwrap()
        );
        let days = |field: &str| {
            let at: jiff::Timestamp = booking[field].as_str().unwrap().parse().unwrap();
            at.to_zoned(jiff::tz::TimeZone::UTC).date()
        };
        let shift = i64::try_from(n % 3).unwrap() - 1;
        let to = json!({
            "version": booking["version"], "arrival": days("starts_at") + shift.days(),
            "departure": days("ends_at") + shift.days(),
        });
        let admin = &hotel.admin;
        async move { admin.post(&path, &to).await }
    });
    for answer in join_all(moves).await {
        if answer.is_err() {
            assert_eq!(refused(answer), (409, "BOOKING_CONFLICT".to_owned()));
        }
    }
    let over = "SELECT count(*) FROM bucket WHERE held + sold > 3";
    assert_eq!(house.count(&hotel.tenant, over).await, 0);
    house.agrees(&hotel.tenant).await;
}
