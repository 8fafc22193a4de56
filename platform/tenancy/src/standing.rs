//! Whether a tenant is served: operators suspend and resume it. Each is audited and told in the
//! transaction that does it, and every process hears of it at once.
//!
//! A suspended tenant is unknown to the public and to its own staff; what is under way for it is
//! finished all the same.

use berth_events::tenant::{Resumed, Suspended};
use berth_kernel::{Clock, TenantId};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::{DatabaseSettings, Error, lifecycle::tell};

/// Who acts for the platform, as the audit trail is to name them: `cli:root`.
#[derive(Clone, Debug)]
pub struct Operator(pub String);

/// Suspends the tenant of that name; `false` if it was suspended already. Uses the owner's login.
///
/// # Errors
/// [`Error::UnknownTenant`].
pub async fn suspend(
    settings: &DatabaseSettings,
    slug: &str,
    reason: &str,
    by: &Operator,
    clock: &Clock,
) -> Result<bool, Error> {
    let mut conn = PgConnection::connect_with(&settings.owner()?).await?;
    let mut tx = conn.begin().await?;
    let Some((id, version)) = turn(&mut tx, slug, "active", "suspended").await? else {
        return Ok(false);
    };
    audit(
        &mut tx,
        id,
        by,
        "tenant.suspended",
        &json!({ "reason": reason }),
    )
    .await?;
    let event = Suspended {
        tenant_id: id,
        version,
        reason: reason.to_owned(),
    };
    tell(&mut tx, id, &event, clock).await?;
    tx.commit().await?;
    Ok(true)
}

/// Serves the tenant of that name again; `false` if it was not suspended. Uses the owner's login.
///
/// # Errors
/// [`Error::UnknownTenant`].
pub async fn resume(
    settings: &DatabaseSettings,
    slug: &str,
    by: &Operator,
    clock: &Clock,
) -> Result<bool, Error> {
    let mut conn = PgConnection::connect_with(&settings.owner()?).await?;
    let mut tx = conn.begin().await?;
    let Some((id, version)) = turn(&mut tx, slug, "suspended", "active").await? else {
        return Ok(false);
    };
    audit(&mut tx, id, by, "tenant.resumed", &json!({})).await?;
    let event = Resumed {
        tenant_id: id,
        version,
    };
    tell(&mut tx, id, &event, clock).await?;
    tx.commit().await?;
    Ok(true)
}

/// Turns a tenant from one standing to another; its id and version, or nothing if it was not `from`.
async fn turn(
    conn: &mut PgConnection,
    slug: &str,
    from: &str,
    to: &str,
) -> Result<Option<(TenantId, i64)>, Error> {
    let found: Option<(uuid::Uuid, String, i64)> = sqlx::query_as(
        "SELECT id, status, version FROM platform.tenant WHERE slug = $1 FOR UPDATE",
    )
    .bind(slug)
    .fetch_optional(&mut *conn)
    .await?;
    let (id, status, version) = found.ok_or_else(|| Error::UnknownTenant(slug.to_owned()))?;
    if status != from {
        return Ok(None);
    }
    sqlx::query("UPDATE platform.tenant SET status = $2, version = version + 1 WHERE id = $1")
        .bind(id)
        .bind(to)
        .execute(conn)
        .await?;
    Ok(Some((id.into(), version + 1)))
}

async fn audit(
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
