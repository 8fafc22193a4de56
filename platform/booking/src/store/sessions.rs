//! Sessions: their rows and counters.

use berth_kernel::{BookingId, ProductId, SessionId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;

use super::is_taken;
use crate::{Error, Session};

pub(crate) async fn insert_session(
    tx: &mut TenantTx,
    session: &Session,
    at: Timestamp,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO session (id, product_id, starts_at, ends_at, capacity, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        session.id.uuid(),
        session.product_id.uuid(),
        jiff_sqlx::Timestamp::from(session.starts_at) as _,
        jiff_sqlx::Timestamp::from(session.ends_at) as _,
        session.capacity,
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Sessions of a product that start in `[from, to)`, in order.
pub(crate) async fn sessions(
    tx: &mut TenantTx,
    product: ProductId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Session>, Error> {
    let rows = sqlx::query!(
        r#"SELECT id, starts_at, ends_at, capacity, capacity - held - sold AS "free!", status
           FROM session WHERE product_id = $1 AND starts_at >= $2 AND starts_at < $3
           ORDER BY starts_at, id LIMIT 2000"#,
        product.uuid(),
        jiff_sqlx::Timestamp::from(from) as _,
        jiff_sqlx::Timestamp::from(to) as _,
    )
    .fetch_all(tx.conn())
    .await?;
    let session = rows.into_iter().map(|row| Session {
        id: row.id.into(),
        product_id: product,
        starts_at: row.starts_at.to_jiff(),
        ends_at: row.ends_at.to_jiff(),
        capacity: row.capacity,
        free: row.free,
        open: row.status == "open",
    });
    Ok(session.collect())
}

/// Moves a booking's places to another session of the same product; whether there was room. Both
/// rows are locked in the order of their ids.
pub(crate) async fn move_places(
    tx: &mut TenantTx,
    booking: BookingId,
    to: SessionId,
) -> Result<bool, Error> {
    sqlx::query!(
        "SELECT s.id FROM session s
         WHERE s.id = $2 OR s.id = (SELECT session_id FROM session_claim WHERE booking_id = $1)
         ORDER BY s.id FOR UPDATE",
        booking.uuid(),
        to.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    let moved = sqlx::query_scalar!(
        r#"WITH mine AS (
               SELECT session_id, quantity, state FROM session_claim
               WHERE booking_id = $1 AND state IN ('held', 'confirmed')
           ), room AS (
               SELECT s.id FROM session s, mine
               WHERE s.id = $2 AND s.id <> mine.session_id AND s.status = 'open'
                 AND s.held + s.sold + mine.quantity <= s.capacity
           ), counted AS (
               UPDATE session s SET
                   held = held + CASE WHEN mine.state = 'held' THEN
                       CASE WHEN s.id = $2 THEN quantity ELSE -quantity END ELSE 0 END,
                   sold = sold + CASE WHEN mine.state = 'confirmed' THEN
                       CASE WHEN s.id = $2 THEN quantity ELSE -quantity END ELSE 0 END
               FROM mine, room WHERE s.id IN ($2, mine.session_id)
           ), moved AS (
               UPDATE session_claim c SET session_id = $2 FROM room WHERE c.booking_id = $1
               RETURNING c.booking_id
           )
           SELECT count(*) AS "moved!" FROM moved"#,
        booking.uuid(),
        to.uuid(),
    )
    .fetch_one(tx.conn())
    .await;
    match moved {
        Ok(moved) => Ok(moved == 1),
        Err(error) if is_taken(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
