//! Dates and times as iCalendar says them: of a day, of a zone, or of nowhere.

use calcard::{
    common::{PartialDateTime, timezone::Tz},
    icalendar::{ICalendarEntry, timezone::TzResolver},
};
use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::{Offset, TimeZone},
};

use crate::Unreadable;

/// A day, or a time on the clock of a zone.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    /// On the clock; midnight of a day.
    pub(crate) wall: DateTime,
    /// Whose clock it is.
    pub(crate) zone: TimeZone,
    /// Whether it is a whole day.
    pub(crate) is_day: bool,
}

impl Moment {
    /// The instant. A time that a clock skips is that much later, and of one shown twice it is the first.
    pub(crate) fn instant(&self) -> Option<Timestamp> {
        self.at(self.wall)
    }

    /// The same for another time of the same clock.
    pub(crate) fn at(&self, wall: DateTime) -> Option<Timestamp> {
        let zoned = self.zone.to_ambiguous_zoned(wall).compatible().ok()?;
        Some(zoned.timestamp())
    }
}

/// Whose clocks a file's times are on.
pub(crate) struct Clocks<'a> {
    named: TzResolver<&'a str>,
    /// Of times that say no zone, and of days.
    own: TimeZone,
}

impl<'a> Clocks<'a> {
    pub(crate) fn new(named: TzResolver<&'a str>, own: TimeZone) -> Self {
        Self { named, own }
    }

    /// What a value of `entry` says; nothing if it is no date.
    pub(crate) fn read(
        &self,
        entry: &ICalendarEntry,
        value: &PartialDateTime,
    ) -> Result<Option<Moment>, Unreadable> {
        let Some(date) = date(value) else {
            return Ok(None);
        };
        let Some(time) = time(value) else {
            return Ok(Some(Moment {
                wall: date.to_datetime(Time::midnight()),
                zone: self.own.clone(),
                is_day: true,
            }));
        };
        let zone = match (offset(value), entry.tz_id()) {
            (Some(offset), _) => offset,
            (None, Some(name)) => self.zone(name)?,
            (None, None) => self.own.clone(),
        };
        Ok(Some(Moment {
            wall: date.to_datetime(time),
            zone,
            is_day: false,
        }))
    }

    /// A zone by its name in the file: an IANA name, one of Windows', or one the file explains as such. Whoever
    /// guessed another would let somebody be booked who is busy.
    fn zone(&self, name: &str) -> Result<TimeZone, Unreadable> {
        let unknown = || Unreadable::Zone(name.chars().take(100).collect());
        match self.named.resolve(name).ok_or_else(unknown)? {
            Tz::Floating => Ok(self.own.clone()),
            Tz::Fixed(offset) => Offset::from_seconds(offset.local_minus_utc())
                .map(TimeZone::fixed)
                .map_err(|_| unknown()),
            Tz::Tz(zone) => TimeZone::get(zone.name()).map_err(|_| unknown()),
        }
    }
}

fn date(value: &PartialDateTime) -> Option<Date> {
    let (year, month, day) = (value.year?, value.month?, value.day?);
    let small = |part: u8| i8::try_from(part).ok();
    Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()
}

fn time(value: &PartialDateTime) -> Option<Time> {
    let small = |part: u8| i8::try_from(part).ok();
    let (hour, minute) = (small(value.hour?)?, small(value.minute?)?);
    // A leap second is the one before it.
    let second = small(value.second.unwrap_or(0))?.min(59);
    Time::new(hour, minute, second, 0).ok()
}

fn offset(value: &PartialDateTime) -> Option<TimeZone> {
    let hours = i32::from(value.tz_hour?);
    let seconds = hours * 3_600 + i32::from(value.tz_minute.unwrap_or(0)) * 60;
    let seconds = if value.tz_minus { -seconds } else { seconds };
    match seconds {
        0 => Some(TimeZone::UTC),
        _ => Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?)),
    }
}
