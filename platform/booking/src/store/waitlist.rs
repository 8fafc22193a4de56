//! Rows of those who wait.

use berth_events::booking::Customer;
use berth_kernel::{BookingId, UserId, WaitlistEntryId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::{Error, WaitFor, WaitlistEntry, WaitlistFilter, model::Booking};

/// A row as it is read.
struct Row {
    id: Uuid,
    product_id: Uuid,
    session_id: Option<Uuid>,
    session_group_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    customer: Json<Customer>,
    quantity: i32,
    status: String,
    booking_id: Option<Uuid>,
    position: Option<i64>,
    created_at: jiff_sqlx::Timestamp,
}

impl From<Row> for WaitlistEntry {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            product_id: row.product_id.into(),
            // The table says that it is one or the other.
            wait_for: match row.session_group_id {
                Some(group) => WaitFor::Group(group.into()),
                None => WaitFor::Session(row.session_id.unwrap_or_default().into()),
            },
            customer_id: row.customer_id.map(UserId::from),
            customer: row.customer.0,
            quantity: row.quantity,
            status: row.status.as_str().into(),
            booking_id: row.booking_id.map(BookingId::from),
            position: row.position,
            created_at: row.created_at.to_jiff(),
        }
    }
}

/// Ids of a session or a group, of which one is there.
fn ids(wait_for: WaitFor) -> (Option<Uuid>, Option<Uuid>) {
    match wait_for {
        WaitFor::Session(id) => (Some(id.uuid()), None),
        WaitFor::Group(id) => (None, Some(id.uuid())),
    }
}

/// Writes one who waits; nothing when the sessions never have so many places.
pub(crate) async fn insert_waiting(
    tx: &mut TenantTx,
    entry: &WaitlistEntry,
) -> Result<bool, Error> {
    let (session, group) = ids(entry.wait_for);
    let inserted = sqlx::query!(
        "INSERT INTO waitlist_entry
           (id, product_id, session_id, session_group_id, customer_id, customer, quantity, created_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8
         WHERE NOT EXISTS (SELECT FROM session
                           WHERE (id = $3 OR group_id = $4) AND status <> 'cancelled' AND capacity < $7)",
        entry.id.uuid(),
        entry.product_id.uuid(),
        session,
        group,
        entry.customer_id.map(|id| id.uuid()),
        Json(&entry.customer) as _,
        entry.quantity,
        jiff_sqlx::Timestamp::from(entry.created_at) as _,
    )
    .execute(tx.conn())
    .await;
    match inserted {
        Ok(inserted) => Ok(inserted.rows_affected() == 1),
        Err(sqlx::Error::Database(error)) if error.constraint() == Some("waitlist_entry_once") => {
            Err(Error::AlreadyWaiting)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether anybody waits for the sessions that a booking had: they come before whoever gave them up.
pub(crate) async fn is_waited_for(tx: &mut TenantTx, booking: &Booking) -> Result<bool, Error> {
    let waited = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM waitlist_entry
                          WHERE coalesce(session_id, session_group_id) = $1 AND status = 'waiting') AS "waited!""#,
        booking
            .session_id
            .map(|id| id.uuid())
            .or(booking.session_group_id.map(|id| id.uuid())),
    );
    Ok(waited.fetch_one(tx.conn()).await?)
}

/// One who waits, or waited, with how many are in the line up to and with them.
pub(crate) async fn waiting(
    tx: &mut TenantTx,
    id: WaitlistEntryId,
) -> Result<Option<WaitlistEntry>, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT id, product_id, session_id, session_group_id, customer_id, customer AS "customer: _", quantity,
                  status, booking_id, created_at AS "created_at: _",
                  CASE WHEN status = 'waiting' THEN
                      (SELECT count(*) FROM waitlist_entry o
                       WHERE coalesce(o.session_id, o.session_group_id) = coalesce(e.session_id, e.session_group_id)
                         AND o.status = 'waiting' AND (o.created_at, o.id) <= (e.created_at, e.id))
                  END AS position
           FROM waitlist_entry e WHERE id = $1"#,
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Into::into))
}

/// Those that `filter` lets through, in the order of their lines; a thousand at most.
pub(crate) async fn all_waiting(
    tx: &mut TenantTx,
    filter: &WaitlistFilter,
) -> Result<Vec<WaitlistEntry>, Error> {
    let (session, group) = filter.wait_for.map(ids).unwrap_or_default();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id AS "id!", product_id AS "product_id!", session_id, session_group_id, customer_id,
                  customer AS "customer!: _", quantity AS "quantity!", status AS "status!", booking_id,
                  created_at AS "created_at!: _",
                  CASE WHEN status = 'waiting' THEN position END AS position
           FROM (SELECT *, count(*) FILTER (WHERE status = 'waiting') OVER (
                             PARTITION BY coalesce(session_id, session_group_id) ORDER BY created_at, id) AS position
                 FROM waitlist_entry
                 WHERE coalesce(session_id, session_group_id) IN (
                     SELECT coalesce(session_id, session_group_id) FROM waitlist_entry
                     WHERE ($1::uuid IS NULL OR session_id = $1) AND ($2::uuid IS NULL OR session_group_id = $2)
                       AND ($3::uuid IS NULL OR customer_id = $3))) e
           WHERE ($3::uuid IS NULL OR customer_id = $3) AND ($4 OR status = 'waiting')
           ORDER BY created_at, id LIMIT 1000"#,
        session,
        group,
        filter.customer.map(|id| id.uuid()),
        filter.ended_too,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Takes one out of their line; whether they were still in it.
pub(crate) async fn withdraw(tx: &mut TenantTx, id: WaitlistEntryId) -> Result<bool, Error> {
    let withdrawn = sqlx::query!(
        "UPDATE waitlist_entry SET status = 'withdrawn' WHERE id = $1 AND status = 'waiting'",
        id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(withdrawn.rows_affected() == 1)
}

/// The first of any line for whom there is room now, kept from all others until the transaction ends. Who wants
/// more than is free lets those behind go first.
pub(crate) async fn next_to_be_served(tx: &mut TenantTx) -> Result<Option<WaitlistEntry>, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT e.id, e.product_id, e.session_id, e.session_group_id, e.customer_id, e.customer AS "customer: _",
                  e.quantity, e.status, e.booking_id, NULL::bigint AS position, e.created_at AS "created_at: _"
           FROM waitlist_entry e
           WHERE e.status = 'waiting'
             AND NOT EXISTS (SELECT FROM session s
                             WHERE (s.id = e.session_id OR s.group_id = e.session_group_id) AND s.status <> 'cancelled'
                               AND (s.status <> 'open' OR s.held + s.sold + e.quantity > s.capacity))
           ORDER BY e.created_at, e.id LIMIT 1 FOR UPDATE SKIP LOCKED"#,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Into::into))
}

/// Notes what somebody who waited has.
pub(crate) async fn serve(
    tx: &mut TenantTx,
    id: WaitlistEntryId,
    booking: BookingId,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE waitlist_entry SET status = 'served', booking_id = $2 WHERE id = $1",
        id.uuid(),
        booking.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether anybody waits for anything.
pub(crate) async fn anybody_waits(tx: &mut TenantTx) -> Result<bool, Error> {
    let waits = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM waitlist_entry WHERE status = 'waiting') AS "waits!""#
    );
    Ok(waits.fetch_one(tx.conn()).await?)
}

/// Ends the wait of one who cannot be served any more.
pub(crate) async fn close_waiting(tx: &mut TenantTx, id: WaitlistEntryId) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE waitlist_entry SET status = 'closed' WHERE id = $1",
        id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends the wait for what has begun or was called off.
pub(crate) async fn close_begun(tx: &mut TenantTx, now: Timestamp) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE waitlist_entry e SET status = 'closed'
         WHERE e.status = 'waiting'
           AND NOT EXISTS (SELECT FROM session s
                           WHERE (s.id = e.session_id OR s.group_id = e.session_group_id)
                             AND s.status <> 'cancelled' AND s.starts_at > $1)",
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
