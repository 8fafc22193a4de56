//! Moving a booking to another time: the new place is taken and the old one left in one
//! transaction.

use berth_access::{Context, Permission};
use berth_catalog::{CustomerLimit, ProductKind};
use berth_events::booking::Updated;
use berth_kernel::{BookingId, ResourceId, SessionGroupId, UserId};
use berth_messaging::outbox;
use berth_tenancy::{IdempotencyKey, TenantTx, idempotency};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    Bookings, Error, NewBooking, Refusal, When,
    decide::{Unit, check_horizon, seated, together, units},
    model::{Booking, Forbidden, Status, cancellation, nights::of_use_until, rentals::Period},
    of_pool::of_pool,
    seats::other_seats,
    store::{self, Holder},
};

/// How often a time that looked free may be lost to somebody else before that is the answer.
const ROUNDS: usize = 5;

/// Where a booking is to go.
#[derive(Clone, Debug)]
pub struct Move {
    /// The version the asker read.
    pub version: i64,
    /// When, or which session.
    pub when: When,
    /// With whom, if it matters; else with the same as before where they can.
    pub resource_id: Option<ResourceId>,
    /// Which numbered seats; if none is named the same as before, or the best of the same zones.
    pub seats: Vec<i32>,
}

enum Outcome {
    Moved(Box<Booking>),
    /// It looked free and was not; another look may find somebody else.
    Raced(Box<Booking>),
    Taken(Box<Booking>),
}

impl Bookings {
    /// Moves a booking. Price and policy stay as agreed.
    ///
    /// # Errors
    /// As booking anew; the old place is kept when the new one is not to be had.
    pub async fn reschedule(
        &self,
        ctx: &Context,
        id: BookingId,
        to: &Move,
        key: Option<&IdempotencyKey>,
    ) -> Result<Booking, Error> {
        let mut round = 1;
        let booking = loop {
            match self.try_reschedule(ctx, id, to, key).await? {
                Outcome::Moved(booking) => return Ok(*booking),
                Outcome::Raced(_) if round < ROUNDS => round += 1,
                Outcome::Raced(booking) | Outcome::Taken(booking) => break booking,
            }
        };
        let wanted = wish(&booking, to);
        Err(Error::Conflict {
            alternatives: self.alternatives(ctx, &wanted).await?,
        })
    }

    async fn try_reschedule(
        &self,
        ctx: &Context,
        id: BookingId,
        to: &Move,
        key: Option<&IdempotencyKey>,
    ) -> Result<Outcome, Error> {
        let owner = ctx
            .authorize_owner(Permission::BookingReschedule)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(Outcome::Moved(Box::new(answer)));
        }
        let mut booking = store::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
        booking.check_visible(owner)?;
        booking.check_version(Some(to.version))?;
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
        let limit = match owner {
            Some(customer) => self.limit(&mut tx, ctx, &booking, customer).await?,
            None => None,
        };
        // What the business agreed to is no leave to come at any other time.
        if customers_own && booking.status != Status::Requested {
            let offering = self.last_known(&mut tx, ctx, booking.product_id).await?;
            if offering.product.approval_hours.is_some() {
                return Err(Refusal::AskAnew.into());
            }
        }
        let moved = match to.when {
            When::Start(at) => {
                let chosen = self
                    .choose(&mut tx, ctx, &mut booking, at, to.resource_id)
                    .await?;
                let Some(units) = chosen else {
                    tx.rollback().await?;
                    return Ok(Outcome::Taken(Box::new(booking)));
                };
                let certain = booking.status == Status::Confirmed;
                store::move_claims(&mut tx, Holder::Booking(booking.id), certain, &units).await?
            }
            When::Session(_) => self.move_session(&mut tx, ctx, &mut booking, to).await?,
            When::Group(group) => self.move_group(&mut tx, ctx, &mut booking, group).await?,
            // Which of the pool it is is seen to later.
            When::Nights(_) | When::Period(_) if to.resource_id.is_some() => {
                return Err(Refusal::WrongResource.into());
            }
            When::Nights(_) | When::Period(_) => {
                self.move_in_pool(&mut tx, ctx, &mut booking, to.when)
                    .await?
            }
        };
        if !moved {
            // What the statement found taken is nothing the rest can be built on.
            tx.rollback().await?;
            let booking = Box::new(booking);
            return Ok(match to.when {
                When::Start(_) => Outcome::Raced(booking),
                When::Session(_) | When::Group(_) | When::Nights(_) | When::Period(_) => {
                    Outcome::Taken(booking)
                }
            });
        }
        if let Some(limit) = limit {
            limit.check(&mut tx, &booking).await?;
        }
        booking.checked_in_at = None;
        if booking.status == Status::Requested {
            let by_night = matches!(to.when, When::Nights(_));
            let until = of_use_until(by_night, booking.starts_at, booking.ends_at);
            booking.expires_at = booking.expires_at.min(Some(until));
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
        Ok(Outcome::Moved(Box::new(booking)))
    }

    /// How often the customer may have the product, if that is limited; nobody else books for them from here on.
    async fn limit(
        &self,
        tx: &mut TenantTx,
        ctx: &Context,
        booking: &Booking,
        customer: UserId,
    ) -> Result<Option<Limited>, Error> {
        let offering = self.compile(tx, ctx, booking.product_id).await?;
        let Some(limit) = offering.product.customer_limit else {
            return Ok(None);
        };
        // Before anything is taken: see the order of locks.
        store::lock_customer(tx, customer).await?;
        Ok(Some(Limited {
            customer,
            limit,
            zone: offering.timezone.clone(),
        }))
    }

    /// Whom an appointment takes at the new time, if it was free; the booking says so already.
    async fn choose(
        &self,
        tx: &mut TenantTx,
        ctx: &Context,
        booking: &mut Booking,
        at: Timestamp,
        asked: Option<ResourceId>,
    ) -> Result<Option<Vec<Unit>>, Error> {
        let by_time = booking.resource_id.is_some();
        if !by_time {
            return Err(Refusal::WrongShape.into());
        }
        let offering = self.compile(tx, ctx, booking.product_id).await?;
        check_horizon(&offering, at, ctx.clock.now())?;
        let units = units(&offering, at).ok_or(Refusal::TooFar)?;
        // What the booking takes itself is no obstacle to it.
        let when = When::Start(at);
        let before = store::look(tx, None, &units, &when, Some(booking.id.uuid())).await?;
        let own = booking.resource_id.into_iter();
        let own: Vec<ResourceId> = own.chain(booking.other_resource_ids.clone()).collect();
        let busy = &before.known.busy;
        let chosen = match offering.product.kind {
            ProductKind::Table => {
                let people = booking.quantity;
                let choices = seated(&offering, people, asked, busy, at, &own)?;
                choices.into_iter().next()
            }
            _ => together(&offering, asked, busy, at, &own)?,
        };
        let Some((first, others)) = chosen.as_deref().and_then(<[Unit]>::split_first) else {
            return Ok(None);
        };
        booking.resource_id = Some(first.resource);
        booking.other_resource_ids = others.iter().map(|unit| unit.resource).collect();
        booking.starts_at = at;
        booking.ends_at = at + SignedDuration::from_mins(i64::from(offering.product.duration_min));
        booking.local_start = at.to_zoned(offering.timezone.clone()).datetime();
        Ok(chosen)
    }

    /// Moves places to another session of the same product; whether it had room.
    async fn move_session(
        &self,
        tx: &mut TenantTx,
        ctx: &Context,
        booking: &mut Booking,
        to: &Move,
    ) -> Result<bool, Error> {
        let before = store::look(tx, None, &[], &to.when, None).await?;
        let session = before.known.session.ok_or(Refusal::WrongSession)?;
        let same_product = session.product_id == booking.product_id;
        if booking.session_id.is_none() || !same_product || !session.open {
            return Err(Refusal::WrongSession.into());
        }
        let offering = self.compile(tx, ctx, booking.product_id).await?;
        check_horizon(&offering, session.starts_at, ctx.clock.now())?;
        let stays = booking.session_id == Some(session.id);
        if stays && to.seats.is_empty() {
            return Ok(true);
        }
        let Some(seats) = other_seats(tx, &offering, booking, session.id, &to.seats).await? else {
            return Ok(false);
        };
        booking.session_id = Some(session.id);
        booking.starts_at = session.starts_at;
        booking.ends_at = session.ends_at;
        booking.local_start = session
            .starts_at
            .to_zoned(offering.timezone.clone())
            .datetime();
        if !stays && !store::move_places(tx, booking.id, &[session.id]).await? {
            return Ok(false);
        }
        booking.seats = seats;
        store::move_seats(tx, booking, session.id).await
    }

    /// Moves places to another group of sessions of the same product; whether all of them had room.
    async fn move_group(
        &self,
        tx: &mut TenantTx,
        ctx: &Context,
        booking: &mut Booking,
        to: SessionGroupId,
    ) -> Result<bool, Error> {
        let had = booking.session_group_id.ok_or(Refusal::WrongShape)?;
        let group = store::group_state(tx, to).await?;
        let group = group.filter(|group| group.product_id == booking.product_id && group.open);
        let group = group.ok_or(Refusal::WrongGroup)?;
        let offering = self.compile(tx, ctx, booking.product_id).await?;
        check_horizon(&offering, group.starts_at, ctx.clock.now())?;
        if had == to {
            return Ok(true);
        }
        booking.session_group_id = Some(to);
        booking.starts_at = group.starts_at;
        booking.ends_at = group.ends_at;
        booking.local_start = group
            .starts_at
            .to_zoned(offering.timezone.clone())
            .datetime();
        // One that was called off meanwhile is open no more.
        store::move_places(tx, booking.id, &group.sessions).await
    }
}

impl Bookings {
    /// Moves a stay or a rental to another time of the same pool, as long as it was; whether that was free.
    /// Price and policy are of one of that length.
    async fn move_in_pool(
        &self,
        tx: &mut TenantTx,
        ctx: &Context,
        booking: &mut Booking,
        when: When,
    ) -> Result<bool, Error> {
        let had = store::buckets_of(tx, booking.id).await?;
        let had = had.ok_or(Refusal::WrongShape)?;
        let offering = self.compile(tx, ctx, booking.product_id).await?;
        let now = ctx.clock.now();
        let wish = of_pool(&offering, when, now).ok_or(Refusal::WrongShape)??;
        if wish.pool != had.pool {
            return Err(Refusal::NotOffered.into());
        }
        let (long, refusal) = match when {
            When::Period(_) => (Period::of(booking).units(&offering), Refusal::OtherPeriod),
            _ => (Some(i64::from(had.count())), Refusal::OtherLength),
        };
        if long != Some(i64::from(wish.times)) {
            return Err(refusal.into());
        }
        booking.starts_at = wish.starts_at;
        booking.ends_at = wish.ends_at;
        booking.local_start = offering.timezone.to_datetime(wish.starts_at);
        store::move_buckets(tx, booking.id, &had, &wish.buckets, wish.capacity).await
    }
}

/// A customer who may have a product so often.
struct Limited {
    customer: UserId,
    limit: CustomerLimit,
    zone: TimeZone,
}

impl Limited {
    /// Refuses a time in which they have the product as often as one may.
    async fn check(&self, tx: &mut TenantTx, booking: &Booking) -> Result<(), Error> {
        let period = self.limit.period.around(&self.zone, booking.starts_at);
        let (product, except) = (booking.product_id, Some(booking.id));
        let others = store::booked_by(tx, self.customer, product, period, except).await?;
        match others < i64::from(self.limit.most) {
            true => Ok(()),
            false => Err(Refusal::LimitReached.into()),
        }
    }
}

/// The move as a new booking would ask for it, to find what is free nearby.
fn wish(booking: &Booking, to: &Move) -> NewBooking {
    NewBooking {
        resource_id: to.resource_id,
        attribution: booking.attribution.clone(),
        ..NewBooking::plain(booking.product_id, to.when, booking.quantity)
    }
}
