//! What the booking service does when a payment was made, or will not be, and when an account is gone.

use async_trait::async_trait;
use berth_catalog::SoldBy;
use berth_events::{booking::Cancelled, payment, user};
use berth_kernel::{BookingId, Clock};
use berth_messaging::{Consumer, Done, Failure, Work, outbox};
use berth_tenancy::TenantTx;
use jiff::Timestamp;

use crate::{
    Error, confirm, expire,
    model::{Booking, Status, nights::of_use_until},
    store,
};

/// The consumer of events of payments and accounts.
#[derive(Debug)]
pub struct Reactions {
    clock: Clock,
}

impl Reactions {
    /// Reactions by `clock`.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock }
    }
}

#[async_trait]
impl Consumer for Reactions {
    fn name(&self) -> &'static str {
        "booking"
    }

    fn subscriptions(&self) -> &'static [&'static str] {
        &["payment.payment.*", "user.user.*"]
    }

    async fn handle(&self, work: &Work) -> Result<Done, Failure> {
        if let Some(event) = work.event.open::<payment::Succeeded>()? {
            return self.paid(work, event.payment.booking.booking_id).await;
        }
        if let Some(event) = work.event.open::<payment::Processing>()? {
            let booking = event.payment.booking.booking_id;
            return self.at_the_bank(work, booking, event.until).await;
        }
        if let Some(event) = work.event.open::<payment::Failed>()? {
            return self
                .unpaid(work, event.payment.booking.booking_id, &event.reason)
                .await;
        }
        if let Some(event) = work.event.open::<user::Deleted>()? {
            let mut tx = work.begin().await?;
            // Nobody reads on whose account is gone.
            store::delete_feeds_of(&mut tx, event.user_id)
                .await
                .map_err(Error::from)?;
            return work.finish(tx).await;
        }
        work.ignore().await
    }
}

impl Reactions {
    async fn paid(&self, work: &Work, id: BookingId) -> Result<Done, Failure> {
        let mut tx = work.begin().await?;
        match store::lock_hidden_too(&mut tx, id).await? {
            Some(booking) if booking.status == Status::Pending => {
                let (at, cause) = (self.clock.now(), work.cause());
                confirm::settle(&mut tx, booking, true, at, &cause).await?;
            }
            Some(booking) if booking.status == Status::Failed => {
                self.paid_late(work, &mut tx, booking).await?;
            }
            // Called off before word of the money came: all of it is due back.
            Some(mut booking) if booking.status == Status::Cancelled && !booking.paid => {
                booking.version += 1;
                booking.updated_at = self.clock.now();
                self.give_back(work, &mut tx, booking, "paid_late").await?;
            }
            // Confirmed by staff in the meantime, or even over: the money is noted.
            Some(booking) if !booking.paid => self.note_paid(work, &mut tx, booking).await?,
            _ => {}
        }
        work.finish(tx).await
    }

    /// The money came after the hold ran out: the place is taken again if it is still free and
    /// still to come; if not, the booking ends and all of the money is due back.
    async fn paid_late(
        &self,
        work: &Work,
        tx: &mut TenantTx,
        mut booking: Booking,
    ) -> Result<(), Error> {
        let (at, cause) = (self.clock.now(), work.cause());
        let pool = match booking.pool_id {
            Some(id) => berth_catalog::pool(tx, id).await?,
            None => None,
        };
        let by_night = pool
            .as_ref()
            .is_some_and(|pool| pool.sold_by == SoldBy::Night);
        let until = of_use_until(by_night, booking.starts_at, booking.ends_at);
        let capacity = pool.map_or(0, |pool| pool.capacity);
        if until > at && store::retake(tx, &booking, capacity).await? {
            confirm::settle(tx, booking, true, at, &cause).await?;
            return Ok(());
        }
        booking.step(Status::Cancelled, at)?;
        self.give_back(work, tx, booking, "place_lost").await
    }

    /// Tells that all of the money is due back for a booking whose end was just noted.
    async fn give_back(
        &self,
        work: &Work,
        tx: &mut TenantTx,
        mut booking: Booking,
        reason: &str,
    ) -> Result<(), Error> {
        booking.paid = true;
        booking.status_reason = Some(reason.to_owned());
        booking.refund_due = Some(booking.price);
        store::save(tx, &booking).await?;
        let event = Cancelled {
            booking: booking.told(),
            reason: reason.to_owned(),
            refund_due: booking.price,
        };
        Ok(outbox::push(tx, &event, booking.updated_at, &work.cause()).await?)
    }

    async fn note_paid(
        &self,
        work: &Work,
        tx: &mut TenantTx,
        mut booking: Booking,
    ) -> Result<(), Error> {
        booking.paid = true;
        booking.version += 1;
        booking.updated_at = self.clock.now();
        store::save(tx, &booking).await?;
        let event = berth_events::booking::Updated {
            booking: booking.told(),
            change: "paid".into(),
        };
        Ok(outbox::push(tx, &event, booking.updated_at, &work.cause()).await?)
    }

    /// The place is kept for as long as the bank may take; payment tells how it ends.
    async fn at_the_bank(
        &self,
        work: &Work,
        id: BookingId,
        until: Timestamp,
    ) -> Result<Done, Failure> {
        let mut tx = work.begin().await?;
        match store::lock_hidden_too(&mut tx, id).await? {
            Some(booking) if booking.status == Status::Pending => {
                let (at, cause) = (self.clock.now(), work.cause());
                expire::extend(&mut tx, booking, until, at, &cause).await?;
            }
            _ => {}
        }
        work.finish(tx).await
    }

    async fn unpaid(&self, work: &Work, id: BookingId, reason: &str) -> Result<Done, Failure> {
        let mut tx = work.begin().await?;
        match store::lock_hidden_too(&mut tx, id).await? {
            Some(booking) if booking.status == Status::Pending => {
                // Why exactly is the payment's own matter: it says so.
                let reason = match reason {
                    "hold_expired" => reason,
                    _ => "payment_failed",
                };
                expire::fail(&mut tx, booking, self.clock.now(), &work.cause(), reason).await?;
            }
            _ => {}
        }
        work.finish(tx).await
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        berth_kernel::Problem::from(error).into()
    }
}
