//! What is free: advice, quick to get; the claim is the judge.

use std::{collections::HashMap, sync::Arc};

use berth_access::{Context, Permission};
use berth_catalog::{Buckets, Offering, ProductKind};
use berth_kernel::{ProductId, ResourceId, SessionGroupId, SessionId};
use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, DateTime},
};
use serde::Serialize;

use crate::{
    Bookings, Error, Refusal, Session, SlotsAsked,
    asked::Wanted,
    decide::check_horizon,
    model::{
        nights::{self, Night},
        rentals::{self, Rentable},
        schedule::{self, Resources, Starts},
    },
    store,
};

/// Longest range of one question, in days.
const MAX_DAYS: i32 = 62;

/// A free time, or a session with free places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Slot {
    /// Start.
    pub starts_at: Timestamp,
    /// End, exclusive.
    pub ends_at: Timestamp,
    /// Who and what is free of all it may take, for an appointment; which tables, for a party.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_ids: Vec<ResourceId>,
    /// The session, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The sessions booked together, of a course.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_group_id: Option<SessionGroupId>,
    /// The best numbered seats for as many, of the session that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seat_ids: Vec<i32>,
    /// Free places; for an appointment, how many could be served at once; for a table, how many such parties
    /// at least.
    pub free: i32,
}

/// What is free of a product on the days asked about.
#[derive(Debug)]
pub struct Availability {
    /// The product as it is offered now.
    pub offering: Arc<Offering>,
    /// What is free of it.
    pub free: Free,
}

/// Free times, by the shape of what is offered.
#[derive(Debug)]
pub enum Free {
    /// Of an appointment: starts, with who is free.
    Starts(Starts),
    /// Sessions with a free place that can be booked now, by their starts.
    Sessions(Vec<Session>),
    /// Times something can be rented for, by their starts.
    Rentals(Vec<Rentable>),
}

/// How much is free on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayAvailability {
    /// The day, in the product's zone.
    pub day: Date,
    /// Starts or sessions with a free place.
    pub slots: usize,
}

impl Bookings {
    /// Free starts, or sessions with free places, on the days `from ..= to` of the product's zone.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such product, [`Error::Invalid`] for a range that is
    /// empty or longer than 62 days, and for units that are not rented.
    pub async fn slots(
        &self,
        ctx: &Context,
        product: ProductId,
        from: Date,
        to: Date,
        asked: SlotsAsked,
    ) -> Result<Availability, Error> {
        ctx.authorize(Permission::AvailabilityRead)
            .map_err(Error::Denied)?;
        check_range(from, to)?;
        let found = self.free(ctx, product, (from, to), asked.into()).await;
        let found = found.map_err(Error::addressed)?;
        let most = found.offering.product.max_quantity;
        if asked
            .quantity
            .is_some_and(|quantity| !(1..=most).contains(&quantity))
        {
            return Err(Refusal::Quantity.into());
        }
        if asked.units.is_some() && found.offering.rental.is_none() {
            let detail = "Only for a rental.";
            return Err(Error::invalid("units", "WRONG_KIND", detail));
        }
        if asked.resource.is_some() && found.offering.rental.is_some() {
            return Err(Refusal::WrongResource.into());
        }
        let detail = match found.offering.product.kind {
            ProductKind::Appointment
            | ProductKind::Session
            | ProductKind::Rental
            | ProductKind::Table => None,
            ProductKind::Stay => Some("The product is a stay; ask for its nights."),
            ProductKind::Course => Some("The product is a course; ask for its groups of sessions."),
        };
        if let Some(detail) = detail {
            return Err(Error::invalid("id", "WRONG_KIND", detail));
        }
        Ok(match asked.resource {
            Some(resource) => found.only_of(resource),
            None => found,
        })
    }

    /// How much is free on each of the days `from ..= to`; days with nothing are told as zero.
    ///
    /// # Errors
    /// As [`Bookings::slots`].
    pub async fn days(
        &self,
        ctx: &Context,
        product: ProductId,
        from: Date,
        to: Date,
        asked: SlotsAsked,
    ) -> Result<Vec<DayAvailability>, Error> {
        let found = self.slots(ctx, product, from, to, asked).await?;
        let mut starts = found.starts().into_iter().peekable();
        let mut days = Vec::new();
        let mut day = from;
        while day <= to {
            let (_, ends) = schedule::day_range(&found.offering, day, day);
            let mut count = 0;
            while starts.next_if(|start| *start < ends).is_some() {
                count += 1;
            }
            days.push(DayAvailability { day, slots: count });
            let Ok(tomorrow) = day.tomorrow() else { break };
            day = tomorrow;
        }
        Ok(days)
    }

    /// The nights `from ..= to` of a stay's product, as they are offered now.
    ///
    /// # Errors
    /// As [`Bookings::slots`]; [`Error::Invalid`] for a product that is no stay.
    pub async fn nights(
        &self,
        ctx: &Context,
        product: ProductId,
        from: Date,
        to: Date,
    ) -> Result<Vec<Night>, Error> {
        ctx.authorize(Permission::AvailabilityRead)
            .map_err(Error::Denied)?;
        check_range(from, to)?;
        let found = self.nights_taken(ctx, product, (from, to)).await;
        let (offering, taken) = found.map_err(Error::addressed)?;
        let Some(pool) = offering.nights.as_ref() else {
            let detail = "The product is no stay; ask for its slots.";
            return Err(Error::invalid("id", "WRONG_KIND", detail));
        };
        let offered = match offering.product.active {
            true => nights::offered(&offering, pool, (from, to), ctx.clock.now(), &taken),
            false => Vec::new(),
        };
        Ok(offered)
    }

    /// The offering as it is now, and how many of its pool are taken in the nights that matter to stays
    /// which begin on `from ..= to`: one query when the offering is compiled.
    pub(crate) async fn nights_taken(
        &self,
        ctx: &Context,
        product: ProductId,
        (from, to): (Date, Date),
    ) -> Result<(Arc<Offering>, HashMap<DateTime, i32>), Error> {
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let mut offering = self.last_known(&mut tx, ctx, product).await?;
        loop {
            let Some(pool) = offering.nights.as_ref() else {
                tx.rollback().await?;
                return Ok((offering, HashMap::new()));
            };
            let until = to.saturating_add(pool.terms.max_nights.days());
            let nights = Buckets::nights(from, until);
            let (version, taken) = store::taken(&mut tx, pool.id, &nights).await?;
            if version == offering.version {
                tx.rollback().await?;
                return Ok((offering, taken));
            }
            offering = self.compile(&mut tx, ctx, product).await?;
        }
    }

    /// Everything free on the days `from ..= to`: one query when the offering is compiled.
    pub(crate) async fn free(
        &self,
        ctx: &Context,
        product: ProductId,
        (from, to): (Date, Date),
        wanted: Wanted,
    ) -> Result<Availability, Error> {
        // However wild the wish, what is told is what one could have.
        let quantity = wanted.quantity.max(1);
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let mut offering = self.last_known(&mut tx, ctx, product).await?;
        let now = ctx.clock.now();
        loop {
            if let Some(pool) = &offering.rental {
                let minutes = wanted.long.minutes(&offering, &pool.terms)?;
                let known =
                    rentals::around(&offering, (from, to), minutes).ok_or(Refusal::TooFar)?;
                let (version, taken) = store::taken(&mut tx, pool.id, &known).await?;
                if version == offering.version {
                    tx.rollback().await?;
                    let mut free = match offering.product.active {
                        true => rentals::offered(&offering, pool, (from, to), minutes, now, &taken),
                        false => Vec::new(),
                    };
                    free.retain(|one| one.free >= quantity);
                    let free = Free::Rentals(free);
                    return Ok(Availability { offering, free });
                }
                offering = self.compile(&mut tx, ctx, product).await?;
                continue;
            }
            let ids: Vec<ResourceId> = offering
                .resources
                .iter()
                .map(|resource| resource.id)
                .collect();
            let range = around(&offering, from, to);
            let taken = store::busy(&mut tx, &ids, range).await?;
            if taken.version != offering.version {
                offering = self.compile(&mut tx, ctx, product).await?;
                continue;
            }
            let busy = taken.into_busy();
            let free = match offering.product.kind {
                _ if !offering.product.active => Free::Sessions(Vec::new()),
                // One of those who are free serves an appointment, whatever its quantity.
                ProductKind::Appointment | ProductKind::Table => {
                    let days = (from, to);
                    Free::Starts(schedule::starts(&offering, days, quantity, now, &busy))
                }
                // These are asked for elsewhere, or answered above.
                ProductKind::Stay | ProductKind::Course | ProductKind::Rental => {
                    Free::Sessions(Vec::new())
                }
                ProductKind::Session => {
                    let (from, to) = schedule::day_range(&offering, from, to);
                    let range = (second(from), second(to));
                    let mut sessions = store::sessions(&mut tx, product, range.0, range.1).await?;
                    sessions.retain(|session| {
                        session.free >= quantity && bookable(&offering, session, now)
                    });
                    Free::Sessions(sessions)
                }
            };
            tx.rollback().await?;
            return Ok(Availability { offering, free });
        }
    }
}

impl Availability {
    /// Only the times with this one.
    fn only_of(self, resource: ResourceId) -> Self {
        let resources = &self.offering.resources;
        let index = resources.iter().position(|known| known.id == resource);
        let free = match (self.free, index) {
            (Free::Starts(starts), Some(who)) => Free::Starts(starts.only_of(who)),
            // Nobody unknown is free, and nobody in particular serves a session.
            _ => Free::Sessions(Vec::new()),
        };
        Self { free, ..self }
    }

    /// Starts with something free, in seconds since the epoch, ascending.
    fn starts(&self) -> Vec<i64> {
        match &self.free {
            Free::Starts(starts) => starts.iter().map(|(at, _)| at).collect(),
            Free::Sessions(sessions) => {
                let starts = sessions.iter().map(|session| session.starts_at.as_second());
                starts.collect()
            }
            Free::Rentals(rentals) => {
                let starts = rentals.iter().map(|one| one.period.starts_at.as_second());
                starts.collect()
            }
        }
    }

    pub(crate) fn into_slots(self) -> Vec<Slot> {
        match self.free {
            Free::Starts(starts) => {
                let slots = starts.iter();
                let slots = slots.filter_map(|(at, free)| appointment(&self.offering, at, free));
                slots.collect()
            }
            Free::Sessions(sessions) => sessions.iter().map(places).collect(),
            Free::Rentals(rentals) => rentals.into_iter().map(rentable).collect(),
        }
    }
}

fn check_range(from: Date, to: Date) -> Result<(), Error> {
    let days = from.until(to).map_or(-1, |span| span.get_days());
    if (0..MAX_DAYS).contains(&days) {
        return Ok(());
    }
    let detail = format!("`to` must not be before `from`, nor more than {MAX_DAYS} days after it.");
    Err(Error::invalid("to", "INVALID_RANGE", detail))
}

/// The stretch whose claims matter for the days: a day more on either side, for resources in
/// other zones and for buffers.
fn around(offering: &Offering, from: Date, to: Date) -> (Timestamp, Timestamp) {
    let (starts, ends) = schedule::day_range(offering, from, to);
    (second(starts - 86_400), second(ends + 86_400))
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

fn appointment(offering: &Offering, at: i64, free: Resources<'_>) -> Option<Slot> {
    let starts_at = Timestamp::from_second(at).ok()?;
    let duration = SignedDuration::from_mins(i64::from(offering.product.duration_min));
    let resource_ids = free.iter().map(|who| offering.resources[who].id);
    Some(Slot {
        starts_at,
        ends_at: starts_at.checked_add(duration).ok()?,
        free: i32::try_from(free.at_once()).unwrap_or(i32::MAX),
        resource_ids: resource_ids.collect(),
        session_id: None,
        session_group_id: None,
        seat_ids: Vec::new(),
    })
}

fn bookable(offering: &Offering, session: &Session, now: Timestamp) -> bool {
    session.open && session.free > 0 && check_horizon(offering, session.starts_at, now).is_ok()
}

fn rentable(Rentable { period, free }: Rentable) -> Slot {
    Slot {
        starts_at: period.starts_at,
        ends_at: period.ends_at,
        resource_ids: Vec::new(),
        session_id: None,
        session_group_id: None,
        seat_ids: Vec::new(),
        free,
    }
}

fn places(session: &Session) -> Slot {
    Slot {
        starts_at: session.starts_at,
        ends_at: session.ends_at,
        resource_ids: Vec::new(),
        session_id: Some(session.id),
        session_group_id: None,
        seat_ids: Vec::new(),
        free: session.free,
    }
}
