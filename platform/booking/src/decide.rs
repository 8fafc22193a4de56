//! Deciding about a new booking: by the offering and what is known to be taken. Pure.

use berth_catalog::{
    Buckets, OfferedPool, OfferedResource, Offering, PaymentMode, ProductKind, RentalTerms,
    StayTerms,
};
use berth_kernel::{PoolId, ResourceId};
use jiff::{SignedDuration, Timestamp};

use crate::{
    NewBooking, Refusal, When,
    model::{
        needs::assign,
        nights::{self, Stay},
        rentals::{self, Period},
        schedule, tables,
    },
    store::{GroupState, SessionState, Take},
};

/// One resource for a stretch of time, buffers included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Unit {
    pub(crate) resource: ResourceId,
    pub(crate) from: Timestamp,
    /// Exclusive.
    pub(crate) to: Timestamp,
}

/// What is known of what is taken; by default nothing.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Which of the resources asked about are taken in the stretches asked about.
    pub(crate) busy: Vec<ResourceId>,
    /// The session asked about.
    pub(crate) session: Option<SessionState>,
    /// The group of sessions asked about.
    pub(crate) group: Option<GroupState>,
    /// Most that is taken of the pool in any of the nights, or at any time, asked about.
    pub(crate) most_taken: i32,
}

/// What was decided: the time, and what to take.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) take: Take,
    /// How many times the price of one place is to be paid for each place: once, or for each night or unit.
    pub(crate) times: i32,
}

/// What a stay or a rental would take of its pool.
#[derive(Debug)]
pub(crate) struct PoolWish {
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) pool: PoolId,
    pub(crate) capacity: i32,
    pub(crate) buckets: Buckets,
    /// How many nights, or begun units.
    pub(crate) times: i32,
}

impl From<PoolWish> for Plan {
    fn from(wish: PoolWish) -> Self {
        Self {
            starts_at: wish.starts_at,
            ends_at: wish.ends_at,
            take: Take::Pool {
                pool: wish.pool,
                capacity: wish.capacity,
                buckets: wish.buckets,
            },
            times: wish.times,
        }
    }
}

pub(crate) fn needs_payment(offering: &Offering, quantity: i32) -> bool {
    offering.product.payment_mode == PaymentMode::Online
        && offering.product.price.amount > 0
        && quantity > 0
}

/// Whether an appointment takes a single one of its resources.
pub(crate) fn needs_one(offering: &Offering) -> bool {
    matches!(offering.requirements.as_slice(), [one] if one.quantity == 1)
}

/// What a start would take of each of the offering's resources, by their order; nothing when there is no
/// such time.
pub(crate) fn units(offering: &Offering, at: Timestamp) -> Option<Vec<Unit>> {
    let duration = i64::from(offering.product.duration_min) * 60;
    let unit = |resource: &OfferedResource| {
        let (before, after) = resource.buffers;
        Some(Unit {
            resource: resource.id,
            from: at.checked_sub(SignedDuration::from_secs(before)).ok()?,
            to: at
                .checked_add(SignedDuration::from_secs(duration + after))
                .ok()?,
        })
    };
    offering.resources.iter().map(unit).collect()
}

/// Decides: a plan, nothing when all who could serve are taken, or the rule in the way.
pub(crate) fn decide(
    offering: &Offering,
    new: &NewBooking,
    known: &Known,
    now: Timestamp,
) -> Result<Option<Plan>, Refusal> {
    let product = &offering.product;
    if !product.active {
        return Err(Refusal::NotOffered);
    }
    if new.quantity < 1 || new.quantity > product.max_quantity {
        return Err(Refusal::Quantity);
    }
    match (product.kind, new.when) {
        (ProductKind::Appointment, When::Start(at)) => {
            check_horizon(offering, at, now)?;
            let take = if needs_one(offering) {
                let units = candidates(offering, new.resource_id, &known.busy, at)?;
                (!units.is_empty()).then_some(Take::OneOf(units))
            } else {
                together(offering, new.resource_id, &known.busy, at, &[])?.map(Take::All)
            };
            Ok(take.map(|take| Plan {
                starts_at: at,
                ends_at: at + SignedDuration::from_mins(i64::from(product.duration_min)),
                take,
                times: 1,
            }))
        }
        (ProductKind::Table, When::Start(at)) => {
            check_horizon(offering, at, now)?;
            let take = seated(
                offering,
                new.quantity,
                new.resource_id,
                &known.busy,
                at,
                &[],
            )?;
            Ok(take.map(|take| Plan {
                starts_at: at,
                ends_at: at + SignedDuration::from_mins(i64::from(product.duration_min)),
                take,
                times: 1,
            }))
        }
        (ProductKind::Session, When::Session(id)) => {
            let session = known.session.as_ref().ok_or(Refusal::WrongSession)?;
            if session.id != id || session.product_id != product.id || !session.open {
                return Err(Refusal::WrongSession);
            }
            check_horizon(offering, session.starts_at, now)?;
            let plan = Plan {
                starts_at: session.starts_at,
                ends_at: session.ends_at,
                take: Take::Places(id),
                times: 1,
            };
            Ok((session.free >= new.quantity).then_some(plan))
        }
        (ProductKind::Course, When::Group(id)) => {
            let group = known.group.as_ref().ok_or(Refusal::WrongGroup)?;
            if group.product_id != product.id || !group.open {
                return Err(Refusal::WrongGroup);
            }
            check_horizon(offering, group.starts_at, now)?;
            let plan = Plan {
                starts_at: group.starts_at,
                ends_at: group.ends_at,
                take: Take::Group {
                    group: id,
                    sessions: group.sessions.len(),
                },
                times: 1,
            };
            Ok((group.free >= new.quantity).then_some(plan))
        }
        // Which of the pool it is is seen to later.
        (ProductKind::Stay | ProductKind::Rental, _) if new.resource_id.is_some() => {
            Err(Refusal::WrongResource)
        }
        (ProductKind::Stay | ProductKind::Rental, when) => {
            let wish = of_pool(offering, when, now).ok_or(Refusal::WrongShape)??;
            let free = wish.capacity - known.most_taken;
            Ok((free >= new.quantity).then(|| wish.into()))
        }
        _ => Err(Refusal::WrongShape),
    }
}

/// What a stay or a rental would take of its pool, were it free, or the rule in the way; nothing for a wish of
/// another shape.
pub(crate) fn of_pool(
    offering: &Offering,
    when: When,
    now: Timestamp,
) -> Option<Result<PoolWish, Refusal>> {
    match (when, &offering.nights, &offering.rental) {
        (When::Nights(stay), Some(pool), _) => Some(stay_of(offering, pool, stay, now)),
        (When::Period(period), _, Some(pool)) => Some(rental_of(offering, pool, period, now)),
        _ => None,
    }
}

fn stay_of(
    offering: &Offering,
    pool: &OfferedPool<StayTerms>,
    stay: Stay,
    now: Timestamp,
) -> Result<PoolWish, Refusal> {
    let nights = stay.nights();
    if nights < 1 {
        return Err(Refusal::NoNights);
    }
    if nights < pool.terms.min_nights {
        return Err(Refusal::StayTooShort);
    }
    if nights > pool.terms.max_nights {
        return Err(Refusal::StayTooLong);
    }
    if !pool.terms.arrives(stay.arrival) {
        return Err(Refusal::NoArrival);
    }
    let instants = pool
        .terms
        .instants(&offering.timezone, stay.arrival, stay.departure);
    let (starts_at, ends_at) = instants.ok_or(Refusal::NoNights)?;
    let judged = nights::judged_at(offering, stay.arrival, starts_at, now);
    check_horizon(offering, judged, now)?;
    Ok(PoolWish {
        starts_at,
        ends_at,
        pool: pool.id,
        capacity: pool.capacity,
        buckets: stay.buckets(),
        times: nights,
    })
}

fn rental_of(
    offering: &Offering,
    pool: &OfferedPool<RentalTerms>,
    period: Period,
    now: Timestamp,
) -> Result<PoolWish, Refusal> {
    let units = period.units(offering).ok_or(Refusal::NoPeriod)?;
    let units = i32::try_from(units).map_err(|_| Refusal::RentalTooLong)?;
    if units < pool.terms.min_units {
        return Err(Refusal::RentalTooShort);
    }
    if units > pool.terms.max_units {
        return Err(Refusal::RentalTooLong);
    }
    if !rentals::on_step(offering, period.starts_at) {
        return Err(Refusal::OffStep);
    }
    if !rentals::on_step(offering, period.ends_at) {
        return Err(Refusal::EndOffStep);
    }
    let (out, back) = period.local(offering);
    if !pool.terms.gives_out(out) {
        return Err(Refusal::NotScheduled);
    }
    if !pool.terms.takes_back(back) {
        return Err(Refusal::NotTakenBack);
    }
    check_horizon(offering, period.starts_at, now)?;
    Ok(PoolWish {
        starts_at: period.starts_at,
        ends_at: period.ends_at,
        pool: pool.id,
        capacity: pool.capacity,
        buckets: period.buckets(offering).ok_or(Refusal::TooFar)?,
        times: units,
    })
}

/// Refuses a start that is over, too near or too far.
pub(crate) fn check_horizon(
    offering: &Offering,
    at: Timestamp,
    now: Timestamp,
) -> Result<(), Refusal> {
    let (earliest, latest) = schedule::horizon(offering, now);
    if at < now {
        Err(Refusal::Past)
    } else if at < earliest {
        Err(Refusal::TooSoon)
    } else if at >= latest {
        Err(Refusal::TooFar)
    } else {
        Ok(())
    }
}

/// Whom to take of those of whom one is needed, the first first: the one asked for, or those who work
/// then and are free. Among several the start's own instant decides where to begin, so that they get
/// their share in turn.
fn candidates(
    offering: &Offering,
    asked: Option<ResourceId>,
    busy: &[ResourceId],
    at: Timestamp,
) -> Result<Vec<Unit>, Refusal> {
    let asked = index_of(offering, asked)?;
    let units = units(offering, at).ok_or(Refusal::TooFar)?;
    let mut free = schedule::working(offering, at);
    free.retain(|who| asked.is_none_or(|asked| asked == *who));
    if free.is_empty() {
        return Err(Refusal::NotScheduled);
    }
    free.retain(|who| !busy.contains(&units[*who].resource));
    in_turn(&mut free, at);
    Ok(free.into_iter().map(|who| units[who]).collect())
}

/// Whom to take of all who are needed at once, the first first; nothing when too few are free. Whoever is
/// asked for is among them, and those who are preferred are if they can be.
pub(crate) fn together(
    offering: &Offering,
    asked: Option<ResourceId>,
    busy: &[ResourceId],
    at: Timestamp,
    preferred: &[ResourceId],
) -> Result<Option<Vec<Unit>>, Refusal> {
    let asked = index_of(offering, asked)?;
    let units = units(offering, at).ok_or(Refusal::TooFar)?;
    let requirements = &offering.requirements;
    let working = schedule::working(offering, at);
    let mut free = working.clone();
    free.retain(|who| !busy.contains(&units[*who].resource));
    in_turn(&mut free, at);
    // A stable sort: the others keep their turn.
    free.sort_by_key(|who| !preferred.contains(&units[*who].resource));
    match assign(requirements, &free, asked) {
        Some(chosen) => Ok(Some(chosen.into_iter().map(|who| units[who]).collect())),
        None if assign(requirements, &working, asked).is_none() => Err(Refusal::NotScheduled),
        None => Ok(None),
    }
}

/// Which table a party has at a time, or which that are put together: the choice that wastes fewest seats, but
/// those of `preferred` if they are one; nothing when all that would do are taken. A table that is asked for is
/// among them.
pub(crate) fn seated(
    offering: &Offering,
    people: i32,
    asked: Option<ResourceId>,
    busy: &[ResourceId],
    at: Timestamp,
    preferred: &[ResourceId],
) -> Result<Option<Take>, Refusal> {
    let asked = index_of(offering, asked)?;
    let units = units(offering, at).ok_or(Refusal::TooFar)?;
    let mut choices = tables::choices(offering, people);
    choices.retain(|members| asked.is_none_or(|asked| members.contains(&asked)));
    if choices.is_empty() {
        return Err(Refusal::NoTable);
    }
    let working = schedule::working(offering, at);
    choices.retain(|members| members.iter().all(|who| working.contains(who)));
    if choices.is_empty() {
        return Err(Refusal::NotScheduled);
    }
    let id = |who: &usize| units[*who].resource;
    choices.retain(|members| members.iter().all(|who| !busy.contains(&id(who))));
    // A stable sort: the others keep their order.
    choices.sort_by_key(|members| {
        members.len() != preferred.len() || !members.iter().all(|who| preferred.contains(&id(who)))
    });
    let single = choices
        .iter()
        .map_while(|members| match members.as_slice() {
            [one] => Some(units[*one]),
            _ => None,
        });
    let single: Vec<Unit> = single.collect();
    if !single.is_empty() {
        return Ok(Some(Take::OneOf(single)));
    }
    let together = choices.first();
    Ok(together.map(|members| Take::All(members.iter().map(|who| units[*who]).collect())))
}

/// The place of who is asked for among the offering's resources.
fn index_of(offering: &Offering, asked: Option<ResourceId>) -> Result<Option<usize>, Refusal> {
    let Some(asked) = asked else { return Ok(None) };
    let mut resources = offering.resources.iter();
    let index = resources.position(|resource| resource.id == asked);
    index.map(Some).ok_or(Refusal::WrongResource)
}

fn in_turn(free: &mut [usize], at: Timestamp) {
    if !free.is_empty() {
        let turn = usize::try_from(at.as_second() / 60).unwrap_or(0) % free.len();
        free.rotate_left(turn);
    }
}
