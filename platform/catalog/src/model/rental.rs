//! What renting by the hour or the day is like, and the rules about it.

use jiff::{Timestamp, ToSpan as _, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{Weekly, check_weekly};
use crate::Error;

/// A unit of so many minutes is counted by the clock on the wall: from ten to ten is a day, also when the
/// clocks change.
const DAY_MIN: i32 = 1_440;
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
    pub fn gives_out(&self, local: DateTime) -> bool {
        self.opens(local, |rule, local| {
            rule.window.starts <= local.time() && local.time() < rule.window.ends
        })
    }

    /// Whether something can be taken back at `local`: until the last moment.
    #[must_use]
    pub fn takes_back(&self, local: DateTime) -> bool {
        self.opens(local, |rule, local| {
            rule.window.starts <= local.time() && local.time() <= rule.window.ends
        })
    }

    fn opens(&self, local: DateTime, within: impl Fn(&Weekly, DateTime) -> bool) -> bool {
        let weekday = i16::from(local.weekday().to_monday_one_offset());
        let mut rules = self.opening.iter();
        self.opening.is_empty() || rules.any(|rule| rule.weekday == weekday && within(rule, local))
    }
}

/// How many units of `unit_min` minutes the time `from .. to` is, a begun one being a whole one; nothing
/// when it is no time at all. Whole days are counted by the clock on the wall, hours as they pass.
#[must_use]
pub fn units(zone: &TimeZone, unit_min: i32, from: Timestamp, to: Timestamp) -> Option<i32> {
    if to <= from || unit_min < 1 {
        return None;
    }
    let seconds = if unit_min % DAY_MIN == 0 {
        let local = |at: Timestamp| zone.to_datetime(at);
        local(from).duration_until(local(to)).as_secs()
    } else {
        to.duration_since(from).as_secs()
    };
    // Where the clock is set back, an end may be shown before its start.
    let unit = i64::from(unit_min) * 60;
    let begun = (seconds + unit - 1).div_euclid(unit);
    i32::try_from(begun.max(1)).ok()
}

/// When `units` of `unit_min` minutes are over that begin at `from`; nothing beyond the end of time.
#[must_use]
pub fn end(zone: &TimeZone, unit_min: i32, from: Timestamp, units: i32) -> Option<Timestamp> {
    let minutes = i64::from(unit_min) * i64::from(units);
    if unit_min % DAY_MIN == 0 {
        let local = zone.to_datetime(from).checked_add(minutes.minutes()).ok()?;
        return zone.to_ambiguous_timestamp(local).compatible().ok();
    }
    from.checked_add(minutes.minutes()).ok()
}

/// Refuses terms under which nothing could be rented.
pub(crate) fn check(terms: &RentalTerms, unit_min: i32) -> Result<(), Error> {
    let refuse = |field, detail: &str| Err(Error::invalid(field, "OUT_OF_RANGE", detail));
    let most = LONGEST_MIN / unit_min.max(1);
    if !(1..=most).contains(&terms.min_units) {
        return refuse("rental.min_units", "At least 1, and 31 days at most.");
    }
    if !(terms.min_units..=most).contains(&terms.max_units) {
        let detail = "At least `min_units`, and 31 days at most.";
        return refuse("rental.max_units", detail);
    }
    check_weekly("rental.opening", &terms.opening)
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
        assert!(terms.gives_out(at(1, 9)) && terms.takes_back(at(1, 9)));
        assert!(!terms.gives_out(at(1, 18)) && terms.takes_back(at(1, 18)));
        assert!(!terms.gives_out(at(2, 12)) && !terms.takes_back(at(2, 12)));
        terms.opening.clear();
        assert!(terms.gives_out(at(2, 3)) && terms.takes_back(at(2, 3)));
    }

    #[test]
    fn terms_that_nobody_could_meet_are_refused() {
        let terms = |min_units, max_units| RentalTerms {
            min_units,
            max_units,
            opening: Vec::new(),
        };
        assert!(check(&terms(1, 31), 1_440).is_ok());
        assert!(check(&terms(2, 744), 60).is_ok());
        for (wrong, unit) in [
            (terms(0, 3), 60),
            (terms(4, 3), 60),
            (terms(1, 32), 1_440),
            (terms(1, 745), 60),
        ] {
            assert!(check(&wrong, unit).is_err(), "{wrong:?}");
        }
    }
}
