//! A tenant's life, from its making to its erasure: what operators and those who sign up do to it.
//! Each step, and each change of what a tenant is like, is audited and told as an event in the transaction that takes
//! it. API keys, hosts and what plans allow are audited alone: no consumer acts on them. Every process
//! hears of it at once.
//!
//! ```text
//! opening ─▶ active ⇄ suspended ─┐      held ◀─ restored from an export
//!               ⇅                │       │
//!            archived ◀──────────┘       ├─▶ active, when released
//!               └─▶ leaving ◀────────────┘
//!                      └─▶ erased, with a certificate
//! ```
//!
//! - [`create`], [`slug`], [`rules`]: a new tenant, what it may be called and be like.
//! - [`opening`]: from there to its being served, which its first administrator has to wait for.
//! - [`standing`]: whether it is served. [`particulars`]: brand, legal data, plan.
//! - [`plan`]: how much each may take.
//! - [`operators`]: who may do all this through the API. [`hosts`]: at which hosts of its own it is served.
//! - [`keys`]: what its software signs in with. [`erase`]: its end. [`trail`]: all that was done.

mod create;
mod erase;
mod hosts;
mod keys;
mod opening;
pub mod operators;
mod particulars;
mod plan;
pub(crate) mod rules;
mod slug;
mod standing;
mod trail;

use berth_kernel::{Cause, Clock, Envelope, Event, TenantId};
use serde_json::Value;
use sqlx::PgConnection;

use crate::{Error, Tenancy};

pub use create::{CreatedTenant, NewTenant, create};
pub(crate) use create::{likeness_checked, refuse_gone};
pub use erase::{Bookkeeper, BookkeeperError, Certificate, erase_leaving};
pub use keys::{ApiKeyEntry, hash_api_key};
pub use opening::{Founder, Making, Opening};
pub use particulars::{Change, Filter, Particulars};
pub use plan::Plan;
pub(crate) use rules::refused;
pub use trail::AuditEntry;

/// Who acts, as the audit trail is to name them: `cli:root`, `key:ops`, `user:…`, `sign-up`.
#[derive(Clone, Debug)]
pub struct Operator(pub String);

/// Acts on tenants in somebody's name.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    tenancy: Tenancy,
    by: Operator,
    clock: Clock,
}

impl Lifecycle {
    /// For one operator.
    #[must_use]
    pub fn new(tenancy: Tenancy, by: Operator, clock: Clock) -> Self {
        Self { tenancy, by, clock }
    }
}

/// A tenant's row, held until the transaction ends.
struct Held {
    id: TenantId,
    status: String,
    version: i64,
}

/// Finds the tenant of that name and holds its row.
async fn hold(conn: &mut PgConnection, slug: &str) -> Result<Held, Error> {
    let found: Option<(uuid::Uuid, String, i64)> = sqlx::query_as(
        "SELECT id, status, version FROM platform.tenant WHERE slug = $1 FOR UPDATE",
    )
    .bind(slug)
    .fetch_optional(conn)
    .await?;
    let (id, status, version) = found.ok_or_else(|| Error::UnknownTenant(slug.to_owned()))?;
    Ok(Held {
        id: id.into(),
        status,
        version,
    })
}

/// The name of a tenant, whose row is held.
async fn hold_name(conn: &mut PgConnection, id: TenantId) -> Result<String, Error> {
    let found: Option<String> =
        sqlx::query_scalar("SELECT slug FROM platform.tenant WHERE id = $1 FOR UPDATE")
            .bind(id.uuid())
            .fetch_optional(conn)
            .await?;
    found.ok_or_else(|| Error::UnknownTenant(id.to_string()))
}

/// Writes down what was done to a tenant.
pub(crate) async fn audit(
    conn: &mut PgConnection,
    tenant: TenantId,
    by: &Operator,
    action: &str,
    detail: &Value,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO platform.audit (operator, action, tenant_id, detail) VALUES ($1, $2, $3, $4)",
    )
    .bind(&by.0)
    .bind(action)
    .bind(tenant.uuid())
    .bind(detail)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down what was done to no tenant in particular.
pub(crate) async fn audit_platform(
    conn: &mut PgConnection,
    by: &Operator,
    action: &str,
    detail: &Value,
) -> Result<(), Error> {
    sqlx::query("INSERT INTO platform.audit (operator, action, detail) VALUES ($1, $2, $3)")
        .bind(&by.0)
        .bind(action)
        .bind(detail)
        .execute(conn)
        .await?;
    Ok(())
}

/// Tells of a tenant's life, in the transaction that changes it.
pub(crate) async fn tell<E: Event>(
    conn: &mut PgConnection,
    id: TenantId,
    event: &E,
    clock: &Clock,
) -> Result<(), Error> {
    let timeline: Option<i32> =
        sqlx::query_scalar("SELECT timeline FROM platform.tenant WHERE id = $1")
            .bind(id.uuid())
            .fetch_optional(&mut *conn)
            .await?;
    let envelope = Envelope::wrap(event, id, clock.now(), &Cause::fresh())
        .map_err(|error| Error::Invalid(error.to_string()))?
        .on(timeline.unwrap_or(0).unsigned_abs());
    sqlx::query(
        "INSERT INTO platform.outbox (event_id, tenant_id, event_type, entity_id, envelope) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(envelope.event_id.uuid())
    .bind(id.uuid())
    .bind(&envelope.event_type)
    .bind(id.uuid())
    .bind(serde_json::to_string(&envelope).map_err(|error| Error::Invalid(error.to_string()))?)
    .execute(conn)
    .await?;
    Ok(())
}
