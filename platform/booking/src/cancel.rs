//! Cancelling.

use berth_access::{Context, Permission, Role};
use berth_events::booking::Cancelled;
use berth_kernel::{BookingId, Money};
use berth_messaging::outbox;
use berth_tenancy::{IdempotencyKey, idempotency};

use crate::{
    Bookings, Error,
    model::{Booking, Status, cancellation},
    store,
};

impl Bookings {
    /// Cancels. The customer gets back what the policy agreed on; when the business cancels,
    /// everything.
    ///
    /// # Errors
    /// [`Error::Status`] when it is over already, [`Error::VersionConflict`] when a version is
    /// named and the booking has another.
    pub async fn cancel(
        &self,
        ctx: &Context,
        id: BookingId,
        version: Option<i64>,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        let owner = ctx
            .authorize_owner(Permission::BookingCancel)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let mut booking = store::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
        booking.check_visible(owner)?;
        booking.check_version(version)?;
        let now = ctx.clock.now();
        let by_customer = ctx.actor.role() == Role::Customer;
        let refund_due = if !booking.paid {
            Money::new(0, booking.price.currency)
        } else if by_customer {
            cancellation::refund(&booking.policy, booking.price, booking.starts_at, now)
        } else {
            booking.price
        };
        booking.step(Status::Cancelled, now)?;
        let reason = if by_customer { "customer" } else { "staff" };
        booking.status_reason = Some(reason.to_owned());
        booking.refund_due = Some(refund_due);
        store::release(&mut tx, &booking).await?;
        store::save(&mut tx, &booking).await?;
        let event = Cancelled {
            booking: booking.told(),
            reason: reason.to_owned(),
            refund_due,
        };
        outbox::push(&mut tx, &event, now, &ctx.cause).await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &booking).await?;
        }
        tx.commit().await?;
        Ok(booking)
    }
}
