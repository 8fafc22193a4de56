//! Rows of vouchers.

use berth_kernel::{Cursor, VoucherId};
use berth_tenancy::TenantTx;
use uuid::Uuid;

use super::Result;
use crate::model::{Discount, Voucher, VoucherChange};

struct VoucherRow {
    id: Uuid,
    code: String,
    label: String,
    basis_points: Option<i32>,
    amount_minor: Option<i64>,
    product_ids: Vec<Uuid>,
    valid_from: Option<jiff_sqlx::Timestamp>,
    valid_until: Option<jiff_sqlx::Timestamp>,
    least_minor: i64,
    max_uses: Option<i32>,
    max_per_customer: Option<i32>,
    active: bool,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
}

impl From<VoucherRow> for Voucher {
    fn from(row: VoucherRow) -> Self {
        let discount = match row.basis_points {
            Some(points) => Discount::BasisPoints(points),
            None => Discount::Amount(row.amount_minor.unwrap_or(0)),
        };
        Self {
            id: row.id.into(),
            code: row.code,
            label: row.label,
            discount,
            product_ids: row.product_ids.into_iter().map(Into::into).collect(),
            valid_from: row.valid_from.map(Into::into),
            valid_until: row.valid_until.map(Into::into),
            least_minor: row.least_minor,
            max_uses: row.max_uses,
            max_per_customer: row.max_per_customer,
            active: row.active,
            version: row.version,
            created_at: row.created_at.into(),
        }
    }
}

/// Vouchers of which something holds.
macro_rules! select {
    ($holds:literal, $($arg:tt)*) => {
        sqlx::query_as!(
            VoucherRow,
            r#"SELECT id, code, label, basis_points, amount_minor, product_ids,
                      valid_from AS "valid_from: jiff_sqlx::Timestamp",
                      valid_until AS "valid_until: jiff_sqlx::Timestamp",
                      least_minor, max_uses, max_per_customer, active, version,
                      created_at AS "created_at: jiff_sqlx::Timestamp"
               FROM voucher WHERE "# + $holds,
            $($arg)*
        )
    };
}

/// Writes a voucher; whether its code was free.
pub(crate) async fn insert_voucher(tx: &mut TenantTx, voucher: &Voucher) -> Result<bool> {
    let (points, amount) = match voucher.discount {
        Discount::BasisPoints(points) => (Some(points), None),
        Discount::Amount(minor) => (None, Some(minor)),
    };
    let products: Vec<Uuid> = voucher.product_ids.iter().map(|id| id.uuid()).collect();
    let written = sqlx::query!(
        "INSERT INTO voucher (id, code, label, basis_points, amount_minor, product_ids, valid_from, valid_until,
                              least_minor, max_uses, max_per_customer, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT ON CONSTRAINT voucher_code_taken DO NOTHING",
        voucher.id.uuid(),
        voucher.code,
        voucher.label,
        points,
        amount,
        &products,
        voucher.valid_from.map(jiff_sqlx::Timestamp::from) as _,
        voucher.valid_until.map(jiff_sqlx::Timestamp::from) as _,
        voucher.least_minor,
        voucher.max_uses,
        voucher.max_per_customer,
        jiff_sqlx::Timestamp::from(voucher.created_at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(written.rows_affected() == 1)
}

/// Changes a voucher of that version; whether it had it.
pub(crate) async fn update_voucher(
    tx: &mut TenantTx,
    id: VoucherId,
    change: &VoucherChange,
) -> Result<bool> {
    let changed = sqlx::query!(
        "UPDATE voucher SET label = coalesce($3, label),
                valid_until = CASE WHEN $4 THEN $5 ELSE valid_until END,
                max_uses = CASE WHEN $6 THEN $7 ELSE max_uses END,
                active = coalesce($8, active), version = version + 1
         WHERE id = $1 AND version = $2",
        id.uuid(),
        change.version,
        change.label.as_deref().map(str::trim),
        change.valid_until.is_some(),
        change.valid_until.flatten().map(jiff_sqlx::Timestamp::from) as _,
        change.max_uses.is_some(),
        change.max_uses.flatten(),
        change.active,
    )
    .execute(tx.conn())
    .await?;
    Ok(changed.rows_affected() == 1)
}

pub(crate) async fn voucher(tx: &mut TenantTx, id: VoucherId) -> Result<Option<Voucher>> {
    let row = select!("id = $1", id.uuid());
    Ok(row.fetch_optional(tx.conn()).await?.map(Into::into))
}

/// A voucher that nobody else changes or counts the uses of until the transaction ends.
///
/// # Errors
/// What the database says.
pub async fn hold_voucher(tx: &mut TenantTx, id: VoucherId) -> Result<Option<Voucher>> {
    let row = select!("id = $1 FOR NO KEY UPDATE", id.uuid());
    Ok(row.fetch_optional(tx.conn()).await?.map(Into::into))
}

/// The voucher of a code as it is kept.
///
/// # Errors
/// What the database says.
pub async fn voucher_of_code(tx: &mut TenantTx, code: &str) -> Result<Option<Voucher>> {
    let row = select!("code = $1", code);
    Ok(row.fetch_optional(tx.conn()).await?.map(Into::into))
}

/// Vouchers after a place in the order of their making.
pub(crate) async fn vouchers(
    tx: &mut TenantTx,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Voucher>> {
    let rows = select!(
        "$1::timestamptz IS NULL OR (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3",
        after.map(|after| jiff_sqlx::Timestamp::from(after.at)) as _,
        after.map(|after| after.id),
        limit
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}
