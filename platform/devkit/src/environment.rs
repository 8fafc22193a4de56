//! The environment the product runs with in development, in one place.
//!
//! To give the product one more setting, add a line in [`shared`].

use std::path::Path;

use anyhow::Context;

use crate::endpoints::Endpoints;
use crate::secrets::Secrets;

/// What the environment is made from, beside the endpoints.
#[derive(Debug)]
pub struct Facts<'a> {
    /// Where everything is.
    pub endpoints: &'a Endpoints,
    /// The development secrets.
    pub secrets: &'a Secrets,
    /// The port of the mailbox's SMTP side.
    pub smtp_port: u16,
    /// The port the server answers HTTP on.
    pub api_port: u16,
    /// The folder files are stored in.
    pub store: &'a Path,
}

/// One of the product's processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Answers HTTP.
    Serve,
    /// Consumes messages.
    Worker,
    /// Publishes the outbox.
    Relay,
    /// Makes schemas ready for new tenants, and erases those that leave.
    Provisioner,
}

impl Role {
    /// All of them, in the order they are started.
    pub const ALL: [Self; 4] = [Self::Serve, Self::Worker, Self::Relay, Self::Provisioner];

    /// The subcommand of `berth`, which also names process and log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Worker => "worker",
            Self::Relay => "relay",
            Self::Provisioner => "provisioner",
        }
    }

    /// The name of its metrics port among the kept ports.
    #[must_use]
    pub const fn metrics_port_name(self) -> &'static str {
        match self {
            Self::Serve => "metrics",
            Self::Worker => "metrics_worker",
            Self::Relay => "metrics_relay",
            Self::Provisioner => "metrics_provisioner",
        }
    }
}

/// What every process and `berth migrate` get.
#[must_use]
pub fn shared(facts: &Facts<'_>) -> Vec<(String, String)> {
    let Facts {
        endpoints,
        secrets,
        smtp_port,
        api_port,
        store,
    } = facts;
    let emulator = &endpoints.stripe_emulator;
    let pairs = [
        ("DATABASE_URL", endpoints.database_url.clone()),
        ("REDIS_URL", endpoints.redis_url.clone()),
        ("AMQP_URL", endpoints.amqp_url.clone()),
        ("BERTH_ENVIRONMENT", "development".to_owned()),
        ("BERTH_HTTP_ADDR", format!("127.0.0.1:{api_port}")),
        ("BERTH_PUBLIC_URL", endpoints.api.clone()),
        (
            "BERTH_STRIPE_SECRET_KEY",
            "sk_test_development_only".to_owned(),
        ),
        (
            "BERTH_STRIPE_PUBLISHABLE_KEY",
            "pk_test_development_only".to_owned(),
        ),
        ("BERTH_STRIPE_API_URL", emulator.clone()),
        ("BERTH_STRIPE_JS_URL", format!("{emulator}/v3/")),
        (
            "BERTH_STRIPE_WEBHOOK_SECRET",
            secrets.webhook_secret.clone(),
        ),
        ("BERTH_SMTP_URL", format!("smtp://127.0.0.1:{smtp_port}")),
        ("BERTH_MAIL_FROM", "bookings@berth.localhost".to_owned()),
        ("BERTH_TIKTOK_API_URL", emulator.clone()),
        ("BERTH_LOCAL_CALENDARS", "on".to_owned()),
        ("BERTH_STORE_URL", format!("file://{}", store.display())),
        (
            "BERTH_TOKEN_KEY_FILE",
            secrets.token_key_file.display().to_string(),
        ),
        (
            "BERTH_BUCKET_SECRET_FILE",
            secrets.bucket_secret_file.display().to_string(),
        ),
        (
            "BERTH_LINK_SECRET_FILE",
            secrets.link_secret_file.display().to_string(),
        ),
        // Few tenants and four processes on one small Postgres.
        ("BERTH_DATABASE_BUCKETS", "4".to_owned()),
        ("BERTH_READY_SCHEMAS", "2".to_owned()),
        (
            "BERTH_LOG",
            std::env::var("BERTH_LOG").unwrap_or_else(|_| "info".to_owned()),
        ),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// What one of the processes gets: a metrics address of its own, and where the database is without
/// its owner's name and password, which only the migrator and the provisioner need.
///
/// # Errors
/// The database's address is no URL.
pub fn of_role(
    shared: &[(String, String)],
    metrics_port: u16,
) -> anyhow::Result<Vec<(String, String)>> {
    let mut variables = shared.to_vec();
    for (name, value) in &mut variables {
        if name == "DATABASE_URL" {
            let mut url: reqwest::Url =
                value.parse().context("the database's address is no URL")?;
            // An error means that the URL can have neither.
            let _ = (url.set_username(""), url.set_password(None));
            *value = url.to_string();
        }
    }
    Ok(of_owner(&variables, metrics_port))
}

/// What the provisioner gets: the same with the owner's name and password.
#[must_use]
pub fn of_owner(shared: &[(String, String)], metrics_port: u16) -> Vec<(String, String)> {
    let mut variables = shared.to_vec();
    let metrics = format!("127.0.0.1:{metrics_port}");
    variables.push(("BERTH_METRICS_ADDR".to_owned(), metrics));
    variables
}
