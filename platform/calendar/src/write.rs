//! Writing calendars for calendar programs to subscribe to.

use calcard::{
    common::PartialDateTime,
    icalendar::{
        ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarDuration, ICalendarEntry,
        ICalendarProperty, ICalendarStatus, ICalendarTransparency, ICalendarValue,
    },
};
use jiff::Timestamp;

/// How often a program should look again.
const REFRESH_SECONDS: i64 = 900;

/// How certain an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may yet fall through.
    Tentative,
    /// It stands.
    Confirmed,
    /// It does not take place: programs that have it take it out.
    Cancelled,
}

/// One entry of a calendar.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is known by for good, whatever else changes.
    pub uid: String,
    /// Grows with each change.
    pub sequence: i64,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// Start.
    pub starts_at: Timestamp,
    /// End, exclusive.
    pub ends_at: Timestamp,
    /// How certain it is.
    pub standing: Standing,
    /// What it is, in a line.
    pub summary: String,
    /// More about it; may be empty.
    pub description: String,
    /// Where it is; may be empty.
    pub location: String,
}

/// A calendar to subscribe to.
#[derive(Clone, Debug)]
pub struct Feed {
    /// What programs call it.
    pub name: String,
    /// Its entries.
    pub entries: Vec<Entry>,
}

impl Feed {
    /// The file. Times are instants in UTC, which every program understands alike.
    #[must_use]
    pub fn to_ics(&self) -> String {
        let mut root = ICalendarComponent::new(ICalendarComponentType::VCalendar);
        root.add_property(ICalendarProperty::Version, "2.0");
        root.add_property(ICalendarProperty::Prodid, "-//Berth//Bookings//EN");
        root.add_property(ICalendarProperty::Calscale, "GREGORIAN");
        root.add_property(ICalendarProperty::Name, clean(&self.name));
        root.add_property(other("X-WR-CALNAME"), clean(&self.name));
        let every = ICalendarDuration::from_seconds(REFRESH_SECONDS);
        root.add_property_with_params(
            ICalendarProperty::RefreshInterval,
            [calcard::icalendar::ICalendarParameter::value(
                calcard::icalendar::ICalendarValueType::Duration,
            )],
            every,
        );
        root.component_ids = (1..).take(self.entries.len()).collect();
        let mut components = vec![root];
        components.extend(self.entries.iter().map(component));
        ICalendar { components }.to_string()
    }
}

fn component(entry: &Entry) -> ICalendarComponent {
    let utc = |at: Timestamp| PartialDateTime::from_utc_timestamp(at.as_second());
    let (status, transparency) = match entry.standing {
        Standing::Tentative => (ICalendarStatus::Tentative, ICalendarTransparency::Opaque),
        Standing::Confirmed => (ICalendarStatus::Confirmed, ICalendarTransparency::Opaque),
        Standing::Cancelled => (
            ICalendarStatus::Cancelled,
            ICalendarTransparency::Transparent,
        ),
    };
    let mut event = ICalendarComponent::new(ICalendarComponentType::VEvent);
    event.add_uid(&entry.uid);
    event.add_dtstamp(utc(entry.changed_at));
    event.add_property(ICalendarProperty::LastModified, utc(entry.changed_at));
    event.add_sequence(entry.sequence);
    event.add_property(ICalendarProperty::Dtstart, utc(entry.starts_at));
    event.add_property(ICalendarProperty::Dtend, utc(entry.ends_at));
    event.add_property(ICalendarProperty::Status, status);
    event.add_property(ICalendarProperty::Transp, transparency);
    for (name, text) in [
        (ICalendarProperty::Summary, &entry.summary),
        (ICalendarProperty::Description, &entry.description),
        (ICalendarProperty::Location, &entry.location),
    ] {
        if !text.is_empty() {
            let text = ICalendarValue::Text(clean(text));
            event
                .entries
                .push(ICalendarEntry::new(name).with_value(text));
        }
    }
    event
}

fn other(name: &str) -> ICalendarProperty {
    ICalendarProperty::Other(name.to_owned())
}

/// Without signs that no line of a calendar may have; ends of lines are written `\n`.
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let sign = |sign: char| match sign {
        '\n' | '\t' => sign,
        '\r' => '\n',
        other if other.is_control() => ' ',
        other => other,
    };
    text.chars().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        Entry {
            uid: "0190".to_owned(),
            sequence: 3,
            changed_at: at("2027-03-01T07:00:00Z"),
            starts_at: at("2027-03-02T09:00:00Z"),
            ends_at: at("2027-03-02T10:00:00Z"),
            standing: Standing::Tentative,
            summary: "Cut; wash, \\ dry".to_owned(),
            description: "First\r\nsecond\u{7}".to_owned(),
            location: String::new(),
        }
    }

    fn written(entries: Vec<Entry>) -> String {
        let name = "Ada".to_owned();
        Feed { name, entries }.to_ics()
    }

    #[test]
    fn an_entry_has_all_that_programs_need() {
        let text = written(vec![entry()]);
        for line in [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "UID:0190",
            "DTSTAMP:20270301T070000Z",
            "SEQUENCE:3",
            "DTSTART:20270302T090000Z",
            "DTEND:20270302T100000Z",
            "STATUS:TENTATIVE",
            "TRANSP:OPAQUE",
            "SUMMARY:Cut\\; wash\\, \\\\ dry",
            "DESCRIPTION:First\\nsecond ",
            "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
            "END:VCALENDAR",
        ] {
            assert!(text.lines().any(|one| one == line), "{line} in\n{text}");
        }
        assert!(!text.contains("LOCATION"));
        assert!(text.lines().count() == text.matches("\r\n").count());
    }

    #[test]
    fn what_does_not_take_place_is_taken_out() {
        let cancelled = Entry {
            standing: Standing::Cancelled,
            ..entry()
        };
        let text = written(vec![cancelled]);
        assert!(text.contains("STATUS:CANCELLED") && text.contains("TRANSP:TRANSPARENT"));
    }

    #[test]
    fn long_lines_are_folded_between_signs_and_read_as_they_were() {
        let long = "Żółw, ".repeat(40);
        let text = written(vec![Entry {
            summary: long.clone(),
            ..entry()
        }]);
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
        let read = ICalendar::parse(&text).unwrap();
        let summary = read.components[1].property(&ICalendarProperty::Summary);
        let value = summary.unwrap().values[0].as_text().unwrap();
        assert_eq!(value, long);
    }

    #[test]
    fn nobody_writes_lines_of_their_own() {
        let text = written(vec![Entry {
            summary: "x\r\nATTENDEE:mailto:eve@example.test\rSTATUS:CANCELLED".to_owned(),
            ..entry()
        }]);
        assert!(!text.lines().any(|line| line.starts_with("ATTENDEE")));
        assert_eq!(text.matches("\r\nSTATUS:").count(), 1, "{text}");
    }
}
