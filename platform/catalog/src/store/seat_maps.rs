//! Rows of seat maps.

use berth_kernel::SeatMapId;
use berth_tenancy::TenantTx;
use sqlx::types::Json;

use super::Result;
use crate::model::{SeatMap, Section};

pub(crate) async fn insert_seat_map(tx: &mut TenantTx, map: &SeatMap) -> Result<()> {
    sqlx::query!(
        "INSERT INTO seat_map (id, name, seats, sections, created_at) VALUES ($1, $2, $3, $4, $5)",
        map.id.uuid(),
        map.name,
        map.seats,
        Json(&map.sections) as _,
        jiff_sqlx::Timestamp::from(map.created_at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn seat_map(tx: &mut TenantTx, id: SeatMapId) -> Result<Option<SeatMap>> {
    let row = sqlx::query!(
        r#"SELECT name, seats, sections AS "sections: Json<Vec<Section>>",
                  created_at AS "created_at: jiff_sqlx::Timestamp"
           FROM seat_map WHERE id = $1"#,
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| SeatMap {
        id,
        name: row.name,
        seats: row.seats,
        sections: row.sections.0,
        created_at: row.created_at.to_jiff(),
    }))
}

/// All of them without their seats, by name.
pub(crate) async fn seat_maps(tx: &mut TenantTx) -> Result<Vec<SeatMap>> {
    let rows = sqlx::query!(
        r#"SELECT id, name, seats, created_at AS "created_at: jiff_sqlx::Timestamp"
           FROM seat_map ORDER BY name, id LIMIT 1000"#
    )
    .fetch_all(tx.conn())
    .await?;
    let map = rows.into_iter().map(|row| SeatMap {
        id: row.id.into(),
        name: row.name,
        seats: row.seats,
        sections: Vec::new(),
        created_at: row.created_at.to_jiff(),
    });
    Ok(map.collect())
}

/// Takes a map away that no product has; whether there was one.
///
/// # Errors
/// A violated foreign key says that one has it.
pub(crate) async fn delete_seat_map(
    tx: &mut TenantTx,
    id: SeatMapId,
) -> std::result::Result<bool, sqlx::Error> {
    let gone = sqlx::query!("DELETE FROM seat_map WHERE id = $1", id.uuid())
        .execute(tx.conn())
        .await?;
    Ok(gone.rows_affected() == 1)
}
