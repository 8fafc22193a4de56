//! Of everything that can be booked so many are left, and many more want it at the same moment.

use berth_devkit::demo::Client;
use jiff::{ToSpan as _, Zoned, civil::Date};
use serde_json::{Value, json};

use super::race::{CLIENTS, Crowd, apart, race};
use crate::{
    backoffice::{every_day, in_berlin},
    house::House,
};

/// How many of each are left.
const PLACES: [usize; 2] = [1, 7];

/// How often they fight; `BERTH_RACE_ROUNDS` says another number.
fn rounds() -> usize {
    let told = std::env::var("BERTH_RACE_ROUNDS").ok();
    told.map_or(8, |told| told.parse().expect("a number of rounds"))
}

/// What is fought over.
trait Prize {
    /// A request a round, one more than there are rounds, each for something of which `places` are left.
    async fn wishes(admin: &Client, places: usize, rounds: usize) -> Vec<Value>;
}

/// Lets a crowd fight over it, with one place left and with several.
async fn fight<P: Prize>() {
    let house = House::open().await;
    let tenant = house.clinic();
    let admin = Client::sign_in(tenant, &tenant.admin).await.unwrap();
    let mut crowd = Crowd::gather(&house, tenant).await;
    let wishes = P::wishes(&admin, 1, CLIENTS).await;
    let apart = apart(&mut crowd, &wishes[..CLIENTS]).await;
    for places in PLACES {
        let mut wishes = P::wishes(&admin, places, rounds()).await;
        assert!(wishes.len() > rounds(), "{} wishes", wishes.len());
        // What is left over is what the losers of the last round are told of.
        wishes.truncate(rounds());
        race(&mut crowd, wishes).await.assert_fair(places, apart);
    }
    house.agrees(tenant).await;
}

/// Makes a product of what all have in common and what is said; the id. Where one is left it is held until it is
/// paid.
async fn product(admin: &Client, places: usize, particulars: Value) -> String {
    let mode = if places == 1 { "online" } else { "on_site" };
    let mut product = json!({
        "name": "Prize", "payment_mode": mode, "window_days": 1_000,
        "price": { "amount": 1_000, "currency": "EUR" },
    });
    for (name, value) in particulars.as_object().unwrap() {
        product[name] = value.clone();
    }
    made(admin, "/v1/products", &product).await
}

async fn made(admin: &Client, path: &str, what: &Value) -> String {
    let made = admin.post(path, what).await.unwrap();
    made["id"].as_str().unwrap().to_owned()
}

fn tomorrow() -> Date {
    Zoned::now().date() + 2.days()
}

/// A request for each start that is free from tomorrow on, so many days; the starts do not overlap.
async fn starts(admin: &Client, product: &str, days: usize, more: &str) -> Vec<Value> {
    let mut wishes = Vec::new();
    for day in tomorrow().series(1.day()).take(days) {
        let path = format!("/v1/products/{product}/slots?from={day}&to={day}{more}");
        let found = admin.get(&path).await.unwrap();
        for slot in found["slots"].as_array().unwrap() {
            wishes.push(json!({ "product_id": product, "starts_at": slot["starts_at"] }));
        }
    }
    wishes
}

/// Somebody who works from eight to eight; the id.
async fn worker(admin: &Client, kind: &str, name: &str) -> String {
    let week = every_day("08:00:00", "20:00:00");
    let mut worker = json!({ "kind": kind, "name": name, "schedule": week });
    if kind == "table" {
        worker["party"] = json!({ "min": 1, "max": 2 });
    }
    made(admin, "/v1/resources", &worker).await
}

async fn workers(admin: &Client, kind: &str, places: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for index in 0..places {
        ids.push(worker(admin, kind, &format!("{kind} {index}")).await);
    }
    ids
}

/// A quarter of an hour with any of so many.
struct Appointment;

impl Prize for Appointment {
    async fn wishes(admin: &Client, places: usize, rounds: usize) -> Vec<Value> {
        let staff = workers(admin, "staff", places).await;
        let particulars = json!({ "kind": "appointment", "duration_min": 15, "step_min": 15, "resource_ids": staff });
        let product = product(admin, places, particulars).await;
        // Forty-eight a day.
        starts(admin, &product, rounds / 48 + 1, "").await
    }
}

/// A quarter of an hour with one of so many dentists and one of as many rooms.
struct Together;

impl Prize for Together {
    async fn wishes(admin: &Client, places: usize, rounds: usize) -> Vec<Value> {
        let dentists = workers(admin, "staff", places).await;
        let rooms = workers(admin, "room", places).await;
        let particulars = json!({
            "kind": "appointment", "duration_min": 15, "step_min": 15,
            "requirements": [
                { "role": "dentist", "resource_ids": dentists }, { "role": "room", "resource_ids": rooms },
            ],
        });
        let product = product(admin, places, particulars).await;
        starts(admin, &product, rounds / 48 + 1, "").await
    }
}

/// Any of so many tables for two.
struct Table;

impl Prize for Table {
    async fn wishes(admin: &Client, places: usize, rounds: usize) -> Vec<Value> {
        let tables = workers(admin, "table", places).await;
        let particulars =
            json!({ "kind": "table", "duration_min": 15, "step_min": 15, "resource_ids": tables });
        let product = product(admin, places, particulars).await;
        let mut wishes = starts(admin, &product, rounds / 48 + 1, "&quantity=2").await;
        for wish in &mut wishes {
            wish["quantity"] = json!(2);
        }
        wishes
    }
}

/// A night in one of so many rooms.
struct Night;

impl Prize for Night {
    async fn wishes(admin: &Client, places: usize, rounds: usize) -> Vec<Value> {
        let pool = json!({ "name": format!("Rooms, {places}"), "quantity": places });
        let pool = made(admin, "/v1/pools", &pool).await;
        let stay = json!({ "check_in": "15:00:00", "check_out": "11:00:00", "min_nights": 1, "max_nights": 7 });
        let particulars = json!({ "kind": "stay", "pool_id": pool, "stay": stay });
        let product = product(admin, places, particulars).await;
        let nights = tomorrow().series(1.day()).take(rounds + 1);
        let wish = |night: Date| json!({ "product_id": product, "arrival": night, "departure": night + 1.day() });
        nights.map(wish).collect()
    }
}

/// An hour with one of so many canoes.
struct Hour;

impl Prize for Hour {
    async fn wishes(admin: &Client, places: usize, rounds: usize) -> Vec<Value> {
        let pool =
            json!({ "name": format!("Canoes, {places}"), "quantity": places, "sold_by": "time" });
        let pool = made(admin, "/v1/pools", &pool).await;
        let opening = every_day("08:00:00", "20:00:00");
        let rental = json!({ "min_units": 1, "max_units": 12, "opening": opening });
        let particulars =
            json!({ "kind": "rental", "pool_id": pool, "duration_min": 60, "rental": rental });
        let product = product(admin, places, particulars).await;
        let days = tomorrow().series(1.day()).take(rounds / 12 + 1);
        let hours = days.flat_map(|day| (8..20).map(move |hour| (day, hour)));
        let wish = |(day, hour): (Date, i8)| {
            let (from, to) = (in_berlin(day, hour, 0), in_berlin(day, hour + 1, 0));
            json!({ "product_id": product, "starts_at": from, "ends_at": to })
        };
        hours.map(wish).collect()
    }
}

/// One of so many places of a class.
struct Place;

impl Prize for Place {
    async fn wishes(admin: &Client, places: usize, rounds: usize) -> Vec<Value> {
        let particulars = json!({ "kind": "session", "duration_min": 60 });
        let product = product(admin, places, particulars).await;
        sessions(admin, &product, Some(places), rounds).await
    }
}

/// One of so many numbered seats of an evening, whichever is the best.
struct Seat;

impl Prize for Seat {
    async fn wishes(admin: &Client, places: usize, rounds: usize) -> Vec<Value> {
        let numbers: Vec<String> = (1..=places).map(|number| number.to_string()).collect();
        let rows = json!([{ "name": "A", "zone": "all", "numbers": numbers }]);
        let hall = json!({ "name": "Hall", "sections": [{ "name": "Stalls", "rows": rows }] });
        let hall = made(admin, "/v1/seat-maps", &hall).await;
        let seating = json!({ "seat_map_id": hall, "zone_prices": [] });
        let particulars = json!({ "kind": "session", "duration_min": 60, "seating": seating });
        let product = product(admin, places, particulars).await;
        // As many places as seats.
        sessions(admin, &product, None, rounds).await
    }
}

/// A request for a place of each of some sessions.
async fn sessions(
    admin: &Client,
    product: &str,
    places: Option<usize>,
    rounds: usize,
) -> Vec<Value> {
    let path = format!("/v1/products/{product}/sessions");
    let mut wishes = Vec::new();
    for index in 0..=rounds {
        let (day, hour) = day_and_hour(index);
        let session = json!({ "starts_at": in_berlin(day, hour, 0), "capacity": places });
        let session = made(admin, &path, &session).await;
        wishes.push(json!({ "product_id": product, "session_id": session }));
    }
    wishes
}

/// A place in each of two sessions.
struct Course;

impl Prize for Course {
    async fn wishes(admin: &Client, places: usize, rounds: usize) -> Vec<Value> {
        let particulars = json!({ "kind": "course", "duration_min": 30 });
        let product = product(admin, places, particulars).await;
        let path = format!("/v1/products/{product}/session-groups");
        let mut wishes = Vec::new();
        for index in 0..=rounds {
            let (day, hour) = day_and_hour(index);
            let starts = [in_berlin(day, hour, 0), in_berlin(day, hour, 30)];
            let group =
                json!({ "name": format!("Course {index}"), "starts": starts, "capacity": places });
            let group = made(admin, &path, &group).await;
            wishes.push(json!({ "product_id": product, "session_group_id": group }));
        }
        wishes
    }
}

/// An hour of a day for each index.
fn day_and_hour(index: usize) -> (Date, i8) {
    let (day, hour) = (
        i64::try_from(index / 12).unwrap(),
        i8::try_from(index % 12).unwrap(),
    );
    (tomorrow() + day.days(), 8 + hour)
}

#[tokio::test(flavor = "multi_thread")]
async fn appointments() {
    fight::<Appointment>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_at_once() {
    fight::<Together>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables() {
    fight::<Table>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nights() {
    fight::<Night>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hours() {
    fight::<Hour>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn places() {
    fight::<Place>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seats() {
    fight::<Seat>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn courses() {
    fight::<Course>().await;
}
