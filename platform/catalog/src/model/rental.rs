//! What renting by the hour or the day is like, and the rules about it.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use super::{Holidays, Weekly, Window, check_weekly, stay::instant};
use crate::Error;

/// A unit of so many minutes is counted by the clock on the wall: from ten to ten is a day, also when the
/// clocks change.
const DAY_MIN: i32 = 1_440;
/// Shortest distance of starts and ends.
const SHORTEST_STEP_MIN: i32 = 5;
/// Longest rental.
const LONGEST_MIN: i32 = 31 * DAY_MIN;

/// How time with a thing is sold, in units as long as the product says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RentalTerms {
    /// Fewest units, at least 1.
    pub min_units: i32,
    /// Most units; 31 days at most.
    pub max_units: i32,
    /// When things are given out and taken back, in the product's zone; at any time if nothing is said.
    pub opening: Vec<Weekly>,
}

impl RentalTerms {
    /// Whether something can be given out at `local`.
    #[must_use]
    pub fn gives_out(&self, local: DateTime, holidays: &Holidays) -> bool {
        self.opens(local, holidays, |ends| local.time() < ends)
    }

    /// Whether something can be taken back at `local`: until the last moment.
    #[must_use]
    pub fn takes_back(&self, local: DateTime, holidays: &Holidays) -> bool {
        self.opens(local, holidays, |ends| local.time() <= ends)
    }

    fn opens(&self, local: DateTime, holidays: &Holidays, before: impl Fn(Time) -> bool) -> bool {
        let begun = |window: &Window| {
            window.starts <= local.time() && (window.is_overnight() || before(window.ends))
        };
        let reaching = |window: &Window| window.is_overnight() && before(window.ends);
        let today = local.date();
        let yesterday = today.yesterday().unwrap_or(today);
        self.opening.is_empty()
            || self.windows(today, holidays).any(begun)
            || self.windows(yesterday, holidays).any(reaching)
    }

    /// The opening hours that begin on a day: those of every week, unless the business keeps others.
    fn windows<'a>(
        &'a self,
        day: Date,
        holidays: &'a Holidays,
    ) -> impl Iterator<Item = &'a Window> {
        let holiday = holidays.get(&day);
        let weekday = i16::from(day.weekday().to_monday_one_offset());
        let weekly = self
            .opening
            .iter()
            .filter(move |rule| holiday.is_none() && rule.weekday == weekday);
        let other = holiday.map(|holiday| &holiday.hours).into_iter().flatten();
        weekly.map(|rule| &rule.window).chain(other)
    }
}

/// How long the time `from .. to` is in minutes, in the way units of `unit_min` are counted; nothing when it
/// is no time at all. Whole days go by the clock on the wall, hours as they pass.
#[must_use]
pub fn minutes(zone: &TimeZone, unit_min: i32, from: Timestamp, to: Timestamp) -> Option<i64> {
    if to <= from {
        return None;
    }
    let length = match unit_min % DAY_MIN {
        0 => shown(zone, from).duration_until(shown(zone, to)),
        _ => to.duration_since(from),
    };
    // Where the clock is set back, an end may be shown before its start.
    Some(((length.as_secs() + 59).div_euclid(60)).max(1))
}

/// When so many minutes are over that begin at `from`, in the way units of `unit_min` are counted; nothing
/// beyond the end of time. A time that the clock skips is as much later as it skips, one that it shows twice
/// is the second.
#[must_use]
pub fn end(zone: &TimeZone, unit_min: i32, from: Timestamp, minutes: i64) -> Option<Timestamp> {
    if unit_min % DAY_MIN == 0 {
        let local = shown(zone, from).checked_add(minutes.minutes()).ok()?;
        return zone.to_ambiguous_timestamp(local).later().ok();
    }
    from.checked_add(minutes.minutes()).ok()
}

/// What the clock shows; midnight when a day begins, also where midnight is skipped.
fn shown(zone: &TimeZone, at: Timestamp) -> DateTime {
    let local = zone.to_datetime(at);
    match instant(zone, local.date(), Time::midnight()) {
        Some(begins) if begins == at => local.date().to_datetime(Time::midnight()),
        _ => local,
    }
}

/// How many units of `unit_min` minutes the time `from .. to` is, a begun one being a whole one: the fewest
/// whose [`end`] is not before `to`. Nothing when it is no time at all.
#[must_use]
pub fn units(zone: &TimeZone, unit_min: i32, from: Timestamp, to: Timestamp) -> Option<i64> {
    let unit = i64::from(unit_min.max(1));
    let long = minutes(zone, unit_min, from, to)?;
    let mut units = (long + unit - 1) / unit;
    let covers = |units: i64| end(zone, unit_min, from, units * unit).is_some_and(|end| end >= to);
    // A changed clock puts the end of a day on either side of where the wall has it.
    while units > 1 && covers(units - 1) {
        units -= 1;
    }
    while !covers(units) {
        units += 1;
        // Beyond the end of time nothing covers anything.
        end(zone, unit_min, from, units * unit)?;
    }
    Some(units)
}

/// Refuses terms that cannot be meant, in units of `unit_min` and with ends at every `step_min`.
pub(crate) fn check(terms: &RentalTerms, unit_min: i32, step_min: i32) -> Result<(), Error> {
    let refuse = |field, detail: &str| Err(Error::invalid(field, "OUT_OF_RANGE", detail));
    if step_min < SHORTEST_STEP_MIN || unit_min % step_min != 0 {
        return refuse(
            "step_min",
            "At least 5, and `duration_min` is so many of them.",
        );
    }
    let most = LONGEST_MIN / unit_min.max(1);
    if !(1..=most).contains(&terms.min_units) {
        return refuse("rental.min_units", "At least 1, and 31 days at most.");
    }
    if !(terms.min_units..=most).contains(&terms.max_units) {
        let detail = "At least `min_units`, and 31 days at most.";
        return refuse("rental.max_units", detail);
    }
    check_weekly("rental.opening", &terms.opening)?;
    let step = i64::from(step_min) * 60;
    let since_midnight = |time: Time| time.duration_since(Time::midnight()).as_secs();
    let opens = |rule: &Weekly| {
        let (from, to) = (
            since_midnight(rule.window.starts),
            since_midnight(rule.window.ends),
        );
        let next = (from + step - 1) / step * step;
        match rule.window.is_overnight() {
            false => next < to,
            // Midnight is a step.
            true => to > 0 || next < i64::from(DAY_MIN) * 60,
        }
    };
    if !terms.opening.is_empty() && !terms.opening.iter().any(opens) {
        let detail = "At no step of a day anything would be given out.";
        return Err(Error::invalid("rental.opening", "NEVER_MATCHES", detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;
    use crate::Window;

    fn berlin(day: i8, hour: i8) -> Timestamp {
        let shown = date(2027, 3, day).at(hour, 0, 0, 0);
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        shown.to_zoned(zone).unwrap().timestamp()
    }

    #[test]
    fn what_is_open_past_midnight_is_open_on_both_days() {
        let window = |starts, ends| Window {
            starts: time(starts, 0, 0, 0),
            ends: time(ends, 0, 0, 0),
        };
        let terms = |window| RentalTerms {
            min_units: 1,
            max_units: 1,
            opening: vec![Weekly { weekday: 5, window }],
        };
        let at = |day: i8, hour: i8| date(2027, 3, day).at(hour, 0, 0, 0);
        // A Friday is the 5th.
        let night = terms(window(18, 2));
        let given = [
            at(5, 17),
            at(5, 18),
            at(6, 0),
            at(6, 1),
            at(6, 2),
            at(6, 18),
        ];
        let given = given.map(|local| night.gives_out(local, &Holidays::new()));
        assert_eq!(given, [false, true, true, true, false, false]);
        assert!(
            night.takes_back(at(6, 2), &Holidays::new())
                && !night.takes_back(at(5, 2), &Holidays::new())
        );
        let all_day = terms(window(0, 0));
        let given = [at(4, 23), at(5, 0), at(5, 23), at(6, 0)];
        let given = given.map(|local| all_day.gives_out(local, &Holidays::new()));
        assert_eq!(given, [false, true, true, false]);
        assert!(all_day.takes_back(at(6, 0), &Holidays::new()));
        assert!(check(&all_day, 60, 30).is_ok() && check(&night, 60, 30).is_ok());
    }

    #[test]
    fn days_are_counted_by_the_wall_and_hours_as_they_pass() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let units = |unit, from, to| units(&zone, unit, from, to);
        // The clocks go forward in the night to the 28th.
        assert_eq!(units(1_440, berlin(27, 10), berlin(28, 10)), Some(1));
        assert_eq!(units(1_440, berlin(27, 10), berlin(28, 11)), Some(2));
        assert_eq!(units(1_440, berlin(27, 10), berlin(27, 12)), Some(1));
        assert_eq!(units(60, berlin(27, 10), berlin(28, 10)), Some(23));
        assert_eq!(units(60, berlin(27, 10), berlin(27, 12)), Some(2));
        assert_eq!(units(90, berlin(27, 10), berlin(27, 12)), Some(2));
        assert_eq!(units(60, berlin(27, 12), berlin(27, 12)), None);
        assert_eq!(units(60, berlin(27, 12), berlin(27, 10)), None);
        // And back in the night to the 31st of October, from three to two.
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (first, second) = (at("2027-10-31T00:45:00Z"), at("2027-10-31T01:15:00Z"));
        assert_eq!(units(1_440, first, second), Some(1));
    }

    #[test]
    fn what_ends_when_units_are_over_is_as_many_wherever_the_clock_is_changed() {
        for (zone, first) in [
            ("Europe/Berlin", date(2027, 3, 26)),
            ("Europe/Berlin", date(2027, 10, 29)),
            // The gap is at midnight.
            ("Africa/Cairo", date(2027, 4, 28)),
            // By half an hour.
            ("Australia/Lord_Howe", date(2027, 10, 1)),
            // A day that never was.
            ("Pacific/Apia", date(2011, 12, 28)),
        ] {
            let zone = TimeZone::get(zone).unwrap();
            let first = first.to_zoned(zone.clone()).unwrap().timestamp();
            for step in 0..(96 * 5) {
                let from = first + (step * 15).minutes();
                for unit in [15, 60, 90, 1_440] {
                    for wanted in 1..4 {
                        let to = end(&zone, unit, from, wanted * i64::from(unit)).unwrap();
                        let found = units(&zone, unit, from, to).unwrap();
                        // Less only where two lengths end at the same moment.
                        let least = end(&zone, unit, from, found * i64::from(unit)).unwrap();
                        assert!(
                            found == wanted || least == to,
                            "{from} {unit} {wanted} {found}"
                        );
                        assert!(found <= wanted, "{from} {unit} {wanted} {found}");
                    }
                }
            }
        }
    }

    #[test]
    fn things_are_given_out_and_taken_back_while_it_is_open() {
        let window = Window {
            starts: time(9, 0, 0, 0),
            ends: time(18, 0, 0, 0),
        };
        let mut terms = RentalTerms {
            min_units: 1,
            max_units: 7,
            // A Monday.
            opening: vec![Weekly { weekday: 1, window }],
        };
        let at = |day: i8, hour: i8| date(2027, 3, day).at(hour, 0, 0, 0);
        assert!(
            terms.gives_out(at(1, 9), &Holidays::new())
                && terms.takes_back(at(1, 9), &Holidays::new())
        );
        assert!(
            !terms.gives_out(at(1, 18), &Holidays::new())
                && terms.takes_back(at(1, 18), &Holidays::new())
        );
        assert!(
            !terms.gives_out(at(2, 12), &Holidays::new())
                && !terms.takes_back(at(2, 12), &Holidays::new())
        );
        terms.opening.clear();
        assert!(
            terms.gives_out(at(2, 3), &Holidays::new())
                && terms.takes_back(at(2, 3), &Holidays::new())
        );
    }

    #[test]
    fn terms_that_nobody_could_meet_are_refused() {
        let terms = |min_units, max_units| RentalTerms {
            min_units,
            max_units,
            opening: Vec::new(),
        };
        assert!(check(&terms(1, 31), 1_440, 30).is_ok());
        assert!(check(&terms(2, 744), 60, 15).is_ok());
        for step in [0, 1, 7, 120] {
            assert!(check(&terms(1, 5), 60, step).is_err(), "{step}");
        }
        let window = Window {
            starts: time(9, 10, 0, 0),
            ends: time(9, 20, 0, 0),
        };
        let mut never = terms(1, 5);
        never.opening = vec![Weekly { weekday: 1, window }];
        assert!(check(&never, 60, 30).is_err() && check(&never, 60, 15).is_ok());
        for (wrong, unit) in [
            (terms(0, 3), 60),
            (terms(4, 3), 60),
            (terms(1, 32), 1_440),
            (terms(1, 745), 60),
        ] {
            assert!(check(&wrong, unit, 15).is_err(), "{wrong:?}");
        }
    }
}
