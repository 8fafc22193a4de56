//! Moving a booking to another time: the new place is taken and the old one left in one
//! transaction.

use berth_access::{Context, Permission};
use berth_events::booking::Updated;
use berth_kernel::{BookingId, ResourceId};
use berth_messaging::outbox;
use berth_tenancy::{IdempotencyKey, TenantTx, idempotency};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Bookings, Error, NewBooking, Refusal, When,
    decide::{candidates, check_horizon, taken_range},
    model::{Booking, Forbidden, Status, cancellation},
    store,
};

impl Bookings {
    /// Moves a booking. Price and policy stay as agreed.
    ///
    /// # Errors
    /// As booking anew; the old place is kept when the new one is not to be had.
    pub async fn reschedule(
        &self,
        ctx: &Context,
        id: BookingId,
        version: i64,
        when: When,
        resource: Option<ResourceId>,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        let owner = ctx
            .authorize_owner(Permission::BookingReschedule)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let mut booking = store::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
        booking.check_visible(owner)?;
        booking.check_version(Some(version))?;
        if !booking.is_active() {
            return Err(Forbidden {
                from: booking.status,
                to: Status::Confirmed,
            }
            .into());
        }
        // Moving must not be the way around what cancelling would cost.
        let now = ctx.clock.now();
        let customers_own = owner.is_some();
        if booking.starts_at <= now
            || customers_own && cancellation::costs(&booking.policy, booking.starts_at, now)
        {
            return Err(Refusal::TooLate.into());
        }
        let moved = match when {
            When::Start(at) => {
                self.move_start(&mut tx, ctx, &mut booking, at, resource)
                    .await?
            }
            When::Session(_) => self.move_session(&mut tx, ctx, &mut booking, when).await?,
        };
        if !moved {
            drop(tx);
            let wanted = wish(&booking, when, resource);
            return Err(Error::Conflict {
                alternatives: self.alternatives(ctx, &wanted).await?,
            });
        }
        booking.version += 1;
        booking.updated_at = ctx.clock.now();
        store::save(&mut tx, &booking).await?;
        let event = Updated {
            booking: booking.told(),
            change: "rescheduled".into(),
        };
        outbox::push(&mut tx, &event, booking.updated_at, &ctx.cause).await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &booking).await?;
        }
        tx.commit().await?;
        Ok(booking)
    }

    /// Moves an appointment; whether the new time was free.
    async fn move_start(
        &self,
        tx: &mut TenantTx,
        ctx: &Context,
        booking: &mut Booking,
        at: Timestamp,
        resource: Option<ResourceId>,
    ) -> Result<bool, Error> {
        if booking.session_id.is_some() {
            return Err(Refusal::WrongShape.into());
        }
        let offering = self.compile(tx, ctx, booking.product_id).await?;
        check_horizon(&offering, at, ctx.clock.now())?;
        let range = taken_range(&offering, at).ok_or(Refusal::TooFar)?;
        let all: Vec<ResourceId> = offering
            .resources
            .iter()
            .map(|resource| resource.id)
            .collect();
        let mut busy = store::look(tx, None, &all, range, &When::Start(at))
            .await?
            .known
            .busy;
        // The booking's own claim is no obstacle to itself.
        let (from, to) = taken_range(&offering, booking.starts_at).ok_or(Refusal::TooFar)?;
        let own = booking
            .resource_id
            .filter(|_| from < range.1 && range.0 < to);
        busy.retain(|busy| Some(*busy) != own);
        // Who serves it now goes on to, if they can.
        let keep = booking.resource_id.filter(|_| resource.is_none());
        let first = match candidates(&offering, resource.or(keep), &busy, at) {
            Ok(free) if !free.is_empty() || resource.is_some() => free,
            Ok(_) | Err(_) if resource.is_none() => candidates(&offering, None, &busy, at)?,
            other => other?,
        };
        let Some(chosen) = first.first().copied() else {
            return Ok(false);
        };
        booking.resource_id = Some(chosen);
        booking.starts_at = at;
        booking.ends_at = at + SignedDuration::from_mins(i64::from(offering.product.duration_min));
        booking.local_start = at.to_zoned(offering.timezone.clone()).datetime();
        store::move_claim(tx, booking.id, chosen, range).await
    }

    /// Moves places to another session of the same product; whether it had room.
    async fn move_session(
        &self,
        tx: &mut TenantTx,
        ctx: &Context,
        booking: &mut Booking,
        when: When,
    ) -> Result<bool, Error> {
        let nowhere = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        let before = store::look(tx, None, &[], nowhere, &when).await?;
        let session = before.known.session.ok_or(Refusal::WrongSession)?;
        let same_product = session.product_id == booking.product_id;
        if booking.session_id.is_none() || !same_product || !session.open {
            return Err(Refusal::WrongSession.into());
        }
        let offering = self.compile(tx, ctx, booking.product_id).await?;
        check_horizon(&offering, session.starts_at, ctx.clock.now())?;
        if booking.session_id == Some(session.id) {
            return Ok(true);
        }
        booking.session_id = Some(session.id);
        booking.starts_at = session.starts_at;
        booking.ends_at = session.ends_at;
        booking.local_start = session
            .starts_at
            .to_zoned(offering.timezone.clone())
            .datetime();
        store::move_places(tx, booking.id, session.id).await
    }
}

/// The move as a new booking would ask for it, to find what is free nearby.
fn wish(booking: &Booking, when: When, resource: Option<ResourceId>) -> NewBooking {
    NewBooking {
        product_id: booking.product_id,
        when,
        resource_id: resource,
        quantity: booking.quantity,
        customer: None,
        notes: String::new(),
        attribution: booking.attribution.clone(),
    }
}
