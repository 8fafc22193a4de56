//! All of the receipt service's SQL.
//!
//! Lock order: the year's row of `receipt_counter`, then `receipt`.

use berth_kernel::{BookingId, Money, PaymentId, ReceiptId, UserId};
use berth_receipt_pdf::Content;
use berth_tenancy::{Error, TenantTx};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::Receipt;

type Result<T> = std::result::Result<T, Error>;

/// A receipt's row, as every query selects it.
struct Row {
    id: Uuid,
    number: String,
    payment_id: Uuid,
    booking_id: Uuid,
    customer_id: Option<Uuid>,
    amount_minor: i64,
    currency: String,
    path: String,
    content: Json<Content>,
    issued_at: jiff_sqlx::Timestamp,
    stored_at: Option<jiff_sqlx::Timestamp>,
}

impl Row {
    fn split(self) -> Result<(Receipt, Content)> {
        let currency = self
            .currency
            .parse()
            .map_err(|e| sqlx::Error::Decode(Box::new(e)))?;
        let receipt = Receipt {
            id: self.id.into(),
            number: self.number,
            payment_id: self.payment_id.into(),
            booking_id: self.booking_id.into(),
            customer_id: self.customer_id.map(Into::into),
            amount: Money::new(self.amount_minor, currency),
            path: self.path,
            issued_at: self.issued_at.to_jiff(),
            stored_at: self.stored_at.map(|at| at.to_jiff()),
        };
        Ok((receipt, self.content.0))
    }
}

/// Takes the year's next number. Its row stays locked until the transaction ends; a rollback
/// gives the number back.
pub(crate) async fn take_number(tx: &mut TenantTx, year: i16) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        "INSERT INTO receipt_counter (year, last) VALUES ($1, 1)
         ON CONFLICT (year) DO UPDATE SET last = receipt_counter.last + 1
         RETURNING last",
        i32::from(year),
    )
    .fetch_one(tx.conn())
    .await?)
}

pub(crate) async fn insert(tx: &mut TenantTx, receipt: &Receipt, content: &Content) -> Result<()> {
    sqlx::query!(
        "INSERT INTO receipt (id, payment_id, booking_id, customer_id, number, amount_minor,
            currency, path, content, issued_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        receipt.id.uuid(),
        receipt.payment_id.uuid(),
        receipt.booking_id.uuid(),
        receipt.customer_id.map(UserId::uuid),
        receipt.number,
        receipt.amount.amount,
        receipt.amount.currency.code(),
        receipt.path,
        Json(content) as _,
        jiff_sqlx::Timestamp::from(receipt.issued_at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The receipt of a payment, if it has one.
pub(crate) async fn of_payment(
    tx: &mut TenantTx,
    payment: PaymentId,
) -> Result<Option<(Receipt, Content)>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT id, number, payment_id, booking_id, customer_id, amount_minor, currency, path,
                  content AS "content: Json<Content>", issued_at, stored_at
           FROM receipt WHERE payment_id = $1"#,
        payment.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(Row::split).transpose()
}

/// Notes that the PDF lies in the object store. `false` if that was noted before.
pub(crate) async fn mark_stored(tx: &mut TenantTx, id: ReceiptId, at: Timestamp) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE receipt SET stored_at = $2 WHERE id = $1 AND stored_at IS NULL",
        id.uuid(),
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A receipt; only of `owner`, if one is named.
pub(crate) async fn get(
    tx: &mut TenantTx,
    id: ReceiptId,
    owner: Option<UserId>,
) -> Result<Option<(Receipt, Content)>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT id, number, payment_id, booking_id, customer_id, amount_minor, currency, path,
                  content AS "content: Json<Content>", issued_at, stored_at
           FROM receipt WHERE id = $1 AND ($2::uuid IS NULL OR customer_id = $2)"#,
        id.uuid(),
        owner.map(UserId::uuid),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(Row::split).transpose()
}

/// The receipts of a booking; only of `owner`, if one is named.
pub(crate) async fn of_booking(
    tx: &mut TenantTx,
    booking: BookingId,
    owner: Option<UserId>,
) -> Result<Vec<Receipt>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id, number, payment_id, booking_id, customer_id, amount_minor, currency, path,
                  content AS "content: Json<Content>", issued_at, stored_at
           FROM receipt WHERE booking_id = $1 AND ($2::uuid IS NULL OR customer_id = $2)
           ORDER BY issued_at, id"#,
        booking.uuid(),
        owner.map(UserId::uuid),
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| row.split().map(|(receipt, _)| receipt))
        .collect()
}
