//! Time with some of a pool: how long it is, what of the pool it takes, and when it is free. Pure.

use std::collections::HashMap;

use berth_catalog::{
    Buckets, OfferedPool, Offering, RentalTerms, rental_end, rental_minutes, rental_units,
};
use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, TimeZone},
};

use super::{Booking, nights::days, schedule};

/// From when to when something is rented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Period {
    /// When it is given out.
    pub starts_at: Timestamp,
    /// When it is taken back.
    pub ends_at: Timestamp,
}

impl Period {
    pub(crate) fn of(booking: &Booking) -> Self {
        Self {
            starts_at: booking.starts_at,
            ends_at: booking.ends_at,
        }
    }

    /// How many of the product's units it is, a begun one being a whole one.
    pub(crate) fn units(&self, offering: &Offering) -> Option<i64> {
        let unit_min = offering.product.duration_min;
        rental_units(&offering.timezone, unit_min, self.starts_at, self.ends_at)
    }

    /// How many minutes it is, in the way the product's units are counted.
    pub(crate) fn minutes(&self, offering: &Offering) -> Option<i64> {
        let unit_min = offering.product.duration_min;
        rental_minutes(&offering.timezone, unit_min, self.starts_at, self.ends_at)
    }

    /// Both ends by the clock of the place.
    pub(crate) fn local(&self, offering: &Offering) -> (DateTime, DateTime) {
        let local = |at| offering.timezone.to_datetime(at);
        (local(self.starts_at), local(self.ends_at))
    }

    /// What it takes of the pool: things are made ready before and looked after when they are back.
    pub(crate) fn buckets(&self, offering: &Offering) -> Option<Buckets> {
        let minutes = |min: i32| SignedDuration::from_mins(i64::from(min));
        let before = minutes(offering.product.buffer_before_min);
        let after = minutes(offering.product.buffer_after_min);
        Buckets::quarters(
            self.starts_at.checked_sub(before).ok()?,
            self.ends_at.checked_add(after).ok()?,
        )
    }
}

/// Whether `at` is so many of the product's steps after midnight, or when its day begins.
pub(crate) fn on_step(offering: &Offering, at: Timestamp) -> bool {
    let step = i64::from(offering.product.step_min) * 60;
    let local = offering.timezone.to_datetime(at);
    let since = local.time().duration_since(Time::midnight());
    let whole = since.subsec_nanos() == 0 && since.as_secs() % step == 0;
    whole || schedule::day_start(&offering.timezone, local.date()) == at
}

/// A time for which something can be rented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rentable {
    /// From when to when.
    pub period: Period,
    /// How many are free all that time.
    pub free: i32,
}

/// What has to be known of the pool to say what is free for so many minutes from the days `from ..= to` on.
#[must_use]
pub(crate) fn around(
    offering: &Offering,
    (from, to): (Date, Date),
    minutes: i64,
) -> Option<Buckets> {
    let (starts, ends) = schedule::day_range(offering, from, to);
    let second = |at| Timestamp::from_second(at).ok();
    let period = Period {
        starts_at: second(starts)?,
        ends_at: end(offering, second(ends)?, minutes)?,
    };
    period.buckets(offering)
}

fn end(offering: &Offering, starts_at: Timestamp, minutes: i64) -> Option<Timestamp> {
    let unit_min = offering.product.duration_min;
    rental_end(&offering.timezone, unit_min, starts_at, minutes)
}

/// The times of so many minutes that begin on the days `from ..= to` and are free at `now`, by their starts.
/// `taken` says how many are taken of whatever was ever booked.
#[must_use]
pub(crate) fn offered<S: std::hash::BuildHasher>(
    offering: &Offering,
    pool: &OfferedPool<RentalTerms>,
    (from, to): (Date, Date),
    minutes: i64,
    now: Timestamp,
    taken: &HashMap<DateTime, i32, S>,
) -> Vec<Rentable> {
    let peaks = Peaks::of(taken);
    let (earliest, latest) = schedule::horizon(offering, now);
    let rentable = |starts_at: Timestamp| {
        let given_out = pool
            .terms
            .gives_out(offering.timezone.to_datetime(starts_at), &offering.holidays);
        if !(earliest..latest).contains(&starts_at) || !given_out {
            return None;
        }
        let ends_at = end(offering, starts_at, minutes)?;
        let taken_back = pool
            .terms
            .takes_back(offering.timezone.to_datetime(ends_at), &offering.holidays);
        if !taken_back || !on_step(offering, ends_at) {
            return None;
        }
        let period = Period { starts_at, ends_at };
        let free = pool.capacity - peaks.within(&period.buckets(offering)?);
        (free > 0).then_some(Rentable { period, free })
    };
    days(from, to.saturating_add(1.day()))
        .flat_map(|day| starts(offering, day))
        .filter_map(rentable)
        .collect()
}

/// Every step of a day, as often as the clock shows it.
fn starts(offering: &Offering, day: Date) -> Vec<Timestamp> {
    let step = i64::from(offering.product.step_min);
    let midnight = day.to_datetime(Time::midnight());
    let shown = (0..).map_while(|count: i64| {
        let at = midnight.checked_add((count * step).minutes()).ok()?;
        (at.date() == day).then_some(at)
    });
    let mut starts: Vec<Timestamp> = shown
        .flat_map(|at| instants(&offering.timezone, at))
        .collect();
    // Where midnight is skipped the day begins nevertheless.
    let begins = schedule::day_start(&offering.timezone, day);
    if offering.timezone.to_datetime(begins).date() == day {
        starts.push(begins);
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// When the clock shows `at`: not at all, once or twice.
fn instants(zone: &TimeZone, at: DateTime) -> impl Iterator<Item = Timestamp> + use<> {
    let shown = zone.to_ambiguous_timestamp(at);
    let [first, second] = match shown.offset() {
        AmbiguousOffset::Gap { .. } => [None, None],
        AmbiguousOffset::Unambiguous { .. } => [shown.unambiguous().ok(), None],
        AmbiguousOffset::Fold { .. } => [shown.earlier().ok(), shown.later().ok()],
    };
    first.into_iter().chain(second)
}

/// The most that is taken within any stretch, found in a look or two: for each power of two the most of as many
/// buckets from each on.
struct Peaks {
    first: i64,
    levels: Vec<Vec<i32>>,
}

impl Peaks {
    fn of<S: std::hash::BuildHasher>(taken: &HashMap<DateTime, i32, S>) -> Self {
        let mut known: Vec<(i64, i32)> = taken
            .iter()
            .map(|(at, count)| (index(*at), *count))
            .collect();
        known.sort_unstable();
        let first = known.first().map_or(0, |(at, _)| *at);
        let length = known.last().map_or(0, |(at, _)| at - first + 1);
        let mut base = vec![0; usize::try_from(length).unwrap_or(0)];
        for (at, count) in known {
            if let Some(bucket) = usize::try_from(at - first)
                .ok()
                .and_then(|i| base.get_mut(i))
            {
                *bucket = count;
            }
        }
        let mut levels = vec![base];
        let mut width = 1;
        while let Some(below) = levels.last().filter(|below| below.len() > width) {
            let next = below
                .iter()
                .zip(&below[width..])
                .map(|(a, b)| *a.max(b))
                .collect();
            levels.push(next);
            width *= 2;
        }
        Self { first, levels }
    }

    fn within(&self, buckets: &Buckets) -> i32 {
        let length = self.levels[0].len();
        let place = |at: DateTime| {
            usize::try_from((index(at) - self.first).max(0)).map_or(length, |i| i.min(length))
        };
        let (from, to) = (place(buckets.from()), place(buckets.to()));
        if from >= to {
            return 0;
        }
        let level = (to - from).ilog2();
        let Some(most) = self.levels.get(usize::try_from(level).unwrap_or(0)) else {
            return 0;
        };
        // Two that overlap cover it.
        most[from].max(most[to - (1 << level)])
    }
}

/// Which quarter of an hour it is, since the epoch.
fn index(name: DateTime) -> i64 {
    TimeZone::UTC
        .to_timestamp(name)
        .map_or(0, |at| at.as_second().div_euclid(Buckets::QUARTER))
}

#[cfg(test)]
mod tests {
    use berth_catalog::{Weekly, Window};
    use berth_kernel::PoolId;
    use jiff::civil::{date, time};
    use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

    use super::*;

    fn pool(capacity: i32, opening: Vec<Weekly>) -> OfferedPool<RentalTerms> {
        OfferedPool {
            id: PoolId::new(),
            capacity,
            terms: RentalTerms {
                min_units: 1,
                max_units: 31,
                opening,
            },
        }
    }

    fn rented(unit_min: i32, step_min: i32) -> Offering {
        let mut offering = schedule::tests::offering("Europe/Berlin", &[]);
        offering.product.duration_min = unit_min;
        offering.product.step_min = step_min;
        offering
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_is_a_day_when_clocks_change_and_every_hour_that_is_shown_can_be_rented() {
        let now = at("2027-01-01T00:00:00Z");
        let nothing: HashMap<DateTime, i32> = HashMap::new();
        let day = |unit, day| {
            let offering = rented(unit, 60);
            let minutes = i64::from(unit);
            let found = offered(
                &offering,
                &pool(2, vec![]),
                (day, day),
                minutes,
                now,
                &nothing,
            );
            assert!(found.iter().all(|one| one.free == 2));
            found
        };
        let hours = |day_found: &[Rentable]| {
            let lengths = day_found
                .iter()
                .map(|one| one.period.ends_at.duration_since(one.period.starts_at));
            lengths.map(|length| length.as_hours()).collect::<Vec<_>>()
        };
        // Of 23 hours and of 25.
        let (forward, back) = (date(2027, 3, 28), date(2027, 10, 31));
        assert_eq!(day(60, forward).len(), 23);
        assert_eq!(day(60, back).len(), 25);
        assert!(hours(&day(60, back)).iter().all(|hours| *hours == 1));
        assert_eq!(hours(&day(1_440, date(2027, 3, 27)))[10], 23);
        assert_eq!(hours(&day(1_440, date(2027, 10, 30)))[10], 25);
        assert_eq!(hours(&day(1_440, date(2027, 6, 1)))[10], 24);
    }

    #[test]
    fn a_day_that_begins_at_one_can_be_rented_from_there() {
        let mut offering = schedule::tests::offering("Africa/Cairo", &[]);
        offering.product.duration_min = 1_440;
        offering.product.step_min = 1_440;
        let now = at("2027-01-01T00:00:00Z");
        let nothing: HashMap<DateTime, i32> = HashMap::new();
        let days = (date(2027, 4, 29), date(2027, 4, 30));
        let found = offered(&offering, &pool(1, vec![]), days, 1_440, now, &nothing);
        let hours = |one: &Rentable| {
            let hour = |at| offering.timezone.to_datetime(at).hour();
            (hour(one.period.starts_at), hour(one.period.ends_at))
        };
        // The clock goes from midnight to one.
        assert_eq!(
            found.iter().map(hours).collect::<Vec<_>>(),
            [(0, 1), (1, 0)]
        );
        assert!(
            found
                .iter()
                .all(|one| one.period.units(&offering) == Some(1))
        );
    }

    #[test]
    fn what_is_given_out_and_taken_back_while_it_is_open_is_offered() {
        let window = Window {
            starts: time(9, 0, 0, 0),
            ends: time(18, 0, 0, 0),
        };
        let now = at("2027-01-01T00:00:00Z");
        let nothing: HashMap<DateTime, i32> = HashMap::new();
        // A Monday and the Tuesday after it, which is closed.
        let open = vec![Weekly { weekday: 1, window }];
        let days = (date(2027, 3, 1), date(2027, 3, 2));
        let offering = rented(120, 60);
        let found = offered(&offering, &pool(1, open.clone()), days, 120, now, &nothing);
        let local = |at| offering.timezone.to_datetime(at).hour();
        let starts: Vec<i8> = found
            .iter()
            .map(|one| local(one.period.starts_at))
            .collect();
        assert_eq!(starts, (9..=16).collect::<Vec<_>>());
        let week = rented(1_440, 60);
        let found = offered(&week, &pool(1, open), days, 7 * 1_440, now, &nothing);
        assert_eq!(found.len(), 9, "until the same time of the next Monday");
    }

    #[test]
    fn what_is_free_is_what_is_left_at_the_worst_moment() {
        let mut offering = rented(60, 15);
        offering.product.buffer_before_min = 10;
        offering.product.buffer_after_min = 20;
        let pool = pool(5, vec![]);
        let now = at("2027-01-01T00:00:00Z");
        let seed = rand::random();
        let mut random = StdRng::seed_from_u64(seed);
        let days = (date(2027, 3, 27), date(2027, 3, 29));
        for _ in 0..20 {
            let units = random.random_range(1..30);
            let known = around(&offering, days, units * 60).unwrap();
            let mut taken: HashMap<DateTime, i32> = HashMap::new();
            for name in known.names() {
                if random.random_bool(0.3) {
                    taken.insert(name, random.random_range(0..=6));
                }
            }
            let found = offered(&offering, &pool, days, units * 60, now, &taken);
            let found: HashMap<Timestamp, i32> = found
                .iter()
                .map(|one| (one.period.starts_at, one.free))
                .collect();
            let first = at("2027-03-26T23:00:00Z");
            for quarter in 0..(71 * 4) {
                let starts_at = first + SignedDuration::from_mins(quarter * 15);
                let ends_at = starts_at + SignedDuration::from_hours(units);
                let buckets = Period { starts_at, ends_at }.buckets(&offering).unwrap();
                let most = buckets
                    .names()
                    .map(|name| taken.get(&name).copied().unwrap_or(0))
                    .max();
                let free = 5 - most.unwrap();
                let told = found.get(&starts_at).copied().unwrap_or(0);
                assert_eq!(told, free.max(0), "{starts_at}, seed {seed}");
            }
        }
    }
}
