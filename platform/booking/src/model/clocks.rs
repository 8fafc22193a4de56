//! What clocks do, held against what is offered: every change of every zone from 2020 to 2037, and the changes
//! that are known to break calendars.

use berth_catalog::{Offering, StayTerms};
use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, DateTime, date, time},
    tz::TimeZone,
};

use super::schedule::{self, day_start, tests::offering};

/// The starts of the days `from ..= to`, as clocks show them, with how far these are from UTC.
fn shown(offering: &Offering, from: Date, to: Date) -> Vec<(DateTime, i32)> {
    let now = day_start(&offering.timezone, from) - SignedDuration::from_hours(48);
    let starts = schedule::starts(offering, (from, to), 1, now, &[]);
    let show = |at: i64| {
        let at = Timestamp::from_second(at)
            .unwrap()
            .to_zoned(offering.timezone.clone());
        (at.datetime(), at.offset().seconds())
    };
    starts.iter().map(|(at, _)| show(at)).collect()
}

fn clock(starts: &[(DateTime, i32)]) -> Vec<String> {
    let show = |(at, offset): &(DateTime, i32)| {
        format!(
            "{:02} {:02}:{:02}{:+}",
            at.day(),
            at.hour(),
            at.minute(),
            f64::from(*offset) / 3_600.0
        )
    };
    starts.iter().map(show).collect()
}

/// When the clocks of a zone change from 2020 to 2037.
fn changes(zone: &TimeZone) -> Vec<Timestamp> {
    let from = date(2020, 1, 1)
        .to_zoned(TimeZone::UTC)
        .unwrap()
        .timestamp();
    let to = date(2038, 1, 1)
        .to_zoned(TimeZone::UTC)
        .unwrap()
        .timestamp();
    let changes = zone.following(from).map(|change| change.timestamp());
    changes.take_while(|at| *at < to).collect()
}

#[test]
fn no_zone_shifts_at_any_change_of_its_clocks() {
    let (mut zones, mut tried) = (0, 0);
    for name in jiff::tz::db().available() {
        let Ok(zone) = TimeZone::get(name.as_str()) else {
            continue;
        };
        zones += 1;
        let mut offering = offering("UTC", &[(9, 17)]);
        offering.timezone = zone.clone();
        let mut hours = (*offering.resources[0].schedule).clone();
        hours.timezone = zone.clone();
        offering.resources[0].schedule = hours.into();
        for change in changes(&zone) {
            let day = zone.to_datetime(change).date();
            let (from, to) = (day.yesterday().unwrap(), day.tomorrow().unwrap());
            let starts = shown(&offering, from, to);
            let expected = from
                .series(1.day())
                .take_while(|day| *day <= to)
                .flat_map(|day| {
                    let hours = (9..17).map(move |hour| day.at(hour, 0, 0, 0));
                    hours.collect::<Vec<_>>()
                });
            let wall: Vec<DateTime> = starts.iter().map(|(at, _)| *at).collect();
            assert_eq!(
                wall,
                expected.collect::<Vec<_>>(),
                "{} at {change}",
                name.as_str()
            );
            nights_are_whole(&zone, from, to);
            tried += 1;
        }
    }
    assert!(
        zones > 400 && tried > 5_000,
        "{tried} changes of {zones} zones"
    );
}

/// Who comes at three and goes at eleven does so by the clocks of the place.
fn nights_are_whole(zone: &TimeZone, from: Date, to: Date) {
    let terms = StayTerms {
        check_in: time(15, 0, 0, 0),
        check_out: time(11, 0, 0, 0),
        min_nights: 1,
        max_nights: 7,
        arrival_weekdays: vec![],
    };
    let (comes, goes) = terms.instants(zone, from, to).unwrap();
    assert_eq!(zone.to_datetime(comes), from.at(15, 0, 0, 0));
    assert_eq!(zone.to_datetime(goes), to.at(11, 0, 0, 0));
}

#[test]
fn half_an_hour_of_lord_howe_is_skipped_and_shown_twice() {
    let mut offering = offering("Australia/Lord_Howe", &[(1, 4)]);
    offering.product.duration_min = 30;
    offering.product.step_min = 30;
    let spring = date(2027, 10, 3);
    assert_eq!(
        clock(&shown(&offering, spring, spring)),
        [
            "03 01:00+10.5",
            "03 01:30+10.5",
            "03 02:30+11",
            "03 03:00+11",
            "03 03:30+11"
        ]
    );
    let autumn = date(2027, 4, 4);
    assert_eq!(
        clock(&shown(&offering, autumn, autumn)),
        [
            "04 01:00+11",
            "04 01:30+11",
            "04 01:30+10.5",
            "04 02:00+10.5",
            "04 02:30+10.5",
            "04 03:00+10.5",
            "04 03:30+10.5",
        ]
    );
}

#[test]
fn the_day_that_apia_skipped_has_no_start() {
    let offering = offering("Pacific/Apia", &[(9, 11)]);
    let starts = shown(&offering, date(2011, 12, 29), date(2011, 12, 31));
    assert_eq!(
        clock(&starts),
        ["29 09:00-10", "29 10:00-10", "31 09:00+14", "31 10:00+14"]
    );
}

#[test]
fn days_of_23_and_25_hours_have_as_many() {
    for (zone, spring, autumn) in [
        ("Europe/Berlin", date(2027, 3, 28), date(2027, 10, 31)),
        ("America/New_York", date(2027, 3, 14), date(2027, 11, 7)),
    ] {
        // From midnight to midnight.
        let offering = offering(zone, &[(0, 0)]);
        let hours = |day| shown(&offering, day, day).len();
        assert_eq!((hours(spring), hours(autumn)), (23, 25), "{zone}");
        assert_eq!(hours(spring.yesterday().unwrap()), 24);
    }
}

#[test]
fn what_begins_before_midnight_ends_after_it() {
    let mut offering = offering("Europe/Berlin", &[(22, 2)]);
    offering.product.duration_min = 90;
    offering.product.step_min = 30;
    let day = date(2027, 3, 3);
    let starts = clock(&shown(&offering, day, day));
    // The first is of the window of the day before.
    assert_eq!(
        starts,
        [
            "03 00:00+1",
            "03 00:30+1",
            "03 22:00+1",
            "03 22:30+1",
            "03 23:00+1",
            "03 23:30+1"
        ]
    );
    let works = |day: Date, hour: i8, minute: i8| {
        let at = day
            .at(hour, minute, 0, 0)
            .to_zoned(offering.timezone.clone());
        !schedule::working(&offering, at.unwrap().timestamp()).is_empty()
    };
    assert!(works(day, 23, 30) && works(day, 0, 30));
    assert!(!works(day, 1, 0) && !works(day, 2, 0) && !works(day, 21, 30));
}

#[test]
fn a_night_is_longer_or_shorter_when_the_clocks_change_in_it() {
    // Open from ten to four: two hours in spring, four more in autumn.
    let offering = offering("Europe/Berlin", &[(22, 4)]);
    let night = |day: Date| {
        let starts = shown(&offering, day, day.tomorrow().unwrap());
        let of_it = |at: &DateTime| {
            *at >= day.at(22, 0, 0, 0) && *at < day.tomorrow().unwrap().at(22, 0, 0, 0)
        };
        starts.iter().filter(|(at, _)| of_it(at)).count()
    };
    assert_eq!(night(date(2027, 3, 27)), 5);
    assert_eq!(night(date(2027, 10, 30)), 7);
    assert_eq!(night(date(2027, 6, 1)), 6);
}

#[test]
fn the_29th_of_february_is_a_day_like_others() {
    let offering = offering("Europe/Berlin", &[(9, 10)]);
    let starts = shown(&offering, date(2028, 2, 28), date(2028, 3, 1));
    assert_eq!(clock(&starts), ["28 09:00+1", "29 09:00+1", "01 09:00+1"]);
}
