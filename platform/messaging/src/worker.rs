//! The worker: one connection to the broker, a channel for each queue of each consumer, made anew
//! when the connection breaks.

use std::{sync::Arc, time::Duration};

use berth_tenancy::{Tenancy, shares::Shares};
use lapin::{
    Channel, Connection,
    options::{BasicQosOptions, ConfirmSelectOptions},
    types::FieldTable,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Broker, Consumer,
    broker::BrokerError,
    queue::{self, Queue},
    topology::{self, Names, SHARDS},
};
use berth_kernel::chain;

/// Unacknowledged messages a queue hands out.
const PREFETCH: u16 = 64;
/// How long work at hand may take once the process is to end.
const DRAIN_WITHIN: Duration = Duration::from_secs(25);

/// Runs `consumers` until cancelled, connecting again whenever the broker went away; then lets
/// work at hand finish.
pub async fn run(
    tenancy: Tenancy,
    broker: Broker,
    consumers: Vec<Arc<dyn Consumer>>,
    stop: CancellationToken,
) {
    loop {
        match serve(&tenancy, &broker, &consumers, &stop).await {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(
                    error = chain(&error),
                    "worker: broker lost, will connect again: {error}"
                );
            }
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Serves over one connection, until it breaks (an error) or the process is to end.
async fn serve(
    tenancy: &Tenancy,
    broker: &Broker,
    consumers: &[Arc<dyn Consumer>],
    stop: &CancellationToken,
) -> Result<(), BrokerError> {
    let connection = broker.connect().await?;
    let setup = connection.create_channel().await?;
    topology::declare_shared(&setup, broker.names()).await?;
    let tracker = TaskTracker::new();
    let broken = CancellationToken::new();
    for consumer in consumers {
        let (name, wanted) = (consumer.name(), consumer.subscriptions());
        topology::declare_consumer(&setup, broker.names(), name, wanted).await?;
        // Each consumer's own: a tenant's slow mail is nothing to its payments.
        let shares = Shares::default();
        for shard in 0..SHARDS {
            let queue = Queue {
                channel: open(&connection).await?,
                name: broker.names().queue(name, shard),
                names: broker.names().clone(),
                tenancy: tenancy.clone(),
                consumer: Arc::clone(consumer),
                shares: shares.clone(),
            };
            let stream = queue.subscribe().await?;
            tracker.spawn(queue::drain(
                queue,
                stream,
                tracker.clone(),
                stop.clone(),
                broken.clone(),
            ));
        }
    }
    tracing::info!(consumers = consumers.len(), "worker: taking events");
    let lag = report_lag(setup, broker.names(), consumers);
    let ended = tokio::select! {
        () = stop.cancelled() => Ok(()),
        () = broken.cancelled() => Err(BrokerError::Silent),
        error = lag => Err(error),
    };
    broken.cancel();
    tracker.close();
    let _ = tokio::time::timeout(DRAIN_WITHIN, tracker.wait()).await;
    let _ = connection.close(200, "done".into()).await;
    ended
}

async fn open(connection: &Connection) -> Result<Channel, BrokerError> {
    let channel = connection.create_channel().await?;
    channel
        .basic_qos(PREFETCH, BasicQosOptions::default())
        .await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    Ok(channel)
}

/// Exports the depth of every queue; an error ends the connection.
async fn report_lag(
    channel: Channel,
    names: &Names,
    consumers: &[Arc<dyn Consumer>],
) -> BrokerError {
    loop {
        for consumer in consumers {
            let queues = (0..SHARDS)
                .map(|shard| names.queue(consumer.name(), shard))
                .chain([names.dead(consumer.name()), names.unrouted_queue()]);
            for queue in queues {
                let options = lapin::options::QueueDeclareOptions::durable().passive();
                match channel
                    .queue_declare(queue.clone(), options, FieldTable::default())
                    .await
                {
                    Ok(state) => {
                        metrics::gauge!("berth_queue_messages", "queue" => queue.as_str().to_owned())
                            .set(f64::from(state.message_count()));
                    }
                    Err(error) => return error.into(),
                }
            }
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}
