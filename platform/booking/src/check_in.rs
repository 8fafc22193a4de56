//! Who has come: noted at the desk, before anything is over.

use berth_access::{Context, Permission};
use berth_kernel::BookingId;
use berth_tenancy::IdempotencyKey;
use jiff::SignedDuration;

use crate::{
    Bookings, Error, Refusal,
    change::Opened,
    model::{Booking, Forbidden, Status},
};

/// How long before the start somebody may have come.
const EARLIEST: SignedDuration = SignedDuration::from_hours(24);

impl Bookings {
    /// Notes that who booked has come. Who has come already stays so.
    ///
    /// # Errors
    /// [`Error::Status`] when the booking is not confirmed, [`Refusal::CheckInTooEarly`] more than a day before
    /// its start.
    pub async fn check_in(
        &self,
        ctx: &Context,
        id: BookingId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        let mut open = match self.open_arrival(ctx, id, key).await? {
            Opened::Answered(booking) => return Ok(*booking),
            Opened::Open(open) => open,
        };
        let (now, booking) = (ctx.clock.now(), &mut open.booking);
        if booking.starts_at.duration_since(now) > EARLIEST {
            return Err(Refusal::CheckInTooEarly.into());
        }
        if booking.checked_in_at.is_some() {
            return open.keep(key).await;
        }
        booking.checked_in_at = Some(now);
        open.update(ctx, "checked_in", key).await
    }

    /// Takes back that who booked has come. Of who has not, nothing changes.
    ///
    /// # Errors
    /// [`Error::Status`] when the booking is not confirmed.
    pub async fn undo_check_in(
        &self,
        ctx: &Context,
        id: BookingId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        let mut open = match self.open_arrival(ctx, id, key).await? {
            Opened::Answered(booking) => return Ok(*booking),
            Opened::Open(open) => open,
        };
        if open.booking.checked_in_at.take().is_none() {
            return open.keep(key).await;
        }
        open.update(ctx, "check_in_undone", key).await
    }

    /// Locks a booking that is confirmed and not over.
    async fn open_arrival(
        &self,
        ctx: &Context,
        id: BookingId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Opened, Error> {
        let opened = self.open(ctx, Permission::BookingComplete, id, None, key);
        let opened = opened.await?;
        match &opened {
            Opened::Open(open) if open.booking.status != Status::Confirmed => Err(Forbidden {
                from: open.booking.status,
                to: Status::Completed,
            }
            .into()),
            _ => Ok(opened),
        }
    }
}
