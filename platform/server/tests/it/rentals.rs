//! Time with some of a pool: a boathouse with three canoes.

use berth_devkit::{
    Tenant,
    demo::{ApiError, Client},
};
use futures::future::join_all;
use jiff::{ToSpan as _, Zoned, civil::Date};
use serde_json::{Value, json};

use crate::{
    backoffice::{every_day, in_berlin as at, refused, resource_of},
    house::House,
};

struct Boathouse {
    tenant: Tenant,
    admin: Client,
    pool: Value,
    /// The one canoe of the three that has a name.
    named: String,
    /// Ten euros an hour, two to ten of them, from nine to six.
    hourly: String,
}

impl Boathouse {
    async fn open(house: &House) -> Self {
        let tenant = house.clinic().clone();
        let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
        let pool = json!({ "name": "Canoe", "quantity": 2, "sold_by": "time" });
        let pool = admin.post("/v1/pools", &pool).await.unwrap();
        let named = resource_of(&admin, "equipment", "Swift", Some(&pool["id"])).await;
        let mut boathouse = Self {
            tenant,
            admin,
            pool,
            named,
            hourly: String::new(),
        };
        boathouse.hourly = boathouse.sold(&json!({})).await;
        boathouse
    }

    fn product(&self, change: &Value) -> Value {
        let open = every_day("09:00:00", "18:00:00");
        let mut product = json!({
            "kind": "rental", "name": "Canoe", "pool_id": self.pool["id"], "duration_min": 60,
            "price": { "amount": 1_000, "currency": "EUR" }, "payment_mode": "on_site", "max_quantity": 3,
            "window_days": 500, "rental": { "min_units": 2, "max_units": 10, "opening": open },
        });
        for (name, value) in change.as_object().unwrap() {
            product[name] = value.clone();
        }
        product
    }

    async fn sold(&self, change: &Value) -> String {
        let product = self.product(change);
        let made = self.admin.post("/v1/products", &product).await.unwrap();
        made["id"].as_str().unwrap().to_owned()
    }

    fn wish(&self, product: &str, from: &str, to: &str, quantity: i32) -> Value {
        json!({
            "product_id": product, "starts_at": from, "ends_at": to, "quantity": quantity,
            "customer": { "name": "Guest", "email": "guest@example.test" },
        })
    }

    async fn book(&self, from: &str, to: &str, quantity: i32) -> anyhow::Result<Value> {
        let wish = self.wish(&self.hourly, from, to, quantity);
        self.admin.post("/v1/bookings", &wish).await
    }

    /// Starts of a day for so many units with how many are free, as hour and minute of the clock there.
    async fn free(&self, day: Date, units: i32) -> Vec<(String, i64)> {
        let path = format!(
            "/v1/products/{}/slots?from={day}&to={day}&units={units}",
            self.hourly
        );
        let found = self.admin.get(&path).await.unwrap();
        let slots = found["slots"].as_array().unwrap();
        let shown = |slot: &Value| {
            let local = slot["local_start"].as_str().unwrap();
            (local[11..16].to_owned(), slot["free"].as_i64().unwrap())
        };
        slots.iter().map(shown).collect()
    }

    async fn free_at(&self, day: Date, units: i32, start: &str) -> i64 {
        let free = self.free(day, units).await;
        let found = free.into_iter().find(|(local, _)| local == start);
        found.map_or(0, |(_, free)| free)
    }
}

/// A day so far ahead that nothing else happens then; no clock is changed in winter.
fn in_winter() -> Date {
    let today = Zoned::now().date();
    let this_year = jiff::civil::date(today.year(), 2, 10);
    match this_year > today + 30.days() {
        true => this_year,
        false => jiff::civil::date(today.year() + 1, 2, 10),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_is_rented_moved_and_given_back() {
    let house = House::open().await;
    let boathouse = Boathouse::open(&house).await;
    let day = in_winter();
    assert_eq!(boathouse.pool["sold_by"], "time");
    let free = boathouse.free(day, 2).await;
    assert_eq!(
        (free.first(), free.last(), free.len()),
        (
            Some(&("09:00".to_owned(), 3)),
            Some(&("16:00".to_owned(), 3)),
            15
        )
    );

    // A begun hour is a whole one.
    let booking = boathouse.book(&at(day, 10, 0), &at(day, 12, 30), 2).await;
    let booking = booking.unwrap();
    assert_eq!(
        (
            &booking["status"],
            &booking["price"]["amount"],
            &booking["pool_id"]
        ),
        (&json!("CONFIRMED"), &json!(6_000), &boathouse.pool["id"])
    );
    assert_eq!(boathouse.free_at(day, 2, "09:00").await, 1);
    assert_eq!(boathouse.free_at(day, 2, "12:00").await, 1);
    assert_eq!(boathouse.free_at(day, 2, "12:30").await, 3);
    house.agrees(&boathouse.tenant).await;

    let conflict = boathouse.book(&at(day, 12, 0), &at(day, 14, 0), 2).await;
    let conflict = conflict.unwrap_err();
    let conflict = conflict.downcast_ref::<ApiError>().unwrap();
    assert_eq!(
        (conflict.status, &*conflict.code),
        (409, "BOOKING_CONFLICT")
    );
    let near = &conflict.body["alternatives"][0];
    assert_eq!(
        (near["starts_at"].as_str(), near["ends_at"].as_str()),
        (Some(&*at(day, 12, 30)), Some(&*at(day, 14, 30)))
    );

    let path = format!(
        "/v1/bookings/{}/reschedule",
        booking["id"].as_str().unwrap()
    );
    let to = |from: String, to: String| json!({ "version": booking["version"], "starts_at": from, "ends_at": to });
    let longer = to(at(day, 10, 0), at(day, 13, 30));
    assert_eq!(
        refused(boathouse.admin.post(&path, &longer).await),
        (422, "OTHER_LENGTH".to_owned())
    );
    // It is no obstacle to itself.
    let moved = to(at(day, 11, 0), at(day, 13, 30));
    let moved = boathouse.admin.post(&path, &moved).await.unwrap();
    assert_eq!(moved["price"]["amount"], 6_000);
    assert_eq!(boathouse.free_at(day, 2, "09:00").await, 3);
    assert_eq!(boathouse.free_at(day, 2, "13:00").await, 1);
    house.agrees(&boathouse.tenant).await;

    // What is left of it stays, though there is one too few by now; more is not to be had.
    let pool = format!("/v1/pools/{}", boathouse.pool["id"].as_str().unwrap());
    let fewer = json!({ "version": 1, "quantity": 0 });
    boathouse.admin.patch(&pool, &fewer).await.unwrap();
    let to = |from: String, to: String| json!({ "version": moved["version"], "starts_at": from, "ends_at": to });
    let later = to(at(day, 11, 30), at(day, 14, 0));
    assert_eq!(
        refused(boathouse.admin.post(&path, &later).await),
        (409, "BOOKING_CONFLICT".to_owned())
    );
    let shorter = to(at(day, 11, 0), at(day, 13, 15));
    assert_eq!(
        refused(boathouse.admin.post(&path, &shorter).await),
        (422, "OFF_STEP".to_owned())
    );
    let begun = to(at(day, 11, 0), at(day, 13, 30));
    boathouse.admin.post(&path, &begun).await.unwrap();
    house.agrees(&boathouse.tenant).await;

    let path = format!("/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
    boathouse.admin.post(&path, &json!({})).await.unwrap();
    assert_eq!(boathouse.free_at(day, 9, "09:00").await, 1);
    house.agrees(&boathouse.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_becomes_certain_when_it_is_confirmed() {
    let house = House::open().await;
    let mut boathouse = Boathouse::open(&house).await;
    boathouse.hourly = boathouse.sold(&json!({ "payment_mode": "online" })).await;
    let day = in_winter();
    let booking = boathouse
        .book(&at(day, 10, 0), &at(day, 12, 0), 1)
        .await
        .unwrap();
    assert_eq!(booking["status"], "PENDING");
    let held = "SELECT sum(held)::bigint FROM bucket";
    assert_eq!(house.count(&boathouse.tenant, held).await, 8);
    let path = format!("/v1/bookings/{}/confirm", booking["id"].as_str().unwrap());
    boathouse.admin.post(&path, &json!({})).await.unwrap();
    let sold = "SELECT sum(sold - held)::bigint FROM bucket";
    assert_eq!(house.count(&boathouse.tenant, sold).await, 8);
    house.agrees(&boathouse.tenant).await;
}

/// Of a length that is no number of whole units another is looked for that is as long.
#[tokio::test(flavor = "multi_thread")]
async fn another_time_is_as_long_as_the_one_that_is_taken() {
    let house = House::open().await;
    let boathouse = Boathouse::open(&house).await;
    let day = in_winter();
    boathouse
        .book(&at(day, 12, 30), &at(day, 18, 0), 3)
        .await
        .unwrap();
    let conflict = boathouse
        .book(&at(day, 10, 30), &at(day, 13, 0), 3)
        .await
        .unwrap_err();
    let conflict = conflict.downcast_ref::<ApiError>().unwrap();
    let near = &conflict.body["alternatives"][0];
    assert_eq!(
        (near["starts_at"].as_str(), near["ends_at"].as_str()),
        (Some(&*at(day, 10, 0)), Some(&*at(day, 12, 30)))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_to_be_looked_after_is_not_free_meanwhile() {
    let house = House::open().await;
    let mut boathouse = Boathouse::open(&house).await;
    let day = in_winter();
    let dried = json!({ "buffer_after_min": 20, "buffer_before_min": 5 });
    boathouse.hourly = boathouse.sold(&dried).await;
    boathouse
        .book(&at(day, 10, 0), &at(day, 12, 0), 3)
        .await
        .unwrap();
    // Dry at a quarter past and a bit, and five minutes are needed before: the quarters are whole ones.
    assert_eq!(boathouse.free_at(day, 2, "12:30").await, 0);
    assert_eq!(boathouse.free_at(day, 2, "13:00").await, 3);
    house.agrees(&boathouse.tenant).await;

    // One that is away takes the quarters it reaches into, of its own time too.
    let (from, to) = (at(day, 15, 5), at(day, 15, 20));
    let body = json!({ "starts_at": from, "ends_at": to, "reason": "A leak" });
    let path = format!("/v1/resources/{}/blocks", boathouse.named);
    let block = boathouse.admin.post(&path, &body).await.unwrap();
    assert_eq!(boathouse.free_at(day, 2, "13:00").await, 2);
    let touching =
        json!({ "starts_at": at(day, 15, 20), "ends_at": at(day, 15, 25), "reason": "" });
    assert_eq!(
        refused(boathouse.admin.post(&path, &touching).await),
        (409, "RESOURCE_TAKEN".to_owned())
    );
    house.agrees(&boathouse.tenant).await;
    let path = format!("/v1/blocks/{}", block["id"].as_str().unwrap());
    boathouse.admin.delete(&path).await.unwrap();
    assert_eq!(boathouse.free_at(day, 2, "13:00").await, 3);
    house.agrees(&boathouse.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_paid_as_a_day_also_when_the_clocks_change() {
    let house = House::open().await;
    let boathouse = Boathouse::open(&house).await;
    let daily = json!({
        "duration_min": 1_440, "window_days": 1_000, "rental": { "min_units": 1, "max_units": 7 },
    });
    let daily = boathouse.sold(&daily).await;
    let year = Zoned::now().year() + 1;
    // The last Sundays of March and October.
    for month in [3, 10] {
        let last = jiff::civil::date(year, month, 31);
        let sunday = last - i64::from(last.weekday().to_sunday_zero_offset()).days();
        let saturday = sunday.yesterday().unwrap();
        let wish = boathouse.wish(&daily, &at(saturday, 10, 0), &at(sunday, 10, 0), 1);
        let booking = boathouse.admin.post("/v1/bookings", &wish).await.unwrap();
        assert_eq!(booking["price"]["amount"], 1_000, "{sunday}");
    }
    house.agrees(&boathouse.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_rented_like_that_is_refused() {
    let house = House::open().await;
    let boathouse = Boathouse::open(&house).await;
    let day = in_winter();
    let today = Zoned::now().date();
    let next = day.tomorrow().unwrap();
    for (from, to, quantity, code) in [
        (at(day, 10, 0), at(day, 10, 30), 1, "RENTAL_TOO_SHORT"),
        (at(day, 9, 0), at(next, 9, 0), 1, "RENTAL_TOO_LONG"),
        (at(day, 10, 0), at(day, 10, 0), 1, "END_BEFORE_START"),
        (at(day, 12, 0), at(day, 10, 0), 1, "END_BEFORE_START"),
        (at(day, 10, 10), at(day, 12, 0), 1, "OFF_STEP"),
        (at(day, 10, 0), at(day, 12, 10), 1, "OFF_STEP"),
        (at(day, 8, 0), at(day, 10, 0), 1, "NOT_SCHEDULED"),
        (at(day, 17, 0), at(day, 19, 0), 1, "NOT_SCHEDULED"),
        (at(day, 10, 0), at(day, 12, 0), 0, "QUANTITY_OUT_OF_RANGE"),
        (at(day, 10, 0), at(day, 12, 0), 4, "QUANTITY_OUT_OF_RANGE"),
        (
            at(today - 3.days(), 10, 0),
            at(today - 3.days(), 12, 0),
            1,
            "IN_THE_PAST",
        ),
        (
            at(today + 600.days(), 10, 0),
            at(today + 600.days(), 12, 0),
            1,
            "TOO_FAR_AHEAD",
        ),
        (
            "2027-01-01T09:00:00Z".into(),
            "2090-12-30T09:00:00Z".into(),
            1,
            "RENTAL_TOO_LONG",
        ),
    ] {
        let wish = boathouse.wish(&boathouse.hourly, &from, &to, quantity);
        let answer = boathouse.admin.post("/v1/bookings", &wish).await;
        assert_eq!(
            refused(answer),
            (422, code.to_owned()),
            "{from} {to} {quantity}"
        );
        let check = boathouse.admin.post("/v1/availability/check", &wish).await;
        assert_eq!(check.unwrap()["reason"], code, "{from} {to} {quantity}");
    }
    let mut wish = boathouse.wish(&boathouse.hourly, &at(day, 10, 0), &at(day, 12, 0), 1);
    wish["resource_id"] = json!(boathouse.named);
    assert_eq!(
        refused(boathouse.admin.post("/v1/bookings", &wish).await),
        (422, "WRONG_RESOURCE".to_owned())
    );
    let start = json!({ "product_id": boathouse.hourly, "starts_at": at(day, 10, 0), "quantity": 1,
                        "customer": { "name": "Guest", "email": "guest@example.test" } });
    assert_eq!(
        refused(boathouse.admin.post("/v1/bookings", &start).await),
        (422, "WRONG_SHAPE".to_owned())
    );
    let slots = |units: i32| {
        format!(
            "/v1/products/{}/slots?from={day}&to={day}&units={units}",
            boathouse.hourly
        )
    };
    for units in [-1, 1, 11, i32::MAX] {
        let answer = boathouse.admin.get(&slots(units)).await;
        assert_eq!(refused(answer), (422, "OUT_OF_RANGE".to_owned()), "{units}");
    }
    assert_eq!(
        boathouse.admin.get(&slots(2)).await.unwrap()["slots"]
            .as_array()
            .unwrap()
            .len(),
        15
    );

    let of_one = format!("{}&resource_id={}", slots(2), boathouse.named);
    assert_eq!(
        refused(boathouse.admin.get(&of_one).await),
        (422, "WRONG_RESOURCE".to_owned())
    );
    let long =
        json!({ "starts_at": at(day, 0, 0), "ends_at": at(day + 32.days(), 0, 0), "reason": "" });
    let path = format!("/v1/resources/{}/blocks", boathouse.named);
    assert_eq!(
        refused(boathouse.admin.post(&path, &long).await),
        (422, "TOO_LONG".to_owned())
    );

    let rooms = json!({ "name": "Double", "quantity": 1 });
    let rooms = boathouse.admin.post("/v1/pools", &rooms).await.unwrap();
    let terms = |min: i32, max: i32| json!({ "rental": { "min_units": min, "max_units": max } });
    for (change, code) in [
        (json!({ "pool_id": null }), "REQUIRED"),
        (json!({ "rental": null }), "REQUIRED"),
        (json!({ "duration_min": null }), "REQUIRED"),
        (json!({ "kind": "course" }), "WRONG_KIND"),
        (
            json!({ "kind": "stay", "duration_min": null, "rental": null,
                 "stay": { "check_in": "15:00:00", "check_out": "11:00:00" } }),
            "WRONG_KIND",
        ),
        (json!({ "pool_id": rooms["id"] }), "WRONG_KIND"),
        (json!({ "resource_ids": [boathouse.named] }), "WRONG_KIND"),
        (json!({ "pool_id": boathouse.hourly }), "UNKNOWN_REFERENCE"),
        (terms(0, 5), "OUT_OF_RANGE"),
        (terms(5, 4), "OUT_OF_RANGE"),
        (terms(1, 745), "OUT_OF_RANGE"),
        (json!({ "step_min": 45 }), "OUT_OF_RANGE"),
        (json!({ "step_min": 2 }), "OUT_OF_RANGE"),
        (
            json!({ "duration_min": 1_440, "step_min": 1_440 }),
            "NEVER_MATCHES",
        ),
        (
            json!({ "rental": { "max_units": 5, "opening": [
                { "weekday": 1, "starts": "09:10:00", "ends": "09:20:00" },
            ] } }),
            "NEVER_MATCHES",
        ),
        (
            json!({ "rental": { "max_units": 5, "opening": [
            { "weekday": 8, "starts": "09:00:00", "ends": "18:00:00" }] } }),
            "INVALID_SCHEDULE",
        ),
    ] {
        let product = boathouse.product(&change);
        let answer = boathouse.admin.post("/v1/products", &product).await;
        assert_eq!(refused(answer), (422, code.to_owned()), "{change}");
    }
}

/// Overlapping times from both sides, so that quarters are wanted in every order.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_never_gets_more_than_there_are() {
    let house = House::open().await;
    let boathouse = Boathouse::open(&house).await;
    let day = in_winter();
    let times: Vec<(String, String)> = (0..48_i8)
        .map(|n| (at(day, 9 + n % 6, 0), at(day, 11 + n % 6 + n % 2, 30)))
        .collect();
    let tries = times.iter().map(|(from, to)| boathouse.book(from, to, 1));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(tries).await.into_iter().partition(Result::is_ok);
    assert!(won.len() >= 3, "{} won", won.len());
    for one in lost {
        assert_eq!(refused(one), (409, "BOOKING_CONFLICT".to_owned()));
    }
    house.agrees(&boathouse.tenant).await;
    // Those who have one change their minds all at once.
    let moves = won.iter().flatten().enumerate().map(|(n, booking)| {
        let path = format!("/v1/bookings/{}/reschedule", booking["id"].as_str().unwrap());
        let shift = (i64::try_from(n % 3).unwrap() - 1).hours();
        let moved = |field: &str| {
            let at: jiff::Timestamp = booking[field].as_str().unwrap().parse().unwrap();
            (at + shift).to_string()
        };
        let to = json!({
            "version": booking["version"], "starts_at": moved("starts_at"), "ends_at": moved("ends_at"),
        });
        let admin = &boathouse.admin;
        async move { admin.post(&path, &to).await }
    });
    for answer in join_all(moves).await {
        if answer.is_err() {
            let (status, code) = refused(answer);
            let expected = [(409, "BOOKING_CONFLICT"), (422, "NOT_SCHEDULED")];
            assert!(expected.contains(&(status, &*code)), "{status} {code}");
        }
    }
    house.agrees(&boathouse.tenant).await;
    // All give back what they have.
    let cancels = won.iter().flatten().map(|booking| {
        let path = format!("/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
        let admin = &boathouse.admin;
        async move { admin.post(&path, &json!({})).await }
    });
    for answer in join_all(cancels).await {
        answer.unwrap();
    }
    assert_eq!(boathouse.free_at(day, 9, "09:00").await, 3);
    house.agrees(&boathouse.tenant).await;
}
