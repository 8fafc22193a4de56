//! Businesses in several places: how far those are, and whose clocks count there.

use berth_devkit::demo::Client;
use jiff::{ToSpan as _, Zoned, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    backoffice::{every_day, refused},
    caller::{Caller, Credential},
    house::House,
};

async fn location(admin: &Client, name: &str, latitude: f64, longitude: f64) -> Value {
    let location = json!({ "name": name, "latitude": latitude, "longitude": longitude });
    admin.post("/v1/locations", &location).await.unwrap()
}

fn path(location: &Value) -> String {
    format!("/v1/locations/{}", location["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_near_is_found_the_nearest_first() {
    let house = House::open().await;
    let tenant = house.clinic().clone();
    let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
    for (name, latitude, longitude) in [
        ("Potsdam", 52.3906, 13.0645),
        ("Alexanderplatz", 52.5219, 13.4132),
        ("Hamburg", 53.5511, 9.9937),
        ("Taveuni", -16.8, 179.98),
        ("Rabi", -16.5, -179.98),
        ("Alert", 82.5, -62.3),
    ] {
        location(&admin, name, latitude, longitude).await;
    }
    let nowhere = json!({ "name": "Online" });
    admin.post("/v1/locations", &nowhere).await.unwrap();
    let caller = Caller::to(&house, &tenant);
    let ask = async |query: &str| {
        let path = format!("/locations?{query}");
        let nobody = Credential::Nothing;
        let (status, answer) = caller.call(&Method::GET, &path, None, &nobody).await;
        (status.as_u16(), answer)
    };
    let none: [&str; 0] = [];
    for (query, expected) in [
        ("near=52.52,13.40&within_km=25", &["Alexanderplatz"][..]),
        ("near=52.52,13.40", &["Alexanderplatz"]),
        (
            "near=52.52,13.40&within_km=30",
            &["Alexanderplatz", "Potsdam"],
        ),
        (
            "near=52.52,13.40&within_km=300",
            &["Alexanderplatz", "Potsdam", "Hamburg"],
        ),
        ("near=52.52,13.40&within_km=0.5", &none),
        // Across the date line, and around a pole.
        ("near=-16.7,179.99&within_km=60", &["Taveuni", "Rabi"]),
        ("near=89,120&within_km=1000", &["Alert"]),
    ] {
        let (status, found) = ask(query).await;
        assert_eq!(status, 200, "{query}: {found}");
        let items = found["items"].as_array().unwrap().iter();
        let names: Vec<&str> = items.map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{query}");
    }
    let (_, found) = ask("near=52.52,13.40").await;
    let away = found["items"][0]["distance_km"].as_f64().unwrap();
    assert!((0.8..1.0).contains(&away), "{away}");
    let (_, all) = ask("").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 7);
    assert_eq!(all["items"][0].get("distance_km"), None);
    for (query, code) in [
        ("near=91,13", "INVALID_COORDINATES"),
        ("near=52,181", "INVALID_COORDINATES"),
        ("near=NaN,13", "INVALID_COORDINATES"),
        ("near=52", "INVALID_COORDINATES"),
        ("near=here", "INVALID_COORDINATES"),
        ("near=52,13&within_km=0", "OUT_OF_RANGE"),
        ("near=52,13&within_km=50000", "OUT_OF_RANGE"),
        ("within_km=5", "REQUIRED"),
    ] {
        let (status, answer) = ask(query).await;
        assert_eq!((status, &answer["code"]), (422, &json!(code)), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wall_times_are_those_of_the_location() {
    let house = House::open().await;
    let tenant = house.clinic().clone();
    let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
    let abroad = json!({ "name": "Manhattan", "timezone": "America/New_York" });
    let abroad = admin.post("/v1/locations", &abroad).await.unwrap();
    let staff = json!({
        "kind": "staff", "name": "Ada", "location_id": abroad["id"], "schedule": every_day("09:00:00", "11:00:00"),
    });
    let staff = admin.post("/v1/resources", &staff).await.unwrap();
    assert_eq!(staff["timezone"], "America/New_York");
    assert_eq!(staff["location_id"], abroad["id"]);
    let product = json!({
        "kind": "appointment", "name": "Fitting", "duration_min": 60, "location_id": abroad["id"],
        "resource_ids": [staff["id"]], "price": { "amount": 0, "currency": "EUR" },
    });
    let product = admin.post("/v1/products", &product).await.unwrap();
    assert_eq!(product["timezone"], "America/New_York");
    let day = Zoned::now().date() + 30.days();
    let slots = format!(
        "/v1/products/{}/slots?from={day}&to={day}",
        product["id"].as_str().unwrap()
    );
    let slots = admin.get(&slots).await.unwrap();
    let nine = day.at(9, 0, 0, 0);
    let nine = nine
        .to_zoned(TimeZone::get("America/New_York").unwrap())
        .unwrap();
    assert_eq!(slots["slots"][0]["starts_at"], nine.timestamp().to_string());
    assert_eq!(slots["slots"].as_array().unwrap().len(), 2);

    for (body, code) in [
        (
            json!({ "timezone": "Europe/Berlin", "location_id": abroad["id"] }),
            "OTHER_TIMEZONE",
        ),
        (json!({ "location_id": product["id"] }), "UNKNOWN_REFERENCE"),
    ] {
        let mut room = json!({ "kind": "room", "name": "Room" });
        for (field, value) in body.as_object().unwrap() {
            room[field] = value.clone();
        }
        let room = admin.post("/v1/resources", &room).await;
        assert_eq!(refused(room), (422, code.to_owned()));
    }
    let kept = admin.delete(&path(&abroad)).await;
    assert_eq!(refused(kept), (409, "IN_USE".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn locations_are_changed_and_removed() {
    let house = House::open().await;
    let tenant = house.clinic().clone();
    let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
    let place = location(&admin, "Here", 1.0, 2.0).await;
    let change = json!({ "version": 1, "name": "There", "latitude": 3.5, "longitude": -4.0 });
    let moved = admin.patch(&path(&place), &change).await.unwrap();
    assert_eq!(
        (&moved["name"], &moved["latitude"], &moved["version"]),
        (&json!("There"), &json!(3.5), &json!(2))
    );
    let late = admin.patch(&path(&place), &change).await;
    assert_eq!(refused(late), (409, "VERSION_CONFLICT".to_owned()));
    for (odd, code) in [
        (json!({ "version": 2, "latitude": 3.5 }), "REQUIRED"),
        (
            json!({ "version": 2, "latitude": 100, "longitude": 1 }),
            "INVALID_COORDINATES",
        ),
        (
            json!({ "version": 2, "address": "x".repeat(1_001) }),
            "TOO_LONG",
        ),
    ] {
        let odd = admin.patch(&path(&place), &odd).await;
        assert_eq!(refused(odd), (422, code.to_owned()));
    }
    let lost = json!({ "name": "Lost", "timezone": "Mars/Olympus" });
    let lost = admin.post("/v1/locations", &lost).await;
    assert_eq!(refused(lost), (422, "UNKNOWN_TIMEZONE".to_owned()));
    let customer = Client::sign_in(&tenant, &tenant.customer).await.unwrap();
    assert_eq!(refused(customer.delete(&path(&place)).await).0, 403);
    assert_eq!(customer.get(&path(&place)).await.unwrap(), moved);
    admin.delete(&path(&place)).await.unwrap();
    assert_eq!(refused(admin.get(&path(&place)).await).0, 404);
}
