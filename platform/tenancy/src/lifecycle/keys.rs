//! What a tenant's software signs in with.

use berth_kernel::{ApiKeyId, Secret, TenantId};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

use super::{Lifecycle, audit, hold, particulars::by_slug};
use crate::{Error, provision::random_text};

/// An API key as it is listed: without the key, which nobody has but its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiKeyEntry {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is for.
    pub label: String,
    /// When it was made.
    pub created_at: jiff::Timestamp,
    /// Since when it opens nothing any more.
    pub revoked_at: Option<jiff::Timestamp>,
}

/// The hash an API key is looked up by.
#[must_use]
pub fn hash_api_key(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

impl Lifecycle {
    /// Makes a further API key for the tenant of that name; shown once.
    ///
    /// # Errors
    /// [`Error::UnknownTenant`].
    pub async fn create_api_key(&self, slug: &str, label: &str) -> Result<Secret, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let held = hold(tx.conn(), slug).await?;
        let key = add_api_key(tx.conn(), held.id, label).await?;
        let detail = json!({ "label": label });
        audit(
            tx.conn(),
            held.id,
            &self.by,
            "tenant.api_key.created",
            &detail,
        )
        .await?;
        tx.commit().await?;
        Ok(key)
    }

    /// Lets a key open nothing any more; `false` if it was so already, or is none of the tenant's.
    ///
    /// # Errors
    /// [`Error::UnknownTenant`].
    pub async fn revoke_api_key(&self, slug: &str, key: ApiKeyId) -> Result<bool, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let held = hold(tx.conn(), slug).await?;
        let revoked = sqlx::query(
            "UPDATE platform.api_key SET revoked_at = $3
             WHERE id = $1 AND tenant_id = $2 AND revoked_at IS NULL",
        )
        .bind(key.uuid())
        .bind(held.id.uuid())
        .bind(jiff_sqlx::Timestamp::from(self.clock.now()))
        .execute(tx.conn())
        .await?;
        if revoked.rows_affected() == 0 {
            return Ok(false);
        }
        let detail = json!({ "key": key });
        audit(
            tx.conn(),
            held.id,
            &self.by,
            "tenant.api_key.revoked",
            &detail,
        )
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The keys of a tenant, newest first.
    ///
    /// # Errors
    /// [`Error::UnknownTenant`].
    pub async fn api_keys(&self, slug: &str) -> Result<Vec<ApiKeyEntry>, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let id = by_slug(tx.conn(), slug).await?.id;
        type Row = (
            uuid::Uuid,
            String,
            jiff_sqlx::Timestamp,
            Option<jiff_sqlx::Timestamp>,
        );
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, label, created_at, revoked_at FROM platform.api_key
             WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC",
        )
        .bind(id.uuid())
        .fetch_all(tx.conn())
        .await?;
        tx.rollback().await?;
        let entry = |(id, label, created_at, revoked_at): Row| ApiKeyEntry {
            id: id.into(),
            label,
            created_at: created_at.to_jiff(),
            revoked_at: revoked_at.map(jiff_sqlx::Timestamp::to_jiff),
        };
        Ok(rows.into_iter().map(entry).collect())
    }
}

pub(super) async fn add_api_key(
    conn: &mut PgConnection,
    tenant: TenantId,
    label: &str,
) -> Result<Secret, Error> {
    let key = format!("bk_{}", random_text(40));
    sqlx::query(
        "INSERT INTO platform.api_key (id, tenant_id, key_hash, label) VALUES ($1, $2, $3, $4)",
    )
    .bind(ApiKeyId::new().uuid())
    .bind(tenant.uuid())
    .bind(hash_api_key(&key).as_slice())
    .bind(label)
    .execute(conn)
    .await?;
    Ok(Secret::new(key))
}
