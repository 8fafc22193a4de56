//! Cancelling.

use berth_access::{Context, Permission, Role};
use berth_events::booking::Cancelled;
use berth_kernel::{BookingId, Money};
use berth_tenancy::IdempotencyKey;

use crate::{
    Bookings, Error,
    approval::REJECTED,
    change::{Open, Opened},
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
        let opened = self.open(ctx, Permission::BookingCancel, id, version, key);
        let open = match opened.await? {
            Opened::Answered(booking) => return Ok(*booking),
            Opened::Open(open) => open,
        };
        let booking = &open.booking;
        let now = ctx.clock.now();
        let by_customer = ctx.actor.role() == Role::Customer;
        let refund_due = if !booking.paid {
            Money::new(0, booking.price.currency)
        } else if by_customer {
            cancellation::refund(&booking.policy, booking.price, booking.starts_at, now)
        } else {
            booking.price
        };
        let reason = match (booking.status, by_customer) {
            (Status::Requested, true) => "withdrawn",
            (Status::Requested, false) => REJECTED,
            (_, true) => "customer",
            (_, false) => "staff",
        };
        open.call_off(ctx, reason, refund_due, key).await
    }
}

impl Open {
    /// Ends the booking before its time, and tells of it.
    pub(crate) async fn call_off(
        mut self,
        ctx: &Context,
        reason: &str,
        refund_due: Money,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        let booking = &mut self.booking;
        booking.step(Status::Cancelled, ctx.clock.now())?;
        booking.status_reason = Some(reason.to_owned());
        booking.refund_due = Some(refund_due);
        store::release(&mut self.tx, booking).await?;
        let event = Cancelled {
            booking: booking.told(),
            reason: reason.to_owned(),
            refund_due,
        };
        self.close(ctx, &event, key).await
    }
}
