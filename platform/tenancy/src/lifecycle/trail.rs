//! What was done to a tenant and by whom, as it was written down with each step.

use berth_kernel::{TenantId, UserId};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Lifecycle, audit, audit_platform};
use crate::Error;

/// Steps that are told at once.
const NEWEST: i64 = 500;

/// One step in a tenant's life.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who, as in [`Operator`](super::Operator).
    pub operator: String,
    /// What: `tenant.suspended`.
    pub action: String,
    /// More about it; no personal data.
    pub detail: Value,
}

impl Lifecycle {
    /// Writes down that a tenant is to have a further administrator.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn administrator_asked(&self, id: TenantId, account: UserId) -> Result<(), Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let detail = json!({ "account": account });
        let action = "tenant.administrator.requested";
        audit(tx.conn(), id, &self.by, action, &detail).await?;
        tx.commit().await
    }

    /// Writes down what is done to no tenant in particular: `fleet.migrated`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note(&self, action: &str, detail: &Value) -> Result<(), Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        audit_platform(tx.conn(), &self.by, action, detail).await?;
        tx.commit().await
    }

    /// The last five hundred steps that were about no tenant in particular, newest first: operators'
    /// keys, plans, migrations.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn platform_trail(&self) -> Result<Vec<AuditEntry>, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT at, operator, action, detail FROM platform.audit
             WHERE tenant_id IS NULL ORDER BY id DESC LIMIT $1",
        )
        .bind(NEWEST)
        .fetch_all(tx.conn())
        .await?;
        tx.rollback().await?;
        Ok(rows.into_iter().map(entry).collect())
    }

    /// The last five hundred steps of a tenant's life, newest first; of one that is gone too.
    ///
    /// # Errors
    /// [`Error::UnknownTenant`].
    pub async fn trail(&self, slug: &str) -> Result<Vec<AuditEntry>, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT at, operator, action, detail FROM platform.audit
             WHERE tenant_id = coalesce((SELECT id FROM platform.tenant WHERE slug = $1),
                                        (SELECT tenant_id FROM platform.erased_tenant WHERE slug = $1))
             ORDER BY id DESC LIMIT $2",
        )
        .bind(slug)
        .bind(NEWEST)
        .fetch_all(tx.conn())
        .await?;
        tx.rollback().await?;
        // Each tenant was made, and that is written down.
        if rows.is_empty() {
            return Err(Error::UnknownTenant(slug.to_owned()));
        }
        Ok(rows.into_iter().map(entry).collect())
    }
}

type Row = (jiff_sqlx::Timestamp, String, String, Value);

fn entry((at, operator, action, detail): Row) -> AuditEntry {
    AuditEntry {
        at: at.to_jiff(),
        operator,
        action,
        detail,
    }
}
