//! Rows of the category tree.

use berth_kernel::CategoryId;
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use uuid::Uuid;

use super::Result;
use crate::model::{Category, Family};

/// Keeps the shape of the tree for this transaction: two moves at once could make a circle that neither
/// of them would.
pub(crate) async fn lock_tree(tx: &mut TenantTx) -> Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended(current_user || 'category', 3))")
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// What decides whether `id`, which may not be there yet, may stand below `parent`. A circle that
/// somebody made by hand does not keep it from ending.
pub(crate) async fn family(
    tx: &mut TenantTx,
    id: CategoryId,
    parent: Option<CategoryId>,
) -> Result<Family> {
    let family = sqlx::query_as!(
        Family,
        r#"WITH RECURSIVE above AS (
               SELECT id, parent_id, 1 AS level FROM category WHERE id = $2
               UNION ALL
               SELECT c.id, c.parent_id, a.level + 1 FROM above a JOIN category c ON c.id = a.parent_id
               WHERE a.level < 100
           ), below AS (
               SELECT $1::uuid AS id, 1 AS level
               UNION ALL
               SELECT c.id, b.level + 1 FROM below b JOIN category c ON c.parent_id = b.id
               WHERE b.level < 100
           )
           SELECT $2::uuid IS NULL OR EXISTS (SELECT FROM above) AS "parent_exists!",
                  (SELECT coalesce(max(level), 0) FROM above) AS "above!",
                  EXISTS (SELECT FROM above WHERE id = $1) AS "circular!",
                  (SELECT max(level) FROM below) AS "below!",
                  (SELECT count(*) FROM category) AS "nodes!""#,
        id.uuid(),
        parent.map(|id| id.uuid()),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(family)
}

pub(crate) async fn insert_category(
    tx: &mut TenantTx,
    category: &Category,
    at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO category (id, parent_id, name, position, created_at) VALUES ($1, $2, $3, $4, $5)",
        category.id.uuid(),
        category.parent_id.map(|id| id.uuid()),
        category.name,
        category.position,
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a node if its version is still `version`; whether it was.
pub(crate) async fn update_category(
    tx: &mut TenantTx,
    category: &Category,
    version: i64,
) -> Result<bool> {
    let updated = sqlx::query!(
        "UPDATE category SET name = $3, parent_id = $4, position = $5, version = version + 1
         WHERE id = $1 AND version = $2",
        category.id.uuid(),
        version,
        category.name,
        category.parent_id.map(|id| id.uuid()),
        category.position,
    )
    .execute(tx.conn())
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Takes a node away that has nothing below it and nothing in it; whether there was one.
///
/// # Errors
/// A violated foreign key says that it has.
pub(crate) async fn delete_category(
    tx: &mut TenantTx,
    id: CategoryId,
) -> std::result::Result<bool, sqlx::Error> {
    let gone = sqlx::query!("DELETE FROM category WHERE id = $1", id.uuid())
        .execute(tx.conn())
        .await?;
    Ok(gone.rows_affected() == 1)
}

struct CategoryRow {
    id: Uuid,
    parent_id: Option<Uuid>,
    name: String,
    position: i32,
    version: i64,
}

impl From<CategoryRow> for Category {
    fn from(row: CategoryRow) -> Self {
        Self {
            id: row.id.into(),
            parent_id: row.parent_id.map(Into::into),
            name: row.name,
            position: row.position,
            version: row.version,
        }
    }
}

/// Selects whole nodes; the tail says which.
macro_rules! select_category {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            CategoryRow,
            "SELECT id, parent_id, name, position, version FROM category " + $tail
            $(, $arg)*
        )
    };
}

pub(crate) async fn category(tx: &mut TenantTx, id: CategoryId) -> Result<Option<Category>> {
    let found = select_category!("WHERE id = $1", id.uuid());
    Ok(found.fetch_optional(tx.conn()).await?.map(Into::into))
}

/// All nodes, those below the same one in their order.
pub(crate) async fn categories(tx: &mut TenantTx) -> Result<Vec<Category>> {
    let found = select_category!("ORDER BY position, name, id LIMIT 1000");
    let found = found.fetch_all(tx.conn()).await?;
    Ok(found.into_iter().map(Into::into).collect())
}
