//! All of the notification service's SQL.

use berth_kernel::{BookingId, DeliveryId};
use berth_tenancy::{Error, TenantTx};
use jiff::Timestamp;
use uuid::Uuid;

use crate::model::{Delivery, Standing, Status};

type Result<T> = std::result::Result<T, Error>;

/// A delivery's row, as every query selects it.
struct Row {
    id: Uuid,
    template: String,
    booking_id: Option<Uuid>,
    recipient: String,
    subject: String,
    message_id: String,
    status: String,
    last_error: Option<String>,
    created_at: jiff_sqlx::Timestamp,
    sent_at: Option<jiff_sqlx::Timestamp>,
}

impl From<Row> for Delivery {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            template: row.template,
            booking_id: row.booking_id.map(Into::into),
            recipient: row.recipient,
            subject: row.subject,
            message_id: row.message_id,
            status: Status::parse(&row.status),
            last_error: row.last_error,
            created_at: row.created_at.to_jiff(),
            sent_at: row.sent_at.map(|at| at.to_jiff()),
        }
    }
}

/// Writes `delivery` down, unless its cause has one already.
pub(crate) async fn insert(tx: &mut TenantTx, delivery: &Delivery, source: &str) -> Result<()> {
    sqlx::query!(
        "INSERT INTO delivery (id, channel, template, source, booking_id, recipient, subject,
            message_id, status, created_at)
         VALUES ($1, 'email', $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT ON CONSTRAINT delivery_source_taken DO NOTHING",
        delivery.id.uuid(),
        delivery.template,
        source,
        delivery.booking_id.map(BookingId::uuid),
        delivery.recipient,
        delivery.subject,
        delivery.message_id,
        delivery.status.as_str(),
        jiff_sqlx::Timestamp::from(delivery.created_at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The delivery of a cause; it was written down before.
pub(crate) async fn of_source(tx: &mut TenantTx, source: &str) -> Result<Delivery> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, template, booking_id, recipient, subject, message_id, status, last_error,
                created_at, sent_at
         FROM delivery WHERE source = $1",
        source,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.into())
}

/// Notes that the mail server took it. `false` if that was noted before.
pub(crate) async fn mark_sent(tx: &mut TenantTx, id: DeliveryId, at: Timestamp) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE delivery SET status = 'SENT', sent_at = $2, last_error = NULL
         WHERE id = $1 AND status <> 'SENT'",
        id.uuid(),
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that the mail server refused it for good.
pub(crate) async fn mark_failed(tx: &mut TenantTx, id: DeliveryId, error: &str) -> Result<()> {
    sqlx::query!(
        "UPDATE delivery SET status = 'FAILED', last_error = $2 WHERE id = $1 AND status <> 'SENT'",
        id.uuid(),
        error,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Notes whether a booking stands, unless something later was noted.
pub(crate) async fn note_standing(tx: &mut TenantTx, standing: &Standing) -> Result<()> {
    sqlx::query!(
        "INSERT INTO notified_booking (booking_id, version, confirmed) VALUES ($1, $2, $3)
         ON CONFLICT (booking_id) DO UPDATE SET version = excluded.version, confirmed = excluded.confirmed
         WHERE notified_booking.version < excluded.version",
        standing.booking.uuid(),
        standing.version,
        standing.confirmed,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether a booking is confirmed, if anything was heard of that.
pub(crate) async fn is_confirmed(tx: &mut TenantTx, booking: BookingId) -> Result<Option<bool>> {
    let confirmed = sqlx::query_scalar!(
        "SELECT confirmed FROM notified_booking WHERE booking_id = $1",
        booking.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(confirmed)
}

/// The deliveries about a booking, oldest first.
pub(crate) async fn of_booking(tx: &mut TenantTx, booking: BookingId) -> Result<Vec<Delivery>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, template, booking_id, recipient, subject, message_id, status, last_error,
                created_at, sent_at
         FROM delivery WHERE booking_id = $1 ORDER BY created_at, id",
        booking.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}
