//! Which starts an offering has: windows, steps, notice and what is taken, in instants.

use std::{ops::Range, sync::Arc};

use berth_catalog::{Offering, ProductKind, Schedule};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

use super::needs::{Needs, WORD};

/// A taken stretch of one resource: index into the offering's resources, start, end. In seconds,
/// which is as fine as a schedule gets.
pub type Busy = (usize, i64, i64);

/// The starts of an offering, in order, and who is free for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starts {
    /// The instants, in seconds since the epoch; ascending.
    at: Vec<i64>,
    /// A row of bits for each start, a bit for each of the offering's resources: set if free.
    free: Vec<u64>,
    /// Words in a row.
    width: usize,
    /// What a booking needs of them.
    needs: Needs,
}

impl Starts {
    /// These starts, with nobody free.
    fn taken(at: Vec<i64>, offering: &Offering, people: i32) -> Self {
        let width = offering.resources.len().div_ceil(WORD);
        Self {
            free: vec![0; at.len() * width],
            at,
            width,
            needs: Needs::of(offering, people),
        }
    }

    fn set_free(&mut self, row: usize, who: usize) {
        self.free[row * self.width + who / WORD] |= 1 << (who % WORD);
    }

    /// Forgets the starts that the resource with the index `who` cannot be one of those to serve.
    #[must_use]
    pub fn only_of(self, who: usize) -> Self {
        let mut kept = Self {
            at: Vec::new(),
            free: Vec::new(),
            width: self.width,
            needs: self.needs.with(who),
        };
        for (at, row) in self.rows() {
            if row[who / WORD] >> (who % WORD) & 1 == 1 {
                kept.at.push(at);
                kept.free.extend_from_slice(row);
            }
        }
        kept.masked()
    }

    /// With those put out who could serve nothing.
    fn masked(mut self) -> Self {
        for row in self.free.chunks_exact_mut(self.width.max(1)) {
            self.needs.mask(row);
        }
        self
    }

    /// Each start a booking can be served at, and who is free.
    pub fn iter(&self) -> impl Iterator<Item = (i64, Resources<'_>)> {
        self.rows().filter_map(|(at, free)| {
            let at_once = self.needs.at_once(free);
            (at_once > 0).then_some((at, Resources { free, at_once }))
        })
    }

    fn rows(&self) -> impl Iterator<Item = (i64, &[u64])> {
        // An offering without resources has rows of no words, and no starts to go with them.
        let rows = self.free.chunks_exact(self.width.max(1));
        self.at.iter().copied().zip(rows)
    }
}

/// Who is free for a start: a set of indexes into the offering's resources.
#[derive(Debug, Clone, Copy)]
pub struct Resources<'a> {
    free: &'a [u64],
    at_once: usize,
}

impl<'a> Resources<'a> {
    /// How many bookings they could serve at once.
    #[must_use]
    pub const fn at_once(self) -> usize {
        self.at_once
    }

    /// Their indexes, ascending.
    pub fn iter(self) -> impl Iterator<Item = usize> + use<'a> {
        let words = self.free.iter().enumerate();
        words.flat_map(|(index, word)| {
            let some = |rest: u64| (rest != 0).then_some(rest);
            // Each step puts out the lowest bit that is set.
            let rest = std::iter::successors(some(*word), move |rest| some(rest & (rest - 1)));
            rest.map(move |rest| index * WORD + rest.trailing_zeros() as usize)
        })
    }
}

/// Instants a booking may start at, by the product's notice and window: `[earliest, latest)`.
#[must_use]
pub fn horizon(offering: &Offering, now: Timestamp) -> (Timestamp, Timestamp) {
    let minutes = |n: i32| SignedDuration::from_mins(i64::from(n));
    let earliest = now + minutes(offering.product.min_notice_min);
    let latest = now + minutes(offering.product.window_days * 1_440);
    (earliest, latest)
}

/// Stretches from two sides as one list: sorted, and those of a resource that overlap made one.
#[must_use]
pub fn united(mut some: Vec<Busy>, more: Vec<Busy>) -> Vec<Busy> {
    if more.is_empty() {
        return some;
    }
    some.extend(more);
    some.sort_unstable();
    let mut united: Vec<Busy> = Vec::with_capacity(some.len());
    for (who, from, to) in some {
        match united.last_mut() {
            Some((last, _, ends)) if *last == who && from < *ends => *ends = to.max(*ends),
            _ => united.push((who, from, to)),
        }
    }
    united
}

/// Every start of the offering on the days `from ..= to` of its own zone, in order, with who is
/// free; for a party of so many, where that matters. `busy` is sorted by resource, then by start; stretches
/// of one resource never overlap.
///
/// Costs a step for each start of each resource: what follows from the hours alone is reckoned once
/// for all who share them, and who is taken is found by walking starts and stretches side by side.
#[must_use]
pub fn starts(
    offering: &Offering,
    (from, to): (Date, Date),
    people: i32,
    now: Timestamp,
    busy: &[Busy],
) -> Starts {
    let product = &offering.product;
    let seconds = |minutes: i32| i64::from(minutes) * 60;
    let duration = seconds(product.duration_min);
    let grids = grids(offering, (from, to), now);
    let mut starts = Starts::taken(union(&grids), offering, people);
    let mut busy = busy;
    for (who, resource) in offering.resources.iter().enumerate() {
        let (before, after) = (resource.buffers.0, duration + resource.buffers.1);
        let theirs = busy.partition_point(|(of, ..)| *of <= who);
        let (mut taken, rest) = busy.split_at(theirs);
        busy = rest;
        let mut row = 0;
        for at in grid_of(&grids, &resource.schedule) {
            // Ends ascend with starts, because a resource's stretches never overlap.
            while let Some(((.., ends), later)) = taken.split_first()
                && *ends <= at - before
            {
                taken = later;
            }
            let next = taken.first();
            if next.is_none_or(|(_, begins, _)| *begins >= at + after) {
                while starts.at[row] < *at {
                    row += 1;
                }
                starts.set_free(row, who);
            }
        }
    }
    starts.masked()
}

/// The starts that a schedule allows, whoever has it, ascending.
type Grid<'a> = (&'a Arc<Schedule>, Vec<i64>);

/// A grid for each schedule of the offering's resources.
fn grids(offering: &Offering, days: (Date, Date), now: Timestamp) -> Vec<Grid<'_>> {
    let (earliest, latest) = horizon(offering, now);
    let (first, end) = day_range(offering, days.0, days.1);
    let bounds = first.max(next_second(earliest))..end.min(next_second(latest));
    let mut grids: Vec<Grid<'_>> = Vec::new();
    for resource in &offering.resources {
        let schedule = &resource.schedule;
        if !grids.iter().any(|(known, _)| Arc::ptr_eq(known, schedule)) {
            grids.push((schedule, grid(offering, schedule, days, &bounds)));
        }
    }
    grids
}

fn grid(
    offering: &Offering,
    schedule: &Schedule,
    (from, to): (Date, Date),
    bounds: &Range<i64>,
) -> Vec<i64> {
    let seconds = |minutes: i32| i64::from(minutes) * 60;
    let step = seconds(offering.product.step_min);
    let duration = seconds(offering.product.duration_min);
    let mut grid = Vec::new();
    // A schedule in another zone has other days, one more on either side, and a window may have begun on the day
    // before.
    let mut day = from.saturating_sub(2.days());
    let stop = to.tomorrow().unwrap_or(to);
    while day <= stop {
        let windows = schedule.windows(day).iter();
        let windows = windows.filter_map(|window| schedule.instants(day, *window));
        for (opens, closes) in windows {
            let (opens, closes) = (opens.as_second(), closes.as_second());
            let late = (bounds.start - opens).max(0);
            let mut at = opens + (late + step - 1) / step * step;
            while at + duration <= closes && at < bounds.end {
                grid.push(at);
                at += step;
            }
        }
        let Ok(tomorrow) = day.tomorrow() else { break };
        day = tomorrow;
    }
    // Windows may touch or overlap, and need not be given in order.
    grid.sort_unstable();
    grid.dedup();
    grid
}

/// Every start of any grid, ascending.
fn union(grids: &[Grid<'_>]) -> Vec<i64> {
    let mut all: Vec<i64> = grids.iter().flat_map(|(_, grid)| grid).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn grid_of<'a>(grids: &'a [Grid<'_>], schedule: &Arc<Schedule>) -> &'a [i64] {
    let found = grids.iter().find(|(known, _)| Arc::ptr_eq(known, schedule));
    found.map_or(&[], |(_, grid)| grid)
}

/// The first full second not before `at`.
fn next_second(at: Timestamp) -> i64 {
    at.as_second() + i64::from(at.subsec_nanosecond() > 0)
}

/// The instants from the start of day `from` to the end of day `to`, in the offering's zone.
#[must_use]
pub fn day_range(offering: &Offering, from: Date, to: Date) -> (i64, i64) {
    let starts = day_start(&offering.timezone, from);
    let ends = day_start(&offering.timezone, to.saturating_add(1.day()));
    (starts.as_second(), ends.as_second())
}

/// When a day begins in a zone: midnight, or the first instant after it where midnight is skipped.
#[must_use]
pub fn day_start(zone: &TimeZone, day: Date) -> Timestamp {
    zone.to_ambiguous_zoned(day.to_datetime(jiff::civil::Time::midnight()))
        .compatible()
        .map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}

/// Who of the offering's resources works through a start at `at`: indexes, ascending. Taken
/// stretches are no matter here.
#[must_use]
pub fn working(offering: &Offering, at: Timestamp) -> Vec<usize> {
    let resources = offering.resources.iter().enumerate();
    let works = resources.filter(|(_, resource)| starts_at(offering, &resource.schedule, at));
    works.map(|(index, _)| index).collect()
}

/// Whether one of the schedule's windows has a start at `at`; it may have begun on the day before.
fn starts_at(offering: &Offering, schedule: &Schedule, at: Timestamp) -> bool {
    // A session begins when whoever made it says.
    let step = match offering.product.kind {
        ProductKind::Session => 1,
        _ => i64::from(offering.product.step_min) * 60,
    };
    let ends = at.as_second() + i64::from(offering.product.duration_min) * 60;
    let today = at.to_zoned(schedule.timezone.clone()).date();
    let windows = schedule.windows(today).iter().map(|window| (today, window));
    let yesterday = today.saturating_sub(1.day());
    let overnight = schedule.windows(yesterday).iter();
    let overnight = overnight.filter(|window| window.is_overnight());
    windows
        .chain(overnight.map(|window| (yesterday, window)))
        .filter_map(|(day, window)| schedule.instants(day, *window))
        .any(|(opens, closes)| {
            let since = at.as_second() - opens.as_second();
            since >= 0
                && since % step == 0
                && ends <= closes.as_second()
                && at.subsec_nanosecond() == 0
        })
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use berth_catalog::{
        OfferedRequirement, OfferedResource, PaymentMode, Pricing, Product, Window,
    };
    use berth_kernel::{Currency, Money, ProductId, ResourceId};
    use jiff::civil::{date, time};
    use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

    use super::*;

    #[test]
    fn stretches_that_overlap_are_one_and_those_that_meet_are_not() {
        let here = vec![(0, 10, 20), (0, 20, 30), (1, 5, 6)];
        let elsewhere = vec![(0, 12, 15), (0, 18, 22), (0, 28, 40), (1, 6, 9)];
        let united = united(here.clone(), elsewhere);
        assert_eq!(united, [(0, 10, 40), (1, 5, 6), (1, 6, 9)]);
        assert_eq!(super::united(here.clone(), vec![]), here);
    }

    /// An hour with Ada, who works in these hours every day.
    pub(crate) fn offering(zone: &str, windows: &[(i8, i8)]) -> Offering {
        let timezone = TimeZone::get(zone).unwrap();
        let window = |(from, to): &(i8, i8)| Window {
            starts: time(*from, 0, 0, 0),
            ends: time(*to, 0, 0, 0),
        };
        let day: Vec<Window> = windows.iter().map(window).collect();
        let product = Product {
            id: ProductId::new(),
            kind: ProductKind::Appointment,
            category_id: None,
            location_id: None,
            name: "Check-up".into(),
            description: String::new(),
            duration_min: 60,
            step_min: 60,
            buffer_before_min: 0,
            buffer_after_min: 0,
            timezone: zone.into(),
            price: Money::new(5_000, Currency::EUR),
            payment_mode: PaymentMode::Online,
            max_quantity: 1,
            min_notice_min: 0,
            window_days: 365,
            hold_min: 15,
            cancellation_policy: vec![],
            requirements: vec![],
            pool_id: None,
            stay: None,
            rental: None,
            seating: None,
            pricing: Pricing::default(),
            customer_limit: None,
            approval_hours: None,
            images: Vec::new(),
            questions: Vec::new(),
            names_required: false,
            tags: vec![],
            listing: berth_catalog::Listing::default(),
            active: true,
            version: 1,
            created_at: Timestamp::UNIX_EPOCH,
        };
        let schedule = Schedule {
            timezone: timezone.clone(),
            weekly: std::array::from_fn(|_| day.clone()),
            exceptions: BTreeMap::new(),
            holidays: BTreeSet::new(),
        };
        let resource = OfferedResource {
            id: ResourceId::new(),
            name: "Ada".into(),
            buffers: (0, 0),
            party: None,
            schedule: Arc::new(schedule),
        };
        needing_one_of(Offering {
            product,
            timezone,
            resources: vec![resource],
            requirements: vec![],
            combinations: vec![],
            nights: None,
            rental: None,
            variants: vec![],
            add_ons: vec![],
            seating: None,
            holidays: BTreeMap::new(),
            version: 1,
        })
    }

    /// The same with one requirement, which all of its resources can be.
    fn needing_one_of(offering: Offering) -> Offering {
        let members = (0..offering.resources.len()).collect();
        Offering {
            combinations: vec![],
            nights: None,
            rental: None,
            requirements: vec![OfferedRequirement {
                quantity: 1,
                members,
            }],
            ..offering
        }
    }

    fn local(offering: &Offering, day: Date, busy: &[Busy]) -> Vec<String> {
        let now = day_start(&offering.timezone, day) - SignedDuration::from_hours(48);
        let show = |(at, _): (i64, Resources<'_>)| {
            let at = Timestamp::from_second(at).unwrap();
            at.to_zoned(offering.timezone.clone())
                .strftime("%H:%M%:z")
                .to_string()
        };
        starts(offering, (day, day), 1, now, busy)
            .iter()
            .map(show)
            .collect()
    }

    #[test]
    fn a_window_is_cut_into_steps_that_end_within_it() {
        let offering = offering("Europe/Berlin", &[(9, 12)]);
        let day = date(2027, 3, 3);
        assert_eq!(
            local(&offering, day, &[]),
            ["09:00+01:00", "10:00+01:00", "11:00+01:00"]
        );
    }

    #[test]
    fn wall_time_holds_on_both_sides_of_a_change_of_clocks() {
        let offering = offering("Europe/Berlin", &[(9, 11)]);
        assert_eq!(
            local(&offering, date(2027, 3, 27), &[]),
            ["09:00+01:00", "10:00+01:00"]
        );
        assert_eq!(
            local(&offering, date(2027, 3, 28), &[]),
            ["09:00+02:00", "10:00+02:00"]
        );
    }

    #[test]
    fn the_skipped_hour_has_no_start_and_the_doubled_one_has_two() {
        let offering = offering("Europe/Berlin", &[(1, 5)]);
        let spring = local(&offering, date(2027, 3, 28), &[]);
        assert_eq!(spring, ["01:00+01:00", "03:00+02:00", "04:00+02:00"]);
        let autumn = local(&offering, date(2027, 10, 31), &[]);
        let doubled = [
            "01:00+02:00",
            "02:00+02:00",
            "02:00+01:00",
            "03:00+01:00",
            "04:00+01:00",
        ];
        assert_eq!(autumn, doubled);
    }

    #[test]
    fn a_taken_stretch_and_its_buffers_block_what_they_touch() {
        let mut offering = offering("UTC", &[(9, 13)]);
        let day = date(2027, 3, 3);
        let ten = day_start(&TimeZone::UTC, day).as_second() + 10 * 3_600;
        let busy = [(0, ten, ten + 3_600)];
        assert_eq!(
            local(&offering, day, &busy),
            ["09:00+00:00", "11:00+00:00", "12:00+00:00"]
        );
        offering.resources[0].buffers.1 = 600;
        assert_eq!(local(&offering, day, &busy), ["11:00+00:00", "12:00+00:00"]);
    }

    #[test]
    fn a_start_is_working_time_exactly_when_it_is_listed() {
        let offering = offering("America/New_York", &[(9, 12), (13, 17)]);
        let day = date(2027, 11, 7);
        let now = day_start(&offering.timezone, day) - SignedDuration::from_hours(48);
        let listed: Vec<i64> = starts(&offering, (day, day), 1, now, &[])
            .iter()
            .map(|(at, _)| at)
            .collect();
        let (first, last) = day_range(&offering, day, day);
        for at in (first..last).step_by(900) {
            let instant = Timestamp::from_second(at).unwrap();
            assert_eq!(
                !working(&offering, instant).is_empty(),
                listed.contains(&at),
                "{instant}"
            );
        }
    }

    #[test]
    fn a_start_is_listed_exactly_for_those_who_work_and_are_free() {
        let mut offering = offering("Europe/Berlin", &[(9, 12), (11, 14)]);
        offering.product.step_min = 30;
        let others = [("America/New_York", (20, 23)), ("Pacific/Auckland", (1, 5))];
        let others = others.map(|(zone, hours)| self::offering(zone, &[hours]).resources.remove(0));
        let own = offering.resources.remove(0);
        let buffers = (600, 1_200);
        // More than a word of bits holds.
        for who in 0..70 {
            let like = [&own, &others[0], &others[1]][who % 3];
            offering.resources.push(OfferedResource {
                id: ResourceId::new(),
                buffers,
                ..like.clone()
            });
        }
        let offering = needing_one_of(offering);
        // The clocks of all three zones change within a month of here.
        let (from, to) = (date(2027, 3, 13), date(2027, 4, 5));
        let (first, last) = day_range(&offering, from, to);
        let mut random = StdRng::seed_from_u64(7);
        let mut busy: Vec<Busy> = Vec::new();
        for who in 0..70 {
            let mut at = first;
            while at < last {
                let begins = at + random.random_range(0..60) * 300;
                at = begins + random.random_range(1..30) * 300;
                busy.push((who, begins, at));
            }
        }
        let now = Timestamp::from_second(first + 86_400).unwrap() + SignedDuration::from_millis(1);
        let found = starts(&offering, (from, to), 1, now, &busy);
        let mut found = found.iter().peekable();
        for at in (first..last).step_by(900) {
            let free: Vec<usize> = working(&offering, Timestamp::from_second(at).unwrap())
                .into_iter()
                .filter(|who| {
                    let (begins, ends) = (at - 600, at + 4_800);
                    at > now.as_second()
                        && !busy.iter().any(|(of, starts, until)| {
                            of == who && *starts < ends && begins < *until
                        })
                })
                .collect();
            let listed = found.next_if(|(listed, _)| *listed == at);
            let listed = listed.map_or_else(Vec::new, |(_, free)| free.iter().collect());
            assert_eq!(listed, free, "{at}");
        }
        assert_eq!(found.next().map(|(at, _)| at), None);
    }

    #[test]
    fn a_start_is_listed_when_enough_of_each_are_free_with_their_own_buffers() {
        let mut offering = offering("UTC", &[(9, 13)]);
        let dentist = offering.resources[0].clone();
        let room = OfferedResource {
            buffers: (0, 1_800),
            ..dentist.clone()
        };
        offering.resources = vec![dentist.clone(), dentist, room.clone(), room];
        offering.requirements = vec![
            OfferedRequirement {
                quantity: 2,
                members: vec![0, 1],
            },
            OfferedRequirement {
                quantity: 1,
                members: vec![2, 3],
            },
        ];
        let day = date(2027, 3, 3);
        let hour = |n: i64| day_start(&TimeZone::UTC, day).as_second() + n * 3_600;
        let all = ["09:00+00:00", "10:00+00:00", "11:00+00:00", "12:00+00:00"];
        assert_eq!(local(&offering, day, &[]), all);
        // One dentist is away at eleven, and both rooms are taken from one o'clock on.
        let busy = [
            (1, hour(11), hour(12)),
            (2, hour(13), hour(14)),
            (3, hour(13), hour(14)),
        ];
        assert_eq!(local(&offering, day, &busy), all[..2]);
        let one_room = &busy[..2];
        assert_eq!(local(&offering, day, one_room), [all[0], all[1], all[3]]);
    }

    #[test]
    fn of_one_resource_only_its_own_starts_are_kept() {
        let mut offering = offering("UTC", &[(9, 12)]);
        let second = offering.resources[0].clone();
        offering.resources.push(second);
        let offering = needing_one_of(offering);
        let day = date(2027, 3, 3);
        let ten = day_start(&TimeZone::UTC, day).as_second() + 10 * 3_600;
        let now = day_start(&TimeZone::UTC, day) - SignedDuration::from_hours(48);
        let found = starts(&offering, (day, day), 1, now, &[(1, ten, ten + 3_600)]);
        let kept = |who| -> Vec<i64> {
            let kept = found.clone().only_of(who);
            kept.iter().map(|(at, _)| at).collect()
        };
        assert_eq!(kept(0), [ten - 3_600, ten, ten + 3_600]);
        assert_eq!(kept(1), [ten - 3_600, ten + 3_600]);
    }
}
