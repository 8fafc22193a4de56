//! What a business's own people set up through the API, and how it is refused.

use berth_devkit::demo::{ApiError, Client};
use jiff::{
    ToSpan as _, Zoned,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use serde_json::{Value, json};

/// Makes somebody or something that works from nine to three every day; the id.
pub(crate) async fn resource(admin: &Client, kind: &str, name: &str) -> String {
    resource_of(admin, kind, name, None).await
}

/// The same, one of a pool.
pub(crate) async fn resource_of(
    admin: &Client,
    kind: &str,
    name: &str,
    pool: Option<&Value>,
) -> String {
    let week = every_day("09:00:00", "15:00:00");
    let resource = json!({ "kind": kind, "name": name, "schedule": week, "pool_id": pool });
    let made = admin.post("/v1/resources", &resource).await.unwrap();
    made["id"].as_str().unwrap().to_owned()
}

/// A schedule with the same hours every day.
pub(crate) fn every_day(starts: &str, ends: &str) -> Vec<Value> {
    let day = |weekday: i32| json!({ "weekday": weekday, "starts": starts, "ends": ends });
    (1..=7).map(day).collect()
}

/// The instant at which clocks in Berlin show a time.
pub(crate) fn in_berlin(day: Date, hour: i8, minute: i8) -> String {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let shown = day.at(hour, minute, 0, 0).to_zoned(zone).unwrap();
    shown.timestamp().to_string()
}

/// A Monday, so many weeks after the next.
pub(crate) fn monday(weeks: i64) -> Date {
    let mut days = Zoned::now().date().series(1.day());
    let monday = days.find(|day| day.weekday() == Weekday::Monday).unwrap();
    monday + weeks.weeks()
}

/// Status and code of an answer that is a refusal.
pub(crate) fn refused(answer: anyhow::Result<Value>) -> (u16, String) {
    let error = answer.unwrap_err();
    let error = error
        .downcast_ref::<ApiError>()
        .expect("an answer of the API");
    (error.status, error.code.clone())
}
