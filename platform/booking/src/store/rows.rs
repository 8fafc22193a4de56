//! Booking rows: reading and changing them.

use berth_catalog::CancellationTier;
use berth_events::booking::{Attribution, Customer};
use berth_kernel::{BookingId, Cursor, Money};
use berth_tenancy::TenantTx;
use jiff::{SignedDuration, Timestamp};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{
    DayRow, Error, Filter, Grouping, Sort, StatsRow,
    model::{Booking, Status, details::Details, price::PriceLine, seats::BookedSeat},
};

/// A booking's row, as every query selects it.
pub(crate) struct BookingRow {
    id: Uuid,
    reference: String,
    product_id: Uuid,
    product_name: String,
    resource_id: Option<Uuid>,
    other_resource_ids: Vec<Uuid>,
    session_id: Option<Uuid>,
    session_group_id: Option<Uuid>,
    pool_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    customer_name: String,
    customer_email: String,
    customer_locale: String,
    status: String,
    version: i64,
    starts_at: jiff_sqlx::Timestamp,
    ends_at: jiff_sqlx::Timestamp,
    local_start: jiff_sqlx::DateTime,
    timezone: String,
    quantity: i32,
    price_minor: i64,
    currency: String,
    price_lines: Json<Vec<PriceLine>>,
    seats: Json<Vec<BookedSeat>>,
    policy: Json<Vec<CancellationTier>>,
    attribution: Json<Attribution>,
    notes: String,
    details: Option<Json<Details>>,
    paid: bool,
    confirmed_at: Option<jiff_sqlx::Timestamp>,
    checked_in_at: Option<jiff_sqlx::Timestamp>,
    expires_at: Option<jiff_sqlx::Timestamp>,
    status_reason: Option<String>,
    refund_due_minor: Option<i64>,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

/// Selects whole bookings; the tail says which.
macro_rules! select_booking {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            BookingRow,
            r#"SELECT id, reference, product_id, product_name, resource_id, other_resource_ids, session_id, session_group_id,
                      pool_id, customer_id,
                      customer_name, customer_email, customer_locale, status, version, starts_at, ends_at,
                      local_start, timezone, quantity, price_minor, currency,
                      price_lines AS "price_lines: Json<Vec<PriceLine>>", seats AS "seats: Json<Vec<BookedSeat>>",
                      policy AS "policy: Json<Vec<CancellationTier>>",
                      attribution AS "attribution: Json<Attribution>", notes, details AS "details: Json<Details>", paid, confirmed_at, checked_in_at, expires_at,
                      status_reason, refund_due_minor, created_at, updated_at
               FROM booking "# + $tail
            $(, $arg)*
        )
    };
}

impl TryFrom<BookingRow> for Booking {
    type Error = Error;

    fn try_from(row: BookingRow) -> Result<Self, Error> {
        let decode = |what: String| sqlx::Error::Decode(what.into());
        let currency = row
            .currency
            .parse()
            .map_err(|_| decode(row.currency.clone()))?;
        Ok(Self {
            id: row.id.into(),
            reference: row.reference,
            product_id: row.product_id.into(),
            product_name: row.product_name,
            resource_id: row.resource_id.map(Into::into),
            other_resource_ids: row.other_resource_ids.into_iter().map(Into::into).collect(),
            session_id: row.session_id.map(Into::into),
            session_group_id: row.session_group_id.map(Into::into),
            pool_id: row.pool_id.map(Into::into),
            customer_id: row.customer_id.map(Into::into),
            customer: Customer {
                name: row.customer_name,
                email: row.customer_email,
                locale: row.customer_locale,
            },
            status: Status::parse(&row.status).ok_or_else(|| decode(row.status.clone()))?,
            version: row.version,
            starts_at: row.starts_at.to_jiff(),
            ends_at: row.ends_at.to_jiff(),
            local_start: row.local_start.to_jiff(),
            timezone: row.timezone,
            quantity: row.quantity,
            price: Money::new(row.price_minor, currency),
            price_lines: row.price_lines.0,
            seats: row.seats.0,
            policy: row.policy.0,
            attribution: row.attribution.0,
            notes: row.notes,
            details: row.details.map(|details| details.0).unwrap_or_default(),
            paid: row.paid,
            confirmed_at: row.confirmed_at.map(jiff_sqlx::Timestamp::to_jiff),
            checked_in_at: row.checked_in_at.map(jiff_sqlx::Timestamp::to_jiff),
            expires_at: row.expires_at.map(jiff_sqlx::Timestamp::to_jiff),
            status_reason: row.status_reason,
            refund_due: row
                .refund_due_minor
                .map(|minor| Money::new(minor, currency)),
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        })
    }
}

/// The booking, if it is there and not deleted.
pub(crate) async fn find(tx: &mut TenantTx, id: BookingId) -> Result<Option<Booking>, Error> {
    let row = select_booking!("WHERE id = $1 AND deleted_at IS NULL", id.uuid())
        .fetch_optional(tx.conn())
        .await?;
    row.map(Booking::try_from).transpose()
}

/// The same, locked until the transaction ends: for whoever is about to change it.
pub(crate) async fn lock(tx: &mut TenantTx, id: BookingId) -> Result<Option<Booking>, Error> {
    let row = select_booking!("WHERE id = $1 AND deleted_at IS NULL FOR UPDATE", id.uuid())
        .fetch_optional(tx.conn())
        .await?;
    row.map(Booking::try_from).transpose()
}

/// The same for what must be carried out even for a booking that was hidden: money is on its way.
pub(crate) async fn lock_hidden_too(
    tx: &mut TenantTx,
    id: BookingId,
) -> Result<Option<Booking>, Error> {
    let row = select_booking!("WHERE id = $1 FOR UPDATE", id.uuid())
        .fetch_optional(tx.conn())
        .await?;
    row.map(Booking::try_from).transpose()
}

/// Bookings whose hold, or whose time to be answered, ran out more than `grace` ago, by the database's clock, and when that
/// will be so of the next.
pub(crate) async fn expired(
    tx: &mut TenantTx,
    grace: SignedDuration,
) -> Result<(Vec<(BookingId, Status)>, Option<Timestamp>), Error> {
    let rows = sqlx::query!(
        r#"SELECT id, status, expires_at AS "expires_at!: jiff_sqlx::Timestamp",
                  expires_at < clock_timestamp() - make_interval(secs => $1) AS "over!"
           FROM booking WHERE status IN ('REQUESTED', 'PENDING') AND expires_at IS NOT NULL
           ORDER BY expires_at LIMIT 50"#,
        grace.as_secs_f64(),
    )
    .fetch_all(tx.conn())
    .await?;
    let next = rows.iter().find(|row| !row.over);
    let next = next.map(|row| row.expires_at.to_jiff() + grace);
    let over = rows.iter().filter(|row| row.over);
    let over = over.filter_map(|row| Some((row.id.into(), Status::parse(&row.status)?)));
    Ok((over.collect(), next))
}

/// A page of bookings, newest first or by their start.
pub(crate) async fn list(
    tx: &mut TenantTx,
    filter: &Filter,
    sort: Sort,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Booking>, Error> {
    let customer = filter.customer.map(|id| id.uuid());
    let product = filter.product.map(|id| id.uuid());
    let resource = filter.resource.map(|id| id.uuid());
    let status = filter.status.map(Status::as_str);
    let from = filter.from.map(jiff_sqlx::Timestamp::from);
    let to = filter.to.map(jiff_sqlx::Timestamp::from);
    let at = after.map(|cursor| jiff_sqlx::Timestamp::from(cursor.at));
    let id = after.map(|cursor| cursor.id);
    let rows = match sort {
        Sort::Newest => {
            select_booking!(
                "WHERE deleted_at IS NULL
                   AND ($1::uuid IS NULL OR customer_id = $1) AND ($2::uuid IS NULL OR product_id = $2)
                   AND ($3::uuid IS NULL OR resource_id = $3 OR $3 = ANY(other_resource_ids)) AND ($4::text IS NULL OR status = $4)
                   AND ($5::timestamptz IS NULL OR starts_at >= $5)
                   AND ($6::timestamptz IS NULL OR starts_at < $6)
                   AND ($7::timestamptz IS NULL OR (created_at, id) < ($7, $8))
                 ORDER BY created_at DESC, id DESC LIMIT $9",
                customer, product, resource, status, from as _, to as _, at as _, id, limit,
            )
            .fetch_all(tx.conn())
            .await?
        }
        Sort::Start => {
            select_booking!(
                "WHERE deleted_at IS NULL
                   AND ($1::uuid IS NULL OR customer_id = $1) AND ($2::uuid IS NULL OR product_id = $2)
                   AND ($3::uuid IS NULL OR resource_id = $3 OR $3 = ANY(other_resource_ids)) AND ($4::text IS NULL OR status = $4)
                   AND ($5::timestamptz IS NULL OR starts_at >= $5)
                   AND ($6::timestamptz IS NULL OR starts_at < $6)
                   AND ($7::timestamptz IS NULL OR (starts_at, id) > ($7, $8))
                 ORDER BY starts_at, id LIMIT $9",
                customer, product, resource, status, from as _, to as _, at as _, id, limit,
            )
            .fetch_all(tx.conn())
            .await?
        }
    };
    rows.into_iter().map(Booking::try_from).collect()
}

/// Writes what can change of a booking, if it still is what it was one version ago.
pub(crate) async fn save(tx: &mut TenantTx, booking: &Booking) -> Result<(), Error> {
    let updated = sqlx::query!(
        "UPDATE booking SET status = $3, version = $2, resource_id = $4, session_id = $5, starts_at = $6,
                ends_at = $7, local_start = $8, notes = $9, paid = $10, expires_at = $11,
                status_reason = $12, refund_due_minor = $13, updated_at = $14,
                customer_name = $15, customer_email = $16, other_resource_ids = $17, session_group_id = $18,
                seats = $19, customer_id = $20, customer_locale = $21, confirmed_at = $22, checked_in_at = $23, details = $24
         WHERE id = $1 AND version = $2::bigint - 1",
        booking.id.uuid(),
        booking.version,
        booking.status.as_str(),
        booking.resource_id.map(|id| id.uuid()),
        booking.session_id.map(|id| id.uuid()),
        jiff_sqlx::Timestamp::from(booking.starts_at) as _,
        jiff_sqlx::Timestamp::from(booking.ends_at) as _,
        jiff_sqlx::DateTime::from(booking.local_start) as _,
        booking.notes,
        booking.paid,
        booking.expires_at.map(jiff_sqlx::Timestamp::from) as _,
        booking.status_reason,
        booking.refund_due.map(|money| money.amount),
        jiff_sqlx::Timestamp::from(booking.updated_at) as _,
        booking.customer.name,
        booking.customer.email,
        &booking.other_resource_ids.iter().map(|id| id.uuid()).collect::<Vec<_>>(),
        booking.session_group_id.map(|id| id.uuid()),
        Json(&booking.seats) as _,
        booking.customer_id.map(|id| id.uuid()),
        booking.customer.locale,
        booking.confirmed_at.map(jiff_sqlx::Timestamp::from) as _,
        booking.checked_in_at.map(jiff_sqlx::Timestamp::from) as _,
        Some(&booking.details).filter(|details| !details.is_empty()).map(Json) as _,
    )
    .execute(tx.conn())
    .await?;
    if updated.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::VersionConflict)
    }
}

/// Hides a booking; the row stays for the books.
pub(crate) async fn mark_deleted(
    tx: &mut TenantTx,
    id: BookingId,
    at: Timestamp,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE booking SET deleted_at = $2 WHERE id = $1",
        id.uuid(),
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Bookings counted by the day of UTC they were made on: of the days from `since`, a midnight, on, and of
/// those before on which something was made that changed since, and so long after that it was no more among
/// the former. A day whose bookings were all deleted has zeros.
pub(crate) async fn days(tx: &mut TenantTx, since: Timestamp) -> Result<Vec<DayRow>, Error> {
    let rows = sqlx::query!(
        r#"WITH late AS (
             SELECT DISTINCT (created_at AT TIME ZONE 'UTC')::date AS day FROM booking
             WHERE updated_at >= $1 AND updated_at - created_at > interval '38 days' AND created_at < $1
           ), made AS (
             SELECT created_at, status, deleted_at FROM booking WHERE created_at >= $1
           UNION ALL
             SELECT b.created_at, b.status, b.deleted_at
             FROM late JOIN booking b ON b.created_at >= late.day::timestamp AT TIME ZONE 'UTC'
                                     AND b.created_at < (late.day + 1)::timestamp AT TIME ZONE 'UTC'
           )
           SELECT (created_at AT TIME ZONE 'UTC')::date AS "day!: jiff_sqlx::Date",
                  count(*) FILTER (WHERE deleted_at IS NULL) AS "made!",
                  count(*) FILTER (WHERE deleted_at IS NULL
                                     AND status IN ('CONFIRMED', 'COMPLETED', 'NO_SHOW')) AS "confirmed!",
                  count(*) FILTER (WHERE deleted_at IS NULL AND status = 'CANCELLED') AS "cancelled!"
           FROM made GROUP BY 1 ORDER BY 1"#,
        jiff_sqlx::Timestamp::from(since) as _,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| DayRow {
            day: row.day.to_jiff(),
            made: row.made,
            confirmed: row.confirmed,
            cancelled: row.cancelled,
        })
        .collect())
}

/// Bookings counted by a key, over starts in `[from, to)`, in the tenant's days.
pub(crate) async fn stats(
    tx: &mut TenantTx,
    grouping: Grouping,
    from: Timestamp,
    to: Timestamp,
    timezone: &str,
) -> Result<Vec<StatsRow>, Error> {
    let rows = sqlx::query!(
        r#"SELECT CASE $1
                    WHEN 'product' THEN product_id::text
                    WHEN 'provider' THEN coalesce(coalesce(resource_id, session_id, session_group_id, pool_id)::text, '')
                    WHEN 'status' THEN status
                    ELSE to_char(date_trunc($1, starts_at AT TIME ZONE $4), 'YYYY-MM-DD')
                  END AS "key!",
                  currency,
                  count(*) AS "bookings!",
                  count(*) FILTER (WHERE status IN ('CONFIRMED', 'COMPLETED')) AS "confirmed!",
                  count(*) FILTER (WHERE status = 'CANCELLED') AS "cancelled!",
                  coalesce(sum(quantity), 0)::bigint AS "places!",
                  coalesce(sum(price_minor) FILTER (WHERE status IN ('CONFIRMED', 'COMPLETED')), 0)::bigint
                    AS "revenue!"
           FROM booking
           WHERE deleted_at IS NULL AND starts_at >= $2 AND starts_at < $3
           GROUP BY 1, currency ORDER BY 1, currency LIMIT 1000"#,
        grouping.as_str(),
        jiff_sqlx::Timestamp::from(from) as _,
        jiff_sqlx::Timestamp::from(to) as _,
        timezone,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            let currency = row
                .currency
                .parse()
                .map_err(|_| sqlx::Error::Decode("currency".into()))?;
            Ok(StatsRow {
                key: row.key,
                bookings: row.bookings,
                confirmed: row.confirmed,
                cancelled: row.cancelled,
                places: row.places,
                revenue: Money::new(row.revenue, currency),
            })
        })
        .collect()
}
