//! Days and times as the wall shows them.

use jiff::{
    Timestamp, Zoned,
    civil::{Date, Weekday},
    tz::TimeZone,
};

use crate::Language;

const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const GERMAN_MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

/// The zone of an IANA name; UTC for a name nobody knows, and then [`Language::period`] says UTC.
#[must_use]
pub fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// The day it is in the zone of an IANA name.
#[must_use]
pub fn local_date(at: Timestamp, zone_name: &str) -> Date {
    at.to_zoned(zone(zone_name)).date()
}

impl Language {
    /// A day with its weekday: `Tuesday, 14 July 2026`, `Dienstag, 14. Juli 2026`.
    #[must_use]
    pub fn day(self, date: Date) -> String {
        format!("{}, {}", self.weekday(date.weekday()), self.date(date))
    }

    /// A day alone, as on papers: `14 July 2026`, `14. Juli 2026`.
    #[must_use]
    pub fn date(self, date: Date) -> String {
        // Months are 1 to 12.
        let month = usize::try_from(date.month() - 1).unwrap_or_default();
        let (day, year) = (date.day(), date.year());
        match self {
            Self::English => format!("{day} {} {year}", ENGLISH_MONTHS[month]),
            Self::German => format!("{day}. {} {year}", GERMAN_MONTHS[month]),
        }
    }

    /// From when until when, on the wall of the zone of an IANA name, with the zone named and its
    /// offset at the start, which tells the two passes of a repeated hour apart:
    /// `Tuesday, 14 July 2026, 10:00–10:45 (Europe/Berlin, UTC+02:00)`.
    #[must_use]
    pub fn period(self, from: Timestamp, until: Timestamp, zone_name: &str) -> String {
        let zone = zone(zone_name);
        let (from, until) = (from.to_zoned(zone.clone()), until.to_zoned(zone));
        let end = if from.date() == until.date() {
            format!("–{}", self.clock(&until))
        } else {
            format!(" – {}, {}", self.day(until.date()), self.clock(&until))
        };
        let hours = match self {
            Self::English => "",
            Self::German => " Uhr",
        };
        let zone = named(&from);
        format!(
            "{}, {}{end}{hours} ({zone})",
            self.day(from.date()),
            self.clock(&from)
        )
    }

    /// A moment on the wall of the zone of an IANA name, the zone named with its offset then:
    /// `Tuesday, 14 July 2026, 10:00 (Europe/Berlin, UTC+02:00)`.
    #[must_use]
    pub fn moment(self, at: Timestamp, zone_name: &str) -> String {
        let at = at.to_zoned(zone(zone_name));
        let (day, clock) = (self.day(at.date()), self.clock(&at));
        let hours = match self {
            Self::English => "",
            Self::German => " Uhr",
        };
        format!("{day}, {clock}{hours} ({})", named(&at))
    }

    fn clock(self, at: &Zoned) -> String {
        match self {
            Self::English | Self::German => format!("{:02}:{:02}", at.hour(), at.minute()),
        }
    }

    fn weekday(self, weekday: Weekday) -> &'static str {
        let names = match self {
            Self::English => [
                "Monday",
                "Tuesday",
                "Wednesday",
                "Thursday",
                "Friday",
                "Saturday",
                "Sunday",
            ],
            Self::German => [
                "Montag",
                "Dienstag",
                "Mittwoch",
                "Donnerstag",
                "Freitag",
                "Samstag",
                "Sonntag",
            ],
        };
        names[usize::from(weekday.to_monday_zero_offset().unsigned_abs())]
    }
}

/// `Europe/Berlin, UTC+02:00`, or `UTC` alone.
fn named(at: &Zoned) -> String {
    match at.time_zone().iana_name() {
        None | Some("UTC") => "UTC".to_owned(),
        Some(name) => format!("{name}, UTC{}", at.strftime("%:z")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_is_told_in_the_wall_time_of_its_place() {
        let (from, until) = (at("2026-07-14T08:00:00Z"), at("2026-07-14T08:45:00Z"));
        assert_eq!(
            Language::English.period(from, until, "Europe/Berlin"),
            "Tuesday, 14 July 2026, 10:00–10:45 (Europe/Berlin, UTC+02:00)"
        );
        assert_eq!(
            Language::German.period(from, until, "Europe/Berlin"),
            "Dienstag, 14. Juli 2026, 10:00–10:45 Uhr (Europe/Berlin, UTC+02:00)"
        );
    }

    #[test]
    fn a_period_over_midnight_names_both_days() {
        let (from, until) = (at("2026-03-07T03:00:00Z"), at("2026-03-07T07:30:00Z"));
        assert_eq!(
            Language::English.period(from, until, "America/New_York"),
            "Friday, 6 March 2026, 22:00 – Saturday, 7 March 2026, 02:30 \
             (America/New_York, UTC-05:00)"
        );
    }

    #[test]
    fn the_two_passes_of_a_repeated_hour_read_differently() {
        let first = at("2026-10-25T00:30:00Z");
        let second = at("2026-10-25T01:30:00Z");
        let told = |from: Timestamp| Language::English.period(from, from, "Europe/Berlin");
        assert!(
            told(first).contains("02:30–02:30 (Europe/Berlin, UTC+02:00)"),
            "{}",
            told(first)
        );
        assert!(
            told(second).contains("02:30–02:30 (Europe/Berlin, UTC+01:00)"),
            "{}",
            told(second)
        );
    }

    #[test]
    fn an_unknown_zone_is_utc_and_says_so() {
        let from = at("2026-07-14T08:00:00Z");
        let told = Language::English.period(from, from, "Mars/Olympus");
        assert_eq!(told, "Tuesday, 14 July 2026, 08:00–08:00 (UTC)");
    }

    #[test]
    fn a_day_is_the_one_of_its_zone() {
        let late = at("2026-12-31T23:30:00Z");
        assert_eq!(local_date(late, "Europe/Berlin").year(), 2027);
        assert_eq!(local_date(late, "America/New_York").year(), 2026);
    }
}
