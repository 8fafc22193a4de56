//! What bookings take: releasing it, making it certain, taking it again, moving it.

use berth_kernel::{BlockId, BookingId, ResourceId, SessionId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use uuid::Uuid;

use super::{buckets, columns, is_taken};
use crate::{
    Error,
    decide::Unit,
    model::{
        Booking,
        schedule::{self, Busy},
    },
};

/// Gives back everything a booking takes.
pub(crate) async fn release(tx: &mut TenantTx, booking: &Booking) -> Result<(), Error> {
    if booking.pool_id.is_some() {
        return buckets::release(tx, booking.id.uuid()).await;
    }
    sqlx::query!(
        "WITH seats AS (
             UPDATE session_claim c SET state = 'released' FROM session_claim old
             WHERE c.booking_id = $1 AND old.booking_id = c.booking_id
               AND old.state IN ('held', 'confirmed')
               AND old.session_id = c.session_id
             RETURNING c.session_id, c.quantity, old.state AS was
         ), locked AS MATERIALIZED (
             SELECT s.id FROM session s JOIN seats ON s.id = seats.session_id ORDER BY s.id FOR UPDATE OF s
         ), counted AS (
             UPDATE session s SET held = held - CASE WHEN seats.was = 'held' THEN quantity ELSE 0 END,
                                  sold = sold - CASE WHEN seats.was = 'held' THEN 0 ELSE quantity END
             FROM seats, locked WHERE s.id = seats.session_id AND s.id = locked.id
         ), numbered AS (
             UPDATE session_seat SET state = 'released' WHERE booking_id = $1 AND state IN ('held', 'confirmed')
         )
         UPDATE claim SET state = 'released'
         WHERE holder_id = $1 AND state IN ('held', 'confirmed')",
        booking.id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Makes what a booking holds certain.
pub(crate) async fn confirm(tx: &mut TenantTx, booking: &Booking) -> Result<(), Error> {
    if booking.pool_id.is_some() {
        return buckets::confirm(tx, booking.id).await;
    }
    sqlx::query!(
        "WITH seats AS (
             UPDATE session_claim SET state = 'confirmed' WHERE booking_id = $1 AND state = 'held'
             RETURNING session_id, quantity
         ), locked AS MATERIALIZED (
             SELECT s.id FROM session s JOIN seats ON s.id = seats.session_id ORDER BY s.id FOR UPDATE OF s
         ), counted AS (
             UPDATE session s SET held = held - quantity, sold = sold + quantity
             FROM seats, locked WHERE s.id = seats.session_id AND s.id = locked.id
         ), numbered AS (
             UPDATE session_seat SET state = 'confirmed' WHERE booking_id = $1 AND state = 'held'
         )
         UPDATE claim SET state = 'confirmed' WHERE holder_id = $1 AND state = 'held'",
        booking.id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Tries to take again, for certain, what a booking had and lost; whether it could. When it could
/// not the rows are as before, thanks to a savepoint. Of a pool so many are there now.
pub(crate) async fn retake(
    tx: &mut TenantTx,
    booking: &Booking,
    capacity: i32,
) -> Result<bool, Error> {
    sqlx::query("SAVEPOINT retake").execute(tx.conn()).await?;
    let retaken = match booking.pool_id {
        Some(_) => buckets::retake(tx, booking.id, capacity).await,
        None => retake_units(tx, booking.id).await,
    };
    match retaken {
        Ok(true) => return Ok(true),
        Ok(false) => {}
        Err(error) if is_taken(&error) => {}
        Err(error) => return Err(error.into()),
    }
    sqlx::query("ROLLBACK TO SAVEPOINT retake")
        .execute(tx.conn())
        .await?;
    Ok(false)
}

async fn retake_units(tx: &mut TenantTx, booking: BookingId) -> Result<bool, sqlx::Error> {
    let retaken = sqlx::query!(
        r#"WITH lock AS MATERIALIZED (
               SELECT claim_lock(ARRAY(SELECT resource_id FROM claim WHERE holder_id = $1
                                       ORDER BY resource_id)) AS held
           ), locked AS MATERIALIZED (
               SELECT s.id, c.quantity FROM session_claim c JOIN session s ON s.id = c.session_id
               WHERE c.booking_id = $1 AND c.state = 'released' AND s.status = 'open'
                 AND NOT EXISTS (SELECT FROM session_group g WHERE g.id = s.group_id AND g.status <> 'open')
               ORDER BY s.id FOR UPDATE OF s
           ), counted AS (
               UPDATE session s SET sold = sold + locked.quantity FROM locked
               WHERE s.id = locked.id AND s.held + s.sold + locked.quantity <= s.capacity
               RETURNING s.id
           ), seated AS (
               UPDATE session_claim c SET state = 'confirmed' FROM counted
               WHERE c.booking_id = $1 AND c.session_id = counted.id
               RETURNING c.booking_id
           ), numbered AS (
               -- Whoever has one of them by now is in the way of it: the index refuses the statement.
               UPDATE session_seat n SET state = 'confirmed' FROM counted
               WHERE n.booking_id = $1 AND n.session_id = counted.id
           ), claimed AS (
               UPDATE claim c SET state = 'confirmed' FROM lock
               WHERE c.holder_id = $1 AND c.state = 'released'
                 AND NOT EXISTS (SELECT FROM external_busy x
                                 WHERE x.resource_id = c.resource_id AND x.starts_at > c.starts_at - interval '7 days'
                                   AND x.starts_at < c.ends_at AND x.ends_at > c.starts_at)
               RETURNING c.holder_id
           )
           -- The rest of the statement sees them as they were before it.
           SELECT (SELECT count(*) FROM seated) + (SELECT count(*) FROM claimed)
                  - (SELECT count(*) FROM session_claim WHERE booking_id = $1 AND state = 'released')
                  - (SELECT count(*) FROM claim WHERE holder_id = $1 AND state = 'released') AS "missing!",
                  (SELECT count(*) FROM seated) + (SELECT count(*) FROM claimed) > 0 AS "some!""#,
        booking.uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(retaken.some && retaken.missing == 0)
}

/// What has claims.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holder {
    Booking(BookingId),
    Session(SessionId),
    Block(BlockId),
}

impl Holder {
    pub(super) fn columns(self) -> (Uuid, &'static str) {
        match self {
            Self::Booking(id) => (id.uuid(), "booking"),
            Self::Session(id) => (id.uuid(), "session"),
            Self::Block(id) => (id.uuid(), "block"),
        }
    }
}

/// Gives back the resources `holder` takes and takes `units` instead; whether they were free. The
/// transaction is of no more use when they were not. A block may also be made of who is busy elsewhere.
pub(crate) async fn move_claims(
    tx: &mut TenantTx,
    holder: Holder,
    certain: bool,
    units: &[Unit],
) -> Result<bool, Error> {
    let (resources, starts, ends) = columns(units);
    let (id, holder) = holder.columns();
    let moved = sqlx::query!(
        "WITH lock AS MATERIALIZED (
             SELECT claim_lock(ARRAY(SELECT r FROM (
                 SELECT resource_id AS r FROM claim WHERE holder_id = $1 UNION SELECT unnest($2::uuid[])) both_
                 ORDER BY r)) AS held
         ), left_ AS (
             DELETE FROM claim USING lock
             WHERE holder_id = $1 AND state IN ('held', 'confirmed')
             RETURNING true
         )
         INSERT INTO claim (holder_id, holder, resource_id, starts_at, ends_at, state)
         SELECT $1, $5, u.resource_id, u.starts_at, u.ends_at, CASE WHEN $6 THEN 'confirmed' ELSE 'held' END
         -- Counted, so that they are gone before others come.
         FROM lock, (SELECT count(*) FROM left_) AS gone,
              unnest($2, $3::timestamptz[], $4::timestamptz[]) AS u (resource_id, starts_at, ends_at)
         WHERE $5 = 'block'
            OR NOT EXISTS (SELECT FROM external_busy x
                           WHERE x.resource_id = u.resource_id AND x.starts_at > u.starts_at - interval '7 days'
                             AND x.starts_at < u.ends_at AND x.ends_at > u.starts_at)",
        id,
        &resources,
        &starts as _,
        &ends as _,
        holder,
        certain,
    )
    .execute(tx.conn())
    .await;
    match moved {
        Ok(done) => Ok(usize::try_from(done.rows_affected()) == Ok(units.len())),
        Err(error) if is_taken(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What is taken of some resources.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// The catalog's version as of this look.
    pub(crate) version: i64,
    /// By what is booked, held or blocked here: sorted, and no two of a resource overlap.
    pub(crate) here: Vec<Busy>,
    /// By what calendars outside say: sorted.
    pub(crate) elsewhere: Vec<Busy>,
}

impl Taken {
    /// Both, as [`crate::model::schedule::starts`] wants it.
    pub(crate) fn into_busy(self) -> Vec<Busy> {
        schedule::united(self.here, self.elsewhere)
    }
}

/// The taken stretches of `resources` that touch the range, and the catalog's version, in one
/// round trip.
///
/// There may be tens of thousands: they are read from an index by their starts and travel as three
/// arrays of plain numbers, which costs the database a third of what ranges would. Of a resource's
/// stretches, which never overlap, only the last that began before the range can reach into it.
pub(crate) async fn busy(
    tx: &mut TenantTx,
    resources: &[ResourceId],
    range: (Timestamp, Timestamp),
) -> Result<Taken, Error> {
    let ids: Vec<Uuid> = resources.iter().map(|id| id.uuid()).collect();
    let row = sqlx::query!(
        r#"SELECT v.version, coalesce(b.who, '{}') AS "who!",
                  coalesce(b.starts, '{}') AS "starts!: Vec<jiff_sqlx::Timestamp>",
                  coalesce(b.ends, '{}') AS "ends!: Vec<jiff_sqlx::Timestamp>",
                  coalesce(e.who, '{}') AS "elsewhere!",
                  coalesce(e.starts, '{}') AS "elsewhere_starts!: Vec<jiff_sqlx::Timestamp>",
                  coalesce(e.ends, '{}') AS "elsewhere_ends!: Vec<jiff_sqlx::Timestamp>"
           FROM catalog_version v
           LEFT JOIN LATERAL (
               SELECT array_agg((r.n - 1)::int) AS who, array_agg(c.starts_at) AS starts,
                      array_agg(c.ends_at) AS ends
               FROM unnest($1::uuid[]) WITH ORDINALITY AS r (id, n)
               CROSS JOIN LATERAL (
                   (SELECT starts_at, ends_at FROM claim
                    WHERE resource_id = r.id AND starts_at < $2 AND state IN ('held', 'confirmed')
                    ORDER BY starts_at DESC LIMIT 1)
                   UNION ALL
                   SELECT starts_at, ends_at FROM claim
                   WHERE resource_id = r.id AND starts_at >= $2 AND starts_at < $3
                     AND state IN ('held', 'confirmed')
               ) c
           ) b ON true
           LEFT JOIN LATERAL (
               SELECT array_agg((r.n - 1)::int) AS who, array_agg(x.starts_at) AS starts,
                      array_agg(x.ends_at) AS ends
               FROM unnest($1::uuid[]) WITH ORDINALITY AS r (id, n)
               JOIN external_busy x ON x.resource_id = r.id AND x.starts_at > $2 - interval '7 days'
                                   AND x.starts_at < $3 AND x.ends_at > $2
           ) e ON true"#,
        &ids,
        jiff_sqlx::Timestamp::from(range.0) as _,
        jiff_sqlx::Timestamp::from(range.1) as _,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Taken {
        version: row.version,
        here: stretches(row.who, row.starts, row.ends),
        elsewhere: stretches(row.elsewhere, row.elsewhere_starts, row.elsewhere_ends),
    })
}

/// Three columns as stretches, sorted.
fn stretches(
    who: Vec<i32>,
    starts: Vec<jiff_sqlx::Timestamp>,
    ends: Vec<jiff_sqlx::Timestamp>,
) -> Vec<Busy> {
    let second = |at: jiff_sqlx::Timestamp| at.to_jiff().as_second();
    let each = who.into_iter().zip(starts).zip(ends);
    let mut busy: Vec<Busy> = each
        .map(|((who, starts), ends)| {
            let who = usize::try_from(who).unwrap_or(0);
            (who, second(starts), second(ends))
        })
        .collect();
    busy.sort_unstable();
    busy
}
