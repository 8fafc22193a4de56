//! The glue between HTTP and use cases: which tenant, who asks, under which id; problems as bodies;
//! limits.
//!
//! A request passes, from the outside in: [`observe`] (id, log line, metrics, body limit), [`by_path`]
//! (a tenant named in the path), [`admission`] (its tenant's share of the machine), problems rendered
//! ([`problem`]), the tenant resolved ([`tenant`]), and the asker proven by the security scheme that each
//! operation takes as its argument ([`auth`]): no handler is reachable without it.
//!
//! Must not know any service. To add a header every answer carries: `observe.rs`.

pub mod admission;
pub mod auth;
pub mod by_path;
pub mod client;
pub mod host;
pub mod idempotency;
pub mod limits;
pub mod observe;
pub mod problem;
pub mod tenant;
pub mod text;
pub mod written;

use std::sync::Arc;

use berth_access::{Access, Tokens};
use berth_kernel::Clock;
use berth_tenancy::Tenancy;

pub use admission::{Admission, Admitted};
pub use auth::{Asker, Visitor};
pub use by_path::ByPath;
pub use client::TrustedProxies;
pub use host::Host;
pub use limits::Limits;
pub use problem::{Refusal, refuse};
pub use written::Written;

/// What every request needs; shared by all of them.
#[derive(Clone, Debug)]
pub struct Web {
    /// The tenants and their data.
    pub tenancy: Tenancy,
    /// What roles may do.
    pub access: Arc<Access>,
    /// Checks access tokens.
    pub tokens: Tokens,
    /// The time.
    pub clock: Clock,
    /// How often something may be asked.
    pub limits: Limits,
    /// Who may say for whom they ask.
    pub proxies: TrustedProxies,
    /// The platform's own host, without scheme and port; tenants answer below it.
    pub host: Arc<str>,
}
