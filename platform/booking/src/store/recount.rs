//! Holding counters, claims and bookings against each other.

use berth_tenancy::TenantTx;
use sqlx::Executor as _;

use crate::{Error, Recount};

/// Looks for whatever does not agree, as of one moment.
pub(crate) async fn recount(tx: &mut TenantTx) -> Result<Recount, Error> {
    // Of a large tenant it takes longer than a request may.
    tx.conn()
        .execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = '15min'")
        .await?;
    let bookings = sqlx::query_scalar!(r#"SELECT count(*) AS "bookings!" FROM booking"#)
        .fetch_one(tx.conn())
        .await?;
    let mut wrong = sessions(tx).await?;
    wrong.extend(buckets(tx).await?);
    wrong.extend(uncounted(tx).await?);
    wrong.extend(bookings_and_claims(tx).await?);
    wrong.extend(holders_and_claims(tx).await?);
    wrong.extend(nobodys(tx).await?);
    wrong.extend(twice(tx).await?);
    wrong.extend(seats(tx).await?);
    Ok(Recount { bookings, wrong })
}

async fn sessions(tx: &mut TenantTx) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT format('session %s counts %s held and %s sold, its bookings have %s and %s',
                         s.id, s.held, s.sold, coalesce(c.held, 0), coalesce(c.sold, 0)) AS "said!"
           FROM session s LEFT JOIN (
               SELECT session_id, sum(quantity) FILTER (WHERE state = 'held') AS held,
                      sum(quantity) FILTER (WHERE state = 'confirmed') AS sold
               FROM session_claim GROUP BY session_id
           ) c ON c.session_id = s.id
           WHERE (s.held, s.sold) <> (coalesce(c.held, 0), coalesce(c.sold, 0)) OR s.held + s.sold > s.capacity
           ORDER BY s.id LIMIT 100"#
    )
    .fetch_all(tx.conn())
    .await
}

async fn buckets(tx: &mut TenantTx) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT format('pool %s counts %s held and %s sold for %s, what takes it has %s and %s', pool_id,
                         b.held, b.sold, at, coalesce(c.held, 0), coalesce(c.sold, 0)) AS "said!"
           FROM bucket b LEFT JOIN (
               SELECT b.pool_id, b.at, sum(quantity) FILTER (WHERE state = 'held') AS held,
                      sum(quantity) FILTER (WHERE state = 'confirmed') AS sold
               FROM bucket_claim c JOIN bucket b ON b.pool_id = c.pool_id AND b.at >= c.from_at AND b.at < c.to_at
               WHERE c.state IN ('held', 'confirmed')
               GROUP BY b.pool_id, b.at
           ) c USING (pool_id, at)
           WHERE (b.held, b.sold) <> (coalesce(c.held, 0), coalesce(c.sold, 0))
              OR b.held + b.sold > b.capacity
           ORDER BY pool_id, at LIMIT 100"#
    )
    .fetch_all(tx.conn())
    .await
}

/// What takes so many buckets is counted in as many.
async fn uncounted(tx: &mut TenantTx) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT format('%s %s takes %s buckets of pool %s and is counted in %s',
                         holder, holder_id, buckets, pool_id, there.count) AS "said!"
           FROM bucket_claim c CROSS JOIN LATERAL (
               SELECT count(*) FROM bucket b WHERE b.pool_id = c.pool_id AND b.at >= c.from_at AND b.at < c.to_at
           ) there
           WHERE state IN ('held', 'confirmed') AND buckets <> there.count
           ORDER BY holder_id LIMIT 100"#
    )
    .fetch_all(tx.conn())
    .await
}

/// A pending booking holds all its parts, one that stands or took place has them for certain, and one that
/// ended otherwise has none.
async fn bookings_and_claims(tx: &mut TenantTx) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT format('booking %s (%s) is %s and has %s held and %s certain of the %s it takes',
                         b.reference, b.id, b.status, has.held, has.certain, takes.parts) AS "said!"
           FROM booking b
           CROSS JOIN LATERAL (
               SELECT count(*) FILTER (WHERE state = 'held') AS held,
                      count(*) FILTER (WHERE state = 'confirmed') AS certain
               FROM (SELECT state FROM claim
                     WHERE holder_id = b.id AND resource_id = ANY(b.other_resource_ids || b.resource_id)
                     UNION ALL
                     SELECT c.state FROM session_claim c JOIN session s ON s.id = c.session_id
                     WHERE c.booking_id = b.id AND c.quantity = b.quantity
                       AND (s.id = b.session_id OR s.group_id = b.session_group_id)
                     UNION ALL
                     SELECT state FROM bucket_claim
                     WHERE holder_id = b.id AND pool_id = b.pool_id AND quantity = b.quantity) one
           ) has
           CROSS JOIN LATERAL (
               SELECT CASE WHEN b.resource_id IS NOT NULL THEN 1 + cardinality(b.other_resource_ids)
                           WHEN b.session_group_id IS NOT NULL
                           THEN (SELECT greatest(count(*), 1) FROM session
                                 WHERE group_id = b.session_group_id AND status <> 'cancelled')
                           ELSE 1 END AS parts
           ) takes
           WHERE (has.held, has.certain) <> (
               CASE WHEN b.status IN ('REQUESTED', 'PENDING') THEN takes.parts ELSE 0 END,
               CASE WHEN b.status IN ('CONFIRMED', 'COMPLETED', 'NO_SHOW') THEN takes.parts ELSE 0 END)
           ORDER BY b.id LIMIT 100"#
    )
    .fetch_all(tx.conn())
    .await
}

/// A session that takes place has everybody who gives it, and a block its resource.
async fn holders_and_claims(tx: &mut TenantTx) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT format('%s %s has %s of the %s it takes', kind, id, has.certain, parts) AS "said!"
           FROM (SELECT 'session' AS kind, id, cardinality(resource_ids) AS parts
                 FROM session WHERE status <> 'cancelled'
                 UNION ALL SELECT 'block', id, 1 FROM block) holder
           CROSS JOIN LATERAL (
               SELECT count(*) AS certain FROM claim WHERE holder_id = holder.id AND state = 'confirmed'
           ) has
           WHERE has.certain <> parts
           ORDER BY id LIMIT 100"#
    )
    .fetch_all(tx.conn())
    .await
}

async fn nobodys(tx: &mut TenantTx) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT format('what %s %s takes is of nobody', holder, holder_id) AS "said!"
           FROM (SELECT holder, holder_id FROM claim WHERE state IN ('held', 'confirmed')
                 UNION SELECT holder, holder_id FROM bucket_claim WHERE state IN ('held', 'confirmed')) taken
           WHERE NOT EXISTS (SELECT FROM booking WHERE taken.holder = 'booking' AND id = taken.holder_id)
             AND NOT EXISTS (SELECT FROM session
                             WHERE taken.holder = 'session' AND id = taken.holder_id AND status <> 'cancelled')
             AND NOT EXISTS (SELECT FROM block WHERE taken.holder = 'block' AND id = taken.holder_id)
           ORDER BY holder_id LIMIT 100"#
    )
    .fetch_all(tx.conn())
    .await
}

/// What the exclusion constraint forbids, should somebody have taken that away.
async fn twice(tx: &mut TenantTx) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT format('resource %s is taken by %s %s from %s on, when it is taken already', resource_id, holder,
                         holder_id, starts_at) AS "said!"
           FROM (SELECT resource_id, holder, holder_id, starts_at,
                        max(ends_at) OVER (PARTITION BY resource_id ORDER BY starts_at, holder_id
                                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS taken_until
                 FROM claim WHERE state IN ('held', 'confirmed')) one
           WHERE taken_until > starts_at
           ORDER BY 1 LIMIT 100"#
    )
    .fetch_all(tx.conn())
    .await
}

/// Of a session with numbered seats a booking has as many as it has places, and those its ticket names.
async fn seats(tx: &mut TenantTx) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT format('booking %s (%s) has %s of its numbered seats for the %s places it takes',
                         b.reference, b.id, has.seats, coalesce(c.quantity, 0)) AS "said!"
           FROM booking b
           LEFT JOIN session_claim c ON c.booking_id = b.id AND c.session_id = b.session_id
                                    AND c.state IN ('held', 'confirmed')
           CROSS JOIN LATERAL (
               SELECT count(*) AS seats FROM session_seat n
               WHERE n.booking_id = b.id AND n.session_id = b.session_id AND n.state = coalesce(c.state, n.state)
                 AND n.state IN ('held', 'confirmed')
                 AND EXISTS (SELECT FROM jsonb_array_elements(b.seats) s WHERE (s->>'seat_id')::integer = n.seat_id)
           ) has
           WHERE b.seats <> '[]' AND has.seats <> coalesce(c.quantity, 0)
           ORDER BY b.id LIMIT 100"#
    )
    .fetch_all(tx.conn())
    .await
}
