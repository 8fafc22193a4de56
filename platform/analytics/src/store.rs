//! All of the analytics service's SQL.

use berth_events::analytics::Tracked;
use berth_kernel::{BookingId, EventId};
use berth_tenancy::{Error, TenantTx};
use sqlx::types::Json;

/// Counts what `source` told of. `false` if it was counted before.
pub(crate) async fn insert(
    tx: &mut TenantTx,
    tracked: &Tracked,
    source: EventId,
) -> Result<bool, Error> {
    let done = sqlx::query!(
        "INSERT INTO tracked_event (id, name, source_id, booking_id, pixel_event_id, value_minor,
            currency, attribution, happened_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (source_id) DO NOTHING",
        tracked.tracked_id,
        tracked.name,
        source.uuid(),
        BookingId::uuid(tracked.booking_id),
        tracked.pixel_event_id,
        tracked.value.amount,
        tracked.value.currency.code(),
        Json(&tracked.attribution) as _,
        jiff_sqlx::Timestamp::from(tracked.happened_at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}
