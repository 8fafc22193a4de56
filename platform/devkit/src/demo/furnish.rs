//! What a demo tenant has: an account for payments, something to offer, a customer.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};
use serde_json::{Value, json};

use super::businesses::{Business, Product};
use super::client::{self, Client};
use super::seed::refused_with;
use crate::endpoints::{Endpoints, Tenant};

/// Days of a programme, from tomorrow.
const PROGRAMME_DAYS: i64 = 14;

/// What takes place every day.
struct Programme {
    name: &'static str,
    description: &'static str,
    minutes: i32,
    hour: i8,
    price: i64,
    /// None where its seats say how many there are.
    places: Option<i32>,
}

const CLASS: Programme = Programme {
    name: "Morning yoga",
    description: "An hour for early birds.",
    minutes: 60,
    hour: 7,
    price: 1_800,
    places: Some(200),
};

const SHOW: Programme = Programme {
    name: "The Paper Moon",
    description: "A play in two acts.",
    minutes: 130,
    hour: 20,
    price: 2_400,
    places: None,
};

/// Gives a tenant what it does not have yet: something to offer, a tracking pixel, and a customer.
///
/// # Errors
/// A step was refused.
pub async fn furnish(tenant: &mut Tenant, business: &Business) -> anyhow::Result<()> {
    let admin = Client::sign_in(tenant, &tenant.admin).await?;
    let pixel = json!({ "pixel_code": "C4DEMO0PIXEL0CODE0AA", "access_token": "tiktok-development-token-0001" });
    admin.put("/v1/connections/tiktok", &pixel).await?;
    let product = match business.product {
        Product::Appointment => appointment(&admin, business).await?,
        Product::Class => sessions(&admin, business, &CLASS, None).await?,
        Product::Show => show(&admin, business).await?,
        Product::Stay => stay(&admin, business).await?,
        Product::Table => table(&admin, business).await?,
        Product::Rental => rental(&admin, business).await?,
        Product::Course => course(&admin, business).await?,
        Product::Advice => advice(&admin, business).await?,
    };
    tenant.product_ids = vec![product];
    let customer = json!({
        "email": tenant.customer.email, "password": tenant.customer.password, "name": "Zoë Brontë-Łukasik",
    });
    match Client::new(tenant)?.post("/v1/users", &customer).await {
        Err(error) if refused_with(&error, "EMAIL_TAKEN") => Ok(()),
        other => other.map(drop),
    }
}

/// Opens the payment account and completes it on the emulator, as its page's button would. An
/// account the emulator has never heard of, because the database is older than it, it takes over.
pub(super) async fn connect_stripe(endpoints: &Endpoints, admin: &Client) -> anyhow::Result<()> {
    let mut state = admin.get("/v1/payment-account").await?;
    if state["account_id"].is_null() {
        let back = json!({ "return_url": endpoints.portal, "refresh_url": endpoints.portal });
        admin.post("/v1/payment-account/onboarding", &back).await?;
        state = admin.get("/v1/payment-account").await?;
    }
    let account = state["account_id"]
        .as_str()
        .context("no account id in the answer")?;
    let url = format!("{}/_emulator/accounts/{account}", endpoints.stripe_emulator);
    let complete = json!({ "stage": "complete" });
    let put = client::http().build()?.put(url).json(&complete);
    put.send().await?.error_for_status()?;
    let deadline = Instant::now() + Duration::from_secs(30);
    while state["charges_enabled"] != true {
        if Instant::now() > deadline {
            bail!("the account may still not take money: {state}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        state = admin.get("/v1/payment-account").await?;
    }
    Ok(())
}

async fn appointment(admin: &Client, business: &Business) -> anyhow::Result<String> {
    let week = every_day(&[("09:00:00", "12:30:00"), ("13:00:00", "17:00:00")]);
    let mut staff = Vec::new();
    for name in ["Dr. Amélie Fournier", "Dr. Jonas Weiß"] {
        let person = json!({ "kind": "staff", "name": name, "schedule": week });
        staff.push(find_or_make(admin, "/v1/resources", &person).await?);
    }
    let product = json!({
        "kind": "appointment", "name": "Check-up", "description": "Half an hour with a doctor.",
        "duration_min": 30, "step_min": 15, "resource_ids": staff,
        "price": { "amount": 4900, "currency": business.currency },
        "cancellation_policy": [
            { "hours_before": 24, "refund_percent": 100 }, { "hours_before": 2, "refund_percent": 50 },
        ],
    });
    find_or_make(admin, "/v1/products", &product).await
}

async fn sessions(
    admin: &Client,
    business: &Business,
    programme: &Programme,
    seating: Option<Value>,
) -> anyhow::Result<String> {
    let product = json!({
        "kind": "session", "name": programme.name, "description": programme.description,
        "duration_min": programme.minutes, "max_quantity": 4,
        "price": { "amount": programme.price, "currency": business.currency }, "seating": seating,
        "cancellation_policy": [{ "hours_before": 12, "refund_percent": 100 }],
    });
    let product = find_or_make(admin, "/v1/products", &product).await?;
    for (day, starts_at) in days(business, programme.hour)? {
        let session = json!({ "starts_at": starts_at.to_string(), "capacity": programme.places });
        // The key makes it one a day, however often this runs.
        let (path, key) = (
            format!("/v1/products/{product}/sessions"),
            format!("programme-{product}-{day}"),
        );
        admin.post_once(&path, &session, &key).await?;
    }
    Ok(product)
}

/// A hall of a hundred seats: the stalls, whose front rows cost more, and the circle.
async fn show(admin: &Client, business: &Business) -> anyhow::Result<String> {
    let row = |name: &str, zone: &str, seats: i32| {
        let numbers: Vec<String> = (1..=seats).map(|seat| seat.to_string()).collect();
        json!({ "name": name, "zone": zone, "numbers": numbers, "accessible": [numbers[0], numbers[numbers.len() - 1]] })
    };
    let stalls = [
        row("A", "front", 14),
        row("B", "front", 14),
        row("C", "stalls", 16),
        row("D", "stalls", 16),
    ];
    let circle = [row("A", "circle", 20), row("B", "circle", 20)];
    let hall = json!({ "name": "Main hall", "sections": [
        { "name": "Stalls", "rows": stalls }, { "name": "Circle", "rows": circle },
    ] });
    let map = find_or_make(admin, "/v1/seat-maps", &hall).await?;
    let seating = json!({ "seat_map_id": map, "zone_prices": [
        { "zone": "front", "price_amount": 4_200 }, { "zone": "circle", "price_amount": 1_600 },
    ] });
    sessions(admin, business, &SHOW, Some(seating)).await
}

/// The days of a programme, and the hour of each.
fn days(business: &Business, hour: i8) -> anyhow::Result<Vec<(civil::Date, Timestamp)>> {
    let zone = TimeZone::get(business.timezone)?;
    let today = Timestamp::now().to_zoned(zone.clone()).date();
    let day = |ahead: i64| {
        let day = today.checked_add(ahead.days())?;
        let starts_at = zone.to_timestamp(day.to_datetime(civil::time(hour, 0, 0, 0)))?;
        Ok((day, starts_at))
    };
    (1..=PROGRAMME_DAYS).map(day).collect()
}

async fn stay(admin: &Client, business: &Business) -> anyhow::Result<String> {
    let pool = json!({ "name": "Double room", "quantity": 8 });
    let pool = find_or_make(admin, "/v1/pools", &pool).await?;
    let product = json!({
        "kind": "stay", "name": "Double room", "description": "With a view of the river.",
        "pool_id": pool, "max_quantity": 3,
        "price": { "amount": 11_900, "currency": business.currency },
        "stay": { "check_in": "15:00:00", "check_out": "11:00:00" },
        "cancellation_policy": [{ "hours_before": 48, "refund_percent": 100 }],
    });
    find_or_make(admin, "/v1/products", &product).await
}

async fn table(admin: &Client, business: &Business) -> anyhow::Result<String> {
    let mut tables = Vec::new();
    for (name, min, max) in [("1", 1, 2), ("2", 1, 2), ("3", 2, 4), ("4", 4, 8)] {
        let table = json!({
            "kind": "table", "name": name, "schedule": every_day(&[("12:00:00", "15:00:00"), ("18:00:00", "23:00:00")]),
            "party": { "min": min, "max": max },
        });
        tables.push(find_or_make(admin, "/v1/resources", &table).await?);
    }
    let there = admin.get("/v1/combinations").await?;
    if there["items"][0].is_null() {
        let both = json!({ "resource_ids": tables[..2], "party": { "min": 3, "max": 4 } });
        admin.post("/v1/combinations", &both).await?;
    }
    let product = json!({
        "kind": "table", "name": "Table", "description": "Two hours at ours.", "duration_min": 120,
        "step_min": 15, "resource_ids": tables, "payment_mode": "on_site",
        "price": { "amount": 0, "currency": business.currency },
    });
    find_or_make(admin, "/v1/products", &product).await
}

async fn rental(admin: &Client, business: &Business) -> anyhow::Result<String> {
    let pool = json!({ "name": "Canoe", "quantity": 12, "sold_by": "time" });
    let pool = find_or_make(admin, "/v1/pools", &pool).await?;
    let product = json!({
        "kind": "rental", "name": "Canoe", "description": "For two, with paddles and vests.",
        "pool_id": pool, "duration_min": 60, "max_quantity": 6, "buffer_after_min": 15,
        "price": { "amount": 2_000, "currency": business.currency },
        "rental": { "min_units": 1, "max_units": 10, "opening": every_day(&[("08:00:00", "20:00:00")]) },
        "cancellation_policy": [{ "hours_before": 24, "refund_percent": 100 }],
    });
    find_or_make(admin, "/v1/products", &product).await
}

async fn course(admin: &Client, business: &Business) -> anyhow::Result<String> {
    let product = json!({
        "kind": "course", "name": "Spanish for beginners", "description": "A fortnight of evenings.",
        "duration_min": 90, "max_quantity": 2,
        "price": { "amount": 19_000, "currency": business.currency },
        "cancellation_policy": [{ "hours_before": 24 * 7, "refund_percent": 100 }],
    });
    let product = find_or_make(admin, "/v1/products", &product).await?;
    let path = format!("/v1/products/{product}/session-groups");
    // One that can still be booked is enough, however often this runs.
    let (now, later) = (Timestamp::now(), Timestamp::now() + 24.hours() * 90);
    let coming = format!("{path}?from={now}&to={later}");
    if admin.get(&coming).await?["items"][0].is_null() {
        let evenings = days(business, 18)?;
        let starts: Vec<String> = evenings.iter().map(|(_, at)| at.to_string()).collect();
        let group = json!({ "name": "A fortnight", "starts": starts, "capacity": 12 });
        admin.post(&path, &group).await?;
    }
    Ok(product)
}

async fn advice(admin: &Client, business: &Business) -> anyhow::Result<String> {
    let week = every_day(&[("09:00:00", "12:00:00"), ("13:00:00", "18:00:00")]);
    let mut people = Vec::new();
    for name in ["Mika Sato", "Ren Ito"] {
        let person = json!({ "kind": "staff", "name": name, "schedule": week });
        people.push(find_or_make(admin, "/v1/resources", &person).await?);
    }
    let room = json!({ "kind": "room", "name": "Garden room", "schedule": week });
    let room = find_or_make(admin, "/v1/resources", &room).await?;
    let product = json!({
        "kind": "appointment", "name": "First talk", "description": "An hour, with tea.",
        "duration_min": 60, "step_min": 30,
        "requirements": [
            { "role": "adviser", "resource_ids": people },
            { "role": "room", "resource_ids": [room], "buffer_after_min": 15 },
        ],
        "price": { "amount": 8_000, "currency": business.currency },
        "cancellation_policy": [{ "hours_before": 24, "refund_percent": 100 }],
    });
    find_or_make(admin, "/v1/products", &product).await
}

/// A schedule with the same hours every day.
fn every_day(hours: &[(&str, &str)]) -> Vec<Value> {
    let day = |weekday: i32| {
        hours.iter().map(
            move |(starts, ends)| json!({ "weekday": weekday, "starts": starts, "ends": ends }),
        )
    };
    (1..=7).flat_map(day).collect()
}

/// The id of the thing of that name at `path`, made if there is none.
async fn find_or_make(admin: &Client, path: &str, thing: &Value) -> anyhow::Result<String> {
    let there = admin.get(&format!("{path}?limit=100")).await?;
    let there = there["items"].as_array().context("no list in the answer")?;
    let answer = match there.iter().find(|one| one["name"] == thing["name"]) {
        Some(found) => found.clone(),
        None => admin.post(path, thing).await?,
    };
    Ok(answer["id"]
        .as_str()
        .context("no id in the answer")?
        .to_owned())
}
