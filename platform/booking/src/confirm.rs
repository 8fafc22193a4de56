//! Confirming: by staff, or because the money came.

use berth_access::{Context, Permission};
use berth_events::booking::Confirmed;
use berth_kernel::{BookingId, Cause};
use berth_messaging::outbox;
use berth_tenancy::{IdempotencyKey, TenantTx};
use jiff::Timestamp;

use crate::{
    Bookings, Error,
    change::Opened,
    model::{Booking, Forbidden, Status},
    store,
};

impl Bookings {
    /// Confirms a held booking without payment: staff's word that it is settled otherwise.
    ///
    /// # Errors
    /// [`Error::Status`] when it is not held.
    pub async fn confirm(
        &self,
        ctx: &Context,
        id: BookingId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        let opened = self.open(ctx, Permission::BookingConfirm, id, None, key);
        let mut open = match opened.await? {
            Opened::Answered(booking) => return Ok(*booking),
            Opened::Open(open) => *open,
        };
        if open.booking.status == Status::Failed {
            // Its place is gone; staff books it anew.
            return Err(Forbidden {
                from: Status::Failed,
                to: Status::Confirmed,
            }
            .into());
        }
        let now = ctx.clock.now();
        open.booking = settle(&mut open.tx, open.booking, false, now, &ctx.cause).await?;
        open.keep(key).await
    }
}

/// Makes a held booking certain and tells of it.
pub(crate) async fn settle(
    tx: &mut TenantTx,
    mut booking: Booking,
    paid: bool,
    at: Timestamp,
    cause: &Cause,
) -> Result<Booking, Error> {
    booking.step(Status::Confirmed, at)?;
    booking.paid = paid;
    booking.confirmed_at = Some(at);
    booking.status_reason = None;
    store::confirm(tx, &booking).await?;
    store::save(tx, &booking).await?;
    outbox::push(
        tx,
        &Confirmed {
            booking: booking.told(),
        },
        at,
        cause,
    )
    .await?;
    Ok(booking)
}
