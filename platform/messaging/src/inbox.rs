//! What a consumer has done, in the tenant's schema, in the transaction of the effect.

use berth_kernel::Envelope;
use berth_tenancy::TenantTx;

/// How an event stands to what its consumer has done so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is the next one.
    Due,
    /// It was handled, or something later was.
    Past,
    /// One before it is still to come.
    Early,
    /// Nothing is known of the entity, but this is not its first event: either the first is on
    /// its way, or the consumer is younger than the entity.
    Unknown,
}

/// Looks where `event` stands for `consumer`. One that an operator replays is due unless it was
/// handled, whatever came after it.
pub(crate) async fn standing(
    tx: &mut TenantTx,
    consumer: &str,
    event: &Envelope,
    replayed: bool,
) -> Result<Standing, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT EXISTS (SELECT FROM inbox WHERE consumer = $1 AND event_id = $2) AS "handled!",
                  (SELECT version FROM inbox_cursor
                   WHERE consumer = $1 AND entity_type = $3 AND entity_id = $4) AS version"#,
        consumer,
        event.event_id.uuid(),
        event.entity_type(),
        event.metadata.entity_id,
    )
    .fetch_one(tx.conn())
    .await?;
    let version = event.metadata.entity_version;
    Ok(match row.version {
        _ if row.handled => Standing::Past,
        _ if replayed => Standing::Due,
        Some(last) if version <= last => Standing::Past,
        Some(last) if version == last + 1 => Standing::Due,
        Some(_) => Standing::Early,
        None if version <= 1 => Standing::Due,
        None => Standing::Unknown,
    })
}

/// Records that `event` is handled. `false` if it already was: another worker was faster and the
/// caller must roll back.
pub(crate) async fn record(
    tx: &mut TenantTx,
    consumer: &str,
    event: &Envelope,
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO inbox (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        consumer,
        event.event_id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    advance(tx, consumer, event, event.metadata.entity_version).await?;
    Ok(true)
}

/// Forgets which events were handled more than 30 days ago. The broker has none that old; of those
/// an operator replays, the cursor still tells which are past.
///
/// # Errors
/// What the database says.
pub async fn forget_old(tx: &mut TenantTx) -> Result<u64, berth_tenancy::Error> {
    let gone =
        sqlx::query!("DELETE FROM inbox WHERE handled_at < clock_timestamp() - interval '30 days'")
            .execute(tx.conn())
            .await?;
    Ok(gone.rows_affected())
}

/// Moves the entity's cursor up to `version`; never back.
pub(crate) async fn advance(
    tx: &mut TenantTx,
    consumer: &str,
    event: &Envelope,
    version: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO inbox_cursor (consumer, entity_type, entity_id, version) VALUES ($1, $2, $3, $4)
         ON CONFLICT (consumer, entity_type, entity_id)
         DO UPDATE SET version = greatest(inbox_cursor.version, excluded.version)",
        consumer,
        event.entity_type(),
        event.metadata.entity_id,
        version,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Counts a failed try; how many there were.
pub(crate) async fn count_failure(
    tx: &mut TenantTx,
    consumer: &str,
    event: &Envelope,
    error: &str,
) -> Result<i32, sqlx::Error> {
    let tries = sqlx::query_scalar!(
        "INSERT INTO inbox_failure (consumer, event_id, tries, last_error) VALUES ($1, $2, 1, $3)
         ON CONFLICT (consumer, event_id) DO UPDATE
         SET tries = inbox_failure.tries + 1, last_error = excluded.last_error,
             failed_at = clock_timestamp()
         RETURNING tries",
        consumer,
        event.event_id.uuid(),
        error,
    )
    .fetch_one(tx.conn())
    .await?;
    // The entity is known from now on, so that its later events wait for this one.
    advance(tx, consumer, event, 0).await?;
    Ok(tries)
}
