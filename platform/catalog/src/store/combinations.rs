//! Rows of combinations.

use berth_kernel::CombinationId;
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use uuid::Uuid;

use super::Result;
use crate::{
    Error,
    model::{Combination, Party},
};

pub(crate) async fn insert_combination(
    tx: &mut TenantTx,
    combination: &Combination,
    at: Timestamp,
) -> Result<()> {
    let tables: Vec<Uuid> = combination
        .resource_ids
        .iter()
        .map(|id| id.uuid())
        .collect();
    let tables_among = sqlx::query_scalar!(
        r#"WITH combination AS (
               INSERT INTO combination (id, party_min, party_max, created_at) VALUES ($1, $2, $3, $4)
               RETURNING id
           ), put AS (
               INSERT INTO combination_resource (combination_id, resource_id)
               SELECT combination.id, r.id FROM combination, resource r WHERE r.id = ANY($5) AND r.kind = 'table'
               RETURNING true
           )
           SELECT count(*) AS "count!" FROM put"#,
        combination.id.uuid(),
        combination.party.min,
        combination.party.max,
        jiff_sqlx::Timestamp::from(at) as _,
        &tables,
    )
    .fetch_one(tx.conn())
    .await?;
    if usize::try_from(tables_among) != Ok(tables.len()) {
        let detail = "Only tables can be put together, and such as there are.";
        return Err(Error::invalid("resource_ids", "UNKNOWN_REFERENCE", detail));
    }
    Ok(())
}

/// Takes a combination away; whether there was one.
pub(crate) async fn delete_combination(tx: &mut TenantTx, id: CombinationId) -> Result<bool> {
    let gone = sqlx::query!("DELETE FROM combination WHERE id = $1", id.uuid())
        .execute(tx.conn())
        .await?;
    Ok(gone.rows_affected() == 1)
}

/// All of them, the smallest first.
pub(crate) async fn combinations(tx: &mut TenantTx) -> Result<Vec<Combination>> {
    let rows = sqlx::query!(
        r#"SELECT id, party_min, party_max,
                  ARRAY(SELECT resource_id FROM combination_resource WHERE combination_id = c.id ORDER BY resource_id)
                    AS "tables!"
           FROM combination c ORDER BY party_max, id LIMIT 1000"#
    )
    .fetch_all(tx.conn())
    .await?;
    let combination = rows.into_iter().map(|row| Combination {
        id: row.id.into(),
        resource_ids: row.tables.into_iter().map(Into::into).collect(),
        party: Party {
            min: row.party_min,
            max: row.party_max,
        },
    });
    Ok(combination.collect())
}
