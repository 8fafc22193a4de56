//! Rows of add-ons.

use berth_kernel::{AddOnId, ProductId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;

use super::{Result, money};
use crate::model::{AddOn, AddOnChange};

pub(crate) async fn insert_add_on(tx: &mut TenantTx, add_on: &AddOn, at: Timestamp) -> Result<()> {
    sqlx::query!(
        "INSERT INTO add_on (id, product_id, name, price_minor, max_quantity, required, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        add_on.id.uuid(),
        add_on.product_id.uuid(),
        add_on.name,
        add_on.price.amount,
        add_on.max_quantity,
        add_on.required,
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Changes an add-on of a product, of that version; whether it had it.
pub(crate) async fn update_add_on(
    tx: &mut TenantTx,
    product: ProductId,
    id: AddOnId,
    change: &AddOnChange,
) -> Result<bool> {
    let changed = sqlx::query!(
        "UPDATE add_on SET name = coalesce(btrim($4), name), price_minor = coalesce($5, price_minor),
                max_quantity = coalesce($6, max_quantity), required = coalesce($7, required),
                active = coalesce($8, active), version = version + 1
         WHERE id = $1 AND product_id = $2 AND version = $3",
        id.uuid(),
        product.uuid(),
        change.version,
        change.name,
        change.price_minor,
        change.max_quantity,
        change.required,
        change.active,
    )
    .execute(tx.conn())
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// A product's add-ons, in the order of their making.
pub(crate) async fn add_ons(tx: &mut TenantTx, product: ProductId) -> Result<Vec<AddOn>> {
    let rows = sqlx::query!(
        "SELECT a.id, a.name, a.price_minor, p.currency, a.max_quantity, a.required, a.active, a.version
         FROM add_on a JOIN product p ON p.id = a.product_id
         WHERE a.product_id = $1 ORDER BY a.created_at, a.id LIMIT 200",
        product.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(AddOn {
                id: row.id.into(),
                product_id: product,
                name: row.name,
                price: money(row.price_minor, &row.currency)?,
                max_quantity: row.max_quantity,
                required: row.required,
                active: row.active,
                version: row.version,
            })
        })
        .collect()
}
