//! Rows of locations.

use berth_kernel::LocationId;
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use uuid::Uuid;

use super::Result;
use crate::model::{Location, LocationChange, Near, Point};

pub(crate) async fn count_locations(tx: &mut TenantTx) -> Result<i64> {
    let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM location"#);
    Ok(count.fetch_one(tx.conn()).await?)
}

pub(crate) async fn insert_location(
    tx: &mut TenantTx,
    location: &Location,
    at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO location (id, name, address, timezone, latitude, longitude, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        location.id.uuid(),
        location.name,
        location.address,
        location.timezone,
        location.point.map(|point| point.latitude),
        location.point.map(|point| point.longitude),
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Changes a location of that version; whether it had it.
pub(crate) async fn update_location(
    tx: &mut TenantTx,
    id: LocationId,
    change: &LocationChange,
) -> Result<bool> {
    let updated = sqlx::query!(
        "UPDATE location SET name = coalesce(btrim($3), name), address = coalesce($4, address),
                latitude = coalesce($5, latitude), longitude = coalesce($6, longitude), version = version + 1
         WHERE id = $1 AND version = $2",
        id.uuid(),
        change.version,
        change.name,
        change.address,
        change.point.map(|point| point.latitude),
        change.point.map(|point| point.longitude),
    )
    .execute(tx.conn())
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Takes a location away that nothing is at; whether there was one.
///
/// # Errors
/// A violated foreign key says that something is.
pub(crate) async fn delete_location(
    tx: &mut TenantTx,
    id: LocationId,
) -> std::result::Result<bool, sqlx::Error> {
    let gone = sqlx::query!("DELETE FROM location WHERE id = $1", id.uuid())
        .execute(tx.conn())
        .await?;
    Ok(gone.rows_affected() == 1)
}

struct LocationRow {
    id: Uuid,
    name: String,
    address: String,
    timezone: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
    version: i64,
    distance_km: f64,
}

impl From<LocationRow> for Location {
    fn from(row: LocationRow) -> Self {
        let point = row.latitude.zip(row.longitude);
        Self {
            id: row.id.into(),
            name: row.name,
            address: row.address,
            timezone: row.timezone,
            point: point.map(|(latitude, longitude)| Point {
                latitude,
                longitude,
            }),
            version: row.version,
        }
    }
}

/// Selects whole locations; the tail says which.
macro_rules! select_location {
    ($distance:literal, $tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            LocationRow,
            "SELECT id, name, address, timezone, latitude, longitude, version, " + $distance
                + r#" AS "distance_km!" FROM location "# + $tail
            $(, $arg)*
        )
    };
}

pub(crate) async fn location(tx: &mut TenantTx, id: LocationId) -> Result<Option<Location>> {
    let found = select_location!("0::double precision", "WHERE id = $1", id.uuid());
    Ok(found.fetch_optional(tx.conn()).await?.map(Into::into))
}

pub(crate) async fn locations(tx: &mut TenantTx) -> Result<Vec<Location>> {
    let found = select_location!("0::double precision", "ORDER BY name, id LIMIT 1000");
    let found = found.fetch_all(tx.conn()).await?;
    Ok(found.into_iter().map(Into::into).collect())
}

/// Locations near a point and how far they are in kilometres, the nearest first. The index finds those of
/// the bounds; only of them the way is reckoned, along the great circle.
pub(crate) async fn locations_near(tx: &mut TenantTx, near: &Near) -> Result<Vec<(f64, Location)>> {
    let bounds = near.bounds();
    let found = select_location!(
        "away.km",
        "CROSS JOIN LATERAL (
             SELECT 2 * 6371.0088 * asin(sqrt(least(1,
                        sin(radians(latitude - $1) / 2) ^ 2
                        + cos(radians($1)) * cos(radians(latitude)) * sin(radians(longitude - $2) / 2) ^ 2))) AS km
         ) away
         WHERE latitude BETWEEN $4 AND $5
           AND CASE WHEN $6::double precision <= $7::double precision THEN longitude BETWEEN $6 AND $7
                    ELSE longitude >= $6 OR longitude <= $7 END
           AND away.km <= $3
         ORDER BY away.km, id LIMIT 1000",
        near.point.latitude,
        near.point.longitude,
        near.within_km,
        bounds.south,
        bounds.north,
        bounds.west,
        bounds.east,
    )
    .fetch_all(tx.conn())
    .await?;
    let far = |row: LocationRow| (row.distance_km, row.into());
    Ok(found.into_iter().map(far).collect())
}
