//! Buckets of pools, nights or quarters of an hour: what is taken of them and by whom, giving them back, making
//! them certain, taking others.
//!
//! Rows of a pool are locked in their order, by whatever statement.

use std::collections::HashMap;

use berth_catalog::{Buckets, Pooled};
use berth_kernel::{BlockId, BookingId, PoolId};
use berth_tenancy::TenantTx;
use jiff::civil::{Date, DateTime};
use uuid::Uuid;

use super::{blocks::TakerRow, is_taken};
use crate::{Error, Taker};

/// How many of a pool are taken in those of `buckets` that have ever been booked, and the catalog's version, in
/// one round trip.
pub(crate) async fn taken(
    tx: &mut TenantTx,
    pool: PoolId,
    buckets: &Buckets,
) -> Result<(i64, HashMap<DateTime, i32>), Error> {
    let (from, to) = ends(buckets);
    let row = sqlx::query!(
        r#"SELECT v.version, coalesce(b.names, '{}') AS "names!: Vec<jiff_sqlx::DateTime>",
                  coalesce(b.taken, '{}') AS "taken!"
           FROM catalog_version v
           LEFT JOIN LATERAL (
               SELECT array_agg(at) AS names, array_agg(held + sold) AS taken
               FROM bucket WHERE pool_id = $1 AND at >= $2 AND at < $3
           ) b ON true"#,
        pool.uuid(),
        from as _,
        to as _,
    )
    .fetch_one(tx.conn())
    .await?;
    let names = row.names.into_iter().map(|at| at.to_jiff());
    Ok((row.version, names.zip(row.taken).collect()))
}

/// From where to where they are, as columns say it. The database's calendar begins later than ours.
pub(super) fn ends(buckets: &Buckets) -> (jiff_sqlx::DateTime, jiff_sqlx::DateTime) {
    let first: DateTime = Date::constant(1, 1, 1).into();
    (
        buckets.from().max(first).into(),
        buckets.to().max(first).into(),
    )
}

/// What they are called, as columns say it.
pub(super) fn names(buckets: &Buckets) -> Vec<jiff_sqlx::DateTime> {
    buckets.names().map(Into::into).collect()
}

/// Gives back the buckets of what has them.
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

/// Takes one of a pool for `buckets`, for a block, if the catalog is still what it was; whether it is, and
/// they were free. The transaction is of no more use when not.
pub(crate) async fn block_buckets(
    tx: &mut TenantTx,
    block: BlockId,
    pooled: &Pooled,
    buckets: &Buckets,
    catalog_version: i64,
) -> Result<bool, Error> {
    let (names, (from, to)) = (names(buckets), ends(buckets));
    let taken = sqlx::query_scalar!(
        r#"WITH counted AS (
               INSERT INTO bucket (pool_id, at, capacity, held, sold)
               SELECT $2, name, $3, 0, 1 FROM catalog_version v, unnest($4::timestamp[]) AS name
               WHERE v.version = $7 AND $3 > 0 ORDER BY name
               ON CONFLICT (pool_id, at) DO UPDATE SET capacity = excluded.capacity, sold = bucket.sold + 1
               WHERE bucket.held + bucket.sold < excluded.capacity
               RETURNING true
           ), claimed AS (
               INSERT INTO bucket_claim (holder_id, holder, pool_id, from_at, to_at, buckets, quantity, state)
               VALUES ($1, 'block', $2, $5, $6, cardinality($4), 1, 'confirmed')
           )
           SELECT count(*) AS "taken!" FROM counted"#,
        block.uuid(),
        pooled.pool.uuid(),
        pooled.capacity,
        &names as _,
        from as _,
        to as _,
        catalog_version,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(usize::try_from(taken) == Ok(names.len()))
}

/// Who has some of `buckets` of a pool, the first ten by their beginning.
pub(crate) async fn bucket_takers(
    tx: &mut TenantTx,
    pool: PoolId,
    buckets: &Buckets,
) -> Result<Vec<Taker>, Error> {
    let (from, to) = ends(buckets);
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
        from as _,
        to as _,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Makes the buckets a booking holds certain.
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

/// Takes again, for certain, the buckets a booking had of a pool and lost, if all are free by what the pool
/// has now; whether they were. Some may have been counted when not: what is after it must undo that.
pub(super) async fn retake(
    tx: &mut TenantTx,
    booking: BookingId,
    capacity: i32,
) -> Result<bool, sqlx::Error> {
    let retaken = sqlx::query_scalar!(
        r#"WITH mine AS (
               SELECT pool_id, from_at, to_at, buckets, quantity FROM bucket_claim
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
                 AND (SELECT count(*) FROM counted) = mine.buckets
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

/// The buckets of a booking, as they are taken.
pub(crate) struct BucketsTaken {
    pub(crate) pool: PoolId,
    from: DateTime,
    to: DateTime,
    buckets: i32,
    quantity: i32,
    certain: bool,
}

impl BucketsTaken {
    /// How many.
    pub(crate) fn count(&self) -> i32 {
        self.buckets
    }
}

/// The buckets a booking takes, held until the transaction ends.
pub(crate) async fn buckets_of(
    tx: &mut TenantTx,
    booking: BookingId,
) -> Result<Option<BucketsTaken>, Error> {
    let row = sqlx::query!(
        r#"SELECT pool_id, from_at AS "from_at: jiff_sqlx::DateTime", to_at AS "to_at: jiff_sqlx::DateTime",
                  buckets, quantity, state
           FROM bucket_claim WHERE holder_id = $1 AND state IN ('held', 'confirmed') FOR UPDATE"#,
        booking.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| BucketsTaken {
        pool: row.pool_id.into(),
        from: row.from_at.to_jiff(),
        to: row.to_at.to_jiff(),
        buckets: row.buckets,
        quantity: row.quantity,
        certain: row.state == "confirmed",
    }))
}

/// Takes the buckets `to` instead of those a booking has, of a pool that has `capacity`; whether they were
/// free. The transaction is of no more use when they were not.
pub(crate) async fn move_buckets(
    tx: &mut TenantTx,
    booking: BookingId,
    had: &BucketsTaken,
    to: &Buckets,
    capacity: i32,
) -> Result<bool, Error> {
    let (names, (first, last)) = (names(to), ends(to));
    let moved = sqlx::query_scalar!(
        // One that is new is taken, one that is not kept is given back, and one that is both stays.
        r#"WITH named AS (
               SELECT unnest($2::timestamp[]) AS name
               UNION
               SELECT at FROM bucket WHERE pool_id = $1 AND at >= $8 AND at < $9
           ), counted AS (
               INSERT INTO bucket (pool_id, at, capacity, held, sold)
               -- The guard sees what is proposed before it sees what is there.
               SELECT $1, name, greatest($3::int, $4), CASE WHEN $5 THEN 0 ELSE $4 END, CASE WHEN $5 THEN $4 ELSE 0 END
               FROM named WHERE $4 <= $3 OR (name >= $8 AND name < $9) ORDER BY name
               ON CONFLICT (pool_id, at) DO UPDATE SET
                   -- One it has already stays as it was, also where the pool has fewer by now.
                   capacity = CASE WHEN excluded.at >= $8 AND excluded.at < $9 THEN bucket.capacity ELSE $3::int END,
                   held = bucket.held + excluded.held * ((excluded.at >= $6 AND excluded.at < $7)::int
                                                         - (excluded.at >= $8 AND excluded.at < $9)::int),
                   sold = bucket.sold + excluded.sold * ((excluded.at >= $6 AND excluded.at < $7)::int
                                                         - (excluded.at >= $8 AND excluded.at < $9)::int)
               WHERE (excluded.at >= $8 AND excluded.at < $9) OR bucket.held + bucket.sold + $4 <= $3
               RETURNING true
           ), claimed AS (
               UPDATE bucket_claim SET from_at = $6, to_at = $7, buckets = cardinality($2) WHERE holder_id = $10
           )
           SELECT (SELECT count(*) FROM counted) = (SELECT count(*) FROM named) AS "moved!""#,
        had.pool.uuid(),
        &names as _,
        capacity,
        had.quantity,
        had.certain,
        first as _,
        last as _,
        jiff_sqlx::DateTime::from(had.from) as _,
        jiff_sqlx::DateTime::from(had.to) as _,
        booking.uuid(),
    )
    .fetch_one(tx.conn())
    .await;
    match moved {
        Ok(moved) => Ok(moved),
        Err(error) if is_taken(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
