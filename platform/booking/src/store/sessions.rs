//! Sessions: their rows and counters. What is booked together is in `groups`.

use berth_kernel::{BookingId, ProductId, SessionId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use uuid::Uuid;

use super::is_taken;
use crate::{Error, Session, SessionChange};

pub(crate) async fn insert_session(
    tx: &mut TenantTx,
    session: &Session,
    at: Timestamp,
) -> Result<(), Error> {
    let resources: Vec<Uuid> = session.resource_ids.iter().map(|id| id.uuid()).collect();
    sqlx::query!(
        "INSERT INTO session (id, product_id, starts_at, ends_at, resource_ids, capacity, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        session.id.uuid(),
        session.product_id.uuid(),
        jiff_sqlx::Timestamp::from(session.starts_at) as _,
        jiff_sqlx::Timestamp::from(session.ends_at) as _,
        &resources,
        session.capacity,
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A row of `session` as it is read.
struct SessionRow {
    id: Uuid,
    product_id: Uuid,
    starts_at: jiff_sqlx::Timestamp,
    ends_at: jiff_sqlx::Timestamp,
    group_id: Option<Uuid>,
    resource_ids: Vec<Uuid>,
    capacity: i32,
    free: i32,
    status: String,
    version: i64,
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.id.into(),
            product_id: row.product_id.into(),
            starts_at: row.starts_at.to_jiff(),
            ends_at: row.ends_at.to_jiff(),
            group_id: row.group_id.map(Into::into),
            resource_ids: row.resource_ids.into_iter().map(Into::into).collect(),
            capacity: row.capacity,
            free: row.free,
            open: row.status == "open",
            version: row.version,
        }
    }
}

pub(crate) async fn session(tx: &mut TenantTx, id: SessionId) -> Result<Option<Session>, Error> {
    let row = sqlx::query_as!(
        SessionRow,
        r#"SELECT id, product_id, starts_at AS "starts_at: _", ends_at AS "ends_at: _", group_id,
                  resource_ids, capacity,
                  capacity - held - sold AS "free!", status, version
           FROM session WHERE id = $1 AND status <> 'cancelled'"#,
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Into::into))
}

/// Changes a session of that version; `resources` are those it has claims on by now.
pub(crate) async fn change_session(
    tx: &mut TenantTx,
    id: SessionId,
    change: &SessionChange,
    resources: Option<Vec<Uuid>>,
) -> Result<Option<Session>, Error> {
    let status = change.open.map(|open| if open { "open" } else { "closed" });
    let changed = sqlx::query_as!(
        SessionRow,
        r#"UPDATE session SET capacity = coalesce($3, capacity), status = coalesce($4, status),
               resource_ids = coalesce($5, resource_ids), version = version + 1
           WHERE id = $1 AND version = $2 AND status <> 'cancelled'
           RETURNING id, product_id, starts_at AS "starts_at: _", ends_at AS "ends_at: _", group_id,
                  resource_ids, capacity,
                     capacity - held - sold AS "free!", status, version"#,
        id.uuid(),
        change.version,
        change.capacity,
        status,
        resources.as_deref(),
    )
    .fetch_optional(tx.conn())
    .await;
    match changed {
        Ok(row) => Ok(row.map(Into::into)),
        Err(error) if is_taken(&error) => {
            let detail = "More places than that are held or sold.";
            Err(Error::invalid("capacity", "BELOW_TAKEN", detail))
        }
        Err(error) => Err(error.into()),
    }
}

/// Calls a session of that version off that nobody has a place of, and gives back what it takes; whether it
/// could. The version says that what it takes is what this statement sees.
pub(crate) async fn cancel_session(
    tx: &mut TenantTx,
    id: SessionId,
    version: i64,
) -> Result<bool, Error> {
    let cancelled = sqlx::query_scalar!(
        r#"WITH locked AS MATERIALIZED (
               -- Claims before the session's row: see the order of locks.
               SELECT FROM claim WHERE holder_id = $1 ORDER BY resource_id FOR UPDATE
           ), cancelled AS (
               UPDATE session SET status = 'cancelled', version = version + 1
               WHERE id = $1 AND version = $2 AND held + sold = 0 AND status <> 'cancelled'
                 AND (SELECT count(*) FROM locked) >= 0
               RETURNING id
           ), unclaimed AS (
               DELETE FROM claim USING cancelled WHERE holder_id = cancelled.id
           )
           SELECT count(*) AS "cancelled!" FROM cancelled"#,
        id.uuid(),
        version,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(cancelled == 1)
}

/// Sessions of a product that start in `[from, to)`, in order.
pub(crate) async fn sessions(
    tx: &mut TenantTx,
    product: ProductId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Session>, Error> {
    let rows = sqlx::query_as!(
        SessionRow,
        r#"SELECT id, product_id, starts_at AS "starts_at: _", ends_at AS "ends_at: _", group_id,
                  resource_ids, capacity,
                  capacity - held - sold AS "free!", status, version
           FROM session WHERE product_id = $1 AND starts_at >= $2 AND starts_at < $3 AND status <> 'cancelled'
           ORDER BY starts_at, id LIMIT 2000"#,
        product.uuid(),
        jiff_sqlx::Timestamp::from(from) as _,
        jiff_sqlx::Timestamp::from(to) as _,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Moves a booking's places to other sessions, each of which must be open and have room; whether they all
/// were. The rows are locked in the order of their ids. The transaction is of no more use when they were not.
pub(crate) async fn move_places(
    tx: &mut TenantTx,
    booking: BookingId,
    to: &[SessionId],
) -> Result<bool, Error> {
    if to.is_empty() {
        return Ok(false);
    }
    let to: Vec<Uuid> = to.iter().map(|id| id.uuid()).collect();
    sqlx::query!(
        "SELECT s.id FROM session s
         WHERE s.id = ANY($2 || ARRAY(SELECT session_id FROM session_claim WHERE booking_id = $1))
         ORDER BY s.id FOR UPDATE",
        booking.uuid(),
        &to,
    )
    .fetch_all(tx.conn())
    .await?;
    let moved = sqlx::query_scalar!(
        r#"WITH mine AS (
               DELETE FROM session_claim WHERE booking_id = $1 AND state IN ('held', 'confirmed')
               RETURNING session_id, quantity, state
           ), had AS MATERIALIZED (
               SELECT quantity, state FROM mine LIMIT 1
           ), change AS (
               SELECT session_id AS id, -quantity AS places, state FROM mine
               UNION ALL
               SELECT id, quantity, state FROM had, unnest($2::uuid[]) AS id
           ), counted AS (
               UPDATE session s SET held = held + CASE WHEN change.state = 'held' THEN places ELSE 0 END,
                                    sold = sold + CASE WHEN change.state = 'held' THEN 0 ELSE places END
               FROM change
               WHERE s.id = change.id
                 AND (places < 0 OR s.status = 'open' AND s.held + s.sold + places <= s.capacity)
               RETURNING places
           ), claimed AS (
               INSERT INTO session_claim (booking_id, session_id, quantity, state)
               SELECT $1, id, quantity, state FROM had, unnest($2) AS id
           )
           SELECT count(*) FILTER (WHERE places > 0) AS "moved!" FROM counted"#,
        booking.uuid(),
        &to,
    )
    .fetch_one(tx.conn())
    .await;
    match moved {
        Ok(moved) => Ok(usize::try_from(moved) == Ok(to.len())),
        Err(error) if is_taken(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
