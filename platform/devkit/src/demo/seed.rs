//! Demo tenants, made by the product's own command line and API.
//!
//! Everything is looked for before it is made: a start that was interrupted is gone on with, a
//! database that another checkout used is taken over, and the programme never ends.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::future::try_join_all;
use serde_json::Value;

use super::businesses::{BUSINESSES, Business, FEW};
use super::client::{ApiError, Client};
use super::furnish::{self, furnish};
use crate::endpoints::{Endpoints, SignIn, Tenant};

/// A development password, the same for everybody in the demo.
const PASSWORD: &str = "correct-horse-battery";

/// Runs the product's command line to make tenants.
#[derive(Debug)]
pub struct Seeder {
    /// The `berth` binary.
    pub program: PathBuf,
    /// The environment it runs with.
    pub environment: Vec<(String, String)>,
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

    /// Runs `berth tenant` with `arguments`; what it answers.
    async fn tenant(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let command = format!("berth tenant {}", arguments.first().unwrap_or(&""));
        let output = tokio::process::Command::new(&self.program)
            .arg("tenant")
            .args(arguments)
            .envs(self.environment.iter().cloned())
            .env("BERTH_ADMIN_PASSWORD", PASSWORD)
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("running {command}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`{command}` failed:\n{said}");
        }
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("the answer of `{command}` is no JSON"))
    }
}

/// How many businesses the demo has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cast {
    /// A clinic and a gym.
    Few,
    /// One of each kind.
    AllKinds,
}

/// Makes what is missing of the demo tenants; returns all of them.
///
/// # Errors
/// A step was refused; what was made is kept and the next try goes on.
pub async fn seed(
    endpoints: &Endpoints,
    seeder: &Seeder,
    cast: Cast,
) -> anyhow::Result<Vec<Tenant>> {
    let businesses = match cast {
        Cast::Few => &BUSINESSES[..FEW],
        Cast::AllKinds => &BUSINESSES,
    };
    // Side by side: each waits for the others' processes, mails and webhooks as little as it can.
    let making = businesses.iter().map(|business| async move {
        let tenant = ensure(endpoints, seeder, business).await;
        tenant.with_context(|| format!("making the demo tenant {}", business.slug))
    });
    try_join_all(making).await
}

async fn ensure(
    endpoints: &Endpoints,
    seeder: &Seeder,
    business: &Business,
) -> anyhow::Result<Tenant> {
    let known = endpoints
        .tenants
        .iter()
        .find(|tenant| tenant.slug == business.slug);
    let kept = known
        .map(|tenant| tenant.api_key.as_str())
        .unwrap_or_default();
    let mut tenant = described(endpoints, business, kept);
    match recognised(&tenant).await? {
        Recognised::Whole => {}
        Recognised::WithoutKey => {
            let answer = seeder.tenant(&["api-key", "--slug", business.slug]).await?;
            tenant.api_key = api_key(&answer)?;
        }
        Recognised::No => {
            tenant = sign_up(endpoints, seeder, business).await?;
            await_recognition(&tenant).await?;
        }
    }
    let admin = match Client::sign_in(&tenant, &tenant.admin).await {
        Ok(admin) => admin,
        // Its making was interrupted between the tenant and its first administrator.
        Err(error) if refused_with(&error, "CREDENTIALS_INVALID") => {
            let (email, name) = (tenant.admin.email.as_str(), ADMIN_NAME);
            let add = ["add-admin", "--slug", business.slug, "--admin-email", email];
            let add = [add.as_slice(), &["--admin-name", name]].concat();
            seeder.tenant(&add).await?;
            Client::sign_in(&tenant, &tenant.admin).await?
        }
        Err(error) => return Err(error),
    };
    furnish::connect_stripe(endpoints, &admin)
        .await
        .context("connecting Stripe")?;
    furnish(&mut tenant, business).await?;
    Ok(tenant)
}

/// What the server says of a tenant that may have been made before.
enum Recognised {
    /// It is there, and its API key is good.
    Whole,
    /// It is there.
    WithoutKey,
    /// There is none of that name.
    No,
}

async fn recognised(tenant: &Tenant) -> anyhow::Result<Recognised> {
    let client = Client::new(tenant)?;
    match client.get("/v1/products?limit=1").await {
        Err(error) if refused_with(&error, "TENANT_UNKNOWN") => return Ok(Recognised::No),
        other => other?,
    };
    match client
        .with_key(&tenant.api_key)
        .get("/v1/products?limit=1")
        .await
    {
        Err(error) if refused_with(&error, "API_KEY_INVALID") => Ok(Recognised::WithoutKey),
        other => other.map(|_| Recognised::Whole),
    }
}

/// The server was asked for the tenant before it was made, and may not have heard yet that it is.
async fn await_recognition(tenant: &Tenant) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !matches!(recognised(tenant).await?, Recognised::Whole) {
        if Instant::now() > deadline {
            bail!("the server does not know {} yet", tenant.slug);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Whether the API refused with this code.
pub(super) fn refused_with(error: &anyhow::Error, code: &str) -> bool {
    error
        .downcast_ref::<ApiError>()
        .is_some_and(|refusal| refusal.code == code)
}

const ADMIN_NAME: &str = "Ada Admin";

/// Makes the tenant with `berth tenant create`; it offers nothing yet and takes no payments.
///
/// # Errors
/// The command failed.
pub async fn sign_up(
    endpoints: &Endpoints,
    seeder: &Seeder,
    business: &Business,
) -> anyhow::Result<Tenant> {
    let mut tenant = described(endpoints, business, "");
    let mut create = vec!["create", "--slug", business.slug, "--name", business.name];
    create.extend(["--kind", business.kind, "--timezone", business.timezone]);
    create.extend(["--currency", business.currency, "--color", business.color]);
    create.extend(["--address", business.address]);
    create.extend([
        "--admin-email",
        &tenant.admin.email,
        "--admin-name",
        ADMIN_NAME,
    ]);
    let answer = seeder.tenant(&create).await?;
    tenant.api_key = api_key(&answer)?;
    Ok(tenant)
}

fn api_key(answer: &Value) -> anyhow::Result<String> {
    Ok(answer["api_key"]
        .as_str()
        .context("no API key in the answer")?
        .to_owned())
}

/// Where a business answers and who signs in there; it offers nothing yet.
fn described(endpoints: &Endpoints, business: &Business, api_key: &str) -> Tenant {
    let host = endpoints.api.replacen(
        "http://localhost",
        &format!("{}.localhost", business.slug),
        1,
    );
    let who = |email: String| SignIn {
        email,
        password: PASSWORD.to_owned(),
    };
    Tenant {
        slug: business.slug.to_owned(),
        api: format!("http://{host}"),
        host,
        timezone: business.timezone.to_owned(),
        api_key: api_key.to_owned(),
        admin: who(format!("admin@{}.test", business.slug)),
        customer: who(format!("customer@{}.test", business.slug)),
        product_ids: Vec::new(),
    }
}
