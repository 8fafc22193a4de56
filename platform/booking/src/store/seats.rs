//! Rows of numbered seats.

use std::collections::HashSet;

use berth_kernel::SessionId;
use berth_tenancy::TenantTx;

use super::is_taken;
use crate::{Error, model::Booking};

/// Which seats of a session are taken.
pub(crate) async fn taken_seats(
    tx: &mut TenantTx,
    session: SessionId,
) -> Result<HashSet<i32>, Error> {
    let taken = sqlx::query_scalar!(
        r#"SELECT coalesce(array_agg(seat_id), '{}') AS "taken!"
           FROM session_seat WHERE session_id = $1 AND state IN ('held', 'confirmed')"#,
        session.uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(taken.into_iter().collect())
}

/// Leaves the seats a booking had for those it names, of a session whose places it has; whether they were free.
/// The transaction is of no more use when they were not. Nothing happens to a booking without seats.
pub(crate) async fn move_seats(
    tx: &mut TenantTx,
    booking: &Booking,
    session: SessionId,
) -> Result<bool, Error> {
    if booking.seats.is_empty() {
        return Ok(true);
    }
    let seats: Vec<i32> = booking.seats.iter().map(|seat| seat.seat_id).collect();
    // Who moves within a session waits here for whoever takes seats of it.
    sqlx::query!(
        "SELECT FROM session WHERE id = $1 FOR UPDATE",
        session.uuid()
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "DELETE FROM session_seat WHERE booking_id = $1",
        booking.id.uuid()
    )
    .execute(tx.conn())
    .await?;
    let moved = sqlx::query!(
        "INSERT INTO session_seat (booking_id, session_id, seat_id, state)
         SELECT c.booking_id, c.session_id, seat, c.state
         FROM session_claim c, unnest($3::integer[]) AS seat
         WHERE c.booking_id = $1 AND c.session_id = $2 AND c.state IN ('held', 'confirmed')",
        booking.id.uuid(),
        session.uuid(),
        &seats,
    )
    .execute(tx.conn())
    .await;
    match moved {
        Ok(moved) => Ok(usize::try_from(moved.rows_affected()) == Ok(seats.len())),
        Err(error) if is_taken(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
