//! Demo tenants, made by the product's own command line and API.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};
use serde_json::{Value, json};

use super::client::{self, Client};
use crate::endpoints::{Endpoints, SignIn, Tenant};

/// A development password, the same for everybody in the demo.
const PASSWORD: &str = "correct-horse-battery";
/// Days of the gym's programme, from tomorrow.
const PROGRAMME_DAYS: i64 = 14;

/// What a demo tenant offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// Half an hour with one of two people.
    Appointment,
    /// A class with places, every morning.
    Class,
}

/// A business to be signed up.
#[derive(Debug, Clone, Copy)]
pub struct Business {
    /// Its name in addresses.
    pub slug: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// What kind of business it is.
    pub kind: &'static str,
    /// Its IANA time zone.
    pub timezone: &'static str,
    /// ISO 4217 code it prices in.
    pub currency: &'static str,
    /// Brand colour, `#rrggbb`.
    pub color: &'static str,
    /// Address on receipts.
    pub address: &'static str,
    /// What it offers.
    pub product: Product,
}

const BUSINESSES: [Business; 2] = [
    Business {
        slug: "riverside-clinic",
        name: "Riverside Clinic",
        kind: "clinic",
        timezone: "Europe/Berlin",
        currency: "EUR",
        color: "#0f766e",
        address: "Uferweg 4, 10115 Berlin",
        product: Product::Appointment,
    },
    Business {
        slug: "pulse-gym",
        name: "Pulse Gym",
        kind: "gym",
        timezone: "America/New_York",
        currency: "USD",
        color: "#b4232a",
        address: "21 Mercer Street, New York",
        product: Product::Class,
    },
];

/// Runs the product's command line to make tenants.
#[derive(Debug)]
pub struct Seeder {
    /// The `berth` binary.
    pub program: PathBuf,
    /// The environment it runs with.
    pub environment: Vec<(String, String)>,
}

/// Makes the demo tenants that are not there yet; returns all of them.
///
/// # Errors
/// A step was refused; what was made is kept and the next try goes on.
pub async fn seed(endpoints: &Endpoints, seeder: &Seeder) -> anyhow::Result<Vec<Tenant>> {
    let mut tenants = endpoints.tenants.clone();
    for business in &BUSINESSES {
        if tenants.iter().any(|tenant| tenant.slug == business.slug) {
            continue;
        }
        let tenant = make(endpoints, seeder, business).await;
        tenants.push(tenant.with_context(|| format!("making the demo tenant {}", business.slug))?);
    }
    Ok(tenants)
}

async fn make(
    endpoints: &Endpoints,
    seeder: &Seeder,
    business: &Business,
) -> anyhow::Result<Tenant> {
    let mut tenant = sign_up(endpoints, seeder, business).await?;
    let admin = Client::sign_in(&tenant, &tenant.admin).await?;
    connect_stripe(endpoints, &admin)
        .await
        .context("connecting Stripe")?;
    furnish(&mut tenant, business).await?;
    Ok(tenant)
}

/// Gives a tenant something to offer, a tracking pixel, and a customer.
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
    tenant.product_ids.push(product);
    let customer = json!({
        "email": tenant.customer.email, "password": tenant.customer.password, "name": "Zoë Brontë-Łukasik",
    });
    Client::new(tenant)?.post("/v1/users", &customer).await?;
    Ok(())
}

/// Makes the tenant with `berth tenant create`; it offers nothing yet and takes no payments.
///
/// # Errors
/// The command failed.
pub async fn sign_up(
    endpoints: &Endpoints,
    seeder: &Seeder,
    business: &Business,
) -> anyhow::Result<Tenant> {
    let admin = format!("admin@{}.test", business.slug);
    let output = tokio::process::Command::new(&seeder.program)
        .args([
            "tenant",
            "create",
            "--slug",
            business.slug,
            "--name",
            business.name,
        ])
        .args(["--kind", business.kind, "--timezone", business.timezone])
        .args(["--currency", business.currency, "--color", business.color])
        .args(["--address", business.address])
        .args(["--admin-email", &admin, "--admin-name", "Ada Admin"])
        .envs(seeder.environment.iter().cloned())
        .env("BERTH_ADMIN_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("running berth tenant create")?;
    if !output.status.success() {
        bail!(
            "`berth tenant create` failed; if an earlier start was interrupted, `./dev reset` clears \
             what it left:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let answer: Value = serde_json::from_slice(&output.stdout).context("its answer is no JSON")?;
    let api_key = answer["api_key"]
        .as_str()
        .context("no API key in the answer")?;
    let host = endpoints.api.replacen(
        "http://localhost",
        &format!("{}.localhost", business.slug),
        1,
    );
    let who = |email: String| SignIn {
        email,
        password: PASSWORD.to_owned(),
    };
    Ok(Tenant {
        slug: business.slug.to_owned(),
        api: format!("http://{host}"),
        host,
        timezone: business.timezone.to_owned(),
        api_key: api_key.to_owned(),
        admin: who(admin),
        customer: who(format!("customer@{}.test", business.slug)),
        product_ids: Vec::new(),
    })
}

/// Opens the payment account and completes it on the emulator, as its page's button would.
async fn connect_stripe(endpoints: &Endpoints, admin: &Client) -> anyhow::Result<()> {
    let back = json!({ "return_url": endpoints.portal, "refresh_url": endpoints.portal });
    admin.post("/v1/payment-account/onboarding", &back).await?;
    let account = admin.get("/v1/payment-account").await?;
    let account = account["account_id"]
        .as_str()
        .context("no account id in the answer")?;
    let url = format!(
        "{}/_emulator/accounts/{account}/complete",
        endpoints.stripe_emulator
    );
    client::http()
        .build()?
        .post(url)
        .json(&json!({}))
        .send()
        .await?
        .error_for_status()?;
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        let state = admin.get("/v1/payment-account").await?;
        if state["charges_enabled"] == true {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("the account may still not take money: {state}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
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
        staff.push(id(&admin.post("/v1/resources", &person).await?)?);
    }
    let product = json!({
        "kind": "appointment", "name": "Check-up", "description": "Half an hour with a doctor.",
        "duration_min": 30, "step_min": 15, "resource_ids": staff,
        "price": { "amount": 4900, "currency": business.currency },
        "cancellation_policy": [
            { "hours_before": 24, "refund_percent": 100 }, { "hours_before": 2, "refund_percent": 50 },
        ],
    });
    id(&admin.post("/v1/products", &product).await?)
}

async fn class(admin: &Client, business: &Business) -> anyhow::Result<String> {
    let product = json!({
        "kind": "session", "name": "Morning yoga", "description": "An hour for early birds.",
        "duration_min": 60, "max_quantity": 4,
        "price": { "amount": 1800, "currency": business.currency },
        "cancellation_policy": [{ "hours_before": 12, "refund_percent": 100 }],
    });
    let product = id(&admin.post("/v1/products", &product).await?)?;
    let zone = TimeZone::get(business.timezone)?;
    let today = Timestamp::now().to_zoned(zone.clone()).date();
    for ahead in 1..=PROGRAMME_DAYS {
        let day = today.checked_add(ahead.days())?;
        let starts_at = zone.to_timestamp(day.to_datetime(civil::time(7, 0, 0, 0)))?;
        let session = json!({ "starts_at": starts_at.to_string(), "capacity": 200 });
        admin
            .post(&format!("/v1/products/{product}/sessions"), &session)
            .await?;
    }
    Ok(product)
}

fn id(answer: &Value) -> anyhow::Result<String> {
    Ok(answer["id"]
        .as_str()
        .context("no id in the answer")?
        .to_owned())
}

impl Seeder {
    /// Runs `program` with `environment`.
    #[must_use]
    pub fn new(program: &Path, environment: Vec<(String, String)>) -> Self {
        Self {
            program: program.to_owned(),
            environment,
        }
    }
}
