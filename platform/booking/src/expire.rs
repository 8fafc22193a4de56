//! Holds that ran out, and requests nobody answered.
//!
//! At `expires_at` the payment service asks the provider of itself, and tells the outcome. Only when
//! no word of that came is it asked here, by the sweep. Nobody else frees a place that somebody may
//! be paying for: not even whoever wants it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use berth_access::Access;
use berth_events::booking::{Cancelled, Updated};
use berth_kernel::{BookingId, Cause, Clock, Money, Problem};
use berth_messaging::{outbox, rounds::Rounds};
use berth_tenancy::{Tenant, TenantTx};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::{
    Bookings, Error,
    model::{Booking, Status},
    store,
};

/// How long after its time a hold waits for word from the payment service.
const GRACE: SignedDuration = SignedDuration::from_secs(20);

/// How often the sweep looks.
const SWEEP: Duration = Duration::from_secs(5);

/// How long one tenant's may take in a round: the others wait for its end.
const BUDGET: Duration = Duration::from_secs(10);

/// Who knows whether money for a booking is there or under way.
#[async_trait]
pub trait Referee: Send + Sync {
    /// Sees to it that a booking can no more be paid; `false` when it was paid, or is being paid.
    ///
    /// # Errors
    /// When that cannot be found out now: the hold stands.
    async fn stop_payment(&self, tenant: &Tenant, booking: BookingId) -> Result<bool, Problem>;
}

impl Bookings {
    /// Fails bookings of all tenants whose hold ran out, and serves those who wait for what became free, until
    /// cancelled.
    pub async fn sweep(
        &self,
        access: Arc<Access>,
        clock: Clock,
        referee: &dyn Referee,
        stop: CancellationToken,
    ) {
        let mut rounds = Rounds::new(self.tenancy.clone(), SWEEP);
        loop {
            tokio::select! {
                () = tokio::time::sleep(SWEEP) => {}
                () = stop.cancelled() => return,
            }
            let (access, clock) = (&access, &clock);
            let look = |tenant: Arc<Tenant>| async move {
                self.sweep_tenant(&tenant, access, clock, referee).await
            };
            if let Err(error) = rounds.go(look).await {
                tracing::warn!(
                    error = berth_kernel::chain(&error),
                    "holds were not swept, will try again: {error}"
                );
            }
        }
    }

    /// Releases the holds of a tenant that ran out, and serves those who wait; when the next hold will run out.
    async fn sweep_tenant(
        &self,
        tenant: &Arc<Tenant>,
        access: &Arc<Access>,
        clock: &Clock,
        referee: &dyn Referee,
    ) -> Result<Option<Timestamp>, Error> {
        let mut tx = self.tenancy.begin(tenant).await?;
        let (expired, next) = store::expired(&mut tx, GRACE).await?;
        let anybody_waits = store::anybody_waits(&mut tx).await?;
        tx.rollback().await?;
        let mut released = 0;
        let began = Instant::now();
        for (id, status) in &expired {
            if began.elapsed() > BUDGET {
                break;
            }
            // What nobody has agreed to nobody can be paying for.
            let stopped = match status {
                Status::Requested => Ok(true),
                _ => referee.stop_payment(tenant, *id).await,
            };
            match stopped {
                // One transaction each: it locks this booking and what it takes, and nothing else.
                Ok(true) => released += u64::from(self.release_hold(tenant, *id, clock).await?),
                Ok(false) => {}
                Err(problem) => {
                    tracing::warn!(booking_id = %id, error = berth_kernel::chain(&problem), "the hold of {id} stands for now");
                }
            }
        }
        metrics::counter!("berth_holds_expired_total").increment(released);
        // Who waits at a business that is not served waits on.
        if anybody_waits && tenant.active {
            self.serve_waiting(tenant, access, clock).await?;
        }
        // What was at hand is looked at again: it may stand, and there may be more.
        let again = (!expired.is_empty()).then(Timestamp::now);
        Ok(again.or(next))
    }

    async fn release_hold(
        &self,
        tenant: &Tenant,
        id: BookingId,
        clock: &Clock,
    ) -> Result<bool, Error> {
        let now = clock.now();
        let mut tx = self.tenancy.begin(tenant).await?;
        let booking = store::lock_hidden_too(&mut tx, id).await?;
        let over = |booking: &Booking| {
            matches!(booking.status, Status::Requested | Status::Pending)
                && booking.expires_at.is_some_and(|at| at < now)
        };
        let Some(booking) = booking.filter(over) else {
            tx.rollback().await?;
            return Ok(false);
        };
        let reason = match booking.status {
            Status::Requested => "not_answered",
            _ => "hold_expired",
        };
        fail(&mut tx, booking, now, &Cause::fresh(), reason).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Holds a pending booking until `until`, and tells of it.
pub(crate) async fn extend(
    tx: &mut TenantTx,
    mut booking: Booking,
    until: Timestamp,
    at: Timestamp,
    cause: &Cause,
) -> Result<(), Error> {
    booking.expires_at = booking.expires_at.max(Some(until));
    booking.version += 1;
    booking.updated_at = at;
    store::save(tx, &booking).await?;
    let event = Updated {
        booking: booking.told(),
        change: "hold_extended".into(),
    };
    Ok(outbox::push(tx, &event, at, cause).await?)
}

/// Ends a booking that will not be paid, or was not answered, and tells of it.
pub(crate) async fn fail(
    tx: &mut TenantTx,
    mut booking: Booking,
    at: Timestamp,
    cause: &Cause,
    reason: &str,
) -> Result<(), Error> {
    booking.step(Status::Failed, at)?;
    booking.status_reason = Some(reason.to_owned());
    store::release(tx, &booking).await?;
    store::save(tx, &booking).await?;
    let refund_due = Money::new(0, booking.price.currency);
    let event = Cancelled {
        booking: booking.told(),
        reason: reason.to_owned(),
        refund_due,
    };
    Ok(outbox::push(tx, &event, at, cause).await?)
}
