//! Holds that ran out.
//!
//! Whether an unpaid booking's time is over is first the payment service's to say: at `expires_at`
//! it asks the provider, and tells the outcome. Only [`GRACE`] later is the place free for others
//! without its word: taken over by whoever books it, or released by the sweep.

use std::time::Duration;

use berth_access::Context;
use berth_events::booking::{Cancelled, Updated};
use berth_kernel::{BookingId, Cause, Clock, Money, SessionId};
use berth_messaging::outbox;
use berth_tenancy::{Tenant, TenantTx};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::{
    Bookings, Error,
    model::{Booking, Status},
    store,
};

/// How long after its time a hold stands while the payment service finds out.
pub(crate) const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// How often the sweep looks.
const SWEEP: Duration = Duration::from_secs(5);

impl Bookings {
    /// Fails pending bookings of all tenants whose hold ran out, until cancelled.
    pub async fn sweep(&self, clock: Clock, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(SWEEP) => {}
                () = stop.cancelled() => return,
            }
            if let Err(error) = self.sweep_once(&clock).await {
                tracing::warn!(error = %error, "holds were not swept, will try again: {error}");
            }
        }
    }

    /// One round over all tenants; how many holds were released.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sweep_once(&self, clock: &Clock) -> Result<usize, Error> {
        let mut released = 0;
        for id in self.tenancy.registry().active().await? {
            let tenant = self.tenancy.registry().get(id).await;
            if let Ok(Some(tenant)) = tenant {
                // The others' holds are no less over.
                match self.sweep_tenant(&tenant, clock).await {
                    Ok(count) => released += count,
                    Err(error) => tracing::warn!(
                        tenant_id = %id,
                        error = %error,
                        "holds of {id} were not swept, will try again: {error}"
                    ),
                }
            }
        }
        metrics::counter!("berth_holds_expired_total").increment(released as u64);
        Ok(released)
    }

    async fn sweep_tenant(&self, tenant: &Tenant, clock: &Clock) -> Result<usize, Error> {
        let mut tx = self.tenancy.begin(tenant).await?;
        let expired = store::lock_expired(&mut tx, GRACE.as_secs_f64()).await?;
        let count = expired.len();
        for booking in expired {
            fail(
                &mut tx,
                booking,
                clock.now(),
                &Cause::fresh(),
                "hold_expired",
            )
            .await?;
        }
        if count == 0 {
            tx.rollback().await?
        } else {
            tx.commit().await?
        }
        Ok(count)
    }

    /// Fails one booking whose hold ran out, because another is about to take its place.
    pub(crate) async fn fail_expired(
        &self,
        tx: &mut TenantTx,
        ctx: &Context,
        id: BookingId,
    ) -> Result<(), Error> {
        match store::lock(tx, id).await? {
            Some(booking) if booking.status == Status::Pending => {
                fail(tx, booking, ctx.clock.now(), &ctx.cause, "hold_expired").await
            }
            _ => Ok(()),
        }
    }

    pub(crate) async fn fail_expired_of_session(
        &self,
        tx: &mut TenantTx,
        ctx: &Context,
        session: SessionId,
    ) -> Result<(), Error> {
        for id in store::expired_in_session(tx, session, GRACE.as_secs_f64()).await? {
            self.fail_expired(tx, ctx, id).await?;
        }
        Ok(())
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
    store::extend(tx, booking.id, until + GRACE).await?;
    store::save(tx, &booking).await?;
    let event = Updated {
        booking: booking.told(),
        change: "hold_extended".into(),
    };
    Ok(outbox::push(tx, &event, at, cause).await?)
}

/// Ends a pending booking that will not be paid, and tells of it.
pub(crate) async fn fail(
    tx: &mut TenantTx,
    mut booking: Booking,
    at: Timestamp,
    cause: &Cause,
    reason: &str,
) -> Result<(), Error> {
    booking.step(Status::Failed, at)?;
    booking.status_reason = Some(reason.to_owned());
    store::release(tx, booking.id).await?;
    store::save(tx, &booking).await?;
    let refund_due = Money::new(0, booking.price.currency);
    let event = Cancelled {
        booking: booking.told(),
        reason: reason.to_owned(),
        refund_due,
    };
    Ok(outbox::push(tx, &event, at, cause).await?)
}
