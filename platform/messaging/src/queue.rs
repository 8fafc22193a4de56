//! One queue of one consumer: each message is judged, handled when its turn has come, and settled.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use berth_kernel::{Envelope, TenantId, chain};
use berth_telemetry::panics::Panicked;
use berth_tenancy::{Tenancy, Tenant, shares::Shares};
use futures::{FutureExt as _, StreamExt as _};
use lapin::{
    Channel,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicNackOptions},
    types::{AMQPValue, FieldTable, ShortString},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

use crate::{
    Consumer, Done, Failure, Work,
    broker::{BrokerError, Outgoing, publish},
    inbox::{self, Standing},
    lanes::Lanes,
    topology::{Delay, Names},
};

/// How long handling may take.
const HANDLE_WITHIN: Duration = Duration::from_secs(60);
/// Counted failures after which an event rests.
const MAX_TRIES: i32 = 3;
/// Waits of a second after which an event of an unknown entity is taken as it is. Longer than a relay
/// that hangs may keep the entity's first event to itself.
const MAX_UNKNOWN_WAITS: u32 = 90;
/// Headers that count how often a message was put back, by the reason: each reason has its own
/// patience.
const DOWN: &str = "x-berth-waits-down";
const TURN: &str = "x-berth-waits-turn";
const UNKNOWN: &str = "x-berth-waits-unknown";
const FAILED: &str = "x-berth-waits-failed";
/// Events of one tenant that a consumer has in flight at most, while its plan is not known.
const SHARE: usize = 20;
/// How long an event waits for its tenant's turn before it is put back and makes room for others. Usual
/// handling takes a tenth of it, so that in a burst events wait here and not on the broker.
const PATIENCE: Duration = Duration::from_millis(200);
const HELD: &str = "x-berth-waits-held";
const REASONS: [&str; 5] = [DOWN, TURN, UNKNOWN, FAILED, HELD];
/// Marks an event that an operator replays.
pub(crate) const REPLAYED: &str = "x-berth-replayed";

/// One queue of one consumer.
pub(crate) struct Queue {
    pub(crate) channel: Channel,
    pub(crate) name: ShortString,
    pub(crate) names: Names,
    pub(crate) tenancy: Tenancy,
    pub(crate) consumer: Arc<dyn Consumer>,
    pub(crate) shares: Shares,
}

impl Queue {
    pub(crate) async fn subscribe(&self) -> Result<lapin::Consumer, BrokerError> {
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
pub(crate) async fn drain(
    queue: Queue,
    mut stream: lapin::Consumer,
    tracker: TaskTracker,
    stop: CancellationToken,
    broken: CancellationToken,
) {
    let queue = Arc::new(queue);
    let lanes = Lanes::new(tracker, {
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
                lanes.send(event.metadata.entity_id, (delivery, event));
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
    /// It comes again after a while, which is counted under a reason.
    Later(Delay, &'static str),
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
            let share = self.share_of(event.tenant_id).await;
            let (verdict, outcome) = match self.shares.enter(event.tenant_id, share, PATIENCE).await
            {
                Some(_share) => self.judge_safely(&delivery, event).await,
                None => {
                    let turn = wait_for_turn(counted(&delivery, TURN));
                    (Verdict::Later(turn, TURN), "crowded")
                }
            };
            metrics::histogram!("berth_handler_seconds",
                "consumer" => self.consumer.name(), "outcome" => outcome)
            .record(started.elapsed().as_secs_f64());
            self.settle(&delivery, verdict).await;
        }
        .instrument(span)
        .await;
    }

    /// How many events the tenant may have in flight, by its plan.
    async fn share_of(&self, tenant: TenantId) -> usize {
        match self.tenancy.registry().get(tenant).await {
            Ok(Some(tenant)) => {
                usize::try_from(tenant.allowance.concurrent_events).unwrap_or(SHARE)
            }
            Ok(None) | Err(_) => SHARE,
        }
    }

    /// A panic of ours outside the consumer must not end the lane.
    async fn judge_safely(&self, delivery: &Delivery, event: Envelope) -> (Verdict, &'static str) {
        let judging = AssertUnwindSafe(self.judge(delivery, event)).catch_unwind();
        judging.await.unwrap_or_else(|panic| {
            let panic = Panicked::from(panic);
            tracing::error!(
                error = chain(&panic),
                "an event could not be judged: {panic}"
            );
            (Verdict::Later(Delay::HalfMinute, FAILED), "failed")
        })
    }

    /// Handles the event if its turn has come; what becomes of the message, and a label for it.
    async fn judge(&self, delivery: &Delivery, event: Envelope) -> (Verdict, &'static str) {
        let tenant = match self.tenancy.registry().get(event.tenant_id).await {
            Ok(Some(tenant)) => match self.timeline(tenant, &event).await {
                Ok(tenant) if tenant.held => {
                    let delay = wait_for_release(counted(delivery, HELD));
                    return (Verdict::Later(delay, HELD), "waiting");
                }
                Ok(tenant) => tenant,
                Err(verdict) => return verdict,
            },
            Ok(None) => {
                tracing::warn!("the event's tenant is gone; it is dropped");
                return (Verdict::Ack, "gone");
            }
            Err(error) => {
                tracing::warn!(error = chain(&*error), "the event waits for the database");
                return (Verdict::Later(Delay::FiveSeconds, DOWN), "waiting");
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
            Ok(Standing::Early) => {
                let turn = wait_for_turn(counted(delivery, TURN));
                return (Verdict::Later(turn, TURN), "early");
            }
            Ok(Standing::Unknown) if counted(delivery, UNKNOWN) < MAX_UNKNOWN_WAITS => {
                return (Verdict::Later(Delay::Second, UNKNOWN), "early");
            }
            Ok(Standing::Due | Standing::Unknown) => {}
            Err(failure) => return (self.failed(delivery, &work, failure).await, "waiting"),
        }
        let handling = AssertUnwindSafe(self.consumer.handle(&work)).catch_unwind();
        let handled = match tokio::time::timeout(HANDLE_WITHIN, handling).await {
            Ok(Ok(handled)) => handled,
            // A fault of ours, and no reason to stop handling everybody else's events.
            Ok(Err(panic)) => Err(Failure::retry(Panicked::from(panic))),
            Err(elapsed) => Err(Failure::retry(elapsed)),
        };
        match handled {
            Ok(Done { .. }) => {
                tracing::info!("handled {}", work.event.event_type);
                (Verdict::Ack, "done")
            }
            Err(failure) => (self.failed(delivery, &work, failure).await, "failed"),
        }
    }

    /// The tenant on the event's own timeline, or what becomes of an event that has another: one of a
    /// timeline that was given up happened to nobody.
    async fn timeline(
        &self,
        tenant: Arc<Tenant>,
        event: &Envelope,
    ) -> Result<Arc<Tenant>, (Verdict, &'static str)> {
        let wanted = event.metadata.timeline;
        let tenant = if tenant.timeline < wanted {
            // This process has not heard of it yet.
            match self.tenancy.registry().refresh(tenant.id).await {
                Ok(found) => found.unwrap_or(tenant),
                Err(_) => return Err((Verdict::Later(Delay::FiveSeconds, DOWN), "waiting")),
            }
        } else {
            tenant
        };
        if tenant.timeline > wanted {
            tracing::warn!("the event's tenant was put back to before it; it is dropped");
            return Err((Verdict::Ack, "given_up"));
        }
        Ok(tenant)
    }

    async fn failed(&self, delivery: &Delivery, work: &Work, failure: Failure) -> Verdict {
        let text = chain(&failure);
        let error = match failure {
            Failure::Unavailable(_) => {
                tracing::warn!(error = text, "the event waits: {text}");
                // Known from now on, so that the entity's later events wait for this one.
                let _ = mark_known(work).await;
                return Verdict::Later(patience(counted(delivery, DOWN)), DOWN);
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
                let delay = match tries {
                    1 => Delay::FiveSeconds,
                    _ => Delay::HalfMinute,
                };
                Verdict::Later(delay, FAILED)
            }
            Err(_) => Verdict::Later(Delay::FiveSeconds, DOWN),
        }
    }

    /// Does with the message what was decided. If that fails the channel is broken, and the
    /// broker delivers the message again.
    async fn settle(&self, delivery: &Delivery, verdict: Verdict) {
        let moved = match verdict {
            Verdict::Ack => Ok(()),
            Verdict::Later(delay, reason) => {
                let retry = self.names.retry(delay);
                self.put(delivery, retry, self.name.clone(), reason).await
            }
            Verdict::Bury => {
                let dead = self.names.dead(self.consumer.name());
                self.put(delivery, self.names.dlx(), dead, FAILED).await
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
        reason: &str,
    ) -> Result<(), BrokerError> {
        let mut headers = FieldTable::default();
        for name in REASONS {
            let count = i64::from(counted(delivery, name)) + i64::from(name == reason);
            headers.insert(name.into(), AMQPValue::LongLongInt(count));
        }
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

/// A count that a message carries in its headers.
fn counted(delivery: &Delivery, name: &str) -> u32 {
    let headers = delivery.properties.headers().as_ref();
    let value = headers.and_then(|headers| headers.inner().get(name));
    value
        .and_then(AMQPValue::as_long_long_int)
        .and_then(|n| u32::try_from(n).ok())
        .unwrap_or(0)
}

/// The longer something was down, the longer it is waited for: seconds at first, five minutes after a quarter
/// of an hour, half an hour after two hours and a quarter, two hours after half a day.
const fn patience(waits: u32) -> Delay {
    match waits {
        0..8 => Delay::Second,
        8..16 => Delay::FiveSeconds,
        16..40 => Delay::HalfMinute,
        40..64 => Delay::FiveMinutes,
        64..88 => Delay::HalfHour,
        _ => Delay::TwoHours,
    }
}

/// How long an event waits whose turn has not come, because of an earlier one of its entity or
/// because its tenant has its share in flight. Not for hours, however often: its turn comes as soon
/// as the others are done.
const fn wait_for_turn(waits: u32) -> Delay {
    match waits {
        0..4 => Delay::Second,
        4..8 => Delay::FiveSeconds,
        _ => Delay::HalfMinute,
    }
}

/// How long an event of a tenant that is held waits before it is looked at again.
const fn wait_for_release(waits: u32) -> Delay {
    match waits {
        0..6 => Delay::FiveSeconds,
        _ => Delay::HalfMinute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_down_is_asked_for_ever_less_often() {
        let delays: Vec<i32> = (0..100).map(|waits| patience(waits).millis()).collect();
        assert!(delays.is_sorted());
        assert_eq!((delays[0], delays[99]), (1_000, 7_200_000));
        let first_hour = delays.iter().scan(0, |at, delay| {
            *at += delay;
            Some(*at)
        });
        let tries = first_hour.take_while(|at| *at <= 3_600_000).count();
        assert!((40..60).contains(&tries), "{tries} tries in the first hour");
    }
}
