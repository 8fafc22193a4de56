//! What a service implements to hear of events: [`Consumer`], and the [`Work`] it is handed.

use std::sync::Arc;

use async_trait::async_trait;
use berth_kernel::{Cause, Envelope};
use berth_tenancy::{Tenancy, Tenant, TenantTx};

use crate::{Failure, inbox};

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
    pub(crate) consumer: &'static str,
    pub(crate) tenancy: Tenancy,
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
