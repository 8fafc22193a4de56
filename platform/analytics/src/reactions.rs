//! The events that count.

use async_trait::async_trait;
use berth_kernel::Clock;
use berth_messaging::{Consumer, Done, Failure, Work, outbox};
use uuid::Uuid;

use crate::{model, store};

/// The consumer `analytics`.
#[derive(Clone, Debug)]
pub struct Reactions {
    clock: Clock,
}

impl Reactions {
    /// Counts, and tells of it by `clock`.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock }
    }
}

#[async_trait]
impl Consumer for Reactions {
    fn name(&self) -> &'static str {
        "analytics"
    }

    fn subscriptions(&self) -> &'static [&'static str] {
        &["booking.booking.*", "payment.payment.*"]
    }

    async fn handle(&self, work: &Work) -> Result<Done, Failure> {
        let Some(happening) = model::tracked(&work.event, Uuid::now_v7())? else {
            return work.ignore().await;
        };
        let mut tx = work.begin().await?;
        let first = store::insert(&mut tx, &happening.tracked, work.event.event_id).await?;
        if first && happening.told {
            outbox::push(&mut tx, &happening.tracked, self.clock.now(), &work.cause()).await?;
        }
        work.finish(tx).await
    }
}
