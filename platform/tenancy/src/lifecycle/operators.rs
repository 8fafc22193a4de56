//! Who may run the platform through its API: whoever has a key that is one.

use berth_kernel::Secret;
use jiff::Timestamp;
use serde_json::json;

use super::{Lifecycle, Operator, audit_platform, hash_api_key};
use crate::{Error, Tenancy, provision::random_text};

/// An operator's key as it is listed, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorKey {
    /// Whose it is; the audit trail says `key:` and this.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it opens nothing any more.
    pub revoked_at: Option<Timestamp>,
}

impl Tenancy {
    /// The operator a key belongs to, if it is one and was not revoked.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn operator_of(&self, key: &str) -> Result<Option<Operator>, Error> {
        let label: Option<String> = sqlx::query_scalar(
            "SELECT label FROM platform.operator_key WHERE key_hash = $1 AND revoked_at IS NULL",
        )
        .bind(hash_api_key(key).as_slice())
        .fetch_optional(self.database.platform())
        .await?;
        Ok(label.map(|label| Operator(format!("key:{label}"))))
    }
}

impl Lifecycle {
    /// Makes an operator's key; shown once.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there is or was one of that label, or it is empty or long.
    pub async fn add_operator(&self, label: &str) -> Result<Secret, Error> {
        let key = format!("bo_{}", random_text(40));
        let mut tx = self.tenancy.begin_platform().await?;
        let added = sqlx::query(
            "INSERT INTO platform.operator_key (id, key_hash, label) VALUES ($1, $2, $3)",
        )
        .bind(uuid::Uuid::now_v7())
        .bind(hash_api_key(&key).as_slice())
        .bind(label)
        .execute(tx.conn())
        .await;
        match added {
            Ok(_) => {
                let detail = json!({ "label": label });
                audit_platform(tx.conn(), &self.by, "operator.added", &detail).await?;
                tx.commit().await?;
                Ok(Secret::new(key))
            }
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                Err(Error::Invalid(format!(
                    "there is or was an operator `{label}`; choose another label"
                )))
            }
            Err(sqlx::Error::Database(error)) if error.is_check_violation() => {
                Err(Error::Invalid("a label has 1 to 100 characters".to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Lets an operator's key open nothing any more; `false` if it was so already, or there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn revoke_operator(&self, label: &str) -> Result<bool, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let revoked = sqlx::query(
            "UPDATE platform.operator_key SET revoked_at = clock_timestamp()
             WHERE label = $1 AND revoked_at IS NULL",
        )
        .bind(label)
        .execute(tx.conn())
        .await?;
        if revoked.rows_affected() == 0 {
            return Ok(false);
        }
        let detail = json!({ "label": label });
        audit_platform(tx.conn(), &self.by, "operator.revoked", &detail).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// All operators' keys, by label.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn operators(&self) -> Result<Vec<OperatorKey>, Error> {
        type Row = (String, jiff_sqlx::Timestamp, Option<jiff_sqlx::Timestamp>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT label, created_at, revoked_at FROM platform.operator_key ORDER BY label",
        )
        .fetch_all(self.tenancy.database.platform())
        .await?;
        let key = |(label, created_at, revoked_at): Row| OperatorKey {
            label,
            created_at: created_at.to_jiff(),
            revoked_at: revoked_at.map(jiff_sqlx::Timestamp::to_jiff),
        };
        Ok(rows.into_iter().map(key).collect())
    }
}
