//! Writing events: rows in the transaction that makes them true.

use berth_kernel::{Cause, Envelope, Event, EventId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use uuid::Uuid;

/// An event ready to be inserted, for stores that write it in the same statement as their own rows.
#[derive(Debug)]
pub struct Row {
    /// Primary key, and the message id on the broker.
    pub event_id: EventId,
    /// `{service}.{entity}.{action}`.
    pub event_type: &'static str,
    /// What the event is about; decides its shard.
    pub entity_id: Uuid,
    /// The envelope as JSON.
    pub envelope: String,
}

/// Makes the row for `event`, as it happens in `tx`'s tenant.
///
/// # Errors
/// When the event cannot be written as JSON.
pub fn row<E: Event>(
    tx: &TenantTx,
    event: &E,
    at: Timestamp,
    cause: &Cause,
) -> Result<Row, serde_json::Error> {
    let envelope = Envelope::wrap(event, tx.tenant_id(), at, cause)?.on(tx.timeline());
    Ok(Row {
        event_id: envelope.event_id,
        event_type: E::TYPE,
        entity_id: envelope.metadata.entity_id,
        envelope: serde_json::to_string(&envelope)?,
    })
}

/// Publishes `event` when, and only when, `tx` commits.
///
/// # Errors
/// What the database says.
pub async fn push<E: Event>(
    tx: &mut TenantTx,
    event: &E,
    at: Timestamp,
    cause: &Cause,
) -> Result<(), berth_tenancy::Error> {
    let tenant = tx.tenant_id();
    let row = row(tx, event, at, cause).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query!(
        "INSERT INTO platform.outbox (event_id, tenant_id, event_type, entity_id, envelope)
         VALUES ($1, $2, $3, $4, $5)",
        row.event_id.uuid(),
        tenant.uuid(),
        row.event_type,
        row.entity_id,
        row.envelope,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
