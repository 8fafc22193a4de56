//! Placing a booking: what is looked up before deciding, and the one statement that takes it.

use std::collections::HashSet;

use berth_catalog::Buckets;
use berth_kernel::{PoolId, ProductId, ResourceId, SessionGroupId, SessionId};
use berth_messaging::outbox;
use berth_tenancy::{IdempotencyKey, TenantTx, idempotency};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use super::buckets::{ends, names};
use crate::{
    Error,
    create::When,
    decide::{CustomerState, Known, Unit},
    model::{Booking, Status},
};

/// What is known before deciding about a new booking.
pub(crate) struct Before {
    /// The answer given before under the same key.
    pub(crate) answer: Option<Booking>,
    /// The catalog's version as of this look.
    pub(crate) catalog_version: i64,
    /// What is taken.
    pub(crate) known: Known,
}

/// A session as it stands.
#[derive(Debug)]
pub(crate) struct SessionState {
    pub(crate) id: SessionId,
    pub(crate) product_id: ProductId,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) free: i32,
    /// How many of the free ones those who wait for them are about to be given.
    pub(crate) awaited: i32,
    pub(crate) open: bool,
}

/// Looks at everything a new booking depends on, in one round trip: the idempotency key (taken
/// for this transaction), the catalog's version, which of `units` are taken (by another holder than `except`),
/// the session.
pub(crate) async fn look(
    tx: &mut TenantTx,
    key: Option<&IdempotencyKey>,
    units: &[Unit],
    when: &When,
    except: Option<Uuid>,
) -> Result<Before, Error> {
    let (ids, starts, ends) = columns(units);
    let session = match when {
        When::Session(id) => Some(id.uuid()),
        When::Start(_) | When::Nights(_) | When::Group(_) | When::Period(_) => None,
    };
    let row = sqlx::query!(
        r#"SELECT coalesce(pg_try_advisory_xact_lock(hashtextextended(current_user || $1, 1)), true) AS "locked!",
                  i.body AS "body?", i.request_hash AS "request_hash?",
                  v.version AS "catalog_version!",
                  ARRAY(SELECT u.resource_id FROM unnest($5::uuid[], $6::timestamptz[], $7::timestamptz[])
                                                  AS u (resource_id, starts_at, ends_at)
                        WHERE EXISTS (SELECT FROM claim c
                                      WHERE c.resource_id = u.resource_id
                                        AND tstzrange(c.starts_at, c.ends_at) && tstzrange(u.starts_at, u.ends_at)
                                        AND c.state IN ('held', 'confirmed')
                                        AND c.holder_id IS DISTINCT FROM $9)
                           OR EXISTS (SELECT FROM external_busy x
                                      WHERE x.resource_id = u.resource_id
                                        AND x.starts_at > u.starts_at - interval '7 days'
                                        AND x.starts_at < u.ends_at AND x.ends_at > u.starts_at)) AS "busy!",
                  s.id AS "session_id?", s.product_id AS "product_id?", s.starts_at AS "starts_at?",
                  s.ends_at AS "ends_at?", s.capacity - s.held - s.sold AS free, s.status AS "status?",
                  (SELECT sum(w.quantity)::integer FROM waitlist_entry w
                   WHERE coalesce(w.session_id, w.session_group_id) = $8 AND w.status = 'waiting'
                     AND w.quantity <= s.capacity - s.held - s.sold) AS awaited
           FROM catalog_version v
           LEFT JOIN idempotency i ON i.principal = $2 AND i.route = $3 AND i.key = $4
           LEFT JOIN session s ON s.id = $8"#,
        key.map(IdempotencyKey::lock_text),
        key.map(|key| key.principal.as_str()),
        key.map(|key| key.route),
        key.map(|key| key.key.as_str()),
        &ids,
        &starts as _,
        &ends as _,
        session,
        except,
    )
    .fetch_one(tx.conn())
    .await?;
    let answer = match key {
        Some(key) => idempotency::judge(
            key,
            row.locked,
            row.request_hash.as_deref(),
            row.body.as_deref(),
        )?,
        None => None,
    };
    let session = row
        .session_id
        .zip(row.product_id)
        .zip(row.starts_at)
        .zip(row.ends_at);
    Ok(Before {
        answer,
        catalog_version: row.catalog_version,
        known: Known {
            busy: row.busy.into_iter().map(ResourceId::from).collect(),
            session: session.map(|(((id, product), starts_at), ends_at)| SessionState {
                id: id.into(),
                product_id: product.into(),
                starts_at: starts_at.to_jiff(),
                ends_at: ends_at.to_jiff(),
                free: row.free.unwrap_or(0),
                awaited: row.awaited.unwrap_or(0),
                open: row.status.as_deref() == Some("open"),
            }),
            taken_seats: HashSet::new(),
            group: None,
            customer: CustomerState::default(),
            voucher: None,
            most_taken: 0,
        },
    })
}

/// What a new booking takes.
#[derive(Debug)]
pub(crate) enum Take {
    /// The first of these that is free.
    OneOf(Vec<Unit>),
    /// All of these; the first is who the booking is with.
    All(Vec<Unit>),
    /// Places of a session: these seats, or any if they have no numbers.
    Places { session: SessionId, seats: Vec<i32> },
    /// Places of every session of a group that has so many.
    Group {
        group: SessionGroupId,
        sessions: usize,
    },
    /// Buckets of a pool that has so many.
    Pool {
        pool: PoolId,
        capacity: i32,
        buckets: Buckets,
    },
}

/// A booking about to be placed.
pub(crate) struct Placing<'a> {
    /// The booking; which resource serves it is found out.
    pub(crate) booking: &'a Booking,
    /// What it takes.
    pub(crate) take: &'a Take,
    /// What is told of it.
    pub(crate) events: &'a [outbox::Row],
    /// Under which key its answer is kept.
    pub(crate) key: Option<&'a IdempotencyKey>,
    /// What was decided rests on this version of the catalog.
    pub(crate) catalog_version: i64,
    /// How many bookings the customer may hold that are not certain, this one among them.
    pub(crate) most_held: Option<i32>,
}

/// What every placing statement is given, in the form it wants.
struct Given<'a> {
    placing: &'a Placing<'a>,
    tenant: Uuid,
    state: &'static str,
    answer: String,
    others: Vec<Uuid>,
    events: Vec<Uuid>,
    kinds: Vec<&'a str>,
    envelopes: Vec<&'a str>,
}

/// Takes a place and writes booking, events and answer in one statement; which resource it was, if one
/// serves it. `$take` says what is taken: its last part, `taken`, has one row if it is, with the resource.
/// `$claim` writes that down for those `booked`. Arguments of their own begin with `$42`.
macro_rules! place {
    ($tx:expr, $given:expr, $take:literal, $claim:literal $(, $arg:expr)* $(,)?) => {{
        let given: &Given<'_> = $given;
        let (booking, key) = (given.placing.booking, given.placing.key);
        sqlx::query_scalar!(
            r#"WITH fresh AS MATERIALIZED (
               SELECT FROM catalog_version
               WHERE version = $1
                 AND coalesce(pg_try_advisory_xact_lock(hashtextextended(current_user || $2, 1)), true)
                 AND ($40::integer IS NULL
                      OR (SELECT count(*) FROM booking WHERE customer_id = $15 AND status IN ('REQUESTED', 'PENDING')) < $40)
           ), "# + $take + r#", answered AS (
               INSERT INTO idempotency (principal, route, key, request_hash, body)
               SELECT $3, $4, $5, $6,
                      replace($7, '"resource_id":null', '"resource_id":' || coalesce('"' || resource || '"', 'null'))
               FROM taken WHERE $5::text IS NOT NULL
               ON CONFLICT DO NOTHING
               RETURNING true
           ), booked AS (
               INSERT INTO booking (id, reference, product_id, product_name, resource_id, other_resource_ids, session_id,
                   pool_id, session_group_id, customer_id, customer_name, customer_email, customer_locale, status, version, starts_at,
                   ends_at, local_start, timezone, quantity, price_minor, currency, policy, attribution,
                   notes, expires_at, created_at, updated_at, price_lines, seats, confirmed_at, details)
               SELECT $8, $9, $10, $11, resource, $12, $13, $14, $37, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
                      $26, $27, $28, $29, $30, $31, $32, $32, $38, $39, CASE WHEN $19 = 'CONFIRMED' THEN $32::timestamptz END, $41
               FROM taken WHERE $5::text IS NULL OR EXISTS (SELECT FROM answered)
               RETURNING id, resource_id
           ), "# + $claim + r#", told AS (
               INSERT INTO platform.outbox (event_id, tenant_id, event_type, entity_id, envelope)
               SELECT e.id, $33, e.kind, booked.id, e.envelope
               FROM booked, unnest($34::uuid[], $35::text[], $36::text[]) AS e (id, kind, envelope)
           )
           SELECT resource_id FROM booked"#,
            given.placing.catalog_version,
            key.map(IdempotencyKey::lock_text),
            key.map(|key| key.principal.as_str()),
            key.map(|key| key.route),
            key.map(|key| key.key.as_str()),
            key.map(|key| key.request_hash.as_slice()),
            given.answer,
            booking.id.uuid(),
            booking.reference,
            booking.product_id.uuid(),
            booking.product_name,
            &given.others,
            booking.session_id.map(|id| id.uuid()),
            booking.pool_id.map(|id| id.uuid()),
            booking.customer_id.map(|id| id.uuid()),
            booking.customer.name,
            booking.customer.email,
            booking.customer.locale,
            booking.status.as_str(),
            booking.version,
            jiff_sqlx::Timestamp::from(booking.starts_at) as _,
            jiff_sqlx::Timestamp::from(booking.ends_at) as _,
            jiff_sqlx::DateTime::from(booking.local_start) as _,
            booking.timezone,
            booking.quantity,
            booking.price.amount,
            booking.price.currency.code(),
            Json(&booking.policy) as _,
            Json(&booking.attribution) as _,
            booking.notes,
            booking.expires_at.map(jiff_sqlx::Timestamp::from) as _,
            jiff_sqlx::Timestamp::from(booking.created_at) as _,
            given.tenant,
            &given.events,
            &given.kinds as _,
            &given.envelopes as _,
            booking.session_group_id.map(|id| id.uuid()),
            Json(&booking.price_lines) as _,
            Json(&booking.seats) as _,
            given.placing.most_held,
            Some(&booking.details).filter(|details| !details.is_empty()).map(Json) as _,
            $($arg),*
        )
        .fetch_optional($tx.conn())
        .await
    }};
}

/// Takes the place and writes booking, events and answer in one statement; which resource it was,
/// for an appointment. `None` when somebody else has it, the key is not new, or the catalog has
/// changed; the transaction is of no more use then.
///
/// What is free is judged by the statement's own view first, so that of several the free one is
/// taken without asking before, and by the tables' own guards in the end.
pub(crate) async fn place(
    tx: &mut TenantTx,
    placing: &Placing<'_>,
) -> Result<Option<Option<ResourceId>>, Error> {
    let (booking, events) = (placing.booking, placing.events);
    let mut given = Given {
        placing,
        tenant: tx.tenant_id().uuid(),
        state: if booking.status == Status::Confirmed {
            "confirmed"
        } else {
            "held"
        },
        answer: serde_json::to_string(booking).map_err(|e| sqlx::Error::Encode(e.into()))?,
        others: Vec::new(),
        events: events.iter().map(|event| event.event_id.uuid()).collect(),
        kinds: events.iter().map(|event| event.event_type).collect(),
        envelopes: events.iter().map(|event| event.envelope.as_str()).collect(),
    };
    let placed = match placing.take {
        Take::OneOf(candidates) => place_units(tx, &given, candidates, &[]).await,
        Take::All(units) => {
            let (first, others) = units.split_at(units.len().min(1));
            given.others = others.iter().map(|unit| unit.resource.uuid()).collect();
            place_units(tx, &given, first, others).await
        }
        Take::Places { session, seats } if seats.is_empty() => {
            place_places(tx, &given, *session).await
        }
        Take::Places { session, seats } => place_seats(tx, &given, *session, seats).await,
        Take::Group { group, sessions } => place_group(tx, &given, *group, *sessions).await,
        Take::Pool {
            pool,
            capacity,
            buckets,
        } => place_buckets(tx, &given, *pool, *capacity, buckets).await,
    };
    match placed {
        Ok(placed) => Ok(placed.map(|resource| resource.map(ResourceId::from))),
        Err(error) if is_taken(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

type Placed = Result<Option<Option<Uuid>>, sqlx::Error>;

/// Takes the first of `candidates` that is free, and with it all of `others`.
async fn place_units(
    tx: &mut TenantTx,
    given: &Given<'_>,
    candidates: &[Unit],
    others: &[Unit],
) -> Placed {
    let first = candidates.first();
    let (from, to) = (first.map(|unit| unit.from), first.map(|unit| unit.to));
    let candidates: Vec<Uuid> = candidates.iter().map(|unit| unit.resource.uuid()).collect();
    let (_, starts, ends) = columns(others);
    place!(
        tx,
        given,
        r#"picked AS MATERIALIZED (
               SELECT candidate AS id FROM fresh, unnest($42::uuid[]) AS candidate
               WHERE NOT EXISTS (SELECT FROM claim c
                                 WHERE c.resource_id = candidate
                                   AND tstzrange(c.starts_at, c.ends_at) && tstzrange($43, $44)
                                   AND c.state IN ('held', 'confirmed'))
                 AND NOT EXISTS (SELECT FROM external_busy x
                                 WHERE x.resource_id = candidate AND x.starts_at > $43 - interval '7 days'
                                   AND x.starts_at < $44 AND x.ends_at > $43)
                 -- Of the others the guard knows what is taken here, and nothing of elsewhere.
                 AND NOT EXISTS (SELECT FROM unnest($12::uuid[], $45::timestamptz[], $46::timestamptz[])
                                             AS o (resource_id, starts_at, ends_at)
                                 JOIN external_busy x ON x.resource_id = o.resource_id
                                                     AND x.starts_at > o.starts_at - interval '7 days'
                                                     AND x.starts_at < o.ends_at AND x.ends_at > o.starts_at)
               LIMIT 1
           ), lock AS MATERIALIZED (
               SELECT id, claim_lock(CASE WHEN $12::uuid[] = '{}' THEN ARRAY[id]
                                          ELSE ARRAY(SELECT r FROM unnest($12 || id) AS r ORDER BY r) END) AS held
               FROM picked
           ), taken AS (
               SELECT id AS resource FROM lock WHERE held
           )"#,
        r#"claimed AS (
               INSERT INTO claim (holder_id, holder, resource_id, starts_at, ends_at, state)
               SELECT id, 'booking', resource_id, $43, $44, $47 FROM booked
               UNION ALL
               SELECT booked.id, 'booking', o.resource_id, o.starts_at, o.ends_at, $47
               FROM booked, unnest($12, $45::timestamptz[], $46::timestamptz[]) AS o (resource_id, starts_at, ends_at)
           )"#,
        &candidates,
        from.map(jiff_sqlx::Timestamp::from) as _,
        to.map(jiff_sqlx::Timestamp::from) as _,
        &starts as _,
        &ends as _,
        given.state,
    )
}

/// Takes places of a session.
async fn place_places(tx: &mut TenantTx, given: &Given<'_>, session: SessionId) -> Placed {
    place!(
        tx,
        given,
        r#"taken AS (
               UPDATE session SET held = held + CASE WHEN $43 = 'held' THEN $25 ELSE 0 END,
                                  sold = sold + CASE WHEN $43 = 'held' THEN 0 ELSE $25 END
               WHERE id = $42::uuid AND status = 'open' AND held + sold + $25 <= capacity
                 AND EXISTS (SELECT FROM fresh)
               RETURNING NULL::uuid AS resource
           )"#,
        r#"claimed AS (
               INSERT INTO session_claim (booking_id, session_id, quantity, state)
               SELECT id, $42, $25, $43 FROM booked
           )"#,
        session.uuid(),
        given.state,
    )
}

/// Takes numbered seats of a session, and as many places. Who wants seats of the same session waits at its row, so
/// nobody for anybody in a ring; what was taken meanwhile is not seen by the statement but by the seats' index.
async fn place_seats(
    tx: &mut TenantTx,
    given: &Given<'_>,
    session: SessionId,
    seats: &[i32],
) -> Placed {
    place!(
        tx,
        given,
        r#"taken AS (
               UPDATE session SET held = held + CASE WHEN $43 = 'held' THEN $25 ELSE 0 END,
                                  sold = sold + CASE WHEN $43 = 'held' THEN 0 ELSE $25 END
               WHERE id = $42::uuid AND status = 'open' AND held + sold + $25 <= capacity
                 AND EXISTS (SELECT FROM fresh)
                 AND NOT EXISTS (SELECT FROM session_seat t
                                 WHERE t.session_id = $42 AND t.seat_id = ANY($44) AND t.state IN ('held', 'confirmed'))
               RETURNING NULL::uuid AS resource
           )"#,
        r#"claimed AS (
               INSERT INTO session_claim (booking_id, session_id, quantity, state)
               SELECT id, $42, $25, $43 FROM booked
           ), seated AS (
               INSERT INTO session_seat (booking_id, session_id, seat_id, state)
               SELECT id, $42, seat, $43 FROM booked, unnest($44::integer[]) AS seat
           )"#,
        session.uuid(),
        given.state,
        seats,
    )
}

/// Takes places of every session of a group, of which there are so many: all, or what was taken of them is
/// undone with the transaction.
async fn place_group(
    tx: &mut TenantTx,
    given: &Given<'_>,
    group: SessionGroupId,
    sessions: usize,
) -> Placed {
    place!(
        tx,
        given,
        r#"locked AS MATERIALIZED (
               SELECT s.id FROM fresh, session_group g JOIN session s ON s.group_id = g.id
               WHERE g.id = $42::uuid AND g.status = 'open' AND s.status = 'open'
                 AND s.held + s.sold + $25 <= s.capacity
                 -- Of a group that is sold out nothing is locked or written.
                 AND NOT EXISTS (SELECT FROM session f WHERE f.group_id = $42 AND f.status <> 'cancelled'
                                   AND (f.status <> 'open' OR f.held + f.sold + $25 > f.capacity))
               ORDER BY s.id FOR UPDATE OF s
           ), counted AS (
               UPDATE session s SET held = held + CASE WHEN $44 = 'held' THEN $25 ELSE 0 END,
                                    sold = sold + CASE WHEN $44 = 'held' THEN 0 ELSE $25 END
               FROM locked WHERE s.id = locked.id AND held + sold + $25 <= capacity
               RETURNING s.id
           ), taken AS (
               SELECT NULL::uuid AS resource WHERE (SELECT count(*) FROM counted) = $43
           )"#,
        r#"claimed AS (
               INSERT INTO session_claim (booking_id, session_id, quantity, state)
               SELECT booked.id, counted.id, $25, $44 FROM booked, counted
           )"#,
        group.uuid(),
        i64::try_from(sessions).unwrap_or(i64::MAX),
        given.state,
    )
}

/// Takes buckets of a pool: all, or what was taken of them is undone with the transaction. They are
/// taken in their order, so that those who want some of the same do not wait for each other in a ring.
async fn place_buckets(
    tx: &mut TenantTx,
    given: &Given<'_>,
    pool: PoolId,
    capacity: i32,
    buckets: &Buckets,
) -> Placed {
    let (names, (from, to)) = (names(buckets), ends(buckets));
    place!(
        tx,
        given,
        r#"counted AS (
               INSERT INTO bucket (pool_id, at, capacity, held, sold)
               SELECT $42, name, $44, CASE WHEN $47 = 'held' THEN $25 ELSE 0 END,
                      CASE WHEN $47 = 'held' THEN 0 ELSE $25 END
               FROM fresh, unnest($43::timestamp[]) AS name
               -- Of what is sold out nothing is locked or written.
               WHERE $25 <= $44
                 AND NOT EXISTS (SELECT FROM bucket b WHERE b.pool_id = $42 AND b.at >= $45 AND b.at < $46
                                   AND b.held + b.sold + $25 > $44)
               ORDER BY name
               ON CONFLICT (pool_id, at) DO UPDATE SET
                   capacity = excluded.capacity, held = bucket.held + excluded.held, sold = bucket.sold + excluded.sold
               WHERE bucket.held + bucket.sold + $25 <= excluded.capacity
               RETURNING true
           ), taken AS (
               SELECT NULL::uuid AS resource WHERE (SELECT count(*) FROM counted) = cardinality($43)
           )"#,
        r#"claimed AS (
               INSERT INTO bucket_claim (holder_id, holder, pool_id, from_at, to_at, buckets, quantity, state)
               SELECT id, 'booking', $42, $45, $46, cardinality($43), $25, $47 FROM booked
           )"#,
        pool.uuid(),
        &names as _,
        capacity,
        from as _,
        to as _,
        given.state,
    )
}

/// Units as a statement takes them: resources, starts and ends.
pub(super) fn columns(
    units: &[Unit],
) -> (
    Vec<Uuid>,
    Vec<jiff_sqlx::Timestamp>,
    Vec<jiff_sqlx::Timestamp>,
) {
    let at = jiff_sqlx::Timestamp::from;
    let each = units.iter();
    each.map(|unit| (unit.resource.uuid(), at(unit.from), at(unit.to)))
        .collect()
}

/// Whether `error` is a guard saying that the place is taken.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(database) if matches!(
        database.constraint(),
        Some(
            "claim_no_overlap" | "session_not_oversold" | "bucket_not_oversold" | "session_seat_taken"
        )
    ))
}
