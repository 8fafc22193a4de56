//! What a tenant had told at the moment of its export: some of it may not have been heard yet by those
//! who act on it, and a copy without it would wait for ever for the versions in between.

use std::path::Path;

use berth_kernel::{Envelope, EventId, TenantId};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

use super::{DataError, manifest::Events};

/// The file of an export that holds them: an envelope a line, in the order they were told.
const FILE: &str = "events.jsonl";

/// Whose they become.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heir {
    pub(super) id: TenantId,
    /// The restored tenant's timeline.
    pub(super) timeline: u32,
    /// Whether it is another tenant than they were of: then the events are others too.
    pub(super) other: bool,
}

/// What `tenant` has told on a node and its outbox still has: what waits, and the last day.
pub(super) async fn told(
    conn: &mut PgConnection,
    tenant: TenantId,
) -> Result<Vec<String>, DataError> {
    // What the registry tells of the tenant is none of its own.
    let lines = sqlx::query_scalar(
        "SELECT envelope FROM platform.outbox
         WHERE tenant_id = $1 AND event_type NOT LIKE 'tenant.%' ORDER BY seq",
    )
    .bind(tenant.uuid())
    .fetch_all(conn)
    .await?;
    Ok(lines)
}

/// Writes what was told.
pub(super) async fn write(lines: &[String], folder: &Path) -> Result<Events, DataError> {
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    super::folder::write(&folder.join(FILE), text.as_bytes()).await?;
    Ok(Events {
        count: lines.len() as u64,
        sha256: hex::encode(Sha256::digest(&text)),
    })
}

/// The events of an export, as `heir` tells them.
pub(super) async fn read(
    folder: &Path,
    kept: &Events,
    heir: Heir,
) -> Result<Vec<Envelope>, DataError> {
    let text = super::read(&folder.join(FILE)).await?;
    let damaged = || DataError::Damaged(FILE.to_owned());
    if hex::encode(Sha256::digest(&text)) != kept.sha256 {
        return Err(damaged());
    }
    let text = String::from_utf8(text).map_err(|_| damaged())?;
    let read = |line: &str| {
        let mut event: Envelope = serde_json::from_str(line)?;
        event.tenant_id = heir.id;
        event.metadata.timeline = heir.timeline;
        if heir.other {
            event.event_id = EventId::new();
        }
        Ok(event)
    };
    text.lines().map(read).collect()
}

/// Tells them again, in place of everything the tenant has told: who has heard one knows it.
pub(super) async fn tell(
    conn: &mut PgConnection,
    tenant: TenantId,
    events: &[Envelope],
) -> Result<(), DataError> {
    sqlx::query(
        "DELETE FROM platform.outbox WHERE tenant_id = $1 AND event_type NOT LIKE 'tenant.%'",
    )
    .bind(tenant.uuid())
    .execute(&mut *conn)
    .await?;
    let ids: Vec<_> = events.iter().map(|event| event.event_id.uuid()).collect();
    let types: Vec<&str> = events.iter().map(|event| &*event.event_type).collect();
    let entities: Vec<_> = events
        .iter()
        .map(|event| event.metadata.entity_id)
        .collect();
    let texts = events.iter().map(serde_json::to_string);
    let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
    sqlx::query(
        "INSERT INTO platform.outbox (event_id, tenant_id, event_type, entity_id, envelope)
         SELECT e.id, $1, e.type, e.entity, e.envelope
         FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[])
              WITH ORDINALITY e (id, type, entity, envelope, place)
         ORDER BY e.place",
    )
    .bind(tenant.uuid())
    .bind(&ids)
    .bind(&types)
    .bind(&entities)
    .bind(&texts)
    .execute(conn)
    .await?;
    Ok(())
}
