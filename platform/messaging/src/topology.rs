//! The exchanges and queues, and their names.
//!
//! | name | what it is |
//! |---|---|
//! | `ev` | topic exchange; what no queue wants goes to `unrouted` and its queue for a week, instead of being lost |
//! | `work` | direct exchange; where a retried message comes back to its queue by name |
//! | `w.<consumer>.<shard>` | quorum queue; an entity's events always share a shard |
//! | `retry.<delay>` | fanout exchange and queue; the queue's TTL brings the message back to `work`. One queue a delay, because a message's own TTL only counts at the head of its queue |
//! | `mark.<node>` | queue without messages; a broker that has none has lost what that node's outbox gave it |
//! | `dlx`, `dlq.<consumer>` | where what is given up goes; mirrored into `platform.dead_letter` |
//!
//! All names carry the deployment's namespace, so that several can share a broker.

use berth_tenancy::NodeId;
use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, LongString, ShortString},
};
use uuid::Uuid;

/// Queues a consumer has. Changing it needs an empty broker: an entity's shard would change.
pub const SHARDS: u8 = 4;

/// Deliveries after which the broker gives up by itself: the last guard against an event that
/// kills its worker each time, before the worker can count.
const DELIVERY_LIMIT: i32 = 20;

/// How long what no queue wants is kept to be looked at, in milliseconds: a week. Not longer, because
/// erasing a tenant does not reach it there.
const UNROUTED_KEPT: i32 = 7 * 24 * 60 * 60 * 1_000;

/// How long a failed or early event waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    /// For an event that came before its predecessor.
    Second,
    /// After a first failure.
    FiveSeconds,
    /// After a second failure, or while something is down.
    HalfMinute,
    /// While something stays down.
    FiveMinutes,
    /// While something stays down for hours.
    HalfHour,
    /// While something stays down for days.
    TwoHours,
}

impl Delay {
    const ALL: [Self; 6] = [
        Self::Second,
        Self::FiveSeconds,
        Self::HalfMinute,
        Self::FiveMinutes,
        Self::HalfHour,
        Self::TwoHours,
    ];

    pub(crate) const fn millis(self) -> i32 {
        match self {
            Self::Second => 1_000,
            Self::FiveSeconds => 5_000,
            Self::HalfMinute => 30_000,
            Self::FiveMinutes => 300_000,
            Self::HalfHour => 1_800_000,
            Self::TwoHours => 7_200_000,
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Second => "1s",
            Self::FiveSeconds => "5s",
            Self::HalfMinute => "30s",
            Self::FiveMinutes => "5m",
            Self::HalfHour => "30m",
            Self::TwoHours => "2h",
        }
    }
}

/// The names of one deployment.
#[derive(Clone, Debug)]
pub struct Names {
    namespace: String,
}

impl Names {
    /// Names under `namespace`.
    #[must_use]
    pub fn new(namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
        }
    }

    fn name(&self, rest: &str) -> ShortString {
        format!("{}.{rest}", self.namespace).into()
    }

    pub(crate) fn ev(&self) -> ShortString {
        self.name("ev")
    }

    pub(crate) fn work(&self) -> ShortString {
        self.name("work")
    }

    pub(crate) fn dlx(&self) -> ShortString {
        self.name("dlx")
    }

    pub(crate) fn unrouted(&self) -> ShortString {
        self.name("unrouted")
    }

    /// Its queue. What a queue is like is in its name: one that is there cannot be declared otherwise, and
    /// programs of two releases share a broker.
    pub(crate) fn unrouted_queue(&self) -> ShortString {
        self.name("unrouted.7d")
    }

    /// A consumer's queue for one shard.
    #[must_use]
    pub fn queue(&self, consumer: &str, shard: u8) -> ShortString {
        self.name(&format!("w.{consumer}.{shard}"))
    }

    /// A consumer's dead letters.
    #[must_use]
    pub fn dead(&self, consumer: &str) -> ShortString {
        self.name(&format!("dlq.{consumer}"))
    }

    /// A queue for nothing but to be there: a broker without it is a new one.
    fn mark(&self, node: NodeId) -> ShortString {
        self.name(&format!("mark.{node}"))
    }

    pub(crate) fn retry(&self, delay: Delay) -> ShortString {
        self.name(&format!("retry.{}", delay.label()))
    }
}

/// The shard of an entity.
#[must_use]
pub fn shard(entity: Uuid) -> u8 {
    // The last bytes of a version 7 UUID are its random ones.
    entity.as_bytes()[15] % SHARDS
}

/// Declares everything all consumers share. Declaring what is there already changes nothing.
pub(crate) async fn declare_shared(channel: &Channel, names: &Names) -> Result<(), lapin::Error> {
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..Default::default()
    };
    let none = FieldTable::default;
    channel
        .exchange_declare(names.unrouted(), ExchangeKind::Fanout, durable, none())
        .await?;
    quorum_queue(
        channel,
        names.unrouted_queue(),
        &[
            ("x-max-length", AMQPValue::LongInt(10_000)),
            ("x-message-ttl", AMQPValue::LongInt(UNROUTED_KEPT)),
        ],
    )
    .await?;
    bind(channel, names.unrouted_queue(), names.unrouted(), "").await?;

    let mut alternate = FieldTable::default();
    alternate.insert("alternate-exchange".into(), text(names.unrouted().as_str()));
    channel
        .exchange_declare(names.ev(), ExchangeKind::Topic, durable, alternate)
        .await?;
    channel
        .exchange_declare(names.work(), ExchangeKind::Direct, durable, none())
        .await?;
    channel
        .exchange_declare(names.dlx(), ExchangeKind::Direct, durable, none())
        .await?;

    for delay in Delay::ALL {
        let name = names.retry(delay);
        channel
            .exchange_declare(name.clone(), ExchangeKind::Fanout, durable, none())
            .await?;
        let arguments = [
            ("x-message-ttl", AMQPValue::LongInt(delay.millis())),
            ("x-dead-letter-exchange", text(names.work().as_str())),
            ("x-dead-letter-strategy", text("at-least-once")),
            ("x-overflow", text("reject-publish")),
        ];
        quorum_queue(channel, name.clone(), &arguments).await?;
        bind(channel, name.clone(), name, "").await?;
    }
    Ok(())
}

/// Whether the broker is one that [`mark`] was called on for the node and that has not lost its queues
/// since. Uses up `channel`: the answer "no" closes it.
pub(crate) async fn is_marked(channel: &Channel, names: &Names, node: NodeId) -> bool {
    let passive = QueueDeclareOptions::durable().passive();
    let asked = channel.queue_declare(names.mark(node), passive, FieldTable::default());
    asked.await.is_ok()
}

/// Makes the broker known again by [`is_marked`].
pub(crate) async fn mark(
    channel: &Channel,
    names: &Names,
    node: NodeId,
) -> Result<(), lapin::Error> {
    quorum_queue(channel, names.mark(node), &[]).await
}

/// Declares a consumer's queues and binds them to the event types it wants.
pub(crate) async fn declare_consumer(
    channel: &Channel,
    names: &Names,
    consumer: &str,
    subscriptions: &[&str],
) -> Result<(), lapin::Error> {
    let dead = names.dead(consumer);
    quorum_queue(channel, dead.clone(), &[]).await?;
    bind(channel, dead.clone(), names.dlx(), dead.as_str()).await?;
    for shard in 0..SHARDS {
        let queue = names.queue(consumer, shard);
        let arguments = [
            ("x-delivery-limit", AMQPValue::LongInt(DELIVERY_LIMIT)),
            ("x-dead-letter-exchange", text(names.dlx().as_str())),
            ("x-dead-letter-routing-key", text(dead.as_str())),
            ("x-dead-letter-strategy", text("at-least-once")),
            ("x-overflow", text("reject-publish")),
        ];
        quorum_queue(channel, queue.clone(), &arguments).await?;
        bind(channel, queue.clone(), names.work(), queue.as_str()).await?;
        for subscription in subscriptions {
            bind(
                channel,
                queue.clone(),
                names.ev(),
                &format!("{subscription}.{shard}"),
            )
            .await?;
        }
    }
    Ok(())
}

async fn quorum_queue(
    channel: &Channel,
    name: ShortString,
    arguments: &[(&str, AMQPValue)],
) -> Result<(), lapin::Error> {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    for (key, value) in arguments {
        table.insert((*key).into(), value.clone());
    }
    channel
        .queue_declare(name, QueueDeclareOptions::durable(), table)
        .await?;
    Ok(())
}

async fn bind(
    channel: &Channel,
    queue: ShortString,
    exchange: ShortString,
    key: &str,
) -> Result<(), lapin::Error> {
    let options = QueueBindOptions::default();
    channel
        .queue_bind(queue, exchange, key.into(), options, FieldTable::default())
        .await
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_spread_over_all_shards_and_stay_on_theirs() {
        let mut seen = [0_u32; SHARDS as usize];
        for _ in 0..1_000 {
            let entity = Uuid::now_v7();
            assert_eq!(shard(entity), shard(entity));
            seen[usize::from(shard(entity))] += 1;
        }
        assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
    }
}
