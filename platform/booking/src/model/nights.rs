//! Nights of a stay: which they are, which are free, and on which days one may come. Pure.

use std::collections::HashMap;

use berth_catalog::{Buckets, OfferedPool, Offering, StayTerms};
use berth_kernel::Money;
use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, DateTime},
};

use super::{price, schedule};

/// The days a stay is from and to; the last is that of departure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stay {
    /// Day of arrival.
    pub arrival: Date,
    /// Day of departure.
    pub departure: Date,
}

impl Stay {
    /// How many nights; none or fewer when the departure is not after the arrival.
    #[must_use]
    pub fn nights(self) -> i32 {
        self.arrival
            .until(self.departure)
            .map_or(0, |span| span.get_days())
    }

    /// Its nights as they are counted.
    #[must_use]
    pub fn buckets(self) -> Buckets {
        Buckets::nights(self.arrival, self.departure)
    }
}

/// Until when it is of use to have it: who wants the coming night may book and pay after its check-in has begun.
pub(crate) fn of_use_until(by_night: bool, starts_at: Timestamp, ends_at: Timestamp) -> Timestamp {
    match by_night {
        true => ends_at,
        false => starts_at,
    }
}

/// The instant at which a stay's notice and window are judged: its check-in; or, where no notice is wanted, the
/// end of the day of arrival, because whoever comes late comes nevertheless.
#[must_use]
pub fn judged_at(
    offering: &Offering,
    arrival: Date,
    check_in: Timestamp,
    now: Timestamp,
) -> Timestamp {
    if check_in >= now || offering.product.min_notice_min > 0 {
        return check_in;
    }
    let tomorrow = arrival.tomorrow().ok();
    let midnight = tomorrow.and_then(|day| day.to_zoned(offering.timezone.clone()).ok());
    midnight.map_or(check_in, |midnight| midnight.timestamp())
}

/// The days `from .. to`.
pub(super) fn days(from: Date, to: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(from), |day| day.tomorrow().ok()).take_while(move |day| *day < to)
}

/// One night, as it is offered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Night {
    /// The day it begins on.
    pub day: Date,
    /// How many are free.
    pub free: i32,
    /// Whether one may come on that day, and stay for as long as one has to.
    pub arrival: bool,
    /// What it costs for one, in a stay as short as may be booked now.
    pub price: Money,
}

/// The nights of `from ..= to`, as they are offered at `now`; `taken` says how many are taken of those
/// that have been booked, and reaches on for as long as one may have to stay.
#[must_use]
pub fn offered<S: std::hash::BuildHasher>(
    offering: &Offering,
    pool: &OfferedPool<StayTerms>,
    (from, to): (Date, Date),
    now: Timestamp,
    taken: &HashMap<DateTime, i32, S>,
) -> Vec<Night> {
    let free = |day: Date| free(pool, taken, day).max(0);
    let (earliest, latest) = schedule::horizon(offering, now);
    let arrives = |day: Date| {
        let Ok(until) = day.checked_add(pool.terms.min_nights.days()) else {
            return false;
        };
        let stay = pool.terms.instants(&offering.timezone, day, until);
        let within = stay.is_some_and(|(at, _)| {
            let at = judged_at(offering, day, at, now);
            earliest <= at && at < latest
        });
        within && pool.terms.arrives(day) && days(day, until).all(|night| free(night) > 0)
    };
    let Ok(end) = to.tomorrow() else {
        return Vec::new();
    };
    let price = |day: Date| {
        let (units, at) = (i64::from(pool.terms.min_nights), day.at(0, 0, 0, 0));
        let begins = pool
            .terms
            .instants(&offering.timezone, day, day.tomorrow().ok()?);
        let lead_hours = price::lead_hours(begins?.0, now);
        Some(price::of_unit(&offering.product, at, units, lead_hours))
    };
    days(from, end)
        .map(|day| Night {
            day,
            free: free(day),
            arrival: arrives(day),
            price: price(day).unwrap_or(offering.product.price),
        })
        .collect()
}

/// How many are left of a night; fewer than none where the pool has shrunk since they were booked.
fn free<S: std::hash::BuildHasher>(
    pool: &OfferedPool<StayTerms>,
    taken: &HashMap<DateTime, i32, S>,
    day: Date,
) -> i32 {
    pool.capacity - taken.get(&day.into()).copied().unwrap_or(0)
}

/// Stays of as many nights that are free, the nearest by arrival first.
#[must_use]
pub fn nearest<S: std::hash::BuildHasher>(
    offering: &Offering,
    pool: &OfferedPool<StayTerms>,
    wish: Stay,
    quantity: i32,
    now: Timestamp,
    taken: &HashMap<DateTime, i32, S>,
    range: SignedDuration,
) -> Vec<(Stay, i32)> {
    let length = wish
        .nights()
        .clamp(pool.terms.min_nights, pool.terms.max_nights);
    let from = wish.arrival.saturating_sub(range);
    let to = wish.arrival.saturating_add(range);
    let nights = offered(offering, pool, (from, to), now, taken);
    let stay = |night: &Night| {
        let departure = night.day.checked_add(length.days()).ok()?;
        let stay = Stay {
            arrival: night.day,
            departure,
        };
        let nights = days(stay.arrival, departure);
        let least = nights.map(|night| free(pool, taken, night)).min()?;
        (night.arrival && least >= quantity).then_some((stay, least))
    };
    let mut stays: Vec<(Stay, i32)> = nights.iter().filter_map(stay).collect();
    let distance = |day: Date| {
        day.until(wish.arrival)
            .map_or(i32::MAX, |span| span.get_days().abs())
    };
    stays.sort_by_key(|(stay, _)| distance(stay.arrival));
    stays
}

#[cfg(test)]
mod tests {
    use berth_catalog::StayTerms;
    use berth_kernel::PoolId;
    use jiff::civil::{date, time};

    use super::*;

    #[test]
    fn the_coming_night_is_sold_until_midnight_unless_notice_is_wanted() {
        let mut offering = schedule::tests::offering("America/New_York", &[]);
        let pool = OfferedPool {
            id: PoolId::new(),
            capacity: 1,
            terms: StayTerms {
                check_in: time(15, 0, 0, 0),
                check_out: time(11, 0, 0, 0),
                min_nights: 1,
                max_nights: 7,
                arrival_weekdays: vec![],
            },
        };
        let today = date(2027, 3, 9);
        let arrivals = |offering: &Offering, hour: i8, minute: i8| {
            let now = today.at(hour, minute, 0, 0);
            let now = now.to_zoned(offering.timezone.clone()).unwrap().timestamp();
            let around = (today.yesterday().unwrap(), today.tomorrow().unwrap());
            let nights = offered(offering, &pool, around, now, &HashMap::new());
            nights.iter().map(|night| night.arrival).collect::<Vec<_>>()
        };
        assert_eq!(arrivals(&offering, 14, 0), [false, true, true]);
        assert_eq!(arrivals(&offering, 23, 59), [false, true, true]);
        offering.product.min_notice_min = 120;
        assert_eq!(arrivals(&offering, 12, 59), [false, true, true]);
        assert_eq!(arrivals(&offering, 13, 1), [false, false, true]);
        assert_eq!(arrivals(&offering, 23, 59), [false, false, true]);
    }
}
