//! Handling events: once, in order, with failures counted and set aside.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use berth_kernel::{Cause, Envelope};
use berth_tenancy::{Tenancy, Tenant, TenantTx};
use futures::StreamExt as _;
use lapin::{
    Channel, Connection,
    message::Delivery,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
        ConfirmSelectOptions,
    },
    types::{AMQPValue, FieldTable, ShortString},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

use crate::{
    Broker, Failure,
    broker::{BrokerError, Outgoing, publish},
    chain,
    inbox::{self, Standing},
    lanes::Lanes,
    topology::{self, Delay, Names, SHARDS},
};

/// Unacknowledged messages a queue hands out.
const PREFETCH: u16 = 32;
/// How long handling may take.
const HANDLE_WITHIN: Duration = Duration::from_secs(60);
/// Counted failures after which an event rests.
const MAX_TRIES: i32 = 3;
/// Waits after which an event of an unknown entity is taken as it is.
const MAX_UNKNOWN_WAITS: u32 = 30;
/// How often the message was put back because its turn had not come, or something was down.
const WAITS: &str = "x-berth-waits";
/// Marks an event that an operator replays.
pub(crate) const REPLAYED: &str = "x-berth-replayed";
/// How long work at hand may take once the process is to end.
const DRAIN_WITHIN: Duration = Duration::from_secs(25);

/// One service's reaction to events.
#[async_trait]
pub trait Consumer: Send + Sync + 'static {
    /// Its name: part of its queues' names and of its inbox rows; never changes.
    fn name(&self) -> &'static str;

    /// Event types it wants, `*` standing for one word. Of an entity it wants either all events
    /// or none (`booking.booking.*`): order is kept by versions, and a missing one would hold up
    /// the rest.
    fn subscriptions(&self) -> &'static [&'static str];

    /// Handles one event. The effect and [`Work::finish`] belong in one transaction; an event that
    /// needs nothing done is passed to [`Work::ignore`].
    async fn handle(&self, work: &Work) -> Result<Done, Failure>;
}

/// Proof that an event was recorded as handled; only [`Work`] makes it.
#[derive(Debug)]
pub struct Done(());

/// An event to be handled, with its tenant.
#[derive(Debug)]
pub struct Work {
    /// Whose event it is.
    pub tenant: Arc<Tenant>,
    /// The event.
    pub event: Envelope,
    consumer: &'static str,
    tenancy: Tenancy,
}

impl Work {
    /// An event as a worker would hand it to the consumer of this name, for the tests of that
    /// consumer: no broker is asked, and nothing checks whether the event's turn has come.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn for_test(
        tenant: Arc<Tenant>,
        event: Envelope,
        consumer: &'static str,
        tenancy: Tenancy,
    ) -> Self {
        Self {
            tenant,
            event,
            consumer,
            tenancy,
        }
    }

    /// Begins a transaction in the event's tenant.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn begin(&self) -> Result<TenantTx, Failure> {
        Ok(self.tenancy.begin(&self.tenant).await?)
    }

    /// What follows from this event happens because of it.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.event.as_cause()
    }

    /// Records the event as handled in `tx` and commits. If another worker has handled it in the
    /// meantime `tx` is rolled back, and all is well.
    ///
    /// # Errors
    /// What the database says; the event comes again.
    pub async fn finish(&self, mut tx: TenantTx) -> Result<Done, Failure> {
        if inbox::record(&mut tx, self.consumer, &self.event).await? {
            tx.commit().await?;
        } else {
            tx.rollback().await?;
        }
        Ok(Done(()))
    }

    /// Records that there is nothing to do.
    ///
    /// # Errors
    /// What the database says; the event comes again.
    pub async fn ignore(&self) -> Result<Done, Failure> {
        let tx = self.begin().await?;
        self.finish(tx).await
    }
}

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
        for shard in 0..SHARDS {
            let queue = Queue {
                channel: open(&connection).await?,
                name: broker.names().queue(name, shard),
                names: broker.names().clone(),
                tenancy: tenancy.clone(),
                consumer: Arc::clone(consumer),
            };
            let stream = queue.subscribe().await?;
            tracker.spawn(drain(
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
                .chain([names.dead(consumer.name()), names.unrouted()]);
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

/// One queue of one consumer.
struct Queue {
    channel: Channel,
    name: ShortString,
    names: Names,
    tenancy: Tenancy,
    consumer: Arc<dyn Consumer>,
}

impl Queue {
    async fn subscribe(&self) -> Result<lapin::Consumer, BrokerError> {
        let options = BasicConsumeOptions::default();
        let tag = ShortString::from(format!(
            "{}.{}",
            self.name.as_str(),
            uuid::Uuid::now_v7().simple()
        ));
        Ok(self
            .channel
            .basic_consume(self.name.clone(), tag, options, FieldTable::default())
            .await?)
    }
}

/// Hands a queue's messages to its lanes until told to stop, or the stream ends.
async fn drain(
    queue: Queue,
    mut stream: lapin::Consumer,
    tracker: TaskTracker,
    stop: CancellationToken,
    broken: CancellationToken,
) {
    let queue = Arc::new(queue);
    let lanes = Lanes::open(&tracker, {
        let queue = Arc::clone(&queue);
        move |(delivery, event)| {
            let queue = Arc::clone(&queue);
            async move { queue.take(delivery, event).await }
        }
    });
    loop {
        let delivery = tokio::select! {
            () = stop.cancelled() => return,
            () = broken.cancelled() => return,
            next = stream.next() => next,
        };
        let Some(Ok(delivery)) = delivery else {
            broken.cancel();
            return;
        };
        match serde_json::from_slice::<Envelope>(&delivery.data) {
            Ok(event) => {
                lanes
                    .send(event.metadata.entity_id, (delivery, event))
                    .await
            }
            Err(error) => {
                tracing::error!(
                    error = chain(&error),
                    "a message is no event; it is set aside: {error}"
                );
                queue.settle(&delivery, Verdict::Bury).await;
            }
        }
    }
}

/// What becomes of a message.
enum Verdict {
    /// It is done with.
    Ack,
    /// It comes again after a while.
    Later(Delay),
    /// It rests among the dead letters.
    Bury,
}

impl Queue {
    async fn take(&self, delivery: Delivery, event: Envelope) {
        let span = tracing::info_span!(
            "handle",
            consumer = self.consumer.name(),
            event_type = event.event_type,
            event_id = %event.event_id,
            tenant_id = %event.tenant_id,
            correlation_id = %event.correlation_id,
        );
        berth_telemetry::trace::follow(&span, event.metadata.trace_parent.as_deref());
        async {
            let started = std::time::Instant::now();
            let (verdict, outcome) = self.judge(&delivery, event).await;
            metrics::histogram!("berth_handler_seconds",
                "consumer" => self.consumer.name(), "outcome" => outcome)
            .record(started.elapsed().as_secs_f64());
            self.settle(&delivery, verdict).await;
        }
        .instrument(span)
        .await;
    }

    /// Handles the event if its turn has come; what becomes of the message, and a label for it.
    async fn judge(&self, delivery: &Delivery, event: Envelope) -> (Verdict, &'static str) {
        let waits = waits(delivery);
        let tenant = match self.tenancy.registry().get(event.tenant_id).await {
            Ok(Some(tenant)) => tenant,
            Ok(None) => {
                tracing::warn!("the event's tenant is gone; it is dropped");
                return (Verdict::Ack, "gone");
            }
            Err(error) => {
                tracing::warn!(error = chain(&*error), "the event waits for the database");
                return (Verdict::Later(Delay::FiveSeconds), "waiting");
            }
        };
        let work = Work {
            tenant,
            event,
            consumer: self.consumer.name(),
            tenancy: self.tenancy.clone(),
        };
        match standing(&work, is_replayed(delivery)).await {
            Ok(Standing::Past) => return (Verdict::Ack, "duplicate"),
            Ok(Standing::Early) => return (Verdict::Later(patience(waits)), "early"),
            Ok(Standing::Unknown) if waits < MAX_UNKNOWN_WAITS => {
                return (Verdict::Later(Delay::Second), "early");
            }
            Ok(Standing::Due | Standing::Unknown) => {}
            Err(failure) => return (self.failed(&work, waits, failure).await, "waiting"),
        }
        let handled = tokio::time::timeout(HANDLE_WITHIN, self.consumer.handle(&work))
            .await
            .unwrap_or_else(|elapsed| Err(Failure::retry(elapsed)));
        match handled {
            Ok(Done(())) => {
                tracing::info!("handled {}", work.event.event_type);
                (Verdict::Ack, "done")
            }
            Err(failure) => (self.failed(&work, waits, failure).await, "failed"),
        }
    }

    async fn failed(&self, work: &Work, waits: u32, failure: Failure) -> Verdict {
        let text = chain(&failure);
        let error = match failure {
            Failure::Unavailable(_) => {
                tracing::warn!(error = text, "the event waits: {text}");
                // Known from now on, so that the entity's later events wait for this one.
                let _ = mark_known(work).await;
                return Verdict::Later(patience(waits));
            }
            Failure::Retry(_) | Failure::Reject(_) => &text,
        };
        let last = matches!(failure, Failure::Reject(_));
        match count(work, error).await {
            Ok(tries) if last || tries >= MAX_TRIES => {
                tracing::error!(error = text, tries, "given up: {text}");
                Verdict::Bury
            }
            Ok(tries) => {
                tracing::warn!(error = text, tries, "failed, will be tried again: {text}");
                Verdict::Later(if tries == 1 {
                    Delay::FiveSeconds
                } else {
                    Delay::HalfMinute
                })
            }
            Err(_) => Verdict::Later(Delay::FiveSeconds),
        }
    }

    /// Does with the message what was decided. If that fails the channel is broken, and the
    /// broker delivers the message again.
    async fn settle(&self, delivery: &Delivery, verdict: Verdict) {
        let moved = match verdict {
            Verdict::Ack => Ok(()),
            Verdict::Later(delay) => {
                self.put(delivery, self.names.retry(delay), self.name.clone())
                    .await
            }
            Verdict::Bury => {
                let dead = self.names.dead(self.consumer.name());
                self.put(delivery, self.names.dlx(), dead).await
            }
        };
        let settled = match moved {
            Ok(()) => delivery.acker.ack(BasicAckOptions::default()).await,
            Err(error) => {
                tracing::warn!(
                    error = chain(&error),
                    "a message could not be moved: {error}"
                );
                delivery
                    .acker
                    .nack(BasicNackOptions {
                        requeue: true,
                        multiple: false,
                    })
                    .await
            }
        };
        if let Err(error) = settled {
            tracing::warn!(
                error = chain(&error),
                "a message could not be settled: {error}"
            );
        }
    }

    async fn put(
        &self,
        delivery: &Delivery,
        exchange: ShortString,
        routing_key: ShortString,
    ) -> Result<(), BrokerError> {
        let mut headers = FieldTable::default();
        headers.insert(
            WAITS.into(),
            AMQPValue::LongLongInt(i64::from(waits(delivery)) + 1),
        );
        if is_replayed(delivery) {
            headers.insert(REPLAYED.into(), AMQPValue::Boolean(true));
        }
        let message_id = delivery.properties.message_id().as_ref();
        let outgoing = Outgoing {
            exchange,
            routing_key,
            message_id: message_id
                .map(|id| id.as_str().to_owned())
                .unwrap_or_default(),
            headers,
            payload: delivery.data.clone(),
        };
        publish(&self.channel, vec![outgoing]).await
    }
}

async fn standing(work: &Work, replayed: bool) -> Result<Standing, Failure> {
    let mut tx = work.begin().await?;
    let standing = inbox::standing(&mut tx, work.consumer, &work.event, replayed).await?;
    tx.rollback().await?;
    Ok(standing)
}

async fn count(work: &Work, error: &str) -> Result<i32, Failure> {
    let mut tx = work.begin().await?;
    let tries = inbox::count_failure(&mut tx, work.consumer, &work.event, error).await?;
    tx.commit().await?;
    Ok(tries)
}

async fn mark_known(work: &Work) -> Result<(), Failure> {
    let mut tx = work.begin().await?;
    inbox::advance(&mut tx, work.consumer, &work.event, 0).await?;
    Ok(tx.commit().await?)
}

/// Whether an operator replays this event.
fn is_replayed(delivery: &Delivery) -> bool {
    let headers = delivery.properties.headers().as_ref();
    headers.is_some_and(|headers| headers.inner().contains_key(REPLAYED))
}

/// How often a message was put back.
fn waits(delivery: &Delivery) -> u32 {
    let headers = delivery.properties.headers().as_ref();
    let value = headers.and_then(|headers| headers.inner().get(WAITS));
    value
        .and_then(AMQPValue::as_long_long_int)
        .and_then(|n| u32::try_from(n).ok())
        .unwrap_or(0)
}

/// The longer something waited, the longer it waits.
const fn patience(waits: u32) -> Delay {
    match waits {
        0..8 => Delay::Second,
        8..16 => Delay::FiveSeconds,
        16..40 => Delay::HalfMinute,
        _ => Delay::FiveMinutes,
    }
}
