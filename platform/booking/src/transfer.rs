//! Handing a booking on to another person.

use berth_access::{Context, Permission};
use berth_kernel::BookingId;
use berth_tenancy::IdempotencyKey;

use crate::{
    Bookings, CustomerInput, Error, Refusal,
    change::Opened,
    customer,
    model::{Booking, Forbidden, Status},
};

impl Bookings {
    /// Gives a booking that is to come to somebody else, who is written to from then on. The account that had
    /// it sees it no more: what was paid stays paid, and what is given back goes back the way it came.
    ///
    /// # Errors
    /// [`Error::Status`] when it has ended or is only asked for, [`Refusal::Past`] once it has begun.
    pub async fn transfer(
        &self,
        ctx: &Context,
        id: BookingId,
        version: i64,
        to: &CustomerInput,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        let opened = self.open(ctx, Permission::BookingUpdate, id, Some(version), key);
        let mut open = match opened.await? {
            Opened::Answered(booking) => return Ok(*booking),
            Opened::Open(open) => open,
        };
        let (now, booking) = (ctx.clock.now(), &mut open.booking);
        // The business answers who asked.
        if !booking.is_active() || booking.status == Status::Requested {
            return Err(Forbidden {
                from: booking.status,
                to: Status::Confirmed,
            }
            .into());
        }
        if booking.starts_at <= now {
            return Err(Refusal::Past.into());
        }
        booking.customer = customer::checked(ctx, to)?;
        booking.customer_id = None;
        open.update(ctx, "transferred", key).await
    }
}
