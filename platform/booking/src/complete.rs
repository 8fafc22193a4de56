//! What became of a confirmed booking: it took place, or nobody came.

use berth_access::{Context, Permission};
use berth_events::booking::{Completed, Updated};
use berth_kernel::BookingId;
use berth_messaging::outbox;
use berth_tenancy::{IdempotencyKey, idempotency};

use crate::{
    Bookings, Error, Refusal,
    model::{Booking, Status},
    store,
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
    /// As [`Bookings::complete`].
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
        ctx.authorize(Permission::BookingComplete)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let mut booking = store::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
        let now = ctx.clock.now();
        booking.step(status, now)?;
        if booking.starts_at > now {
            return Err(Refusal::NotBegun.into());
        }
        store::save(&mut tx, &booking).await?;
        let told = booking.told();
        if status == Status::Completed {
            outbox::push(&mut tx, &Completed { booking: told }, now, &ctx.cause).await?;
        } else {
            let event = Updated {
                booking: told,
                change: "no_show".into(),
            };
            outbox::push(&mut tx, &event, now, &ctx.cause).await?;
        }
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &booking).await?;
        }
        tx.commit().await?;
        Ok(booking)
    }
}
