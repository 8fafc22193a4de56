//! `.dev/endpoints.json`: where everything of a running `./dev up` is, for
//! people, tests and tools.

use serde::{Deserialize, Serialize};

use crate::files;
use crate::workspace::Workspace;

/// Where everything is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// The platform's own host, without a trailing slash.
    pub api: String,
    /// The portal's first page.
    pub portal: String,
    /// The server's Prometheus page.
    pub metrics: String,
    /// The worker's Prometheus page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_worker: Option<String>,
    /// The relay's Prometheus page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_relay: Option<String>,
    /// The provisioner's Prometheus page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_provisioner: Option<String>,
    /// The Stripe emulator, without a trailing slash.
    pub stripe_emulator: String,
    /// The mailbox, without a trailing slash.
    pub mailbox: String,
    /// `postgres://…`
    pub database_url: String,
    /// `amqp://…`
    pub amqp_url: String,
    /// `redis://…`
    pub redis_url: String,
    /// The demo tenants; empty until they are made.
    #[serde(default)]
    pub tenants: Vec<Tenant>,
}

/// A demo tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its short name, also the value of `X-Tenant`.
    pub slug: String,
    /// Its own host with port, `{slug}.localhost:PORT`.
    pub host: String,
    /// Its API's base URL on that host.
    pub api: String,
    /// Its IANA time zone.
    pub timezone: String,
    /// A key for its API.
    pub api_key: String,
    /// Its administrator.
    pub admin: SignIn,
    /// One of its customers.
    pub customer: SignIn,
    /// What it offers.
    pub product_ids: Vec<String>,
}

/// Credentials of a demo person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The address they sign in with.
    pub email: String,
    /// Their password.
    pub password: String,
}

impl Endpoints {
    /// The endpoints kept in a checkout; `None` before the first `./dev up`.
    ///
    /// # Errors
    /// The file is there but cannot be read.
    pub fn load(workspace: &Workspace) -> std::io::Result<Option<Self>> {
        files::read_json(&workspace.dev("endpoints.json"))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, workspace: &Workspace) -> std::io::Result<()> {
        files::write_json(&workspace.dev("endpoints.json"), self)
    }
}
