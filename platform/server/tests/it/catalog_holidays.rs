//! Days on which a business keeps other hours than every week, or none.

use berth_devkit::demo::Client;
use jiff::{
    ToSpan as _, Zoned,
    civil::{Date, date},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    backoffice::{every_day, in_berlin, refused, resource},
    caller::{Caller, Credential},
    house::House,
};

struct Business {
    house: House,
    admin: Client,
    day: Date,
    ada: String,
    massage: String,
}

impl Business {
    /// Ada gives massages from nine to three.
    async fn open() -> Self {
        let house = House::open().await;
        let tenant = house.clinic().clone();
        let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
        let ada = resource(&admin, "staff", "Ada").await;
        let product = json!({
            "kind": "appointment", "name": "Massage", "duration_min": 60, "payment_mode": "on_site",
            "resource_ids": [ada], "price": { "amount": 5000, "currency": "EUR" },
        });
        let product = admin.post("/v1/products", &product).await.unwrap();
        Self {
            house,
            admin,
            day: Zoned::now().date() + 30.days(),
            ada,
            massage: product["id"].as_str().unwrap().to_owned(),
        }
    }

    /// Starts of a day, by the clock.
    async fn starts(&self, product: &str, day: Date) -> Vec<String> {
        let path = format!("/v1/products/{product}/slots?from={day}&to={day}");
        let found = self.admin.get(&path).await.unwrap();
        let slots = found["slots"].as_array().unwrap().iter();
        let shown = |slot: &Value| slot["local_start"].as_str().unwrap()[11..16].to_owned();
        slots.map(shown).collect()
    }

    async fn explain(&self, at: &str) -> Value {
        let caller = Caller::to(&self.house, self.house.clinic());
        let path = format!("/products/{}/explain?starts_at={at}", self.massage);
        let nobody = Credential::Nothing;
        caller.call(&Method::GET, &path, None, &nobody).await.1
    }

    async fn book(&self, at: &str) -> anyhow::Result<Value> {
        let wish = json!({
            "product_id": self.massage, "starts_at": at,
            "customer": { "name": "Guest", "email": "guest@example.test" },
        });
        self.admin.post("/v1/bookings", &wish).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_day_is_closed_to_all_but_who_says_otherwise() {
    let business = Business::open().await;
    let (admin, day) = (&business.admin, business.day);
    let booked = business.book(&in_berlin(day, 10, 0)).await.unwrap();
    let holiday = json!({ "day": day, "name": "Inventory" });
    let holiday = admin.post("/v1/holidays", &holiday).await.unwrap();
    assert_eq!(holiday["hours"], json!([]));
    let twice = json!({ "day": day, "name": "Again" });
    let twice = admin.post("/v1/holidays", &twice).await;
    assert_eq!(refused(twice), (409, "DAY_TAKEN".to_owned()));

    let none: [&str; 0] = [];
    assert_eq!(business.starts(&business.massage, day).await, none);
    let eleven = in_berlin(day, 11, 0);
    let closed = business.book(&eleven).await;
    assert_eq!(refused(closed), (422, "HOLIDAY".to_owned()));
    let why = business.explain(&eleven).await;
    assert_eq!(why["reasons"][0]["code"], "HOLIDAY", "{why}");
    let detail = why["reasons"][0]["detail"].as_str().unwrap();
    assert!(detail.ends_with("It is Inventory."), "{detail}");
    assert_eq!(why["reasons"][1]["resource_id"], json!(business.ada));
    // At night nobody works anyway.
    let why = business.explain(&in_berlin(day, 22, 0)).await;
    assert_eq!(why["reasons"][0]["code"], "NOT_SCHEDULED", "{why}");
    // What was booked before stays, and can be moved to another day, but not within the holiday.
    let booking = format!("/v1/bookings/{}", booked["id"].as_str().unwrap());
    assert_eq!(admin.get(&booking).await.unwrap()["status"], "CONFIRMED");
    let within = json!({ "version": booked["version"], "starts_at": eleven });
    let within = admin.post(&format!("{booking}/reschedule"), &within).await;
    assert_eq!(refused(within), (422, "HOLIDAY".to_owned()));

    // Ada comes in nevertheless.
    let path = format!("/v1/resources/{}/schedule", business.ada);
    let schedule = json!({
        "schedule": every_day("09:00:00", "15:00:00"),
        "exceptions": [{ "day": day, "starts": "12:00:00", "ends": "14:00:00" }],
    });
    admin.put(&path, &schedule).await.unwrap();
    assert_eq!(
        business.starts(&business.massage, day).await,
        ["12:00", "13:00"]
    );

    let schedule = json!({ "schedule": every_day("09:00:00", "15:00:00") });
    admin.put(&path, &schedule).await.unwrap();
    let gone = format!("/v1/holidays/{}", holiday["id"].as_str().unwrap());
    admin.delete(&gone).await.unwrap();
    assert_eq!(refused(admin.delete(&gone).await).0, 404);
    assert_eq!(business.starts(&business.massage, day).await.len(), 5);
    business.book(&eleven).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn special_hours_hold_for_schedules_and_for_what_is_rented() {
    let business = Business::open().await;
    let (admin, day) = (&business.admin, business.day);
    let pool = json!({ "name": "Canoes", "quantity": 2, "sold_by": "time" });
    let pool = admin.post("/v1/pools", &pool).await.unwrap();
    let canoe = json!({
        "kind": "rental", "name": "Canoe", "pool_id": pool["id"], "duration_min": 60, "step_min": 60,
        "rental": { "max_units": 2, "opening": every_day("09:00:00", "18:00:00") },
        "price": { "amount": 0, "currency": "EUR" },
    });
    let canoe = admin.post("/v1/products", &canoe).await.unwrap();
    let canoe = canoe["id"].as_str().unwrap();
    assert_eq!(business.starts(canoe, day).await.len(), 9);
    let hours = [
        json!({ "starts": "10:00:00", "ends": "12:00:00" }),
        json!({ "starts": "20:00:00", "ends": "21:00:00" }),
    ];
    let eve = json!({ "day": day, "name": "The eve", "hours": hours });
    admin.post("/v1/holidays", &eve).await.unwrap();
    for product in [business.massage.as_str(), canoe] {
        let starts = business.starts(product, day).await;
        assert_eq!(starts, ["10:00", "11:00", "20:00"], "{product}");
    }
    let wish = json!({
        "product_id": canoe, "starts_at": in_berlin(day, 13, 0), "ends_at": in_berlin(day, 14, 0),
        "customer": { "name": "Guest", "email": "guest@example.test" },
    });
    let closed = admin.post("/v1/bookings", &wish).await;
    assert_eq!(refused(closed), (422, "HOLIDAY".to_owned()));
    assert_eq!(business.starts(canoe, day + 1.day()).await.len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_listed_in_their_order_and_odd_ones_refused() {
    let business = Business::open().await;
    let (admin, day) = (&business.admin, business.day);
    for (days, name) in [(5, "Later"), (0, "Sooner")] {
        let holiday = json!({ "day": day + days.days(), "name": name });
        admin.post("/v1/holidays", &holiday).await.unwrap();
    }
    // What is past is not shown.
    let past = json!({ "day": date(2020, 1, 1), "name": "Long ago" });
    admin.post("/v1/holidays", &past).await.unwrap();
    let tenant = business.house.clinic();
    let customer = Client::sign_in(tenant, &tenant.customer).await.unwrap();
    let all = customer.get("/v1/holidays").await.unwrap();
    let names = all["items"].as_array().unwrap().iter();
    let names: Vec<&str> = names.map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Sooner", "Later"]);
    let mine = json!({ "day": day + 9.days(), "name": "Mine" });
    assert_eq!(refused(customer.post("/v1/holidays", &mine).await).0, 403);
    let hours: Vec<Value> = (0..11)
        .map(|_| json!({ "starts": "10:00:00", "ends": "11:00:00" }))
        .collect();
    for (odd, code) in [
        (
            json!({ "day": day + 9.days(), "name": " " }),
            "INVALID_NAME",
        ),
        (
            json!({ "day": day + 9.days(), "name": "Long", "hours": hours }),
            "INVALID_SCHEDULE",
        ),
    ] {
        let odd = admin.post("/v1/holidays", &odd).await;
        assert_eq!(refused(odd), (422, code.to_owned()));
    }
}
