//! The table `account`.

use berth_access::Role;
use berth_kernel::{Cursor, UserId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use uuid::Uuid;

use super::Result;
use crate::{
    Error,
    model::{Account, Candidate, Pseudonym},
};

/// An account's row, as every query selects it.
pub(super) struct AccountRow {
    pub(super) id: Uuid,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) phone: Option<String>,
    pub(super) locale: String,
    pub(super) role: String,
    pub(super) version: i64,
    pub(super) created_at: jiff_sqlx::Timestamp,
}

impl TryFrom<AccountRow> for Account {
    type Error = Error;

    fn try_from(row: AccountRow) -> Result<Self> {
        let role: Role = row
            .role
            .parse()
            .map_err(|e| sqlx::Error::Decode(Box::new(e)))?;
        Ok(Self {
            id: row.id.into(),
            email: row.email,
            name: row.name,
            phone: row.phone,
            locale: row.locale,
            role,
            version: row.version,
            created_at: row.created_at.to_jiff(),
        })
    }
}

/// Adds an account at version 1.
pub(crate) async fn insert_account(
    tx: &mut TenantTx,
    id: UserId,
    candidate: Candidate,
    role: Role,
    password_hash: &str,
    now: Timestamp,
) -> Result<Account> {
    let account = Account {
        id,
        email: candidate.email,
        name: candidate.name,
        phone: candidate.phone,
        locale: candidate.locale,
        role,
        version: 1,
        created_at: now,
    };
    let inserted = sqlx::query!(
        "INSERT INTO account (id, email, name, phone, locale, role, password_hash, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8)",
        account.id.uuid(),
        account.email,
        account.name,
        account.phone,
        account.locale,
        role.as_str(),
        password_hash,
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .execute(tx.conn())
    .await;
    match inserted {
        Err(sqlx::Error::Database(e)) if e.constraint() == Some("account_email_taken") => {
            Err(Error::EmailTaken)
        }
        Err(error) => Err(error.into()),
        Ok(_) => Ok(account),
    }
}

/// Whether there is an account of that id, whatever became of it.
pub(crate) async fn account_exists(tx: &mut TenantTx, id: UserId) -> Result<bool> {
    let found = sqlx::query_scalar!("SELECT true FROM account WHERE id = $1", id.uuid());
    Ok(found.fetch_optional(tx.conn()).await?.is_some())
}

/// The active account with `email`, and the hash of its password.
pub(crate) async fn account_to_open(
    tx: &mut TenantTx,
    email: &str,
) -> Result<Option<(Account, Option<String>)>> {
    let row = sqlx::query!(
        "SELECT id, email, name, phone, locale, role, version, created_at, password_hash
         FROM account WHERE email = $1 AND status = 'active'",
        email,
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let account = AccountRow {
        id: row.id,
        email: row.email,
        name: row.name,
        phone: row.phone,
        locale: row.locale,
        role: row.role,
        version: row.version,
        created_at: row.created_at,
    };
    Ok(Some((account.try_into()?, row.password_hash)))
}

/// Whether the account is still active under the hash its password was checked against. Holds the
/// row, so that a change of password waits and then ends what is opened meanwhile.
pub(crate) async fn hold_opened(
    tx: &mut TenantTx,
    id: UserId,
    password_hash: &str,
) -> Result<bool> {
    let row = sqlx::query!(
        "SELECT id FROM account WHERE id = $1 AND status = 'active' AND password_hash = $2 FOR SHARE",
        id.uuid(),
        password_hash,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.is_some())
}

/// The active account `id`.
pub(crate) async fn account(tx: &mut TenantTx, id: UserId) -> Result<Option<Account>> {
    sqlx::query_as!(
        AccountRow,
        "SELECT id, email, name, phone, locale, role, version, created_at
         FROM account WHERE id = $1 AND status = 'active'",
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?
    .map(TryInto::try_into)
    .transpose()
}

/// The active account `id`, held until the end of the transaction.
pub(crate) async fn lock_account(tx: &mut TenantTx, id: UserId) -> Result<Option<Account>> {
    sqlx::query_as!(
        AccountRow,
        "SELECT id, email, name, phone, locale, role, version, created_at
         FROM account WHERE id = $1 AND status = 'active' FOR NO KEY UPDATE",
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?
    .map(TryInto::try_into)
    .transpose()
}

/// Holds all active administrators, in one order for all who do, and counts them.
pub(crate) async fn lock_admins(tx: &mut TenantTx) -> Result<usize> {
    let rows = sqlx::query!(
        "SELECT id FROM account WHERE role = 'admin' AND status = 'active' ORDER BY id FOR NO KEY UPDATE"
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.len())
}

/// Writes a locked account's profile with its raised version.
pub(crate) async fn save_profile(
    tx: &mut TenantTx,
    account: &Account,
    now: Timestamp,
) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE account SET name = $2, phone = $3, locale = $4, version = $5, updated_at = $6
         WHERE id = $1 AND version + 1 = $5",
        account.id.uuid(),
        account.name,
        account.phone,
        account.locale,
        account.version,
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::VersionConflict)
    }
}

/// Puts `pseudonym` in a locked account's place.
pub(crate) async fn pseudonymise(
    tx: &mut TenantTx,
    id: UserId,
    pseudonym: &Pseudonym,
    version: i64,
    now: Timestamp,
) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE account SET email = $2, name = $3, phone = NULL, password_hash = NULL,
           status = 'deleted', version = $4, updated_at = $5
         WHERE id = $1 AND version + 1 = $4",
        id.uuid(),
        pseudonym.email,
        pseudonym.name,
        version,
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::VersionConflict)
    }
}

/// The hash of an active account's password.
pub(crate) async fn password_hash(tx: &mut TenantTx, id: UserId) -> Result<Option<String>> {
    let row = sqlx::query!(
        "SELECT password_hash FROM account WHERE id = $1 AND status = 'active'",
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.and_then(|row| row.password_hash))
}

/// Replaces the password if it still is the one that was checked.
pub(crate) async fn replace_password(
    tx: &mut TenantTx,
    id: UserId,
    (old, new): (&str, &str),
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE account SET password_hash = $3, updated_at = $4
         WHERE id = $1 AND status = 'active' AND password_hash = $2",
        id.uuid(),
        old,
        new,
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Up to `limit` accounts that are not deleted, newest first, from `after` on.
pub(crate) async fn accounts(
    tx: &mut TenantTx,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Account>> {
    let at = after.map(|cursor| jiff_sqlx::Timestamp::from(cursor.at));
    let rows = sqlx::query_as!(
        AccountRow,
        "SELECT id, email, name, phone, locale, role, version, created_at
         FROM account
         WHERE status <> 'deleted'
           AND ($1::timestamptz IS NULL OR (created_at, id) < ($1, $2::uuid))
         ORDER BY created_at DESC, id DESC LIMIT $3",
        at as _,
        after.map(|cursor| cursor.id),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}
