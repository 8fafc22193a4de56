//! Rows of pools.

use berth_kernel::PoolId;
use berth_tenancy::TenantTx;
use jiff::Timestamp;

use super::Result;
use crate::model::{Pool, PoolChange};

pub(crate) async fn insert_pool(tx: &mut TenantTx, pool: &Pool, at: Timestamp) -> Result<()> {
    sqlx::query!(
        "INSERT INTO pool (id, name, quantity, created_at, sold_by) VALUES ($1, $2, $3, $4, $5)",
        pool.id.uuid(),
        pool.name,
        pool.quantity,
        jiff_sqlx::Timestamp::from(at) as _,
        pool.sold_by.as_str(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Changes a pool of that version; whether it had it.
pub(crate) async fn update_pool(
    tx: &mut TenantTx,
    id: PoolId,
    change: &PoolChange,
) -> Result<bool> {
    let updated = sqlx::query!(
        "UPDATE pool SET name = coalesce(btrim($3), name), quantity = coalesce($4, quantity), version = version + 1
         WHERE id = $1 AND version = $2",
        id.uuid(),
        change.version,
        change.name,
        change.quantity,
    )
    .execute(tx.conn())
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Selects whole pools; the tail says which.
macro_rules! select_pool {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            Pool,
            r#"SELECT id, name, quantity, sold_by, version,
                  quantity + (SELECT count(*) FROM resource WHERE pool_id = pool.id AND active)::int AS "capacity!"
           FROM pool "# + $tail
            $(, $arg)*
        )
    };
}

/// A pool as it is now.
///
/// # Errors
/// What the database says.
pub async fn pool(tx: &mut TenantTx, id: PoolId) -> Result<Option<Pool>> {
    let found = select_pool!("WHERE id = $1", id.uuid());
    Ok(found.fetch_optional(tx.conn()).await?)
}

pub(crate) async fn pools(tx: &mut TenantTx) -> Result<Vec<Pool>> {
    let found = select_pool!("ORDER BY name, id LIMIT 1000");
    Ok(found.fetch_all(tx.conn()).await?)
}
