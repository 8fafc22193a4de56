//! Dead letters: moved from their queue into a table, where they can be looked at and replayed.

use std::{sync::Arc, time::Duration};

use berth_kernel::{Envelope, EventId, TenantId, chain};
use berth_tenancy::Tenancy;
use futures::{StreamExt as _, stream::select_all};
use jiff::Timestamp;
use lapin::{
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicNackOptions},
    types::{AMQPValue, FieldTable},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Broker, Consumer, Failure,
    broker::{BrokerError, Outgoing},
    inbox,
    queue::REPLAYED,
    topology::{self, shard},
};

/// An event a consumer gave up on.
#[derive(Debug)]
pub struct DeadLetter {
    /// Who gave up.
    pub consumer: String,
    /// On what.
    pub event_id: EventId,
    /// Whose event it is.
    pub tenant_id: TenantId,
    /// Its type.
    pub event_type: String,
    /// Why.
    pub error: String,
    /// When.
    pub died_at: Timestamp,
}

/// Moves dead letters into the table until cancelled.
pub async fn run(
    tenancy: Tenancy,
    broker: Broker,
    consumers: Vec<Arc<dyn Consumer>>,
    stop: CancellationToken,
) {
    loop {
        let ended = tokio::select! {
            ended = mirror(&tenancy, &broker, &consumers) => ended,
            () = stop.cancelled() => return,
        };
        if let Err(failure) = ended {
            tracing::warn!(
                error = chain(&failure),
                "dead letters: will connect again: {failure}"
            );
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

async fn mirror(
    tenancy: &Tenancy,
    broker: &Broker,
    consumers: &[Arc<dyn Consumer>],
) -> Result<(), Failure> {
    let unreachable = |error: lapin::Error| Failure::Unavailable(error.into());
    let connection = broker
        .connect()
        .await
        .map_err(|error| Failure::Unavailable(error.into()))?;
    let channel = connection.create_channel().await.map_err(unreachable)?;
    let mut streams = Vec::new();
    topology::declare_shared(&channel, broker.names())
        .await
        .map_err(unreachable)?;
    for consumer in consumers {
        let name = consumer.name();
        topology::declare_consumer(&channel, broker.names(), name, consumer.subscriptions())
            .await
            .map_err(unreachable)?;
        let options = BasicConsumeOptions::default();
        let queue = broker.names().dead(name);
        let stream = channel
            .basic_consume(queue, "".into(), options, FieldTable::default())
            .await
            .map_err(unreachable)?;
        streams.push(stream.map(move |delivery| (name, delivery)));
    }
    let mut letters = select_all(streams);
    while let Some((consumer, delivery)) = letters.next().await {
        let delivery = delivery.map_err(unreachable)?;
        match serde_json::from_slice::<Envelope>(&delivery.data) {
            Ok(event) => {
                if let Kept::Later(error) = keep(tenancy, consumer, &event, &delivery.data).await? {
                    tracing::warn!(tenant_id = %event.tenant_id, error = chain(&error), "a dead letter waits: {error}");
                    // Its tenant's own database is away, or it is being moved: others' letters go on.
                    tokio::spawn(put_back(delivery));
                    continue;
                }
            }
            Err(error) => {
                tracing::error!(error = chain(&error), "a dead letter is no event: {error}")
            }
        }
        delivery
            .acker
            .ack(BasicAckOptions::default())
            .await
            .map_err(unreachable)?;
    }
    Ok(())
}

/// How long a letter that cannot be kept just now waits.
const LATER: Duration = Duration::from_secs(5);

/// Puts a letter back after a while; one whose connection has ended by then comes back by itself.
async fn put_back(delivery: Delivery) {
    tokio::time::sleep(LATER).await;
    let options = BasicNackOptions {
        requeue: true,
        ..BasicNackOptions::default()
    };
    if let Err(error) = delivery.acker.nack(options).await {
        tracing::debug!(error = chain(&error), "a dead letter comes back: {error}");
    }
}

/// What became of a letter.
enum Kept {
    Done,
    Later(berth_tenancy::Error),
}

/// Keeps one letter, and lets the entity's later events pass.
async fn keep(
    tenancy: &Tenancy,
    consumer: &str,
    event: &Envelope,
    raw: &[u8],
) -> Result<Kept, Failure> {
    let error = match tenancy.registry().get(event.tenant_id).await {
        // Of a timeline that was given up.
        Ok(Some(tenant)) if tenant.timeline > event.metadata.timeline => return Ok(Kept::Done),
        Ok(Some(tenant)) => {
            let mut tx = match tenancy.begin(&tenant).await {
                Ok(tx) => tx,
                Err(away) => return Ok(Kept::Later(away)),
            };
            let error = sqlx::query_scalar!(
                "SELECT last_error FROM inbox_failure WHERE consumer = $1 AND event_id = $2",
                consumer,
                event.event_id.uuid(),
            )
            .fetch_optional(tx.conn())
            .await?;
            inbox::advance(&mut tx, consumer, event, event.metadata.entity_version).await?;
            tx.commit().await?;
            error
        }
        // It left, and nothing of it is kept.
        Ok(None) => return Ok(Kept::Done),
        Err(error) => return Err(Failure::Unavailable(error.into())),
    };
    let error = error.unwrap_or_else(|| "the worker died of it each time".into());
    let mut tx = tenancy.begin_platform().await?;
    if !tx.has_tenant(event.tenant_id).await? {
        tx.rollback().await?;
        return Ok(Kept::Done);
    }
    sqlx::query!(
        "INSERT INTO platform.dead_letter (consumer, event_id, tenant_id, event_type, envelope, error)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (consumer, event_id)
         DO UPDATE SET died_at = clock_timestamp(), error = excluded.error, replayed_at = NULL",
        consumer,
        event.event_id.uuid(),
        event.tenant_id.uuid(),
        event.event_type,
        &*String::from_utf8_lossy(raw),
        error,
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await?;
    metrics::counter!("berth_dead_letters_total", "consumer" => consumer.to_owned()).increment(1);
    Ok(Kept::Done)
}

/// The letters at rest, newest first.
///
/// # Errors
/// What the database says.
pub async fn list(tenancy: &Tenancy, limit: i64) -> Result<Vec<DeadLetter>, berth_tenancy::Error> {
    let mut tx = tenancy.begin_platform().await?;
    let rows = sqlx::query!(
        "SELECT consumer, event_id, tenant_id, event_type, error, died_at FROM platform.dead_letter
         WHERE replayed_at IS NULL ORDER BY died_at DESC LIMIT $1",
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    tx.rollback().await?;
    let letter = rows.into_iter().map(|row| DeadLetter {
        consumer: row.consumer,
        event_id: row.event_id.into(),
        tenant_id: row.tenant_id.into(),
        event_type: row.event_type,
        error: row.error,
        died_at: row.died_at.to_jiff(),
    });
    Ok(letter.collect())
}

/// A letter could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// There is none such at rest.
    #[error("no such dead letter is at rest")]
    Unknown,
    /// The tables cannot be reached.
    #[error(transparent)]
    Database(#[from] berth_tenancy::Error),
    /// The broker does not take it.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// What was kept is no event.
    #[error("what was kept is no event")]
    Unreadable(#[from] serde_json::Error),
}

/// Hands a letter to its consumer again, with its failures forgotten. Handlers act on the present
/// state, so that a late event does no harm.
///
/// # Errors
/// [`ReplayError`].
pub async fn replay(
    tenancy: &Tenancy,
    broker: &Broker,
    consumer: &str,
    event: EventId,
) -> Result<(), ReplayError> {
    let database = |error: sqlx::Error| ReplayError::Database(error.into());
    let mut tx = tenancy.begin_platform().await?;
    let envelope = sqlx::query_scalar!(
        "UPDATE platform.dead_letter SET replayed_at = clock_timestamp()
         WHERE consumer = $1 AND event_id = $2 AND replayed_at IS NULL RETURNING envelope",
        consumer,
        event.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(database)?
    .ok_or(ReplayError::Unknown)?;
    let parsed: Envelope = serde_json::from_str(&envelope)?;
    forget(tenancy, consumer, &parsed).await?;
    let mut headers = FieldTable::default();
    headers.insert(REPLAYED.into(), AMQPValue::Boolean(true));
    let message = Outgoing {
        exchange: broker.names().work(),
        routing_key: broker
            .names()
            .queue(consumer, shard(parsed.metadata.entity_id)),
        message_id: event.to_string(),
        headers,
        payload: envelope.into_bytes(),
    };
    broker.publisher().await?.publish(vec![message]).await?;
    tx.commit().await?;
    Ok(())
}

/// Forgets the failures. The cursor stays where it is: what was handled after the event stays handled.
async fn forget(
    tenancy: &Tenancy,
    consumer: &str,
    event: &Envelope,
) -> Result<(), berth_tenancy::Error> {
    let Ok(Some(tenant)) = tenancy.registry().get(event.tenant_id).await else {
        return Ok(());
    };
    let mut tx = tenancy.begin(&tenant).await?;
    sqlx::query!(
        "DELETE FROM inbox_failure WHERE consumer = $1 AND event_id = $2",
        consumer,
        event.event_id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await
}
