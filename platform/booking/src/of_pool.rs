//! What a stay or a rental would take of its pool, and the rules about it. Pure.

use berth_catalog::{Buckets, Holidays, OfferedPool, Offering, RentalTerms, StayTerms};
use berth_kernel::PoolId;
use jiff::Timestamp;

use crate::{
    Refusal, When,
    decide::{Plan, check_horizon},
    model::{
        nights::{self, Stay},
        rentals::{self, Period},
    },
    store::Take,
};

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
            seats: Vec::new(),
        }
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
    let (terms, holidays) = (&pool.terms, &offering.holidays);
    if !terms.gives_out(out, holidays) {
        return Err(match terms.gives_out(out, &Holidays::new()) {
            true => Refusal::Holiday,
            false => Refusal::NotScheduled,
        });
    }
    if !terms.takes_back(back, holidays) {
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
