//! Confirming: by staff, or because the money came.

use berth_access::{Context, Permission};
use berth_events::booking::Confirmed;
use berth_kernel::{BookingId, Cause};
use berth_messaging::outbox;
use berth_tenancy::{IdempotencyKey, TenantTx, idempotency};
use jiff::Timestamp;

use crate::{
    Bookings, Error,
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
        ctx.authorize(Permission::BookingConfirm)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let booking = store::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
        if booking.status == Status::Failed {
            // Its place is gone; staff books it anew.
            return Err(Forbidden {
                from: Status::Failed,
                to: Status::Confirmed,
            }
            .into());
        }
        let booking = settle(&mut tx, booking, false, ctx.clock.now(), &ctx.cause).await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &booking).await?;
        }
        tx.commit().await?;
        Ok(booking)
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
