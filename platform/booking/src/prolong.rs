//! Holding a place for longer, for who has begun to pay and needs more time.

use berth_access::{Context, Permission};
use berth_events::booking::HOLD_PROLONGED;
use berth_kernel::BookingId;
use berth_tenancy::IdempotencyKey;
use jiff::{SignedDuration, Timestamp};

use crate::{
    Bookings, Error, Refusal,
    change::Opened,
    model::{Booking, Forbidden, Status},
};

/// So long before a hold ends it ends: the payment service has to hear that it does not.
const HEARD_WITHIN: SignedDuration = SignedDuration::from_secs(30);

impl Bookings {
    /// Holds an unpaid booking for as long again, from now on, as the product's are held. Customers have twice
    /// that time in all, counted from when they booked; staff may always give more.
    ///
    /// # Errors
    /// [`Error::Status`] when it is not held, [`Refusal::HoldEnds`] in its last half minute,
    /// [`Refusal::HoldLongEnough`] when it would not be held any longer.
    pub async fn prolong_hold(
        &self,
        ctx: &Context,
        id: BookingId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        let opened = self.open(ctx, Permission::BookingUpdate, id, None, key);
        let mut open = match opened.await? {
            Opened::Answered(booking) => return Ok(*booking),
            Opened::Open(open) => open,
        };
        let product = open.booking.product_id;
        let offering = self.last_known(&mut open.tx, ctx, product).await?;
        let hold = SignedDuration::from_mins(i64::from(offering.product.hold_min));
        let (now, booking) = (ctx.clock.now(), &mut open.booking);
        let held = booking.expires_at;
        let Some(ends) = held.filter(|_| booking.status == Status::Pending) else {
            return Err(Forbidden {
                from: booking.status,
                to: Status::Pending,
            }
            .into());
        };
        let last = open.owner.map(|_| booking.created_at + hold * 2);
        booking.expires_at = Some(longer(ends, hold, last, now)?);
        open.update(ctx, HOLD_PROLONGED, key).await
    }
}

/// Until when something is held that is held until `ends`: for `hold` from `now` on, and no longer than `last`.
fn longer(
    ends: Timestamp,
    hold: SignedDuration,
    last: Option<Timestamp>,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    if ends.duration_since(now) < HEARD_WITHIN {
        return Err(Refusal::HoldEnds);
    }
    let wanted = now + hold;
    let until = last.map_or(wanted, |last| wanted.min(last));
    match until > ends {
        true => Ok(until),
        false => Err(Refusal::HoldLongEnough),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_has_twice_the_time_and_staff_may_give_more() {
        let at = |minute: i64| Timestamp::from_second(1_000_000 + minute * 60).unwrap();
        let hold = SignedDuration::from_mins(15);
        let last = Some(at(30));
        assert_eq!(longer(at(15), hold, last, at(10)), Ok(at(25)));
        assert_eq!(longer(at(25), hold, last, at(20)), Ok(at(30)));
        assert_eq!(
            longer(at(30), hold, last, at(20)),
            Err(Refusal::HoldLongEnough)
        );
        assert_eq!(longer(at(30), hold, None, at(20)), Ok(at(35)));
        assert_eq!(longer(at(15), hold, last, at(15)), Err(Refusal::HoldEnds));
        assert_eq!(longer(at(15), hold, None, at(16)), Err(Refusal::HoldEnds));
    }
}
