//! Carries outbox rows to the broker.
//!
//! Rows are claimed with `SKIP LOCKED` and stay locked, in an open transaction, while they are
//! published; then they are marked and the transaction commits. The transaction is lease and fence
//! in one: a relay that dies or hangs loses it, the rows come free, and its late mark fails. Any
//! number of relays work side by side. A row may be published twice, never not at all.
//!
//! Every queue is there before the first row is published, so that none is lost for want of a worker
//! that declares it. A broker that has lost its queues gets the last day's rows again; who handled
//! them before says so.

use std::{sync::Arc, time::Duration};

use berth_kernel::{EventId, TenantId, chain};
use berth_tenancy::{NodeId, PlatformTx, Tenancy, is_tenant_role};
use futures::future::join_all;
use lapin::types::FieldTable;
use moka::sync::Cache;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    Broker, Consumer,
    broker::{BrokerError, Outgoing, Publisher},
    topology::{self, Names, shard},
};

/// Rows published at once.
const BATCH: i64 = 200;
/// How soon an idle relay looks again.
const IDLE: Duration = Duration::from_millis(50);
/// How soon a relay tries a broker again that it could not reach.
const BROKER_DOWN: Duration = Duration::from_secs(1);
/// How often it looks whether the broker still has its queues.
const LOOK: Duration = Duration::from_secs(2);
/// How often published rows are cleared away.
const SWEEP: Duration = Duration::from_secs(600);

/// The outbox of one node.
struct Outbox {
    tenancy: Tenancy,
    node: NodeId,
    /// Whose roles are: a role is one tenant's for good.
    owners: Cache<String, TenantId>,
}

impl Outbox {
    async fn begin(&self) -> Result<PlatformTx, berth_tenancy::Error> {
        self.tenancy.begin_platform_on(self.node).await
    }

    /// Whether a row is of the tenant it names: any tenant's role may add rows, and could name another. What
    /// is of a timeline that was given up is no matter: nobody heeds it.
    async fn is_own(
        &self,
        tenant: TenantId,
        written_by: &str,
        envelope: &str,
    ) -> Result<bool, RelayError> {
        let Ok(whose) = serde_json::from_str::<Whose>(envelope) else {
            return Ok(false);
        };
        if whose.tenant_id != tenant {
            return Ok(false);
        }
        if !is_tenant_role(written_by) {
            return Ok(true);
        }
        if let Some(owner) = self.owners.get(written_by) {
            return Ok(owner == tenant);
        }
        // No more than this is asked for: a row of the registry that is wrong otherwise holds up nobody.
        let mut tx = self.tenancy.begin_platform().await?;
        let row = sqlx::query!(
            "SELECT role, timeline FROM platform.tenant WHERE id = $1",
            tenant.uuid()
        )
        .fetch_optional(tx.conn())
        .await?;
        tx.rollback().await?;
        // One that is gone has nobody whose events they could be.
        let Some(row) = row else { return Ok(true) };
        if row.role == written_by {
            self.owners.insert(written_by.to_owned(), tenant);
            return Ok(true);
        }
        Ok(whose.metadata.timeline < row.timeline.unsigned_abs())
    }
}

/// What the relay wants to know of an envelope.
#[derive(serde::Deserialize)]
struct Whose {
    tenant_id: TenantId,
    metadata: Moment,
}

#[derive(serde::Deserialize)]
struct Moment {
    #[serde(default)]
    timeline: u32,
}

/// Carries rows of every node until cancelled, to the queues of `consumers`. A node that is away holds
/// up nobody else's.
pub async fn run(
    tenancy: Tenancy,
    broker: Broker,
    consumers: Vec<Arc<dyn Consumer>>,
    stop: CancellationToken,
) {
    let (broker, consumers) = (&broker, consumers.as_slice());
    let nodes = tenancy.database().node_ids();
    let owners = Cache::new(50_000);
    let carrying = nodes.map(|node| {
        let outbox = Outbox {
            tenancy: tenancy.clone(),
            node,
            owners: owners.clone(),
        };
        async move {
            tokio::join!(
                carry_forever(&outbox, broker, consumers),
                report_age(&outbox),
                sweep(&outbox)
            );
        }
    });
    tokio::select! {
        _ = join_all(carrying) => {}
        () = stop.cancelled() => {}
    }
}

async fn carry_forever(outbox: &Outbox, broker: &Broker, consumers: &[Arc<dyn Consumer>]) {
    loop {
        if let Err(error) = carry_on(outbox, broker, consumers).await {
            tracing::warn!(error = chain(&error), "relay: will try again: {error}");
            metrics::counter!("berth_relay_errors_total").increment(1);
        }
        tokio::time::sleep(BROKER_DOWN).await;
    }
}

/// Carries rows over one connection until it breaks.
async fn carry_on(
    outbox: &Outbox,
    broker: &Broker,
    consumers: &[Arc<dyn Consumer>],
) -> Result<(), RelayError> {
    // Connected first: while the broker is down no row is locked.
    let publisher = broker.publisher().await?;
    let mut looked = None;
    loop {
        if looked.is_none_or(|at: Instant| at.elapsed() > LOOK) {
            prepare(outbox, broker.names(), &publisher, consumers).await?;
            looked = Some(Instant::now());
        }
        if carry(outbox, broker, &publisher).await? == 0 {
            tokio::time::sleep(IDLE).await;
        }
    }
}

/// Sees to it that every queue is there, and that what a broker without them had is sent again.
async fn prepare(
    outbox: &Outbox,
    names: &Names,
    publisher: &Publisher,
    consumers: &[Arc<dyn Consumer>],
) -> Result<(), RelayError> {
    if topology::is_marked(&publisher.channel().await?, names, outbox.node).await {
        return Ok(());
    }
    let channel = publisher.channel().await?;
    let unreachable = |error: lapin::Error| RelayError::Broker(error.into());
    topology::declare_shared(&channel, names)
        .await
        .map_err(unreachable)?;
    for consumer in consumers {
        topology::declare_consumer(&channel, names, consumer.name(), consumer.subscriptions())
            .await
            .map_err(unreachable)?;
    }
    let again = publish_again(outbox).await?;
    if again > 0 {
        tracing::warn!(
            rows = again,
            "relay: the broker lost its queues; {again} rows are sent again"
        );
    }
    // Last: if this process dies before it, the next begins anew.
    topology::mark(&channel, names, outbox.node)
        .await
        .map_err(unreachable)
}

/// Lets all rows that are still there be published again; how many.
async fn publish_again(outbox: &Outbox) -> Result<u64, RelayError> {
    let mut again = 0;
    loop {
        let mut tx = outbox.begin().await?;
        let rows = sqlx::query!(
            "UPDATE platform.outbox SET published_at = NULL WHERE event_id IN (
                SELECT event_id FROM platform.outbox WHERE published_at IS NOT NULL LIMIT 20000)",
        )
        .execute(tx.conn())
        .await?
        .rows_affected();
        tx.commit().await?;
        again += rows;
        if rows < 20_000 {
            return Ok(again);
        }
    }
}

/// A batch could not be carried.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("the outbox cannot be read")]
    Outbox(#[from] berth_tenancy::Error),
    #[error("the broker does not take events")]
    Broker(#[from] BrokerError),
}

impl From<sqlx::Error> for RelayError {
    fn from(error: sqlx::Error) -> Self {
        Self::Outbox(error.into())
    }
}

/// Carries one batch; how many rows it was.
async fn carry(
    outbox: &Outbox,
    broker: &Broker,
    publisher: &Publisher,
) -> Result<usize, RelayError> {
    let mut tx = outbox.begin().await?;
    let rows = sqlx::query!(
        "SELECT event_id, tenant_id, event_type, entity_id, envelope, written_by FROM platform.outbox
         WHERE published_at IS NULL ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED",
        BATCH,
    )
    .fetch_all(tx.conn())
    .await?;
    if rows.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    let ids: Vec<_> = rows.iter().map(|row| row.event_id).collect();
    let mut batch = Vec::with_capacity(rows.len());
    for row in rows {
        let tenant = row.tenant_id.into();
        if !outbox
            .is_own(tenant, &row.written_by, &row.envelope)
            .await?
        {
            tracing::error!(event_id = %row.event_id, tenant_id = %tenant, written_by = row.written_by,
                "an event was not written by the tenant it names; it is not told");
            metrics::counter!("berth_relay_refused_total").increment(1);
            continue;
        }
        batch.push(outgoing(
            broker.names(),
            row.event_id.into(),
            &row.event_type,
            row.entity_id,
            row.envelope,
        ));
    }
    let told = batch.len() as u64;
    publisher.publish(batch).await?;
    sqlx::query!(
        "UPDATE platform.outbox SET published_at = clock_timestamp() WHERE event_id = ANY($1)",
        &ids,
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await?;
    metrics::counter!("berth_relay_published_total").increment(told);
    Ok(ids.len())
}

fn outgoing(
    names: &Names,
    id: EventId,
    event_type: &str,
    entity: uuid::Uuid,
    envelope: String,
) -> Outgoing {
    Outgoing {
        exchange: names.ev(),
        routing_key: format!("{event_type}.{}", shard(entity)).into(),
        message_id: id.to_string(),
        headers: FieldTable::default(),
        payload: envelope.into_bytes(),
    }
}

/// Exports how old the oldest waiting row is: the alarm for a relay that does not keep up.
async fn report_age(outbox: &Outbox) {
    loop {
        if let Ok(age) = oldest(outbox).await {
            metrics::gauge!("berth_outbox_oldest_seconds", "node" => outbox.node.to_string())
                .set(age);
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

async fn oldest(outbox: &Outbox) -> Result<f64, RelayError> {
    let mut tx = outbox.begin().await?;
    let age = sqlx::query_scalar!(
        "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
         FROM platform.outbox WHERE published_at IS NULL",
    )
    .fetch_one(tx.conn())
    .await?;
    tx.rollback().await?;
    Ok(age.unwrap_or(0.0))
}

/// Clears away rows published more than a day ago, a bounded number at a time.
async fn sweep(outbox: &Outbox) {
    loop {
        tokio::time::sleep(SWEEP).await;
        if let Err(error) = clear(outbox).await {
            tracing::warn!(
                error = chain(&error),
                "relay: old rows were not cleared: {error}"
            );
        }
    }
}

async fn clear(outbox: &Outbox) -> Result<(), RelayError> {
    let mut tx = outbox.begin().await?;
    sqlx::query!(
        "DELETE FROM platform.outbox WHERE event_id IN (
            SELECT event_id FROM platform.outbox
            WHERE published_at < clock_timestamp() - interval '1 day' LIMIT 20000)",
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(())
}
