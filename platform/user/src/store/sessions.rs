//! The tables `login_session`, `refresh_token` and `platform.revoked_session`.

use berth_access::TOKEN_LIFETIME;
use berth_kernel::{SessionTokenId, UserId};
use berth_tenancy::{PlatformTx, TenantTx};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Result, accounts::AccountRow};
use crate::{
    Error,
    model::{Account, LoginSession, PORTAL_IDLE, SessionKind},
};

/// How long what is over is kept, for looking into what happened.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A session about to begin.
pub(crate) struct NewSession<'a> {
    pub(crate) account: UserId,
    pub(crate) kind: SessionKind,
    /// Of a portal's cookie.
    pub(crate) token_hash: Option<&'a [u8; 32]>,
    pub(crate) user_agent: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Begins a session, and forgets the account's long past ones.
pub(crate) async fn open_session(tx: &mut TenantTx, new: NewSession<'_>) -> Result<SessionTokenId> {
    let past = new.now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
    sqlx::query!(
        "DELETE FROM login_session WHERE account_id = $1 AND (expires_at < $2 OR ended_at < $2)",
        new.account.uuid(),
        jiff_sqlx::Timestamp::from(past) as _,
    )
    .execute(tx.conn())
    .await?;
    let id = SessionTokenId::new();
    sqlx::query!(
        "INSERT INTO login_session
           (id, account_id, kind, token_hash, user_agent, created_at, last_used_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7)",
        id.uuid(),
        new.account.uuid(),
        new.kind.as_str(),
        new.token_hash.map(<[u8; 32]>::as_slice),
        new.user_agent,
        jiff_sqlx::Timestamp::from(new.now) as _,
        jiff_sqlx::Timestamp::from(new.expires_at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(id)
}

/// Adds a refresh token to a session.
pub(crate) async fn add_refresh_token(
    tx: &mut TenantTx,
    session: SessionTokenId,
    hash: &[u8; 32],
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO refresh_token (token_hash, session_id) VALUES ($1, $2)",
        hash.as_slice(),
        session.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A session that was not ended, of an active account.
pub(crate) struct OpenSession {
    pub(crate) session: SessionTokenId,
    pub(crate) opened_at: Timestamp,
    pub(crate) last_used_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) account: Account,
}

/// A session's and its account's row, as both look-ups by token select it.
struct OpenRow {
    session_id: Uuid,
    opened_at: jiff_sqlx::Timestamp,
    last_used_at: jiff_sqlx::Timestamp,
    expires_at: jiff_sqlx::Timestamp,
    id: Uuid,
    email: String,
    name: String,
    phone: Option<String>,
    locale: String,
    role: String,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
}

impl TryFrom<OpenRow> for OpenSession {
    type Error = Error;

    fn try_from(row: OpenRow) -> Result<Self> {
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
        Ok(Self {
            session: row.session_id.into(),
            opened_at: row.opened_at.to_jiff(),
            last_used_at: row.last_used_at.to_jiff(),
            expires_at: row.expires_at.to_jiff(),
            account: account.try_into()?,
        })
    }
}

/// The session a refresh token belongs to, held until the end of the transaction: of two who show
/// its tokens at once, the second sees what the first did.
pub(crate) async fn lock_refreshable(
    tx: &mut TenantTx,
    hash: &[u8; 32],
) -> Result<Option<OpenSession>> {
    sqlx::query_as!(
        OpenRow,
        "SELECT s.id AS session_id, s.created_at AS opened_at, s.last_used_at, s.expires_at,
                a.id, a.email, a.name, a.phone, a.locale, a.role, a.version, a.created_at
         FROM login_session s JOIN account a ON a.id = s.account_id
         WHERE s.id = (SELECT session_id FROM refresh_token WHERE token_hash = $1)
           AND s.ended_at IS NULL AND a.status = 'active'
         FOR UPDATE OF s",
        hash.as_slice(),
    )
    .fetch_optional(tx.conn())
    .await?
    .map(TryInto::try_into)
    .transpose()
}

/// The session a portal's cookie stands for.
pub(crate) async fn portal_session(
    tx: &mut TenantTx,
    hash: &[u8; 32],
) -> Result<Option<OpenSession>> {
    sqlx::query_as!(
        OpenRow,
        "SELECT s.id AS session_id, s.created_at AS opened_at, s.last_used_at, s.expires_at,
                a.id, a.email, a.name, a.phone, a.locale, a.role, a.version, a.created_at
         FROM login_session s JOIN account a ON a.id = s.account_id
         WHERE s.token_hash = $1 AND s.ended_at IS NULL AND a.status = 'active'",
        hash.as_slice(),
    )
    .fetch_optional(tx.conn())
    .await?
    .map(TryInto::try_into)
    .transpose()
}

/// When a refresh token was replaced, if it was. Read after its session is held.
pub(crate) async fn replaced_at(tx: &mut TenantTx, hash: &[u8; 32]) -> Result<Option<Timestamp>> {
    let row = sqlx::query!(
        "SELECT replaced_at FROM refresh_token WHERE token_hash = $1",
        hash.as_slice(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.replaced_at.map(|at| at.to_jiff()))
}

/// Replaces all of a held session's good tokens, as one of them is used.
pub(crate) async fn replace_refresh_tokens(
    tx: &mut TenantTx,
    session: SessionTokenId,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "UPDATE refresh_token SET replaced_at = $2 WHERE session_id = $1 AND replaced_at IS NULL",
        session.uuid(),
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Notes that a held session was used, and how long it lasts by that.
pub(crate) async fn prolong(
    tx: &mut TenantTx,
    session: SessionTokenId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "UPDATE login_session SET last_used_at = $2, expires_at = $3 WHERE id = $1",
        session.uuid(),
        jiff_sqlx::Timestamp::from(now) as _,
        jiff_sqlx::Timestamp::from(expires_at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends a living session, `owner`'s if one is named; its refresh tokens go with it, and other
/// processes are told. Whether there was one.
pub(crate) async fn end_session(
    tx: &mut TenantTx,
    session: SessionTokenId,
    owner: Option<UserId>,
    now: Timestamp,
) -> Result<bool> {
    let ended = sqlx::query!(
        r#"WITH ended AS (
             UPDATE login_session SET ended_at = $3
             WHERE id = $1 AND ($2::uuid IS NULL OR account_id = $2) AND ended_at IS NULL
             RETURNING id
           ), gone AS (
             DELETE FROM refresh_token WHERE session_id IN (SELECT id FROM ended)
           ), told AS (
             INSERT INTO platform.revoked_session (session_id) SELECT id FROM ended
           )
           SELECT count(*) AS "count!" FROM ended"#,
        session.uuid(),
        owner.map(UserId::uuid),
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(ended.count == 1)
}

/// Ends all of an account's living sessions but `kept`; which they were.
pub(crate) async fn end_sessions(
    tx: &mut TenantTx,
    account: UserId,
    kept: Option<SessionTokenId>,
    now: Timestamp,
) -> Result<Vec<SessionTokenId>> {
    let ended = sqlx::query_scalar!(
        r#"WITH ended AS (
             UPDATE login_session SET ended_at = $3
             WHERE account_id = $1 AND ended_at IS NULL AND id IS DISTINCT FROM $2::uuid
             RETURNING id
           ), gone AS (
             DELETE FROM refresh_token WHERE session_id IN (SELECT id FROM ended)
           ), told AS (
             INSERT INTO platform.revoked_session (session_id) SELECT id FROM ended
           )
           SELECT id FROM ended"#,
        account.uuid(),
        kept.map(SessionTokenId::uuid),
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ended.into_iter().map(SessionTokenId::from).collect())
}

/// Forgets what a deleted account's devices said they are.
pub(crate) async fn forget_devices(tx: &mut TenantTx, account: UserId) -> Result<()> {
    sqlx::query!(
        "UPDATE login_session SET user_agent = '' WHERE account_id = $1",
        account.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// An account's living sessions, the last used first.
pub(crate) async fn live_sessions(
    tx: &mut TenantTx,
    account: UserId,
    current: Option<SessionTokenId>,
    now: Timestamp,
) -> Result<Vec<LoginSession>> {
    let portal_since = now.saturating_sub(PORTAL_IDLE).unwrap_or(Timestamp::MIN);
    let rows = sqlx::query!(
        "SELECT id, kind, user_agent, created_at, last_used_at FROM login_session
         WHERE account_id = $1 AND ended_at IS NULL AND expires_at > $2
           AND (kind = 'api' OR last_used_at > $3)
         ORDER BY last_used_at DESC, id DESC",
        account.uuid(),
        jiff_sqlx::Timestamp::from(now) as _,
        jiff_sqlx::Timestamp::from(portal_since) as _,
    )
    .fetch_all(tx.conn())
    .await?;
    let sessions = rows.into_iter().map(|row| LoginSession {
        id: row.id.into(),
        kind: if row.kind == SessionKind::Portal.as_str() {
            SessionKind::Portal
        } else {
            SessionKind::Api
        },
        user_agent: row.user_agent,
        created_at: row.created_at.to_jiff(),
        last_used_at: row.last_used_at.to_jiff(),
        current: current.is_some_and(|current| current.uuid() == row.id),
    });
    Ok(sessions.collect())
}

/// Notes that a session was used.
pub(crate) async fn touch(
    tx: &mut TenantTx,
    session: SessionTokenId,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "UPDATE login_session SET last_used_at = greatest(last_used_at, $2) WHERE id = $1",
        session.uuid(),
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The channel on which ended sessions are told of, by their id.
pub(crate) const REVOKED: &str = "berth_session_revoked";

/// Sessions that ended while access tokens of theirs may still be good.
pub(crate) async fn revoked(
    tx: &mut PlatformTx,
) -> std::result::Result<Vec<SessionTokenId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "SELECT session_id FROM platform.revoked_session
         WHERE revoked_at > clock_timestamp() - make_interval(secs => $1)",
        TOKEN_LIFETIME.as_secs_f64(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ids.into_iter().map(SessionTokenId::from).collect())
}

/// Forgets revoked sessions whose tokens are over by themselves.
pub(crate) async fn forget_revoked(tx: &mut PlatformTx) -> std::result::Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM platform.revoked_session
         WHERE revoked_at < clock_timestamp() - make_interval(secs => $1)",
        TOKEN_LIFETIME.as_secs_f64() * 2.0,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
