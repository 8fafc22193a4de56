//! The same request twice is done once and answered the same: the answer is a row of the
//! transaction that did it.

use berth_kernel::{Kind, Problem};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, TenantTx};

/// A request that may come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Who asks; keys of different askers never meet.
    pub principal: String,
    /// For what, as in `POST /v1/bookings`.
    pub route: &'static str,
    /// The client's key.
    pub key: String,
    /// SHA-256 of the request, so that a key is not used for something else.
    pub request_hash: [u8; 32],
}

impl IdempotencyKey {
    /// What an advisory lock on this key is taken on.
    #[must_use]
    pub fn lock_text(&self) -> String {
        format!("{}\n{}\n{}", self.principal, self.route, self.key)
    }
}

/// What is known of a key.
#[derive(Debug, thiserror::Error)]
pub enum IdempotencyError {
    /// The first request is still being worked on.
    #[error("a request with this idempotency key is still being worked on")]
    InFlight,
    /// The key was used for another request.
    #[error("this idempotency key was used for another request")]
    Mismatch,
    /// The answer could not be read or written.
    #[error(transparent)]
    Database(#[from] Error),
}

impl From<sqlx::Error> for IdempotencyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<IdempotencyError> for Problem {
    fn from(error: IdempotencyError) -> Self {
        match error {
            IdempotencyError::InFlight => Self {
                // The same request a moment later gets the first one's answer.
                retry_after: Some(1),
                ..Self::new(
                    Kind::Conflict,
                    "IDEMPOTENCY_IN_FLIGHT",
                    "The first request with this Idempotency-Key is still being worked on.",
                )
            },
            IdempotencyError::Mismatch => Self::new(
                Kind::Invalid,
                "IDEMPOTENCY_MISMATCH",
                "This Idempotency-Key was already used for a different request.",
            ),
            IdempotencyError::Database(error) => error.into(),
        }
    }
}

/// Takes the key for this transaction, or says what was answered before.
///
/// # Errors
/// [`IdempotencyError`].
pub async fn answered<T: DeserializeOwned>(
    tx: &mut TenantTx,
    key: &IdempotencyKey,
) -> Result<Option<T>, IdempotencyError> {
    // Two statements: what the first request wrote is only seen by a look that began after its lock
    // was free.
    let locked = sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock(hashtextextended(current_user || $1, 1)) AS "locked!""#,
        key.lock_text(),
    )
    .fetch_one(tx.conn())
    .await?;
    let row = sqlx::query!(
        "SELECT body, request_hash FROM idempotency WHERE principal = $1 AND route = $2 AND key = $3",
        key.principal,
        key.route,
        key.key,
    )
    .fetch_optional(tx.conn())
    .await?;
    let hash = row.as_ref().map(|row| row.request_hash.as_slice());
    let body = row.as_ref().map(|row| row.body.as_str());
    judge(key, locked, hash, body)
}

/// What a look-up of `key` means; for stores that look it up in a statement of their own.
///
/// # Errors
/// [`IdempotencyError`].
pub fn judge<T: DeserializeOwned>(
    key: &IdempotencyKey,
    locked: bool,
    request_hash: Option<&[u8]>,
    body: Option<&str>,
) -> Result<Option<T>, IdempotencyError> {
    match (request_hash, body) {
        (Some(hash), _) if hash != key.request_hash => Err(IdempotencyError::Mismatch),
        (Some(_), Some(body)) => {
            let answer = serde_json::from_str(body).map_err(|e| sqlx::Error::Decode(e.into()))?;
            Ok(Some(answer))
        }
        _ if !locked => Err(IdempotencyError::InFlight),
        _ => Ok(None),
    }
}

/// Forgets answers given more than 30 days ago: no client repeats a request that late.
///
/// # Errors
/// What the database says.
pub async fn forget_old(tx: &mut TenantTx) -> Result<u64, Error> {
    let gone = sqlx::query!(
        "DELETE FROM idempotency WHERE created_at < clock_timestamp() - interval '30 days'"
    )
    .execute(tx.conn())
    .await?;
    Ok(gone.rows_affected())
}

/// Keeps `answer` under the key, in the transaction that did the work.
///
/// # Errors
/// What the database says.
pub async fn remember<T: Serialize + Sync>(
    tx: &mut TenantTx,
    key: &IdempotencyKey,
    answer: &T,
) -> Result<(), Error> {
    let body = serde_json::to_string(answer).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query!(
        "INSERT INTO idempotency (principal, route, key, request_hash, body) VALUES ($1, $2, $3, $4, $5)",
        key.principal,
        key.route,
        key.key,
        key.request_hash.as_slice(),
        body,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
