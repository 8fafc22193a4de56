//! All of the integration service's SQL.

use berth_kernel::{BookingId, Secret};
use berth_tenancy::{Error, TenantTx};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    model::{Connection, Conversion, Status, TIKTOK},
    tiktok::Pixel,
};

type Result<T> = std::result::Result<T, Error>;

/// A connection's row without its token, as every query but [`pixel`] selects it.
struct ConnectionRow {
    kind: String,
    pixel_code: String,
    enabled: bool,
    version: i64,
    updated_at: jiff_sqlx::Timestamp,
}

impl From<ConnectionRow> for Connection {
    fn from(row: ConnectionRow) -> Self {
        Self {
            kind: row.kind,
            pixel_code: row.pixel_code,
            enabled: row.enabled,
            version: row.version,
            updated_at: row.updated_at.to_jiff(),
        }
    }
}

pub(crate) async fn connect_tiktok(
    tx: &mut TenantTx,
    pixel_code: &str,
    access_token: &Secret,
    at: Timestamp,
) -> Result<Connection> {
    let row = sqlx::query_as!(
        ConnectionRow,
        "INSERT INTO connection (kind, pixel_code, access_token, updated_at)
         VALUES ('tiktok', $1, $2, $3)
         ON CONFLICT (kind) DO UPDATE
         SET pixel_code = excluded.pixel_code, access_token = excluded.access_token,
             enabled = true, version = connection.version + 1, updated_at = excluded.updated_at
         RETURNING kind, pixel_code, enabled, version, updated_at",
        pixel_code,
        access_token.expose(),
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.into())
}

pub(crate) async fn connections(tx: &mut TenantTx) -> Result<Vec<Connection>> {
    let rows = sqlx::query_as!(
        ConnectionRow,
        "SELECT kind, pixel_code, enabled, version, updated_at FROM connection ORDER BY kind",
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The tenant's TikTok pixel with its token, if events are to be passed on.
pub(crate) async fn pixel(tx: &mut TenantTx) -> Result<Option<Pixel>> {
    let row = sqlx::query!(
        "SELECT pixel_code, access_token FROM connection WHERE kind = 'tiktok' AND enabled",
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Pixel {
        code: row.pixel_code,
        access_token: Secret::new(row.access_token),
    }))
}

/// Whether it is noted what became of a conversion to TikTok.
pub(crate) async fn is_settled(tx: &mut TenantTx, tracked: Uuid) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM conversion WHERE kind = $1 AND tracked_id = $2) AS "settled!""#,
        TIKTOK,
        tracked,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Notes what became of a conversion, unless that was noted before.
pub(crate) async fn settle(tx: &mut TenantTx, conversion: &Conversion) -> Result<()> {
    sqlx::query!(
        "INSERT INTO conversion (id, kind, tracked_id, booking_id, pixel_event_id, status,
            provider_ref, last_error, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT ON CONSTRAINT conversion_once DO NOTHING",
        conversion.id,
        conversion.kind,
        conversion.tracked_id,
        BookingId::uuid(conversion.booking_id),
        conversion.pixel_event_id,
        conversion.status.as_str(),
        conversion.provider_ref,
        conversion.last_error,
        jiff_sqlx::Timestamp::from(conversion.created_at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What was passed on about a booking, oldest first.
pub(crate) async fn conversions_of_booking(
    tx: &mut TenantTx,
    booking: BookingId,
) -> Result<Vec<Conversion>> {
    let rows = sqlx::query!(
        "SELECT id, kind, tracked_id, booking_id, pixel_event_id, status, provider_ref, last_error,
                created_at
         FROM conversion WHERE booking_id = $1 ORDER BY created_at, id",
        booking.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    let conversions = rows.into_iter().map(|row| Conversion {
        id: row.id,
        kind: row.kind,
        tracked_id: row.tracked_id,
        booking_id: row.booking_id.into(),
        pixel_event_id: row.pixel_event_id,
        status: Status::parse(&row.status),
        provider_ref: row.provider_ref,
        last_error: row.last_error,
        created_at: row.created_at.to_jiff(),
    });
    Ok(conversions.collect())
}
