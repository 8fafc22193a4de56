//! How often one customer may book a product.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use crate::Error;

/// How often one customer may book a product. Holds for customers' accounts, not for what staff or software books.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CustomerLimit {
    /// Most bookings, 1 to 1,000; those that were called off or not paid do not count.
    pub most: i32,
    /// In what time, by their starts.
    pub period: Period,
}

/// A stretch of the calendar of the place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// From the first to the last.
    Month,
    /// All of time.
    Ever,
}

impl CustomerLimit {
    pub(crate) fn check(&self) -> Result<(), Error> {
        if (1..=1_000).contains(&self.most) {
            return Ok(());
        }
        let detail = "Must be between 1 and 1,000.";
        Err(Error::invalid(
            "customer_limit.most",
            "OUT_OF_RANGE",
            detail,
        ))
    }
}

impl Period {
    /// The stretch `at` is in, end exclusive; nothing of all of time.
    #[must_use]
    pub fn around(self, zone: &TimeZone, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let day = zone.to_datetime(at).date();
        let monday = day.weekday().since(Weekday::Monday);
        let (from, to): (Date, Date) = match self {
            Self::Day => (day, day.saturating_add(1.day())),
            Self::Week => {
                let from = day.saturating_sub(i64::from(monday).days());
                (from, from.saturating_add(7.days()))
            }
            Self::Month => {
                let from = day.first_of_month();
                (from, from.saturating_add(1.month()))
            }
            Self::Ever => return None,
        };
        let begins = |day: Date| Some(day.to_zoned(zone.clone()).ok()?.timestamp());
        begins(from).zip(begins(to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_those_of_the_place() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        // A Sunday there, still Saturday in UTC.
        let at = "2027-02-27T23:30:00Z".parse().unwrap();
        let shown = |period: Period| {
            let (from, to) = period.around(&berlin, at)?;
            Some((from.to_string(), to.to_string()))
        };
        let of = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
        assert_eq!(
            shown(Period::Day),
            of("2027-02-27T23:00:00Z", "2027-02-28T23:00:00Z")
        );
        assert_eq!(
            shown(Period::Week),
            of("2027-02-21T23:00:00Z", "2027-02-28T23:00:00Z")
        );
        assert_eq!(
            shown(Period::Month),
            of("2027-01-31T23:00:00Z", "2027-02-28T23:00:00Z")
        );
        assert_eq!(shown(Period::Ever), None);
    }
}
