//! Reading when a calendar says that somebody is busy.
//!
//! Whoever wrote the file may want to keep us busy instead: how often something recurs, how many stretches
//! come of it and how long reading may take have bounds, and what is beyond them is refused as a whole. Half
//! of a calendar would let somebody be booked who is busy.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use calcard::{
    Entry as Parsed, Parser,
    icalendar::{
        ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarDuration, ICalendarEntry,
        ICalendarPeriod, ICalendarProperty, ICalendarRecurrenceRule, ICalendarStatus,
        ICalendarTransparency, ICalendarValue,
    },
};
use jiff::{SignedDuration, Span, Timestamp, ToSpan as _, civil::DateTime, tz::TimeZone};

use crate::{
    moment::{Clocks, Moment},
    rule::recur,
};

/// Most occurrences that are taken of one calendar.
const MOST: usize = 10_000;
/// How long reading one may take.
const WITHIN: Duration = Duration::from_secs(5);

/// From when to when somebody is busy; the end is exclusive.
pub type Stretch = (Timestamp, Timestamp);

/// Of which time busy stretches are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// From when on.
    pub from: Timestamp,
    /// Until when, exclusive.
    pub to: Timestamp,
}

/// A calendar that cannot be read, in words for whoever attached it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Something else, or not all of it.
    #[error("What is at the address is no whole iCalendar file.")]
    NoCalendar,
    /// A zone nobody knows.
    #[error("The calendar names a time zone that is not known: {0}.")]
    Zone(String),
    /// A rule nobody understands.
    #[error("The calendar has an event with a rule that cannot be read: {0}.")]
    Rule(String),
    /// A rule that gives too many times.
    #[error("The calendar has an event that repeats more often than once an hour.")]
    TooOften,
    /// Too many of them.
    #[error("The calendar has more than {MOST} events in the time that matters.")]
    TooMany,
    /// Rules that are too slow.
    #[error("The calendar's events take too long to work out.")]
    TooSlow,
}

/// How long something may still take.
pub(crate) struct Patience {
    ends: Instant,
}

impl Patience {
    fn new() -> Self {
        Self {
            ends: Instant::now() + WITHIN,
        }
    }

    /// One step on; an error when it takes too long.
    pub(crate) fn step(&self) -> Result<(), Unreadable> {
        match Instant::now() > self.ends {
            true => Err(Unreadable::TooSlow),
            false => Ok(()),
        }
    }
}

/// When `text`, an iCalendar file, says that somebody is busy within `window`: in order, and apart from each
/// other. Days, and times without a zone, are on the clock of `own`.
///
/// Takes up to five seconds of a processor.
///
/// # Errors
/// [`Unreadable`].
pub fn busy(text: &str, own: &TimeZone, window: Window) -> Result<Vec<Stretch>, Unreadable> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let ends = text.get(text.len().saturating_sub(13)..);
    if !ends.is_some_and(|ends| ends.eq_ignore_ascii_case("END:VCALENDAR")) {
        return Err(Unreadable::NoCalendar);
    }
    let patience = Patience::new();
    let mut parser = Parser::new(text);
    let (mut stretches, mut calendars) = (Vec::new(), 0);
    loop {
        patience.step()?;
        match parser.entry() {
            Parsed::ICalendar(calendar) => {
                calendars += 1;
                of_calendar(&calendar, own, window, &patience, &mut stretches)?;
            }
            Parsed::Eof => break,
            _ => {}
        }
    }
    match calendars {
        0 => Err(Unreadable::NoCalendar),
        _ => Ok(merged(stretches)),
    }
}

/// Ordered, and those made one that meet.
fn merged(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    stretches.sort_unstable();
    let mut merged: Vec<Stretch> = Vec::with_capacity(stretches.len());
    for (from, to) in stretches {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

fn of_calendar(
    calendar: &ICalendar,
    own: &TimeZone,
    window: Window,
    patience: &Patience,
    stretches: &mut Vec<Stretch>,
) -> Result<(), Unreadable> {
    let clocks = Clocks::new(calendar.build_tz_resolver(), own.clone());
    let mut events = Vec::new();
    // Occurrences that are told by themselves, by the event and the time they would have been at.
    let mut moved = HashSet::new();
    for component in &calendar.components {
        if component.component_type != ICalendarComponentType::VEvent {
            continue;
        }
        patience.step()?;
        let Some(event) = Event::read(component, &clocks)? else {
            continue;
        };
        if let Some(instead) = event.instead_of.as_ref().and_then(Moment::instant) {
            moved.insert((event.uid, instead));
        }
        events.push(event);
    }
    for event in events.iter().filter(|event| !event.free) {
        event.occur(window, &moved, patience, stretches)?;
    }
    Ok(())
}

/// An event, as far as it matters.
struct Event<'a> {
    uid: &'a str,
    start: Moment,
    /// How long it is, by the clock.
    length: Span,
    rule: Option<&'a ICalendarRecurrenceRule>,
    /// Times at which it is too; with an end of their own, if they have one.
    also: Vec<(Moment, Option<Timestamp>)>,
    /// Times at which it is not.
    except: HashSet<Timestamp>,
    /// Days on which it is not.
    except_days: HashSet<jiff::civil::Date>,
    /// Of an occurrence that is told by itself, which it is.
    instead_of: Option<Moment>,
    /// Whether whoever has it is free all the same, or it is called off.
    free: bool,
}

impl<'a> Event<'a> {
    /// Nothing of what has no start.
    fn read(
        component: &'a ICalendarComponent,
        clocks: &Clocks<'_>,
    ) -> Result<Option<Self>, Unreadable> {
        let first = |name: ICalendarProperty| -> Result<Option<Moment>, Unreadable> {
            let entry = component.property(&name);
            let value = entry.and_then(|entry| Some((entry, dated(entry.values.first()?)?)));
            match value {
                Some((entry, value)) => clocks.read(entry, value),
                None => Ok(None),
            }
        };
        let Some(start) = first(ICalendarProperty::Dtstart)? else {
            return Ok(None);
        };
        let end = first(ICalendarProperty::Dtend)?;
        let (mut also, mut except) = (Vec::new(), HashSet::new());
        let mut except_days = HashSet::new();
        for entry in &component.entries {
            match entry.name {
                ICalendarProperty::Rdate => read_also(entry, clocks, &mut also)?,
                ICalendarProperty::Exdate => {
                    for value in entry.values.iter().filter_map(dated) {
                        let at = clocks.read(entry, value)?;
                        match at {
                            Some(at) if at.is_day => drop(except_days.insert(at.wall.date())),
                            Some(at) => except.extend(at.instant()),
                            None => {}
                        }
                    }
                }
                _ => {}
            }
        }
        let free = component.status() == Some(&ICalendarStatus::Cancelled)
            || component.transparency() == Some(&ICalendarTransparency::Transparent);
        Ok(Some(Self {
            uid: component.uid().unwrap_or_default(),
            length: length(component, &start, end.as_ref()),
            rule: rule(component),
            also,
            except,
            except_days,
            instead_of: first(ICalendarProperty::RecurrenceId)?,
            free,
            start,
        }))
    }

    /// Adds what of it is within the window.
    fn occur(
        &self,
        window: Window,
        moved: &HashSet<(&str, Timestamp)>,
        patience: &Patience,
        stretches: &mut Vec<Stretch>,
    ) -> Result<(), Unreadable> {
        let mut add = |wall: DateTime, end: Option<Timestamp>, of: &Moment| {
            let Some(from) = of.at(wall) else {
                return Ok(true);
            };
            if from >= window.to {
                return Ok(false);
            }
            let elsewhere = self.instead_of.is_none() && moved.contains(&(self.uid, from));
            let excepted = self.except.contains(&from) || self.except_days.contains(&wall.date());
            if elsewhere || excepted {
                return Ok(true);
            }
            let ends = wall.checked_add(self.length).ok();
            let to = end.or_else(|| of.at(ends?)).unwrap_or(from);
            let (from, to) = (from.max(window.from), to.min(window.to));
            if from < to {
                if stretches.len() == MOST {
                    return Err(Unreadable::TooMany);
                }
                stretches.push((from, to));
            }
            Ok(true)
        };
        // The first is one whatever the rule says.
        add(self.start.wall, None, &self.start)?;
        for (at, end) in &self.also {
            patience.step()?;
            add(at.wall, *end, at)?;
        }
        if let (Some(rule), None) = (self.rule, &self.instead_of) {
            recur(&self.start, rule, patience, |wall| {
                match wall == self.start.wall {
                    true => Ok(true),
                    false => add(wall, None, &self.start),
                }
            })?;
        }
        Ok(())
    }
}

fn dated(value: &ICalendarValue) -> Option<&calcard::common::PartialDateTime> {
    value.as_partial_date_time()
}

fn rule(component: &ICalendarComponent) -> Option<&ICalendarRecurrenceRule> {
    let entry = component.property(&ICalendarProperty::Rrule)?;
    entry.values.iter().find_map(|value| match value {
        ICalendarValue::RecurrenceRule(rule) => Some(&**rule),
        _ => None,
    })
}

/// How long an event is: until its end, or as long as it says; of a day one day, else no time at all.
fn length(component: &ICalendarComponent, start: &Moment, end: Option<&Moment>) -> Span {
    if let Some(end) = end {
        // What begins in one zone and ends in another is measured on the clock it begins by.
        let ends = match (start.is_day, end.instant()) {
            (false, Some(at)) if end.zone != start.zone => start.zone.to_datetime(at),
            _ => end.wall,
        };
        let long = start.wall.until(ends).unwrap_or_default();
        return if long.is_negative() {
            Span::new()
        } else {
            long
        };
    }
    let entry = component.property(&ICalendarProperty::Duration);
    let said = entry.and_then(|entry| {
        entry.values.iter().find_map(|value| match value {
            ICalendarValue::Duration(long) => Some(long),
            _ => None,
        })
    });
    match said {
        Some(long) => span(long),
        None if start.is_day => 1.day(),
        None => Span::new(),
    }
}

fn span(long: &ICalendarDuration) -> Span {
    let seconds = SignedDuration::from_secs(long.as_seconds());
    match long.neg {
        true => Span::new(),
        // Reckoned on the clock: a day is a day in whatever season.
        false => Span::try_from(seconds).unwrap_or_default(),
    }
}

fn read_also(
    entry: &ICalendarEntry,
    clocks: &Clocks<'_>,
    also: &mut Vec<(Moment, Option<Timestamp>)>,
) -> Result<(), Unreadable> {
    for value in &entry.values {
        let (start, end) = match value {
            ICalendarValue::PartialDateTime(start) => (&**start, None),
            ICalendarValue::Period(ICalendarPeriod::Range { start, end }) => (
                start,
                clocks.read(entry, end)?.and_then(|end| end.instant()),
            ),
            ICalendarValue::Period(ICalendarPeriod::Duration { start, duration }) => {
                let begins = clocks.read(entry, start)?;
                let end = begins.and_then(|begins| {
                    let ends = begins.wall.checked_add(span(duration)).ok()?;
                    begins.at(ends)
                });
                (start, end)
            }
            _ => continue,
        };
        also.extend(clocks.read(entry, start)?.map(|start| (start, end)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: (&str, &str) = ("2027-03-01T00:00:00Z", "2027-05-01T00:00:00Z");

    /// What is read of events within two months, on the clock of Berlin where none is named.
    fn read(events: &str) -> Result<Vec<String>, Unreadable> {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let window = Window {
            from: WINDOW.0.parse().unwrap(),
            to: WINDOW.1.parse().unwrap(),
        };
        let events: Vec<&str> = events.lines().map(str::trim).collect();
        let events = events.join("\r\n");
        let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}\r\nEND:VCALENDAR\r\n");
        let found = busy(&text, &zone, window)?;
        let shown = found.iter().map(|(from, to)| format!("{from} {to}"));
        Ok(shown.collect())
    }

    fn event(lines: &str) -> String {
        format!("BEGIN:VEVENT\nUID:a\n{lines}\nEND:VEVENT")
    }

    fn of(lines: &str) -> Vec<String> {
        read(&event(lines)).unwrap()
    }

    #[test]
    fn times_are_on_the_clock_they_say() {
        let hour = "2027-03-02T09:00:00Z 2027-03-02T10:00:00Z";
        for lines in [
            "DTSTART:20270302T090000Z\nDTEND:20270302T100000Z",
            "DTSTART:20270302T100000\nDURATION:PT1H",
            "DTSTART;TZID=America/New_York:20270302T040000\nDTEND;TZID=America/New_York:20270302T050000",
            "DTSTART;TZID=\"W. Europe Standard Time\":20270302T100000\nDURATION:PT60M",
            "DTSTART;TZID=Europe/Berlin:20270302T100000\nDTEND;TZID=Europe/London:20270302T100000",
        ] {
            assert_eq!(of(lines), [hour], "{lines}");
        }
        assert_eq!(
            read(&event(
                "DTSTART;TZID=Mars/Olympus:20270302T040000\nDURATION:PT1H"
            )),
            Err(Unreadable::Zone("Mars/Olympus".to_owned()))
        );
    }

    #[test]
    fn days_are_whole_also_when_a_clock_is_changed() {
        assert_eq!(
            of("DTSTART;VALUE=DATE:20270302"),
            ["2027-03-01T23:00:00Z 2027-03-02T23:00:00Z"]
        );
        // The last Sunday of March has 23 hours.
        assert_eq!(
            of("DTSTART;VALUE=DATE:20270327\nDTEND;VALUE=DATE:20270329"),
            ["2027-03-26T23:00:00Z 2027-03-28T22:00:00Z"]
        );
    }

    #[test]
    fn what_recurs_keeps_its_time_of_day_and_its_exceptions() {
        let weekly =
            "DTSTART;TZID=Europe/Berlin:20270318T100000\nDTEND;TZID=Europe/Berlin:20270318T110000";
        let rule =
            "RRULE:FREQ=WEEKLY;UNTIL=20270415T080000Z\nEXDATE;TZID=Europe/Berlin:20270325T100000";
        assert_eq!(
            of(&format!("{weekly}\n{rule}")),
            [
                "2027-03-18T09:00:00Z 2027-03-18T10:00:00Z",
                "2027-04-01T08:00:00Z 2027-04-01T09:00:00Z",
                "2027-04-08T08:00:00Z 2027-04-08T09:00:00Z",
                "2027-04-15T08:00:00Z 2027-04-15T09:00:00Z",
            ]
        );
        let also = "RDATE:20270405T120000Z\nRDATE;VALUE=PERIOD:20270406T120000Z/PT30M";
        assert_eq!(
            of(&format!("{weekly}\n{also}")),
            [
                "2027-03-18T09:00:00Z 2027-03-18T10:00:00Z",
                "2027-04-05T12:00:00Z 2027-04-05T13:00:00Z",
                "2027-04-06T12:00:00Z 2027-04-06T12:30:00Z",
            ]
        );
    }

    #[test]
    fn an_occurrence_that_was_moved_or_called_off_is_where_it_was_moved_to() {
        let daily =
            event("DTSTART:20270302T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nSEQUENCE:1");
        let moved =
            event("RECURRENCE-ID:20270303T090000Z\nDTSTART:20270303T150000Z\nDURATION:PT2H");
        let off =
            event("RECURRENCE-ID:20270304T090000Z\nDTSTART:20270304T090000Z\nSTATUS:CANCELLED");
        // Another's at the same time is nothing to them.
        let another = "BEGIN:VEVENT\nUID:b\nDTSTART:20270304T200000Z\nDURATION:PT1H\nEND:VEVENT";
        assert_eq!(
            read(&[daily.as_str(), &moved, &off, another].join("\n")).unwrap(),
            [
                "2027-03-02T09:00:00Z 2027-03-02T10:00:00Z",
                "2027-03-03T15:00:00Z 2027-03-03T17:00:00Z",
                "2027-03-04T20:00:00Z 2027-03-04T21:00:00Z",
            ]
        );
    }

    #[test]
    fn who_is_free_or_not_there_is_not_busy() {
        let hour = "DTSTART:20270302T090000Z\nDURATION:PT1H";
        for free in [
            format!("{hour}\nTRANSP:TRANSPARENT"),
            format!("{hour}\nSTATUS:CANCELLED"),
            "DTSTART:20270302T090000Z".to_owned(),
            "DTSTART:20270302T090000Z\nDTEND:20270302T080000Z".to_owned(),
            "DTSTART:20200302T090000Z\nDURATION:PT1H".to_owned(),
            "SUMMARY:No start".to_owned(),
        ] {
            assert_eq!(of(&free), Vec::<String>::new(), "{free}");
        }
        assert_eq!(of(&format!("{hour}\nSTATUS:TENTATIVE")).len(), 1);
        assert_eq!(read("").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn stretches_that_meet_are_one_and_none_leaves_the_window() {
        let one = event("DTSTART:20270302T090000Z\nDURATION:PT1H");
        let two = event("DTSTART:20270302T093000Z\nDURATION:PT1H");
        let three = event("DTSTART:20270302T103000Z\nDURATION:PT1H");
        assert_eq!(
            read(&[one, two, three].join("\n")).unwrap(),
            ["2027-03-02T09:00:00Z 2027-03-02T11:30:00Z"]
        );
        let ages = "DTSTART:20000302T090000Z\nDTEND:21000302T090000Z";
        let all = "2027-03-01T00:00:00Z 2027-05-01T00:00:00Z";
        assert_eq!(of(ages), [all]);
    }

    #[test]
    fn a_rule_of_many_years_ends_with_the_window() {
        let daily = "DTSTART;TZID=Europe/Berlin:19900101T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY";
        assert_eq!(of(daily).len(), 61);
        let never =
            "DTSTART:20270101T090000Z\nDURATION:PT1H\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30";
        assert_eq!(of(never), Vec::<String>::new());
        let over =
            "DTSTART:20200101T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20190101T000000Z";
        assert_eq!(of(over), Vec::<String>::new());
    }

    #[test]
    fn what_is_meant_to_keep_us_busy_is_refused() {
        let began = Instant::now();
        let with = |rule: &str| {
            read(&event(&format!(
                "DTSTART:19700101T000000Z\nDURATION:PT1S\n{rule}"
            )))
        };
        for rule in [
            "RRULE:FREQ=SECONDLY",
            "RRULE:FREQ=SECONDLY;COUNT=1000000",
            "RRULE:FREQ=MINUTELY;INTERVAL=7",
        ] {
            assert_eq!(with(rule), Err(Unreadable::TooOften), "{rule}");
        }
        let all = |to: u32| (0..to).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let always = format!("RRULE:FREQ=YEARLY;BYHOUR={};BYMINUTE={}", all(24), all(60));
        assert_eq!(with(&always), Err(Unreadable::TooOften));
        let hourly = event("DTSTART:19700101T000000Z\nDURATION:PT1S\nRRULE:FREQ=HOURLY");
        let many = read(&vec![hourly.as_str(); 500].join("\n"));
        let bounded = matches!(many, Err(Unreadable::TooMany | Unreadable::TooSlow));
        assert!(bounded, "{many:?}");
        let rare = event(
            "DTSTART:19700101T000000Z\nDURATION:PT1S\nRRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        );
        let never = read(&vec![rare.as_str(); 20_000].join("\n"));
        assert_eq!(never, Err(Unreadable::TooSlow));
        let nested = "BEGIN:VEVENT\n".repeat(100_000);
        let _ = read(&nested);
        let most = began.elapsed();
        assert!(most < Duration::from_secs(60), "{most:?}");
    }

    #[test]
    fn half_a_calendar_is_none() {
        let zone = TimeZone::UTC;
        let window = Window {
            from: WINDOW.0.parse().unwrap(),
            to: WINDOW.1.parse().unwrap(),
        };
        for text in [
            "",
            "<html>",
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:2027",
            "END:VCALENDAR",
            "ż",
        ] {
            let found = busy(text, &zone, window);
            assert_eq!(found, Err(Unreadable::NoCalendar), "{text}");
        }
        let odd = "RRULE:FREQ=DAILY;BYWEEKNO=3";
        let odd = read(&event(&format!(
            "DTSTART:20270302T090000Z\nDURATION:PT1H\n{odd}"
        )));
        assert!(matches!(odd, Err(Unreadable::Rule(_))), "{odd:?}");
    }
}
