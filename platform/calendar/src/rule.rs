//! What recurs: the times a rule gives, on the clock of its event.
//!
//! The rules are reckoned as if the clock were UTC's, which no season changes; what instant a time on the clock
//! is, the event's own zone says afterwards.

use calcard::icalendar::{ICalendarFrequency, ICalendarRecurrenceRule};
use chrono::{DateTime as ChronoDateTime, TimeZone as _};
use jiff::{
    civil::{DateTime, Time},
    tz::TimeZone,
};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};

use crate::{Unreadable, busy::Patience, moment::Moment};

/// Most times of a day that a rule may name.
const MOST_A_DAY: usize = 48;

/// Calls `each` with the times a rule gives an event that first is at `start`, in their order, until it says
/// that it has enough.
pub(crate) fn recur(
    start: &Moment,
    rule: &ICalendarRecurrenceRule,
    patience: &Patience,
    mut each: impl FnMut(DateTime) -> Result<bool, Unreadable>,
) -> Result<(), Unreadable> {
    check(rule)?;
    patience.step()?;
    let until = until(start, rule);
    if until.is_some_and(|until| until < start.wall) {
        return Ok(());
    }
    let unreadable = || Unreadable::Rule(rule.to_string().chars().take(200).collect());
    let first = to_chrono(start.wall).ok_or_else(unreadable)?;
    let bare = ICalendarRecurrenceRule {
        until: None,
        ..rule.clone()
    };
    let mut read: RRule<Unvalidated> = bare.to_string().parse().map_err(|_| unreadable())?;
    if let Some(until) = until.and_then(to_chrono) {
        read = read.until(until);
    }
    let valid = read.validate(first).map_err(|_| unreadable())?;
    // Limited: a rule that never comes true ends.
    let set = RRuleSet::new(first).rrule(valid).limit();
    for at in &set {
        patience.step()?;
        let wall = from_chrono(&at).ok_or_else(unreadable)?;
        if !each(wall)? {
            break;
        }
    }
    Ok(())
}

/// Refuses a rule that gives more times than anybody can be busy at: it is there to keep us busy.
fn check(rule: &ICalendarRecurrenceRule) -> Result<(), Unreadable> {
    let seconds = matches!(
        rule.freq,
        ICalendarFrequency::Secondly | ICalendarFrequency::Minutely
    );
    let several = |list: &[u8]| list.len().max(1);
    let a_day = several(&rule.byhour) * several(&rule.byminute) * several(&rule.bysecond);
    match seconds || a_day > MOST_A_DAY {
        true => Err(Unreadable::TooOften),
        false => Ok(()),
    }
}

/// The last time a rule may give, on the clock of the event.
fn until(start: &Moment, rule: &ICalendarRecurrenceRule) -> Option<DateTime> {
    let until = rule.until.as_ref()?;
    let small = |part: u8| i8::try_from(part).ok();
    let date = jiff::civil::Date::new(
        i16::try_from(until.year?).ok()?,
        small(until.month?)?,
        small(until.day?)?,
    );
    let date = date.ok()?;
    let Some(hour) = until.hour else {
        return Some(date.to_datetime(Time::constant(23, 59, 59, 0)));
    };
    let minute = small(until.minute.unwrap_or(0))?;
    let second = small(until.second.unwrap_or(0))?.min(59);
    let wall = date.to_datetime(Time::new(small(hour)?, minute, second, 0).ok()?);
    if until.tz_hour.is_none() || start.is_day {
        return Some(wall);
    }
    let instant = wall.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(start.zone.to_datetime(instant))
}

fn to_chrono(wall: DateTime) -> Option<ChronoDateTime<Tz>> {
    let second = wall.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    Tz::UTC.timestamp_opt(second, 0).single()
}

fn from_chrono(at: &ChronoDateTime<Tz>) -> Option<DateTime> {
    let instant = jiff::Timestamp::from_second(at.timestamp()).ok()?;
    Some(TimeZone::UTC.to_datetime(instant))
}
