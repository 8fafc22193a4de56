//! What a demo tenant has: an account for payments, something to offer, a customer.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};
use serde_json::{Value, json};

use super::businesses::{Business, Product};
use super::client::{self, Client};
use super::seed::refused_with;
use crate::endpoints::{Endpoints, Tenant};

/// Days of the gym's programme, from tomorrow.
const PROGRAMME_DAYS: i64 = 14;

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
        Product::Class => class(&admin, business).await?,
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
    let week: Vec<Value> = (1..=7)
        .flat_map(|weekday| {
            [("09:00:00", "12:30:00"), ("13:00:00", "17:00:00")]
                .map(|(starts, ends)| json!({ "weekday": weekday, "starts": starts, "ends": ends }))
        })
        .collect();
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

async fn class(admin: &Client, business: &Business) -> anyhow::Result<String> {
    let product = json!({
        "kind": "session", "name": "Morning yoga", "description": "An hour for early birds.",
        "duration_min": 60, "max_quantity": 4,
        "price": { "amount": 1800, "currency": business.currency },
        "cancellation_policy": [{ "hours_before": 12, "refund_percent": 100 }],
    });
    let product = find_or_make(admin, "/v1/products", &product).await?;
    let zone = TimeZone::get(business.timezone)?;
    let today = Timestamp::now().to_zoned(zone.clone()).date();
    for ahead in 1..=PROGRAMME_DAYS {
        let day = today.checked_add(ahead.days())?;
        let starts_at = zone.to_timestamp(day.to_datetime(civil::time(7, 0, 0, 0)))?;
        let session = json!({ "starts_at": starts_at.to_string(), "capacity": 200 });
        // The key makes it one a day, however often this runs.
        let (path, key) = (
            format!("/v1/products/{product}/sessions"),
            format!("programme-{product}-{day}"),
        );
        admin.post_once(&path, &session, &key).await?;
    }
    Ok(product)
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
