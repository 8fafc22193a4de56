//! Which starts an offering has: windows, steps, notice and what is taken, in instants.

use berth_catalog::{OfferedResource, Offering};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

/// A taken stretch of one resource: index into the offering's resources, start, end. In seconds,
/// which is as fine as a schedule gets.
pub type Busy = (usize, i64, i64);

/// A possible start and who is free for it: indexes into the offering's resources, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The instant, in seconds since the epoch.
    pub at: i64,
    /// Who is free.
    pub free: Vec<u16>,
}

/// Instants a booking may start at, by the product's notice and window: `[earliest, latest)`.
#[must_use]
pub fn horizon(offering: &Offering, now: Timestamp) -> (Timestamp, Timestamp) {
    let minutes = |n: i32| SignedDuration::from_mins(i64::from(n));
    let earliest = now + minutes(offering.product.min_notice_min);
    let latest = now + minutes(offering.product.window_days * 1_440);
    (earliest, latest)
}

/// Every start of the offering on the days `from ..= to` of its own zone, in order, with who is
/// free; starts nobody is free for are left out. `busy` is sorted by resource, then by start.
#[must_use]
pub fn starts(
    offering: &Offering,
    from: Date,
    to: Date,
    now: Timestamp,
    busy: &[Busy],
) -> Vec<Start> {
    let mut found: Vec<(i64, u16)> = Vec::new();
    let (earliest, latest) = horizon(offering, now);
    let limits = (earliest.as_second(), latest.as_second());
    for (index, resource) in offering.resources.iter().enumerate() {
        let first = busy.partition_point(|(of, ..)| *of < index);
        let last = busy.partition_point(|(of, ..)| *of <= index);
        let Ok(tag) = u16::try_from(index) else { break };
        each_start(
            offering,
            resource,
            (from, to),
            limits,
            &busy[first..last],
            |at| {
                found.push((at, tag));
            },
        );
    }
    found.sort_unstable();
    found.dedup();
    group(&found)
}

fn group(found: &[(i64, u16)]) -> Vec<Start> {
    found
        .chunk_by(|a, b| a.0 == b.0)
        .map(|run| Start {
            at: run[0].0,
            free: run.iter().map(|(_, who)| *who).collect(),
        })
        .collect()
}

/// Calls `take` with every free start of one resource.
fn each_start(
    offering: &Offering,
    resource: &OfferedResource,
    (from, to): (Date, Date),
    (earliest, latest): (i64, i64),
    busy: &[Busy],
    mut take: impl FnMut(i64),
) {
    let product = &offering.product;
    let seconds = |minutes: i32| i64::from(minutes) * 60;
    let (step, duration) = (seconds(product.step_min), seconds(product.duration_min));
    let (before, after) = (
        seconds(product.buffer_before_min),
        seconds(product.buffer_after_min),
    );
    let range = day_range(offering, from, to);
    // A resource in another zone has other days: one more on either side covers them.
    let mut day = from.yesterday().unwrap_or(from);
    let stop = to.tomorrow().unwrap_or(to);
    while day <= stop {
        for window in resource.windows(day) {
            let Some((opens, closes)) = resource.instants(day, *window) else {
                continue;
            };
            let (opens, closes) = (opens.as_second(), closes.as_second());
            let mut at = opens;
            while at + duration <= closes {
                if at >= earliest && at < latest && at >= range.0 && at < range.1 {
                    // Ends ascend with starts, because a resource's stretches never overlap.
                    let next = busy.partition_point(|(_, _, ends)| *ends <= at - before);
                    if busy
                        .get(next)
                        .is_none_or(|(_, starts, _)| *starts >= at + duration + after)
                    {
                        take(at);
                    }
                }
                at += step;
            }
        }
        let Ok(tomorrow) = day.tomorrow() else { break };
        day = tomorrow;
    }
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
pub fn working(offering: &Offering, at: Timestamp) -> Vec<u16> {
    let works = |resource: &OfferedResource| starts_at(offering, resource, at);
    let indexes = offering
        .resources
        .iter()
        .enumerate()
        .filter(|(_, resource)| works(resource));
    indexes
        .filter_map(|(index, _)| u16::try_from(index).ok())
        .collect()
}

/// Whether one of the resource's windows has a start at `at`. A window may begin the day before
/// only in wall time, so the day of `at` is the one to look at.
fn starts_at(offering: &Offering, resource: &OfferedResource, at: Timestamp) -> bool {
    let step = i64::from(offering.product.step_min) * 60;
    let ends = at.as_second() + i64::from(offering.product.duration_min) * 60;
    let day = at.to_zoned(resource.timezone.clone()).date();
    let windows = resource.windows(day).iter();
    windows
        .filter_map(|window| resource.instants(day, *window))
        .any(|(opens, closes)| {
            let since = at.as_second() - opens.as_second();
            since >= 0
                && since % step == 0
                && ends <= closes.as_second()
                && at.subsec_nanosecond() == 0
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use berth_catalog::{PaymentMode, Product, ProductKind, Window};
    use berth_kernel::{Currency, Money, ProductId, ResourceId};
    use jiff::civil::{date, time};

    use super::*;

    fn offering(zone: &str, windows: &[(i8, i8)]) -> Offering {
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
            active: true,
            version: 1,
            created_at: Timestamp::UNIX_EPOCH,
        };
        let resource = OfferedResource {
            id: ResourceId::new(),
            name: "Ada".into(),
            timezone: timezone.clone(),
            weekly: std::array::from_fn(|_| day.clone()),
            exceptions: BTreeMap::new(),
        };
        Offering {
            product,
            timezone,
            resources: vec![resource],
            version: 1,
        }
    }

    fn local(offering: &Offering, day: Date, busy: &[Busy]) -> Vec<String> {
        let now = day_start(&offering.timezone, day) - SignedDuration::from_hours(48);
        let show = |start: &Start| {
            let at = Timestamp::from_second(start.at).unwrap();
            at.to_zoned(offering.timezone.clone())
                .strftime("%H:%M%:z")
                .to_string()
        };
        starts(offering, day, day, now, busy)
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
        offering.product.buffer_after_min = 10;
        assert_eq!(local(&offering, day, &busy), ["11:00+00:00", "12:00+00:00"]);
    }

    #[test]
    fn a_start_is_working_time_exactly_when_it_is_listed() {
        let offering = offering("America/New_York", &[(9, 12), (13, 17)]);
        let day = date(2027, 11, 7);
        let now = day_start(&offering.timezone, day) - SignedDuration::from_hours(48);
        let listed: Vec<i64> = starts(&offering, day, day, now, &[])
            .iter()
            .map(|start| start.at)
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
}
