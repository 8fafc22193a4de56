//! Writes slots straight into a body: a month of fifty people is two megabytes.

use berth_booking::{Availability, Free};
use berth_kernel::SessionId;
use jiff::{SignedDuration, Timestamp, fmt::temporal::DateTimePrinter, tz::TimeZone};

static PRINTER: DateTimePrinter = DateTimePrinter::new();
/// Walls show no fractions of a second.
static WALL: DateTimePrinter = DateTimePrinter::new().precision(Some(0));

/// The JSON of [`Slots`](super::Slots) with all that was found, wall times being those of `zone`,
/// which is called `name`.
pub(super) fn write(found: &Availability, name: &str, zone: TimeZone) -> Vec<u8> {
    let mut writer = Writer::begin(name, zone);
    match &found.free {
        Free::Starts(starts) => {
            let offering = &found.offering;
            let ids = offering.resources.iter();
            let ids: Vec<String> = ids.map(|known| format!("\"{}\"", known.id)).collect();
            let minutes = i64::from(offering.product.duration_min);
            for (at, free) in starts.iter() {
                let Ok(starts_at) = Timestamp::from_second(at) else {
                    continue;
                };
                let ends_at = starts_at + SignedDuration::from_mins(minutes);
                writer.times(starts_at, ends_at);
                writer.resources(free.iter().map(|who| ids[who].as_str()));
                writer.free(free.at_once());
            }
        }
        Free::Sessions(sessions) => {
            for session in sessions {
                writer.times(session.starts_at, session.ends_at);
                writer.session(session.id);
                writer.free(session.free);
            }
        }
        Free::Rentals(rentals) => {
            for one in rentals {
                writer.times(one.period.starts_at, one.period.ends_at);
                writer.free(one.free);
            }
        }
    }
    writer.end()
}

struct Writer {
    body: Vec<u8>,
    zone: TimeZone,
    empty: bool,
}

impl Writer {
    fn begin(name: &str, zone: TimeZone) -> Self {
        Self {
            body: format!(
                r#"{{"timezone":{},"slots":["#,
                serde_json::Value::from(name)
            )
            .into(),
            zone,
            empty: true,
        }
    }

    fn text(&mut self, text: &str) {
        self.body.extend_from_slice(text.as_bytes());
    }

    /// Begins a slot with its times.
    fn times(&mut self, starts_at: Timestamp, ends_at: Timestamp) {
        self.text(if self.empty { "{" } else { ",{" });
        self.empty = false;
        self.text(r#""starts_at":""#);
        self.instant(starts_at);
        self.text(r#"","ends_at":""#);
        self.instant(ends_at);
        self.text(r#"","local_start":""#);
        let offset = self.zone.to_offset(starts_at);
        let printed = WALL.print_timestamp_with_offset(&starts_at, offset, &mut self.body);
        printed.expect("memory takes all that is written");
        self.text("\"");
    }

    fn instant(&mut self, at: Timestamp) {
        let printed = PRINTER.print_timestamp(&at, &mut self.body);
        printed.expect("memory takes all that is written");
    }

    /// Who is free; `ids` in quotes, one at least.
    fn resources<'a>(&mut self, ids: impl Iterator<Item = &'a str>) {
        self.text(r#","resource_ids":["#);
        for id in ids {
            self.text(id);
            self.text(",");
        }
        self.body.pop();
        self.text("]");
    }

    fn session(&mut self, id: SessionId) {
        self.text(r#","session_id":""#);
        self.text(&id.to_string());
        self.text("\"");
    }

    /// Ends a slot with its free places.
    fn free(&mut self, places: impl std::fmt::Display) {
        self.text(r#","free":"#);
        self.text(&places.to_string());
        self.text("}");
    }

    fn end(mut self) -> Vec<u8> {
        self.text("]}");
        self.body
    }
}

#[cfg(test)]
mod tests {
    use berth_kernel::ResourceId;
    use poem_openapi::types::{ParseFromJSON as _, ToJSON as _};

    use super::*;
    use crate::availability::Slots;

    #[test]
    fn what_is_written_is_what_the_document_says() {
        let ids = [ResourceId::new(), ResourceId::new()];
        let session = SessionId::new();
        let start: Timestamp = "2027-03-28T00:30:00Z".parse().unwrap();
        let hour = SignedDuration::from_hours(1);
        let quoted = ids.map(|id| format!("\"{id}\""));

        let name = "Europe/Berlin";
        let mut writer = Writer::begin(name, TimeZone::get(name).unwrap());
        writer.times(start, start + hour);
        writer.resources(quoted.iter().map(String::as_str));
        writer.free(2_usize);
        writer.times(start + hour, start + hour + hour);
        writer.session(session);
        writer.free(7_i32);
        let body: serde_json::Value = serde_json::from_slice(&writer.end()).unwrap();

        let read = Slots::parse_from_json(Some(body.clone())).unwrap();
        assert_eq!(read.to_json(), Some(body), "nothing more and nothing less");
        assert_eq!(read.timezone, "Europe/Berlin");
        let [first, second] = read.slots.as_slice() else {
            panic!("{} slots", read.slots.len());
        };
        assert_eq!((first.starts_at.0, first.ends_at.0), (start, start + hour));
        assert_eq!(first.local_start, "2027-03-28T01:30:00+01:00");
        assert_eq!(first.resource_ids, ids.map(|id| id.uuid()));
        assert_eq!((first.session_id, first.free), (None, 2));
        assert_eq!(second.local_start, "2027-03-28T03:30:00+02:00");
        assert_eq!(second.session_id, Some(session.uuid()));
        assert_eq!((second.resource_ids.len(), second.free), (0, 7));
    }

    #[test]
    fn nothing_free_is_an_empty_list() {
        let body = Writer::begin("UTC", TimeZone::UTC).end();
        assert_eq!(body, br#"{"timezone":"UTC","slots":[]}"#);
    }
}
