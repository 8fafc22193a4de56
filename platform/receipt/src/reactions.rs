//! What receipts follow from: payments that succeeded.

use async_trait::async_trait;
use berth_events::{payment::Succeeded, receipt::Generated};
use berth_kernel::{Clock, Problem};
use berth_messaging::{Consumer, Done, Failure, Work, outbox};

use crate::{Receipts, store};

/// The consumer `receipt`.
#[derive(Clone, Debug)]
pub struct Reactions {
    receipts: Receipts,
    clock: Clock,
}

impl Reactions {
    /// Issues receipts by the calendar of `clock`.
    #[must_use]
    pub fn new(receipts: Receipts, clock: Clock) -> Self {
        Self { receipts, clock }
    }
}

#[async_trait]
impl Consumer for Reactions {
    fn name(&self) -> &'static str {
        "receipt"
    }

    fn subscriptions(&self) -> &'static [&'static str] {
        &["payment.payment.*"]
    }

    async fn handle(&self, work: &Work) -> Result<Done, Failure> {
        let Some(paid) = work.event.open::<Succeeded>()? else {
            return work.ignore().await;
        };
        let (receipt, content) = self.receipts.number(work, &paid, self.clock.now()).await?;
        if receipt.stored_at.is_none() {
            self.receipts
                .file(work.tenant.id, &receipt, content)
                .await
                .map_err(Problem::from)?;
        }
        let now = self.clock.now();
        let mut tx = work.begin().await?;
        if store::mark_stored(&mut tx, receipt.id, now).await? {
            let generated = Generated {
                receipt_id: receipt.id,
                version: 1,
                number: receipt.number,
                amount: receipt.amount,
                path: receipt.path,
                booking: paid.payment.booking,
            };
            outbox::push(&mut tx, &generated, now, &work.cause()).await?;
            metrics::counter!("berth_receipts_generated_total").increment(1);
        }
        work.finish(tx).await
    }
}
