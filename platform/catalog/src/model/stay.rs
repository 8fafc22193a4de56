//! What a stay of nights is like, and the rules about it.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Longest stay.
const MAX_NIGHTS: i32 = 365;

/// How nights are sold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StayTerms {
    /// From when one may come, on the day of arrival.
    pub check_in: Time,
    /// By when one has to go, on the day of departure.
    pub check_out: Time,
    /// Fewest nights, at least 1.
    pub min_nights: i32,
    /// Most nights, up to 365.
    pub max_nights: i32,
    /// Days on which one may come, ISO: 1 is Monday, 7 is Sunday. All of them if none is named.
    pub arrival_weekdays: Vec<i8>,
}

impl StayTerms {
    /// Whether one may come on `day`.
    #[must_use]
    pub fn arrives(&self, day: Date) -> bool {
        let weekday = day.weekday().to_monday_one_offset();
        self.arrival_weekdays.is_empty() || self.arrival_weekdays.contains(&weekday)
    }

    /// From the check-in of one day to the check-out of another.
    #[must_use]
    pub fn instants(
        &self,
        zone: &TimeZone,
        arrival: Date,
        departure: Date,
    ) -> Option<(Timestamp, Timestamp)> {
        let stay = (
            instant(zone, arrival, self.check_in)?,
            instant(zone, departure, self.check_out)?,
        );
        (stay.0 < stay.1).then_some(stay)
    }
}

/// When it is `time` of `day`. A time the clock skips is the first after the gap, one that it shows twice is
/// the first.
pub(super) fn instant(zone: &TimeZone, day: Date, time: Time) -> Option<Timestamp> {
    let shown = zone.to_ambiguous_zoned(day.to_datetime(time));
    shown.compatible().ok().map(|zoned| zoned.timestamp())
}

/// Refuses terms under which nobody could stay.
pub(crate) fn check(terms: &StayTerms) -> Result<(), Error> {
    let refuse = |field, detail: &str| Err(Error::invalid(field, "OUT_OF_RANGE", detail));
    if !(1..=MAX_NIGHTS).contains(&terms.min_nights) {
        return refuse("stay.min_nights", "Must be between 1 and 365.");
    }
    if !(terms.min_nights..=MAX_NIGHTS).contains(&terms.max_nights) {
        return refuse("stay.max_nights", "Must be between `min_nights` and 365.");
    }
    if terms.check_out > terms.check_in {
        return refuse(
            "stay.check_out",
            "Must not be after `check_in`: the next guest comes on the same day.",
        );
    }
    check_weekdays("stay.arrival_weekdays", &terms.arrival_weekdays)
}

/// Refuses days no week has; `field` is theirs.
pub(super) fn check_weekdays(field: &'static str, days: &[i8]) -> Result<(), Error> {
    if days.len() > 7 || !days.iter().all(|day| (1..=7).contains(day)) {
        let detail = "At most seven days, each between 1 and 7.";
        return Err(Error::invalid(field, "OUT_OF_RANGE", detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn terms() -> StayTerms {
        StayTerms {
            check_in: time(15, 0, 0, 0),
            check_out: time(11, 0, 0, 0),
            min_nights: 1,
            max_nights: 30,
            arrival_weekdays: vec![5, 6],
        }
    }

    #[test]
    fn a_night_is_from_check_in_to_check_out_whatever_the_clock_does() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        // The night of 25 hours and that of 23.
        for (arrival, departure, hours) in [
            (date(2026, 10, 24), date(2026, 10, 25), 21),
            (date(2026, 3, 28), date(2026, 3, 29), 19),
            (date(2026, 6, 1), date(2026, 6, 2), 20),
        ] {
            let (from, to) = terms().instants(&berlin, arrival, departure).unwrap();
            assert_eq!(to.duration_since(from).as_hours(), hours, "{arrival}");
        }
        assert_eq!(
            terms().instants(&berlin, date(2026, 6, 1), date(2026, 6, 1)),
            None
        );
        // The day that Apia skipped is none to arrive on; the first hour after it is.
        let apia = TimeZone::get("Pacific/Apia").unwrap();
        let (from, _) = terms()
            .instants(&apia, date(2011, 12, 30), date(2012, 1, 2))
            .unwrap();
        assert_eq!(from.to_zoned(apia).date(), date(2011, 12, 31));
    }

    #[test]
    fn arrivals_are_on_the_days_named_or_on_any() {
        // A Friday.
        assert!(terms().arrives(date(2026, 6, 5)) && !terms().arrives(date(2026, 6, 7)));
        let any = StayTerms {
            arrival_weekdays: Vec::new(),
            ..terms()
        };
        assert!(any.arrives(date(2026, 6, 7)));
    }

    #[test]
    fn terms_that_nobody_could_meet_are_refused() {
        assert!(check(&terms()).is_ok());
        for wrong in [
            StayTerms {
                min_nights: 0,
                ..terms()
            },
            StayTerms {
                min_nights: 31,
                ..terms()
            },
            StayTerms {
                max_nights: 366,
                ..terms()
            },
            StayTerms {
                arrival_weekdays: vec![0],
                ..terms()
            },
            StayTerms {
                arrival_weekdays: vec![1; 8],
                ..terms()
            },
        ] {
            assert!(check(&wrong).is_err(), "{wrong:?}");
        }
    }
}
