//! Nights of pools: what is taken of them and by whom, giving them back, making them certain, taking others.
//!
//! Rows of a pool are locked in the order of their nights, by whatever statement.

use std::collections::HashMap;

use berth_catalog::PooledNights;
use berth_kernel::{BlockId, BookingId, PoolId};
use berth_tenancy::TenantTx;
use jiff::civil::{Date, DateTime};
use uuid::Uuid;

use super::{blocks::TakerRow, is_taken};
use crate::{
    Error, Taker,
    model::nights::{self, Stay},
};

/// How many of a pool are taken in the nights `from .. to` that have ever been booked, and the catalog's
/// version, in one round trip.
pub(crate) async fn taken(
    tx: &mut TenantTx,
    pool: PoolId,
    (from, to): (Date, Date),
) -> Result<(i64, HashMap<Date, i32>), Error> {
    // The database's calendar begins later than ours.
    let from = from.max(Date::constant(1, 1, 1));
    let row = sqlx::query!(
        r#"SELECT v.version, coalesce(b.nights, '{}') AS "nights!: Vec<jiff_sqlx::DateTime>",
                  coalesce(b.taken, '{}') AS "taken!"
           FROM catalog_version v
           LEFT JOIN LATERAL (
               SELECT array_agg(at) AS nights, array_agg(held + sold) AS taken
               FROM bucket WHERE pool_id = $1 AND at >= $2 AND at < $3
           ) b ON true"#,
        pool.uuid(),
        jiff_sqlx::DateTime::from(nights::bucket(from)) as _,
        jiff_sqlx::DateTime::from(nights::bucket(to)) as _,
    )
    .fetch_one(tx.conn())
    .await?;
    let nights = row.nights.into_iter().map(|at| at.to_jiff().date());
    Ok((row.version, nights.zip(row.taken).collect()))
}

/// Gives back the nights of what has them.
pub(super) async fn release(tx: &mut TenantTx, holder: Uuid) -> Result<(), Error> {
    sqlx::query!(
        "WITH mine AS (
             UPDATE bucket_claim c SET state = 'released' FROM bucket_claim old
             WHERE c.holder_id = $1 AND old.holder_id = c.holder_id
               AND old.state IN ('held', 'confirmed')
             RETURNING c.pool_id, c.from_at, c.to_at, c.quantity, old.state AS was
         ), locked AS MATERIALIZED (
             SELECT b.at FROM bucket b
             JOIN mine ON b.pool_id = mine.pool_id AND b.at >= mine.from_at AND b.at < mine.to_at
             ORDER BY b.at FOR UPDATE OF b
         )
         UPDATE bucket b SET held = held - CASE WHEN mine.was = 'held' THEN quantity ELSE 0 END,
                             sold = sold - CASE WHEN mine.was = 'held' THEN 0 ELSE quantity END
         FROM mine, locked WHERE b.pool_id = mine.pool_id AND b.at = locked.at",
        holder,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes one of a pool for the nights `from .. to`, for a block, if the catalog is still what it was; whether
/// it is, and they were free. The transaction is of no more use when not.
pub(crate) async fn block_nights(
    tx: &mut TenantTx,
    block: BlockId,
    pooled: &PooledNights,
    (from, to): (Date, Date),
    catalog_version: i64,
) -> Result<bool, Error> {
    let stay = Stay {
        arrival: from,
        departure: to,
    };
    let nights: Vec<jiff_sqlx::DateTime> = stay.buckets().map(Into::into).collect();
    let taken = sqlx::query_scalar!(
        r#"WITH counted AS (
               INSERT INTO bucket (pool_id, at, capacity, held, sold)
               SELECT $2, night, $3, 0, 1 FROM catalog_version v, unnest($4::timestamp[]) AS night
               WHERE v.version = $7 AND $3 > 0 ORDER BY night
               ON CONFLICT (pool_id, at) DO UPDATE SET capacity = excluded.capacity, sold = bucket.sold + 1
               WHERE bucket.held + bucket.sold < excluded.capacity
               RETURNING true
           ), claimed AS (
               INSERT INTO bucket_claim (holder_id, holder, pool_id, from_at, to_at, quantity, state)
               VALUES ($1, 'block', $2, $5, $6, 1, 'confirmed')
           )
           SELECT count(*) AS "taken!" FROM counted"#,
        block.uuid(),
        pooled.pool.uuid(),
        pooled.capacity,
        &nights as _,
        jiff_sqlx::DateTime::from(nights::bucket(from)) as _,
        jiff_sqlx::DateTime::from(nights::bucket(to)) as _,
        catalog_version,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(usize::try_from(taken) == Ok(nights.len()))
}

/// Who has nights of a pool in `from .. to`, the first ten by their arrival.
pub(crate) async fn night_takers(
    tx: &mut TenantTx,
    pool: PoolId,
    (from, to): (Date, Date),
) -> Result<Vec<Taker>, Error> {
    let rows = sqlx::query_as!(
        TakerRow,
        r#"SELECT c.holder, b.reference AS "reference?",
                  coalesce(b.starts_at, k.starts_at) AS "starts_at!: _", coalesce(b.ends_at, k.ends_at) AS "ends_at!: _"
           FROM bucket_claim c
           LEFT JOIN booking b ON b.id = c.holder_id
           LEFT JOIN block k ON k.id = c.holder_id
           WHERE c.pool_id = $1 AND c.from_at < $3 AND c.to_at > $2 AND c.state IN ('held', 'confirmed')
           ORDER BY c.from_at, c.holder_id LIMIT 10"#,
        pool.uuid(),
        jiff_sqlx::DateTime::from(nights::bucket(from)) as _,
        jiff_sqlx::DateTime::from(nights::bucket(to)) as _,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Makes the nights a booking holds certain.
pub(super) async fn confirm(tx: &mut TenantTx, booking: BookingId) -> Result<(), Error> {
    sqlx::query!(
        "WITH mine AS (
             UPDATE bucket_claim SET state = 'confirmed' WHERE holder_id = $1 AND state = 'held'
             RETURNING pool_id, from_at, to_at, quantity
         ), locked AS MATERIALIZED (
             SELECT b.at FROM bucket b
             JOIN mine ON b.pool_id = mine.pool_id AND b.at >= mine.from_at AND b.at < mine.to_at
             ORDER BY b.at FOR UPDATE OF b
         )
         UPDATE bucket b SET held = held - quantity, sold = sold + quantity
         FROM mine, locked WHERE b.pool_id = mine.pool_id AND b.at = locked.at",
        booking.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes again, for certain, the nights a booking had of a pool and lost, if all are free by what the pool
/// has now; whether they were. Some may have been counted when not: what is after it must undo that.
pub(super) async fn retake(
    tx: &mut TenantTx,
    booking: BookingId,
    capacity: i32,
) -> Result<bool, sqlx::Error> {
    let retaken = sqlx::query_scalar!(
        r#"WITH mine AS (
               SELECT pool_id, from_at, to_at, quantity FROM bucket_claim
               WHERE holder_id = $1 AND state = 'released'
           ), locked AS MATERIALIZED (
               SELECT b.at FROM bucket b
               JOIN mine ON b.pool_id = mine.pool_id AND b.at >= mine.from_at AND b.at < mine.to_at
               ORDER BY b.at FOR UPDATE OF b
           ), counted AS (
               UPDATE bucket b SET sold = sold + quantity, capacity = $2
               FROM mine, locked
               WHERE b.pool_id = mine.pool_id AND b.at = locked.at AND held + sold + quantity <= $2
               RETURNING true
           ), claimed AS (
               UPDATE bucket_claim c SET state = 'confirmed' FROM mine
               WHERE c.holder_id = $1
                 AND (SELECT count(*) FROM counted) = mine.to_at::date - mine.from_at::date
               RETURNING true
           )
           SELECT count(*) AS "retaken!" FROM claimed"#,
        booking.uuid(),
        capacity,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(retaken == 1)
}

/// The nights of a booking, as they are taken.
pub(crate) struct NightsTaken {
    pub(crate) pool: PoolId,
    from: DateTime,
    to: DateTime,
    quantity: i32,
    certain: bool,
}

impl NightsTaken {
    /// The same, as days.
    pub(crate) fn stay(&self) -> Stay {
        Stay {
            arrival: self.from.date(),
            departure: self.to.date(),
        }
    }
}

/// The nights a booking takes, held until the transaction ends.
pub(crate) async fn nights_of(
    tx: &mut TenantTx,
    booking: BookingId,
) -> Result<Option<NightsTaken>, Error> {
    let row = sqlx::query!(
        r#"SELECT pool_id, from_at AS "from_at: jiff_sqlx::DateTime", to_at AS "to_at: jiff_sqlx::DateTime",
                  quantity, state
           FROM bucket_claim WHERE holder_id = $1 AND state IN ('held', 'confirmed') FOR UPDATE"#,
        booking.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| NightsTaken {
        pool: row.pool_id.into(),
        from: row.from_at.to_jiff(),
        to: row.to_at.to_jiff(),
        quantity: row.quantity,
        certain: row.state == "confirmed",
    }))
}

/// Takes the nights of `to` instead of those a booking has, of a pool that has `capacity`; whether they
/// were free. The transaction is of no more use when they were not.
pub(crate) async fn move_nights(
    tx: &mut TenantTx,
    booking: BookingId,
    had: &NightsTaken,
    to: Stay,
    capacity: i32,
) -> Result<bool, Error> {
    let mut all: Vec<DateTime> = had.stay().buckets().chain(to.buckets()).collect();
    all.sort_unstable();
    all.dedup();
    let all: Vec<jiff_sqlx::DateTime> = all.into_iter().map(Into::into).collect();
    let moved = sqlx::query!(
        // A night that is new is taken, one that is not kept is given back, and one that is both stays.
        "INSERT INTO bucket (pool_id, at, capacity, held, sold)
         SELECT $1, night, $3, CASE WHEN $5 THEN 0 ELSE $4 END, CASE WHEN $5 THEN $4 ELSE 0 END
         FROM unnest($2::timestamp[]) AS night ORDER BY night
         ON CONFLICT (pool_id, at) DO UPDATE SET
             -- A night it has already stays as it was, also where the pool has fewer by now.
             capacity = CASE WHEN excluded.at >= $8 AND excluded.at < $9 THEN bucket.capacity ELSE excluded.capacity END,
             held = bucket.held + excluded.held * ((excluded.at >= $6 AND excluded.at < $7)::int
                                                   - (excluded.at >= $8 AND excluded.at < $9)::int),
             sold = bucket.sold + excluded.sold * ((excluded.at >= $6 AND excluded.at < $7)::int
                                                   - (excluded.at >= $8 AND excluded.at < $9)::int)
         WHERE (excluded.at >= $8 AND excluded.at < $9) OR bucket.held + bucket.sold + $4 <= $3",
        had.pool.uuid(),
        &all as _,
        capacity,
        had.quantity,
        had.certain,
        jiff_sqlx::DateTime::from(nights::bucket(to.arrival)) as _,
        jiff_sqlx::DateTime::from(nights::bucket(to.departure)) as _,
        jiff_sqlx::DateTime::from(had.from) as _,
        jiff_sqlx::DateTime::from(had.to) as _,
    )
    .execute(tx.conn())
    .await;
    match moved {
        Ok(done) if usize::try_from(done.rows_affected()) == Ok(all.len()) => {}
        Ok(_) => return Ok(false),
        Err(error) if is_taken(&error) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    sqlx::query!(
        "UPDATE bucket_claim SET from_at = $2, to_at = $3 WHERE holder_id = $1",
        booking.uuid(),
        jiff_sqlx::DateTime::from(nights::bucket(to.arrival)) as _,
        jiff_sqlx::DateTime::from(nights::bucket(to.departure)) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(true)
}
