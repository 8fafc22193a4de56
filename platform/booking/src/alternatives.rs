//! Whether a wish can be booked, and what is free near it.

use berth_access::{Context, Permission};
use berth_kernel::{SessionGroupId, SessionId};
use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};

use crate::{
    Bookings, Error, NewBooking, SessionGroup, Slot, When,
    asked::Wanted,
    decide::decide,
    model::{
        nights::{self, Stay},
        schedule,
    },
    store,
};

/// Alternatives a conflict names.
const ALTERNATIVES: usize = 5;
/// How far from the arrival asked for others are looked for.
const AROUND: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Whether something can be booked, and if not what stands in the way and what is free near it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Whether it is free now.
    pub available: bool,
    /// Code of the rule in the way.
    pub reason: Option<&'static str>,
    /// The nearest free ones.
    pub alternatives: Vec<Slot>,
}

impl Bookings {
    /// Whether one wish can be booked now.
    ///
    /// # Errors
    /// [`Error::UnknownProduct`] among them.
    pub async fn check(&self, ctx: &Context, wish: &NewBooking) -> Result<Check, Error> {
        ctx.authorize(Permission::AvailabilityRead)
            .map_err(Error::Denied)?;
        let reasons = self.reasons(ctx, wish).await?;
        let reason = reasons.first().map(|reason| reason.code);
        let alternatives = match reason {
            Some(_) => self.alternatives(ctx, wish).await?,
            None => Vec::new(),
        };
        Ok(Check {
            available: reason.is_none(),
            reason,
            alternatives,
        })
    }

    /// The free ones nearest to a wish, by the distance of their starts.
    pub(crate) async fn alternatives(
        &self,
        ctx: &Context,
        wish: &NewBooking,
    ) -> Result<Vec<Slot>, Error> {
        let now = ctx.clock.now();
        let at = match wish.when {
            When::Nights(stay) => return self.other_nights(ctx, wish, stay).await,
            When::Group(group) => return self.other_groups(ctx, wish, group).await,
            When::Start(at) => at.max(now),
            When::Period(period) => period.starts_at.max(now),
            When::Session(id) => self.session_start(ctx, id).await?.unwrap_or(now).max(now),
        };
        let day = at.to_zoned(TimeZone::UTC).date();
        let from = day.saturating_sub(SignedDuration::from_hours(48));
        let to = day.saturating_add(SignedDuration::from_hours(24 * 7));
        let found = self.free(ctx, wish.product_id, (from, to), Wanted::of(wish));
        let found = found.await?;
        let mut slots = found.into_slots();
        slots.sort_by_key(|slot| (slot.starts_at.as_second() - at.as_second()).abs());
        slots.truncate(ALTERNATIVES);
        if let Some(slot) = slots
            .iter_mut()
            .find(|slot| slot.session_id.is_some() && slot.session_id == wish.session())
        {
            slot.seat_ids = self.other_seats_of(ctx, wish).await?;
        }
        Ok(slots)
    }

    /// The best seats left of the session wished for, if they have numbers.
    async fn other_seats_of(&self, ctx: &Context, wish: &NewBooking) -> Result<Vec<i32>, Error> {
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let anywhere = NewBooking {
            seats: Vec::new(),
            zone: None,
            ..wish.clone()
        };
        let (offering, before) = self.look(&mut tx, ctx, &anywhere, None).await?;
        tx.rollback().await?;
        let plan = decide(&offering, &anywhere, &before.known, ctx.clock.now())?;
        let seats = plan.map(|plan| plan.seats).unwrap_or_default();
        Ok(seats.iter().map(|seat| seat.seat_id).collect())
    }

    async fn other_nights(
        &self,
        ctx: &Context,
        wish: &NewBooking,
        stay: Stay,
    ) -> Result<Vec<Slot>, Error> {
        let now = ctx.clock.now();
        let today = now.to_zoned(TimeZone::UTC).date();
        // However wild the wish.
        let last = today.saturating_add(1_100.days());
        let arrival = stay.arrival.clamp(today, last);
        let wished = Stay {
            arrival,
            departure: arrival.saturating_add(stay.nights().clamp(1, 365).days()),
        };
        let around = (
            arrival.saturating_sub(AROUND),
            arrival.saturating_add(AROUND),
        );
        let (offering, taken) = self.nights_taken(ctx, wish.product_id, around).await?;
        let Some(pool) = offering.nights.as_ref().filter(|_| offering.product.active) else {
            return Ok(Vec::new());
        };
        let near = nights::nearest(&offering, pool, wished, wish.quantity, now, &taken, AROUND);
        let slot = |(stay, free): (Stay, i32)| {
            let instants = pool
                .terms
                .instants(&offering.timezone, stay.arrival, stay.departure);
            instants.map(|(starts_at, ends_at)| Slot {
                starts_at,
                ends_at,
                resource_ids: Vec::new(),
                session_id: None,
                session_group_id: None,
                seat_ids: Vec::new(),
                free,
            })
        };
        Ok(near
            .into_iter()
            .filter_map(slot)
            .take(ALTERNATIVES)
            .collect())
    }

    /// Other groups of sessions of the product that can be booked, the next first.
    async fn other_groups(
        &self,
        ctx: &Context,
        wish: &NewBooking,
        group: SessionGroupId,
    ) -> Result<Vec<Slot>, Error> {
        let now = ctx.clock.now();
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let offering = self.last_known(&mut tx, ctx, wish.product_id).await?;
        if !offering.product.active {
            return Ok(Vec::new());
        }
        let (from, to) = schedule::horizon(&offering, now);
        let groups = store::groups(&mut tx, wish.product_id, from, to).await?;
        tx.rollback().await?;
        let others = groups
            .iter()
            .filter(|other| other.id != group && other.free() >= wish.quantity);
        let slot = |group: &SessionGroup| {
            let (first, last) = (group.sessions.first()?, group.sessions.last()?);
            Some(Slot {
                starts_at: first.starts_at,
                ends_at: last.ends_at,
                resource_ids: Vec::new(),
                session_id: None,
                session_group_id: Some(group.id),
                seat_ids: Vec::new(),
                free: group.free(),
            })
        };
        Ok(others.filter_map(slot).take(ALTERNATIVES).collect())
    }

    async fn session_start(
        &self,
        ctx: &Context,
        id: SessionId,
    ) -> Result<Option<Timestamp>, Error> {
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let before = store::look(&mut tx, None, &[], &When::Session(id), None).await?;
        tx.rollback().await?;
        Ok(before.known.session.map(|session| session.starts_at))
    }
}
