//! The table `refund`.

use berth_kernel::{Money, PaymentId, RefundId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Result, currency, unknown};
use crate::{
    Error,
    model::{Refund, RefundState},
};

/// A refund's row, as every query selects it.
struct RefundRow {
    id: Uuid,
    payment_id: Uuid,
    source: String,
    status: String,
    amount_minor: i64,
    currency: String,
    reason: String,
    provider_ref: Option<String>,
    failure_code: Option<String>,
    correlation_id: Uuid,
    created_at: jiff_sqlx::Timestamp,
}

/// Selects whole refunds; the tail says which.
macro_rules! select_refund {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            RefundRow,
            "SELECT id, payment_id, source, status, amount_minor, currency, reason, provider_ref,
                    failure_code, correlation_id, created_at
             FROM refund " + $tail
            $(, $arg)*
        )
    };
}

impl TryFrom<RefundRow> for Refund {
    type Error = Error;

    fn try_from(row: RefundRow) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            payment_id: row.payment_id.into(),
            source: row.source,
            state: RefundState::parse(&row.status).ok_or_else(|| unknown(&row.status))?,
            amount: Money::new(row.amount_minor, currency(&row.currency)?),
            reason: row.reason,
            provider_ref: row.provider_ref,
            failure_code: row.failure_code,
            correlation_id: row.correlation_id,
            created_at: row.created_at.to_jiff(),
        })
    }
}

/// Adds a refund unless the same wish has one already.
pub(crate) async fn insert_refund(tx: &mut TenantTx, refund: &Refund) -> Result<()> {
    sqlx::query!(
        "INSERT INTO refund (id, payment_id, source, status, amount_minor, currency, reason,
             correlation_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) ON CONFLICT (source) DO NOTHING",
        refund.id.uuid(),
        refund.payment_id.uuid(),
        refund.source,
        refund.state.as_str(),
        refund.amount.amount,
        refund.amount.currency.code(),
        refund.reason,
        refund.correlation_id,
        jiff_sqlx::Timestamp::from(refund.created_at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn refund_of(tx: &mut TenantTx, source: &str) -> Result<Option<Refund>> {
    let row = select_refund!("WHERE source = $1", source)
        .fetch_optional(tx.conn())
        .await?;
    row.map(Refund::try_from).transpose()
}

pub(crate) async fn refund(tx: &mut TenantTx, id: RefundId) -> Result<Option<Refund>> {
    let row = select_refund!("WHERE id = $1", id.uuid())
        .fetch_optional(tx.conn())
        .await?;
    row.map(Refund::try_from).transpose()
}

pub(crate) async fn refund_by_ref(tx: &mut TenantTx, provider_ref: &str) -> Result<Option<Refund>> {
    let row = select_refund!("WHERE provider_ref = $1", provider_ref)
        .fetch_optional(tx.conn())
        .await?;
    row.map(Refund::try_from).transpose()
}

pub(crate) async fn refunds(tx: &mut TenantTx, payment: PaymentId) -> Result<Vec<Refund>> {
    let rows = select_refund!(
        "WHERE payment_id = $1 ORDER BY created_at, id",
        payment.uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Refund::try_from).collect()
}

/// Refunds whose end is open and of which nothing was heard for a minute.
pub(crate) async fn open_refunds(tx: &mut TenantTx) -> Result<Vec<Refund>> {
    let rows = select_refund!(
        "WHERE status IN ('REQUESTED', 'PENDING') AND updated_at < clock_timestamp() - interval '1 minute'
         ORDER BY updated_at LIMIT 50"
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Refund::try_from).collect()
}

pub(crate) async fn save_refund(tx: &mut TenantTx, refund: &Refund, at: Timestamp) -> Result<()> {
    sqlx::query!(
        "UPDATE refund SET status = $2, provider_ref = $3, failure_code = $4, updated_at = $5 WHERE id = $1",
        refund.id.uuid(),
        refund.state.as_str(),
        refund.provider_ref,
        refund.failure_code,
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
