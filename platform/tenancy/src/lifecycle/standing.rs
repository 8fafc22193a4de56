//! Whether a tenant is served.
//!
//! A suspended or archived tenant is unknown to the public and to its own staff; what is under way
//! for it is finished all the same.

use berth_events::tenant::{Archived, Resumed, Suspended};
use berth_kernel::{Event, TenantId};
use serde_json::{Value, json};

use super::{Lifecycle, audit, hold, tell};
use crate::Error;

impl Lifecycle {
    /// Suspends the tenant of that name; `false` if it was suspended already.
    ///
    /// # Errors
    /// [`Error::UnknownTenant`], [`Error::Standing`] if it was not served.
    pub async fn suspend(&self, slug: &str, reason: &str) -> Result<bool, Error> {
        let detail = json!({ "reason": reason });
        let event = |tenant_id, version| Suspended {
            tenant_id,
            version,
            reason: reason.to_owned(),
        };
        let turn = ("suspended", "tenant.suspended", detail);
        self.turn(slug, &["active"], turn, event).await
    }

    /// Serves the tenant of that name again; `false` if it was served already.
    ///
    /// # Errors
    /// [`Error::UnknownTenant`], [`Error::Standing`] if it was neither suspended nor archived.
    pub async fn resume(&self, slug: &str) -> Result<bool, Error> {
        let event = |tenant_id, version| Resumed { tenant_id, version };
        let turn = ("active", "tenant.resumed", json!({}));
        self.turn(slug, &["suspended", "archived"], turn, event)
            .await
    }

    /// Puts the tenant of that name to rest: it is served no more, and its data is kept until it is
    /// resumed or erased. `false` if it was archived already.
    ///
    /// # Errors
    /// [`Error::UnknownTenant`], [`Error::Standing`] if it was neither served nor suspended.
    pub async fn archive(&self, slug: &str) -> Result<bool, Error> {
        let event = |tenant_id, version| Archived { tenant_id, version };
        let turn = ("archived", "tenant.archived", json!({}));
        self.turn(slug, &["active", "suspended"], turn, event).await
    }

    /// Lets a restored tenant be served, and what it owes be sent; `false` if it was served already.
    ///
    /// # Errors
    /// [`Error::UnknownTenant`]; [`Error::Standing`] if it was not held, its schema is of an earlier release,
    /// or its restore was cut off and has to be repeated.
    pub async fn release(&self, slug: &str) -> Result<bool, Error> {
        self.is_whole(slug).await?;
        let event = |tenant_id, version| Resumed { tenant_id, version };
        let turn = ("active", "tenant.released", json!({}));
        self.turn(slug, &["held"], turn, event).await
    }

    /// Looks whether the tenant of that name can be reached where the registry says it is.
    async fn is_whole(&self, slug: &str) -> Result<(), Error> {
        let id = self.particulars(slug).await?.id;
        let mut tx = self.tenancy.begin_platform().await?;
        let open: bool = sqlx::query_scalar(
            "SELECT former_status IS NOT NULL FROM platform.tenant WHERE id = $1",
        )
        .bind(id.uuid())
        .fetch_one(tx.conn())
        .await?;
        tx.rollback().await?;
        if open {
            return Err(cut_off(slug));
        }
        let Some(tenant) = self.tenancy.registry().refresh(id).await? else {
            return Ok(());
        };
        match self.tenancy.begin(&tenant).await {
            Ok(tx) => tx.rollback().await?,
            Err(Error::Moving) => return Err(cut_off(slug)),
            Err(error) => return Err(error),
        }
        if tenant.schema_version < self.tenancy.database().newest() {
            return Err(Error::Standing(format!(
                "the schema of `{slug}` is of an earlier release; run `berth migrate` first"
            )));
        }
        Ok(())
    }

    /// Turns a tenant to a standing, if it has one of those `from`.
    async fn turn<E: Event>(
        &self,
        slug: &str,
        from: &[&str],
        (to, action, detail): (&str, &str, Value),
        event: impl FnOnce(TenantId, i64) -> E,
    ) -> Result<bool, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let held = hold(tx.conn(), slug).await?;
        if held.status == to {
            return Ok(false);
        }
        if !from.contains(&held.status.as_str()) {
            return Err(Error::Standing(format!("`{slug}` is {}", held.status)));
        }
        let turned = sqlx::query(
            // Looked at once more under the lock: a restore may have begun since.
            "UPDATE platform.tenant SET status = $2, version = version + 1
             WHERE id = $1 AND (status <> 'held' OR former_status IS NULL)",
        )
        .bind(held.id.uuid())
        .bind(to)
        .execute(tx.conn())
        .await?;
        if turned.rows_affected() == 0 {
            return Err(cut_off(slug));
        }
        audit(tx.conn(), held.id, &self.by, action, &detail).await?;
        let event = event(held.id, held.version + 1);
        tell(tx.conn(), held.id, &event, &self.clock).await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn cut_off(slug: &str) -> Error {
    Error::Standing(format!(
        "the restore of `{slug}` has not come to its end; repeat it if it was cut off"
    ))
}
