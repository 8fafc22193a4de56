//! Tables: a restaurant with two small ones, a large one, and a way to put the small ones together.

use berth_devkit::{
    Tenant,
    demo::{ApiError, Client},
};
use futures::future::join_all;
use jiff::{ToSpan as _, Zoned, civil::Date};
use serde_json::{Value, json};

use crate::{
    backoffice::{every_day, in_berlin, refused},
    house::House,
};

struct Restaurant {
    tenant: Tenant,
    admin: Client,
    /// Two tables for two, and one for five to eight.
    small: [String; 2],
    large: String,
    dinner: String,
}

impl Restaurant {
    async fn open(house: &House) -> Self {
        let tenant = house.clinic().clone();
        let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
        let small = [
            table(&admin, "1", 1, 2).await,
            table(&admin, "2", 1, 2).await,
        ];
        let large = table(&admin, "3", 5, 8).await;
        let both = json!({ "resource_ids": small, "party": { "min": 3, "max": 4 } });
        admin.post("/v1/combinations", &both).await.unwrap();
        let product = json!({
            "kind": "table", "name": "Dinner", "duration_min": 120, "step_min": 30,
            "resource_ids": [small[0], small[1], large], "price": { "amount": 0, "currency": "EUR" },
        });
        let made = admin.post("/v1/products", &product).await.unwrap();
        Self {
            tenant,
            admin,
            small,
            large,
            dinner: made["id"].as_str().unwrap().to_owned(),
        }
    }

    fn wish(&self, at: &str, people: i32) -> Value {
        json!({
            "product_id": self.dinner, "starts_at": at, "quantity": people,
            "customer": { "name": "Guest", "email": "guest@example.test" },
        })
    }

    async fn book(&self, at: &str, people: i32) -> anyhow::Result<Value> {
        self.admin
            .post("/v1/bookings", &self.wish(at, people))
            .await
    }

    /// Starts of a day for a party.
    async fn starts(&self, day: Date, people: i32) -> Vec<String> {
        let path = format!(
            "/v1/products/{}/slots?from={day}&to={day}&quantity={people}",
            self.dinner
        );
        let found = self.admin.get(&path).await.unwrap();
        let slots = found["slots"].as_array().unwrap();
        let shown = |slot: &Value| slot["local_start"].as_str().unwrap()[11..16].to_owned();
        slots.iter().map(shown).collect()
    }
}

/// A table that is served from five to eleven every day; the id.
async fn table(admin: &Client, name: &str, min: i32, max: i32) -> String {
    let week = every_day("17:00:00", "23:00:00");
    let table = json!({
        "kind": "table", "name": name, "schedule": week, "party": { "min": min, "max": max },
    });
    let made = admin.post("/v1/resources", &table).await.unwrap();
    made["id"].as_str().unwrap().to_owned()
}

/// The tables of a booking, in order.
fn tables(booking: &Value) -> Vec<String> {
    let others = booking["other_resource_ids"]
        .as_array()
        .into_iter()
        .flatten();
    let all = std::iter::once(&booking["resource_id"]).chain(others);
    let mut ids: Vec<String> = all.map(|id| id.as_str().unwrap().to_owned()).collect();
    ids.sort_unstable();
    ids
}

fn day() -> Date {
    Zoned::now().date() + 40.days()
}

fn at(day: Date, hour: i8) -> String {
    in_berlin(day, hour, 0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_may_stay_past_midnight() {
    let house = House::open().await;
    let tenant = house.clinic().clone();
    let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
    let bar = json!({
        "kind": "table", "name": "Bar", "party": { "min": 1, "max": 4 }, "schedule": every_day("20:00:00", "02:00:00"),
    });
    let bar = admin.post("/v1/resources", &bar).await.unwrap();
    let product = json!({
        "kind": "table", "name": "Drinks", "duration_min": 120, "step_min": 60, "resource_ids": [bar["id"]],
        "price": { "amount": 0, "currency": "EUR" },
    });
    let product = admin.post("/v1/products", &product).await.unwrap();
    let id = product["id"].as_str().unwrap();
    let day = day();
    let path = format!("/v1/products/{id}/slots?from={day}&to={day}");
    let slots = admin.get(&path).await.unwrap();
    let slots = slots["slots"].as_array().unwrap().iter();
    let starts: Vec<&str> = slots
        .map(|slot| &slot["local_start"].as_str().unwrap()[11..16])
        .collect();
    // That of midnight is of the evening before.
    assert_eq!(starts, ["00:00", "20:00", "21:00", "22:00", "23:00"]);
    let wish = |at: String| {
        json!({
            "product_id": id, "starts_at": at, "quantity": 2,
            "customer": { "name": "Guest", "email": "guest@example.test" },
        })
    };
    let late = admin
        .post("/v1/bookings", &wish(at(day, 23)))
        .await
        .unwrap();
    assert_eq!(late["ends_at"], at(day + 1.day(), 1));
    let beyond = refused(
        admin
            .post("/v1/bookings", &wish(at(day + 1.day(), 1)))
            .await,
    );
    assert_eq!(beyond, (422, "NOT_SCHEDULED".to_owned()));
    house.agrees(&tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_has_the_table_that_wastes_fewest_seats() {
    let house = House::open().await;
    let restaurant = Restaurant::open(&house).await;
    let (day, seven) = (day(), at(day(), 19));
    assert_eq!(restaurant.starts(day, 2).await.len(), 9);

    let four = restaurant.book(&seven, 4).await.unwrap();
    let mut both = restaurant.small.to_vec();
    both.sort_unstable();
    assert_eq!(tables(&four), both);
    // None for two is left then, and the large one is for five at least.
    let conflict = restaurant.book(&seven, 2).await.unwrap_err();
    let conflict = conflict.downcast_ref::<ApiError>().unwrap();
    assert_eq!(
        (conflict.status, &*conflict.code),
        (409, "BOOKING_CONFLICT")
    );
    let near = &conflict.body["alternatives"][0]["starts_at"];
    assert!(near == &at(day, 17) || near == &at(day, 21), "{near}");
    assert_eq!(restaurant.starts(day, 2).await, ["17:00", "21:00"]);
    assert_eq!(restaurant.starts(day, 5).await.len(), 9);
    let six = restaurant.book(&seven, 6).await.unwrap();
    assert_eq!(tables(&six), std::slice::from_ref(&restaurant.large));
    house.agrees(&restaurant.tenant).await;

    // They stay where they sit if they can, and find another table if they cannot.
    let path = format!("/v1/bookings/{}/reschedule", four["id"].as_str().unwrap());
    let to = |version: &Value, at: &str| json!({ "version": version, "starts_at": at });
    let moved = to(&four["version"], &at(day, 20));
    let moved = restaurant.admin.post(&path, &moved).await.unwrap();
    assert_eq!(tables(&moved), both);
    let two = restaurant.book(&at(day, 17), 2).await.unwrap();
    assert_eq!(tables(&two).len(), 1);
    let back = to(&moved["version"], &at(day, 18));
    assert_eq!(
        refused(restaurant.admin.post(&path, &back).await),
        (409, "BOOKING_CONFLICT".to_owned())
    );
    house.agrees(&restaurant.tenant).await;
    let cancel = format!("/v1/bookings/{}/cancel", four["id"].as_str().unwrap());
    restaurant.admin.post(&cancel, &json!({})).await.unwrap();
    assert_eq!(
        restaurant.starts(day, 4).await,
        ["19:00", "19:30", "20:00", "20:30", "21:00"]
    );
    house.agrees(&restaurant.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_put_together_for_as_long_as_it_is_said() {
    let house = House::open().await;
    let restaurant = Restaurant::open(&house).await;
    let day = day();
    let listed = restaurant.admin.get("/v1/combinations").await.unwrap();
    let both = &listed["items"][0];
    assert_eq!(both["party"], json!({ "min": 3, "max": 4 }));
    let three = restaurant.book(&at(day, 17), 3).await.unwrap();
    let path = format!("/v1/combinations/{}", both["id"].as_str().unwrap());
    restaurant.admin.delete(&path).await.unwrap();
    assert_eq!(refused(restaurant.admin.delete(&path).await).0, 404);
    assert!(restaurant.starts(day, 3).await.is_empty());
    assert_eq!(
        refused(restaurant.book(&at(day, 19), 3).await),
        (422, "PARTY_NOT_SEATED".to_owned())
    );
    // Who has it keeps it, also at another time; and a chair more at a table is a party more.
    let path = format!("/v1/bookings/{}/reschedule", three["id"].as_str().unwrap());
    let later = json!({ "version": three["version"], "starts_at": at(day, 21) });
    let moved = restaurant.admin.post(&path, &later).await.unwrap();
    assert_eq!(tables(&moved), tables(&three));
    house.agrees(&restaurant.tenant).await;
    let chair = json!({ "version": 1, "party": { "min": 1, "max": 3 } });
    let path = format!("/v1/resources/{}", restaurant.small[0]);
    let changed = restaurant.admin.patch(&path, &chair).await.unwrap();
    assert_eq!(changed["party"], json!({ "min": 1, "max": 3 }));
    let three = restaurant.book(&at(day, 19), 3).await.unwrap();
    assert_eq!(tables(&three), std::slice::from_ref(&restaurant.small[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_seats_nobody_is_refused() {
    let house = House::open().await;
    let restaurant = Restaurant::open(&house).await;
    let day = day();
    for (at, people, code) in [
        (at(day, 19), 9, "PARTY_NOT_SEATED"),
        (at(day, 19), 0, "QUANTITY_OUT_OF_RANGE"),
        (at(day, 19), -1, "QUANTITY_OUT_OF_RANGE"),
        (at(day, 19), 1_000_000, "QUANTITY_OUT_OF_RANGE"),
        (at(day, 12), 2, "NOT_SCHEDULED"),
        (at(day, 22), 2, "NOT_SCHEDULED"),
    ] {
        let answer = restaurant.book(&at, people).await;
        assert_eq!(refused(answer), (422, code.to_owned()), "{at} {people}");
        let wish = restaurant.wish(&at, people);
        let check = restaurant.admin.post("/v1/availability/check", &wish).await;
        assert_eq!(check.unwrap()["reason"], code, "{at} {people}");
    }
    // The table that is asked for has to be one for them, or one of those put together.
    let mut wish = restaurant.wish(&at(day, 19), 2);
    wish["resource_id"] = json!(restaurant.large);
    assert_eq!(
        refused(restaurant.admin.post("/v1/bookings", &wish).await),
        (422, "WRONG_RESOURCE".to_owned())
    );
    let slots = |table: &str, people: i32| {
        format!(
            "/v1/products/{}/slots?from={day}&to={day}&resource_id={table}&quantity={people}",
            restaurant.dinner
        )
    };
    for (table, people, count) in [
        (&restaurant.large, 2, 0),
        (&restaurant.large, 6, 9),
        (&restaurant.small[0], 6, 0),
        (&restaurant.small[0], 2, 9),
        (&restaurant.small[0], 4, 9),
    ] {
        let found = restaurant.admin.get(&slots(table, people)).await.unwrap();
        let found = found["slots"].as_array().unwrap();
        assert_eq!(found.len(), count, "{people}");
        // Only tables that they could have.
        assert!(found.iter().all(|slot| {
            let tables = slot["resource_ids"].as_array().unwrap();
            tables.len() == if people == 4 { 2 } else { 1 }
        }));
    }
    for people in [0, -1, 1_001] {
        let answer = restaurant
            .admin
            .get(&slots(&restaurant.large, people))
            .await;
        assert_eq!(refused(answer), (422, "QUANTITY_OUT_OF_RANGE".to_owned()));
    }
    wish["resource_id"] = json!(restaurant.small[1]);
    let booking = restaurant.admin.post("/v1/bookings", &wish).await.unwrap();
    assert_eq!(tables(&booking), std::slice::from_ref(&restaurant.small[1]));

    let admin = &restaurant.admin;
    let staff = json!({ "kind": "staff", "name": "Ada" });
    let staff = admin.post("/v1/resources", &staff).await.unwrap();
    let [first, second] = &restaurant.small;
    let party = |min: i32, max: i32| json!({ "min": min, "max": max });
    for (body, code) in [
        (
            json!({ "resource_ids": [first], "party": party(1, 4) }),
            "OUT_OF_RANGE",
        ),
        (
            json!({ "resource_ids": [first, first], "party": party(1, 4) }),
            "OUT_OF_RANGE",
        ),
        (
            json!({ "resource_ids": [first, second], "party": party(5, 4) }),
            "OUT_OF_RANGE",
        ),
        (
            json!({ "resource_ids": [first, second], "party": party(0, 4) }),
            "OUT_OF_RANGE",
        ),
        (
            json!({ "resource_ids": [first, staff["id"]], "party": party(1, 4) }),
            "UNKNOWN_REFERENCE",
        ),
        (
            json!({ "resource_ids": [first, restaurant.dinner], "party": party(1, 4) }),
            "UNKNOWN_REFERENCE",
        ),
    ] {
        let answer = admin.post("/v1/combinations", &body).await;
        assert_eq!(refused(answer), (422, code.to_owned()), "{body}");
    }
    for (body, code) in [
        (json!({ "kind": "table", "name": "4" }), "REQUIRED"),
        (
            json!({ "kind": "table", "name": "4", "party": party(3, 2) }),
            "OUT_OF_RANGE",
        ),
        (
            json!({ "kind": "room", "name": "4", "party": party(1, 2) }),
            "WRONG_KIND",
        ),
    ] {
        let answer = admin.post("/v1/resources", &body).await;
        assert_eq!(refused(answer), (422, code.to_owned()), "{body}");
    }
    let path = format!("/v1/resources/{}", staff["id"].as_str().unwrap());
    let edit = json!({ "version": 1, "party": party(1, 2) });
    assert_eq!(
        refused(admin.patch(&path, &edit).await),
        (422, "WRONG_KIND".to_owned())
    );
    for (resources, code) in [
        (json!([]), "REQUIRED"),
        (json!([staff["id"]]), "WRONG_KIND"),
        (json!([first, staff["id"]]), "WRONG_KIND"),
    ] {
        let product = json!({
            "kind": "table", "name": "Lunch", "duration_min": 60, "resource_ids": resources,
            "price": { "amount": 0, "currency": "EUR" },
        });
        assert_eq!(
            refused(admin.post("/v1/products", &product).await),
            (422, code.to_owned()),
            "{resources}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_never_shares_a_table() {
    let house = House::open().await;
    let restaurant = Restaurant::open(&house).await;
    let day = day();
    let starts: Vec<String> = (17..=21).map(|hour| at(day, hour)).collect();
    let tries = (0..60_usize).map(|n| {
        let people = [1, 2, 3, 4, 5, 8][n % 6];
        restaurant.book(&starts[n % 5], people)
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(tries).await.into_iter().partition(Result::is_ok);
    assert!(won.len() >= 5, "{} won", won.len());
    for one in lost {
        assert_eq!(refused(one), (409, "BOOKING_CONFLICT".to_owned()));
    }
    house.agrees(&restaurant.tenant).await;
    let moves = won.iter().flatten().enumerate().map(|(n, booking)| {
        let path = format!(
            "/v1/bookings/{}/reschedule",
            booking["id"].as_str().unwrap()
        );
        let to = json!({ "version": booking["version"], "starts_at": starts[(n + 1) % 5] });
        let admin = &restaurant.admin;
        async move { admin.post(&path, &to).await }
    });
    for answer in join_all(moves).await {
        if answer.is_err() {
            assert_eq!(refused(answer), (409, "BOOKING_CONFLICT".to_owned()));
        }
    }
    house.agrees(&restaurant.tenant).await;
}
