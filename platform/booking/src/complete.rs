//! What became of a confirmed booking: it took place, or nobody came.

use berth_access::{Context, Permission};
use berth_events::booking::{Completed, Updated};
use berth_kernel::BookingId;
use berth_tenancy::IdempotencyKey;

use crate::{
    Bookings, Error, Refusal,
    change::Opened,
    model::{Booking, Status},
};

impl Bookings {
    /// Records that the booking took place.
    ///
    /// # Errors
    /// [`Error::Status`] when it is not confirmed, [`Refusal::NotBegun`] before its start.
    pub async fn complete(
        &self,
        ctx: &Context,
        id: BookingId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        self.conclude(ctx, id, Status::Completed, key).await
    }

    /// Records that nobody came.
    ///
    /// # Errors
    /// As [`Bookings::complete`], and [`Refusal::CheckedIn`] of who has come.
    pub async fn no_show(
        &self,
        ctx: &Context,
        id: BookingId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        self.conclude(ctx, id, Status::NoShow, key).await
    }

    async fn conclude(
        &self,
        ctx: &Context,
        id: BookingId,
        status: Status,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        let opened = self.open(ctx, Permission::BookingComplete, id, None, key);
        let mut open = match opened.await? {
            Opened::Answered(booking) => return Ok(*booking),
            Opened::Open(open) => open,
        };
        let (now, booking) = (ctx.clock.now(), &mut open.booking);
        booking.step(status, now)?;
        if booking.starts_at > now {
            return Err(Refusal::NotBegun.into());
        }
        if status == Status::NoShow && booking.checked_in_at.is_some() {
            return Err(Refusal::CheckedIn.into());
        }
        let told = booking.told();
        if status == Status::Completed {
            open.close(ctx, &Completed { booking: told }, key).await
        } else {
            let event = Updated {
                booking: told,
                change: "no_show".into(),
            };
            open.close(ctx, &event, key).await
        }
    }
}
