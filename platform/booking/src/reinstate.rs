//! Taking back a cancellation that was a mistake, while what was given up is still free.

use berth_access::{Context, Permission};
use berth_kernel::BookingId;
use berth_tenancy::IdempotencyKey;

use crate::{Bookings, Error, NewBooking, Refusal, When, change::Opened, model::Booking, store};

impl Bookings {
    /// Makes a cancelled booking certain again, as it was. Customers take back what they cancelled themselves,
    /// staff also what was cancelled by staff.
    ///
    /// # Errors
    /// [`Error::Status`] when it was not cancelled so or never certain, [`Refusal::MoneyReturned`] when money goes
    /// back for it, [`Refusal::Past`] once it would have begun, [`Error::Conflict`] when somebody has, or waits
    /// for, what it had.
    pub async fn reinstate(
        &self,
        ctx: &Context,
        id: BookingId,
        version: Option<i64>,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        let opened = self.open(ctx, Permission::BookingCancel, id, version, key);
        let mut open = match opened.await? {
            Opened::Answered(booking) => return Ok(*booking),
            Opened::Open(open) => open,
        };
        let (now, booking) = (ctx.clock.now(), &mut open.booking);
        let theirs = match booking.status_reason.as_deref() {
            Some("customer") => true,
            Some("staff") => open.owner.is_none(),
            _ => false,
        };
        booking.reinstate(theirs)?;
        if booking.starts_at <= now {
            return Err(Refusal::Past.into());
        }
        let pool = match booking.pool_id {
            Some(id) => berth_catalog::pool(&mut open.tx, id).await?,
            None => None,
        };
        let capacity = pool.map_or(0, |pool| pool.capacity);
        let waited_for = store::is_waited_for(&mut open.tx, booking).await?;
        if waited_for || !store::retake(&mut open.tx, booking, capacity).await? {
            let wish = wish(booking);
            open.tx.rollback().await?;
            let alternatives = match wish {
                Some(wish) => self.alternatives(ctx, &wish).await?,
                None => Vec::new(),
            };
            return Err(Error::Conflict { alternatives });
        }
        if !store::redeem_again(&mut open.tx, open.booking.id).await? {
            open.tx.rollback().await?;
            return Err(Refusal::VoucherUsedUp.into());
        }
        open.update(ctx, "reinstated", key).await
    }
}

impl Booking {
    /// Makes a cancelled booking certain again, if it was `theirs` to take back.
    fn reinstate(&mut self, theirs: bool) -> Result<(), Error> {
        if self.refund_due.is_some_and(|due| due.amount > 0) {
            return Err(Refusal::MoneyReturned.into());
        }
        self.status = self.status.back(theirs && self.confirmed_at.is_some())?;
        self.status_reason = None;
        self.refund_due = None;
        Ok(())
    }
}

/// What is looked for when what it had is gone; of a pool, what is near is not looked for.
fn wish(booking: &Booking) -> Option<NewBooking> {
    let when = match (
        booking.session_id,
        booking.session_group_id,
        booking.pool_id,
    ) {
        (Some(session), _, _) => When::Session(session),
        (_, Some(group), _) => When::Group(group),
        (_, _, Some(_)) => return None,
        _ => When::Start(booking.starts_at),
    };
    Some(NewBooking::plain(
        booking.product_id,
        when,
        booking.quantity,
    ))
}

#[cfg(test)]
mod tests {
    use crate::model::Status;

    #[test]
    fn only_what_was_cancelled_comes_back() {
        for status in Status::ALL {
            assert_eq!(status.back(true).is_ok(), status == Status::Cancelled);
            assert!(status.back(false).is_err());
        }
    }
}
