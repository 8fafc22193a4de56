//! Placing a booking: what is looked up before deciding, and the one statement that takes it.

use berth_kernel::{BookingId, ProductId, ResourceId, SessionId};
use berth_messaging::outbox;
use berth_tenancy::{IdempotencyKey, TenantTx, idempotency};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::{
    Error,
    create::When,
    decide::{Known, Unit},
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
    pub(crate) open: bool,
}

/// Looks at everything a new booking depends on, in one round trip: the idempotency key (taken
/// for this transaction), the catalog's version, which of `units` are taken (by others than `except`),
/// the session.
pub(crate) async fn look(
    tx: &mut TenantTx,
    key: Option<&IdempotencyKey>,
    units: &[Unit],
    when: &When,
    except: Option<BookingId>,
) -> Result<Before, Error> {
    let (ids, starts, ends) = columns(units);
    let session = match when {
        When::Session(id) => Some(id.uuid()),
        When::Start(_) => None,
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
                                        AND c.booking_id IS DISTINCT FROM $9)) AS "busy!",
                  s.id AS "session_id?", s.product_id AS "product_id?", s.starts_at AS "starts_at?",
                  s.ends_at AS "ends_at?", s.capacity - s.held - s.sold AS free, s.status AS "status?"
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
        except.map(|id| id.uuid()),
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
                open: row.status.as_deref() == Some("open"),
            }),
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
    /// Places of a session.
    Places(SessionId),
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
}

/// Takes the place and writes booking, events and answer in one statement; which resource it was,
/// for an appointment. `None` when somebody else has it, the key is not new, or the catalog has
/// changed; the transaction is of no more use then.
///
/// Who is free is judged by the statement's own view first, so that of several the free one is
/// taken without asking before, and by `claim_no_overlap` in the end.
pub(crate) async fn place(
    tx: &mut TenantTx,
    placing: &Placing<'_>,
) -> Result<Option<Option<ResourceId>>, Error> {
    let Placing {
        booking,
        take,
        events,
        key,
        catalog_version,
    } = *placing;
    let tenant = tx.tenant_id();
    let answer = serde_json::to_string(booking).map_err(|e| sqlx::Error::Encode(e.into()))?;
    let (candidates, others, session): (&[Unit], &[Unit], _) = match take {
        Take::OneOf(candidates) => (candidates, &[], None),
        Take::All(units) => {
            let (first, others) = units.split_at(units.len().min(1));
            (first, others, None)
        }
        Take::Places(session) => (&[], &[], Some(session.uuid())),
    };
    let first = candidates.first();
    let (from, to) = (first.map(|unit| unit.from), first.map(|unit| unit.to));
    let candidates: Vec<Uuid> = candidates.iter().map(|unit| unit.resource.uuid()).collect();
    let (others, other_starts, other_ends) = columns(others);
    let ids: Vec<Uuid> = events.iter().map(|event| event.event_id.uuid()).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event.event_type).collect();
    let envelopes: Vec<&str> = events.iter().map(|event| event.envelope.as_str()).collect();
    let state = if booking.status == Status::Pending {
        "held"
    } else {
        "confirmed"
    };
    let placed = sqlx::query_scalar!(
        r#"WITH fresh AS MATERIALIZED (
               SELECT FROM catalog_version
               WHERE version = $27
                 AND coalesce(pg_try_advisory_xact_lock(hashtextextended(current_user || $38, 1)), true)
           ), picked AS MATERIALIZED (
               SELECT candidate AS id FROM fresh, unnest($1::uuid[]) AS candidate
               WHERE NOT EXISTS (SELECT FROM claim c
                                 WHERE c.resource_id = candidate
                                   AND tstzrange(c.starts_at, c.ends_at) && tstzrange($2, $3)
                                   AND c.state IN ('held', 'confirmed'))
               LIMIT 1
           ), lock AS MATERIALIZED (
               SELECT id, claim_lock(CASE WHEN $39::uuid[] = '{}' THEN ARRAY[id]
                                          ELSE ARRAY(SELECT r FROM unnest($39 || id) AS r ORDER BY r) END) AS held
               FROM picked
           ), counted AS (
               UPDATE session SET held = held + CASE WHEN $5 = 'held' THEN $6 ELSE 0 END,
                                  sold = sold + CASE WHEN $5 = 'held' THEN 0 ELSE $6 END
               WHERE id = $4::uuid AND status = 'open' AND held + sold + $6 <= capacity
                 AND EXISTS (SELECT FROM fresh)
               RETURNING id
           ), taken AS (
               SELECT id AS resource FROM lock WHERE held
               UNION ALL SELECT NULL FROM counted
           ), answered AS (
               INSERT INTO idempotency (principal, route, key, request_hash, body)
               SELECT $32, $33, $34, $35,
                      replace($36, '"resource_id":null', '"resource_id":' || coalesce('"' || resource || '"', 'null'))
               FROM taken WHERE $34::text IS NOT NULL
               ON CONFLICT DO NOTHING
               RETURNING true
           ), booked AS (
               INSERT INTO booking (id, reference, product_id, product_name, resource_id, other_resource_ids, session_id,
                   customer_id, customer_name, customer_email, customer_locale, status, version, starts_at,
                   ends_at, local_start, timezone, quantity, price_minor, currency, policy, attribution,
                   notes, expires_at, created_at, updated_at)
               SELECT $7, $8, $9, $10, resource, $39, $4, $11, $12, $13, $14, $15, $37, $16, $17, $18, $19, $6,
                      $20, $21, $22, $23, $24, $25, $26, $26
               FROM taken WHERE $34::text IS NULL OR EXISTS (SELECT FROM answered)
               RETURNING id, resource_id
           ), claimed AS (
               INSERT INTO claim (booking_id, resource_id, starts_at, ends_at, state)
               SELECT id, resource_id, $2, $3, $5 FROM booked WHERE resource_id IS NOT NULL
               UNION ALL
               SELECT booked.id, o.resource_id, o.starts_at, o.ends_at, $5
               FROM booked, unnest($39, $40::timestamptz[], $41::timestamptz[]) AS o (resource_id, starts_at, ends_at)
           ), seated AS (
               INSERT INTO session_claim (booking_id, session_id, quantity, state)
               SELECT id, $4, $6, $5 FROM booked WHERE $4::uuid IS NOT NULL
           ), told AS (
               INSERT INTO platform.outbox (event_id, tenant_id, event_type, entity_id, envelope)
               SELECT e.id, $29, e.kind, booked.id, e.envelope
               FROM booked, unnest($28::uuid[], $30::text[], $31::text[]) AS e (id, kind, envelope)
           )
           SELECT resource_id FROM booked"#,
        &candidates,
        from.map(jiff_sqlx::Timestamp::from) as _,
        to.map(jiff_sqlx::Timestamp::from) as _,
        session,
        state,
        booking.quantity,
        booking.id.uuid(),
        booking.reference,
        booking.product_id.uuid(),
        booking.product_name,
        booking.customer_id.map(|id| id.uuid()),
        booking.customer.name,
        booking.customer.email,
        booking.customer.locale,
        booking.status.as_str(),
        jiff_sqlx::Timestamp::from(booking.starts_at) as _,
        jiff_sqlx::Timestamp::from(booking.ends_at) as _,
        jiff_sqlx::DateTime::from(booking.local_start) as _,
        booking.timezone,
        booking.price.amount,
        booking.price.currency.code(),
        Json(&booking.policy) as _,
        Json(&booking.attribution) as _,
        booking.notes,
        booking.expires_at.map(jiff_sqlx::Timestamp::from) as _,
        jiff_sqlx::Timestamp::from(booking.created_at) as _,
        catalog_version,
        &ids,
        tenant.uuid(),
        &kinds as _,
        &envelopes as _,
        key.map(|key| key.principal.as_str()),
        key.map(|key| key.route),
        key.map(|key| key.key.as_str()),
        key.map(|key| key.request_hash.as_slice()),
        answer,
        booking.version,
        key.map(IdempotencyKey::lock_text),
        &others,
        &other_starts as _,
        &other_ends as _,
    )
    .fetch_optional(tx.conn())
    .await;
    match placed {
        Ok(placed) => Ok(placed.map(|resource| resource.map(ResourceId::from))),
        Err(error) if is_taken(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
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
        Some("claim_no_overlap" | "session_not_oversold")
    ))
}
