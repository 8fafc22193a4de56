//! The table `payment`.

use berth_events::booking::Booking;
use berth_kernel::{BookingId, Cursor, Money, PaymentId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Result, currency, unknown};
use crate::{
    Error,
    model::{Payment, PaymentStatus},
};

/// A payment's row, as every query selects it.
struct PaymentRow {
    id: Uuid,
    status: String,
    version: i64,
    amount_minor: i64,
    refunded_minor: i64,
    currency: String,
    fee_minor: i64,
    account_id: String,
    provider_ref: Option<String>,
    client_secret: Option<String>,
    method: Option<String>,
    failure_code: Option<String>,
    booking: Json<Booking>,
    expires_at: Option<jiff_sqlx::Timestamp>,
    correlation_id: Uuid,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

/// Selects whole payments; the tail says which.
macro_rules! select_payment {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            PaymentRow,
            r#"SELECT id, status, version, amount_minor, refunded_minor, currency, fee_minor, account_id,
                      provider_ref, client_secret, method, failure_code,
                      booking AS "booking: Json<Booking>", expires_at, correlation_id,
                      created_at, updated_at
               FROM payment "# + $tail
            $(, $arg)*
        )
    };
}

impl TryFrom<PaymentRow> for Payment {
    type Error = Error;

    fn try_from(row: PaymentRow) -> Result<Self> {
        let currency = currency(&row.currency)?;
        Ok(Self {
            id: row.id.into(),
            status: PaymentStatus::parse(&row.status).ok_or_else(|| unknown(&row.status))?,
            version: row.version,
            amount: Money::new(row.amount_minor, currency),
            refunded: Money::new(row.refunded_minor, currency),
            fee_minor: row.fee_minor,
            account_id: row.account_id,
            provider_ref: row.provider_ref,
            client_secret: row.client_secret,
            method: row.method,
            failure_code: row.failure_code,
            booking: row.booking.0,
            expires_at: row.expires_at.map(jiff_sqlx::Timestamp::to_jiff),
            correlation_id: row.correlation_id,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        })
    }
}

/// Adds a payment unless the booking has one already.
pub(crate) async fn insert(tx: &mut TenantTx, payment: &Payment, provider: &str) -> Result<()> {
    sqlx::query!(
        "INSERT INTO payment (id, booking_id, status, version, amount_minor, currency, fee_minor, provider,
             account_id, booking, expires_at, check_at, correlation_id, created_at, updated_at)
         VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $8, $9, $10, $10, $12, $11, $11)
         ON CONFLICT (booking_id) DO NOTHING",
        payment.id.uuid(),
        payment.booking.booking_id.uuid(),
        payment.status.as_str(),
        payment.amount.amount,
        payment.amount.currency.code(),
        payment.fee_minor,
        provider,
        payment.account_id,
        Json(&payment.booking) as _,
        payment.expires_at.map(jiff_sqlx::Timestamp::from) as _,
        jiff_sqlx::Timestamp::from(payment.created_at) as _,
        payment.correlation_id,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn find(tx: &mut TenantTx, id: PaymentId) -> Result<Option<Payment>> {
    let row = select_payment!("WHERE id = $1", id.uuid())
        .fetch_optional(tx.conn())
        .await?;
    row.map(Payment::try_from).transpose()
}

pub(crate) async fn of_booking(tx: &mut TenantTx, booking: BookingId) -> Result<Option<Payment>> {
    let row = select_payment!("WHERE booking_id = $1", booking.uuid())
        .fetch_optional(tx.conn())
        .await?;
    row.map(Payment::try_from).transpose()
}

pub(crate) async fn by_ref(tx: &mut TenantTx, provider_ref: &str) -> Result<Option<Payment>> {
    let row = select_payment!("WHERE provider_ref = $1", provider_ref)
        .fetch_optional(tx.conn())
        .await?;
    row.map(Payment::try_from).transpose()
}

/// The payment, locked until the transaction ends.
pub(crate) async fn lock(tx: &mut TenantTx, id: PaymentId) -> Result<Payment> {
    let row = select_payment!("WHERE id = $1 FOR UPDATE", id.uuid())
        .fetch_optional(tx.conn())
        .await?;
    row.map(Payment::try_from)
        .transpose()?
        .ok_or(Error::NotFound)
}

/// When the next payment or refund is to be asked about.
pub(crate) async fn next_due(tx: &mut TenantTx) -> Result<Option<Timestamp>> {
    let next = sqlx::query_scalar!(
        r#"SELECT least((SELECT min(check_at) FROM payment WHERE check_at IS NOT NULL),
                        (SELECT min(updated_at) + interval '1 minute' FROM refund
                         WHERE status IN ('REQUESTED', 'PENDING')))
           AS "next: jiff_sqlx::Timestamp""#
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(next.map(jiff_sqlx::Timestamp::to_jiff))
}

/// Payments whose turn to be asked about has come, by the database's clock.
pub(crate) async fn due(tx: &mut TenantTx) -> Result<Vec<Payment>> {
    let rows = select_payment!(
        "WHERE check_at IS NOT NULL AND check_at <= clock_timestamp() ORDER BY check_at LIMIT 100"
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Payment::try_from).collect()
}

/// A page of payments, newest first.
pub(crate) async fn list(
    tx: &mut TenantTx,
    booking: Option<BookingId>,
    owner: Option<Uuid>,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Payment>> {
    let rows = select_payment!(
        "WHERE ($1::uuid IS NULL OR booking_id = $1)
           AND ($2::uuid IS NULL OR booking ->> 'customer_id' = $2::text)
           AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4))
         ORDER BY created_at DESC, id DESC LIMIT $5",
        booking.map(|id| id.uuid()),
        owner,
        after.map(|cursor| jiff_sqlx::Timestamp::from(cursor.at)) as _,
        after.map(|cursor| cursor.id),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Payment::try_from).collect()
}

/// Writes what can change of a locked payment, and when to ask about it next.
pub(crate) async fn save(
    tx: &mut TenantTx,
    payment: &Payment,
    check_at: Option<Timestamp>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE payment SET status = $2, version = $3, refunded_minor = $4, provider_ref = $5,
                client_secret = $6, method = $7, failure_code = $8, check_at = $9, updated_at = $10
         WHERE id = $1",
        payment.id.uuid(),
        payment.status.as_str(),
        payment.version,
        payment.refunded.amount,
        payment.provider_ref,
        payment.client_secret,
        payment.method,
        payment.failure_code,
        check_at.map(jiff_sqlx::Timestamp::from) as _,
        jiff_sqlx::Timestamp::from(payment.updated_at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes what a refund changes of a payment; when it is asked about next is another matter.
pub(crate) async fn save_refunded(tx: &mut TenantTx, payment: &Payment) -> Result<()> {
    sqlx::query!(
        "UPDATE payment SET status = $2, version = $3, refunded_minor = $4, updated_at = $5 WHERE id = $1",
        payment.id.uuid(),
        payment.status.as_str(),
        payment.version,
        payment.refunded.amount,
        jiff_sqlx::Timestamp::from(payment.updated_at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Everything is known of a payment: it is asked about no more.
pub(crate) async fn checked(tx: &mut TenantTx, id: PaymentId) -> Result<()> {
    sqlx::query!(
        "UPDATE payment SET check_at = NULL WHERE id = $1 AND check_at IS NOT NULL",
        id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Keeps what a payment pays for as it was last told.
pub(crate) async fn keep_booking(
    tx: &mut TenantTx,
    booking: &Booking,
    longer: Option<Timestamp>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE payment SET booking = $2, expires_at = greatest(expires_at, $4)
         WHERE booking_id = $1 AND (booking ->> 'version')::bigint < $3",
        booking.booking_id.uuid(),
        Json(booking) as _,
        booking.version,
        longer.map(jiff_sqlx::Timestamp::from) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Puts off when a payment is asked about next.
pub(crate) async fn check_again(tx: &mut TenantTx, id: PaymentId, at: Timestamp) -> Result<()> {
    sqlx::query!(
        "UPDATE payment SET check_at = $2 WHERE id = $1 AND check_at IS NOT NULL",
        id.uuid(),
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
