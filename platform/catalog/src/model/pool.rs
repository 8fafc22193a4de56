//! Pools: things of one sort, any of which will do.

use berth_kernel::PoolId;
use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use super::{product::check_name, stay::instant};
use crate::Error;

/// How the things of a pool are sold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoldBy {
    /// By the night.
    Night,
    /// By time, in quarters of an hour.
    Time,
}

impl SoldBy {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Night => "night",
            Self::Time => "time",
        }
    }
}

impl From<String> for SoldBy {
    fn from(text: String) -> Self {
        match text.as_str() {
            "time" => Self::Time,
            _ => Self::Night,
        }
    }
}

/// Consecutive buckets of a pool, each of which counts what is taken of it: nights, or quarters of an hour.
///
/// A night is called by the midnight its day begins with, on the clock of the place; a quarter by its start
/// in UTC, so that none is missing or there twice when a clock is changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Buckets {
    from: DateTime,
    to: DateTime,
    sold_by: SoldBy,
}

impl Buckets {
    /// Seconds of a bucket of time.
    pub const QUARTER: i64 = 900;

    /// The nights that begin on the days `first .. last`.
    #[must_use]
    pub fn nights(first: Date, last: Date) -> Self {
        Self {
            from: first.to_datetime(Time::midnight()),
            to: last.to_datetime(Time::midnight()),
            sold_by: SoldBy::Night,
        }
    }

    /// The quarters of an hour that have some of `from .. to`; nothing beyond the end of time.
    #[must_use]
    pub fn quarters(from: Timestamp, to: Timestamp) -> Option<Self> {
        let floor = |at: Timestamp| at.as_second().div_euclid(Self::QUARTER) * Self::QUARTER;
        // Rounded up, also from a part of a second.
        let begun = Timestamp::from_second(floor(to)).ok()? < to;
        let last = floor(to) + i64::from(begun) * Self::QUARTER;
        let utc = |second| Some(TimeZone::UTC.to_datetime(Timestamp::from_second(second).ok()?));
        Some(Self {
            from: utc(floor(from))?,
            to: utc(last)?,
            sold_by: SoldBy::Time,
        })
    }

    /// The first one's name.
    #[must_use]
    pub fn from(&self) -> DateTime {
        self.from
    }

    /// The name of the one after the last.
    #[must_use]
    pub fn to(&self) -> DateTime {
        self.to
    }

    /// Their names, ascending.
    pub fn names(&self) -> impl Iterator<Item = DateTime> + use<> {
        let Self { from, to, sold_by } = *self;
        let next = move |at: &DateTime| match sold_by {
            SoldBy::Night => at.checked_add(1.day()).ok(),
            SoldBy::Time => at.checked_add(Self::QUARTER.seconds()).ok(),
        };
        std::iter::successors(Some(from), next).take_while(move |at| *at < to)
    }

    /// From when to when quarters of an hour are; nights are from one check-in to a check-out that they do
    /// not know.
    fn instants(&self) -> Option<(Timestamp, Timestamp)> {
        let at = |name: DateTime| name.to_zoned(TimeZone::UTC).ok();
        let (from, to) = at(self.from).zip(at(self.to))?;
        Some((from.timestamp(), to.timestamp()))
    }
}

/// Things of one sort, any of which will do: the double rooms of a house, the canoes of a boathouse.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pool {
    /// Its id.
    pub id: PoolId,
    /// What they are called.
    pub name: String,
    /// How many there are that have no name of their own.
    pub quantity: i32,
    /// How they are sold, for good.
    pub sold_by: SoldBy,
    /// How many there are in all: those, and the active resources of the pool.
    pub capacity: i32,
    /// Raised by each change.
    pub version: i64,
}

/// A pool to be made.
#[derive(Clone, Debug)]
pub struct NewPool {
    /// What they are called, 1 to 200 characters.
    pub name: String,
    /// How many there are that have no name of their own, 0 to 100,000.
    pub quantity: i32,
    /// How they are sold.
    pub sold_by: SoldBy,
}

/// What may be changed of a pool; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct PoolChange {
    /// The version the asker read.
    pub version: i64,
    /// What they are called.
    pub name: Option<String>,
    /// How many there are that have no name of their own.
    pub quantity: Option<i32>,
}

/// The pool a resource is one of, and what of it is taken when the resource is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pooled {
    /// The pool.
    pub pool: PoolId,
    /// How many it has.
    pub capacity: i32,
    /// How it is sold.
    pub by: PooledBy,
}

/// How a pool is sold, with what tells which buckets a stretch of time reaches into.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PooledBy {
    /// By the night.
    Night {
        /// The zone of the resource.
        timezone: TimeZone,
        /// From when the first guest may come, of whatever product sells the nights.
        check_in: Time,
        /// By when the last guest has to go.
        check_out: Time,
    },
    /// By time.
    Time,
}

impl Pooled {
    /// The buckets of which some is within `from .. to`.
    #[must_use]
    pub fn within(&self, from: Timestamp, to: Timestamp) -> Option<Buckets> {
        let PooledBy::Night {
            timezone,
            check_in,
            check_out,
        } = &self.by
        else {
            return Buckets::quarters(from, to);
        };
        let day = |at: Timestamp| at.to_zoned(timezone.clone()).date();
        let (mut first, mut last) = (day(from), day(to));
        // Whoever came the day before is still there, and whoever comes that day has come.
        if instant(timezone, first, *check_out)? > from {
            first = first.yesterday().ok()?;
        }
        if instant(timezone, last, *check_in)? < to {
            last = last.tomorrow().ok()?;
        }
        (first < last).then_some(Buckets::nights(first, last))
    }

    /// From when to when one of the pool is taken for `buckets`, or more if `from .. to` is more: a bucket is
    /// taken once, and whole.
    #[must_use]
    pub fn around(
        &self,
        buckets: &Buckets,
        (from, to): (Timestamp, Timestamp),
    ) -> (Timestamp, Timestamp) {
        let whole = match &self.by {
            PooledBy::Night {
                timezone,
                check_in,
                check_out,
            } => {
                let comes = instant(timezone, buckets.from.date(), *check_in);
                comes.zip(instant(timezone, buckets.to.date(), *check_out))
            }
            PooledBy::Time => buckets.instants(),
        };
        whole.map_or((from, to), |(comes, goes)| (comes.min(from), goes.max(to)))
    }
}

/// Refuses what no pool may be.
pub(crate) fn check(name: Option<&str>, quantity: Option<i32>) -> Result<(), Error> {
    if let Some(name) = name {
        check_name(name)?;
    }
    if quantity.is_some_and(|quantity| !(0..=100_000).contains(&quantity)) {
        let detail = "Must be between 0 and 100,000.";
        return Err(Error::invalid("quantity", "OUT_OF_RANGE", detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    #[test]
    fn a_stretch_takes_the_nights_it_reaches_into() {
        let timezone = TimeZone::get("Europe/Berlin").unwrap();
        let pooled = Pooled {
            pool: PoolId::new(),
            capacity: 3,
            by: PooledBy::Night {
                timezone: timezone.clone(),
                check_in: time(15, 0, 0, 0),
                check_out: time(11, 0, 0, 0),
            },
        };
        let at = |day: i8, hour: i8| {
            let shown = date(2027, 5, day).at(hour, 0, 0, 0);
            shown.to_zoned(timezone.clone()).unwrap().timestamp()
        };
        let within = |from, to| {
            let found = pooled.within(from, to);
            found.map(|nights| (nights.from().day(), nights.to().day()))
        };
        assert_eq!(within(at(4, 11), at(4, 15)), None, "between two guests");
        assert_eq!(within(at(4, 10), at(4, 15)), Some((3, 4)));
        assert_eq!(within(at(4, 11), at(4, 16)), Some((4, 5)));
        assert_eq!(within(at(4, 23), at(5, 1)), Some((4, 5)));
        assert_eq!(within(at(4, 1), at(4, 2)), Some((3, 4)));
        assert_eq!(within(at(4, 0), at(7, 0)), Some((3, 7)));
        let two = pooled.within(at(4, 23), at(5, 16)).unwrap();
        let whole = pooled.around(&two, (at(4, 23), at(5, 16)));
        assert_eq!(whole, (at(4, 15), at(6, 11)));
    }

    #[test]
    fn a_stretch_takes_the_quarters_it_reaches_into() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let names = |from, to| {
            let found = Buckets::quarters(at(from), at(to)).unwrap();
            let names = found.names();
            names.map(|name| name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            names("2027-05-04T09:14:59Z", "2027-05-04T09:30:00.5Z"),
            [
                "2027-05-04T09:00:00",
                "2027-05-04T09:15:00",
                "2027-05-04T09:30:00"
            ]
        );
        assert_eq!(
            names("2027-05-04T09:15:00Z", "2027-05-04T09:30:00Z"),
            ["2027-05-04T09:15:00"]
        );
        // The hour that the clock shows twice is two.
        let day = Buckets::quarters(at("2027-10-30T22:00:00Z"), at("2027-10-31T23:00:00Z"));
        assert_eq!(day.unwrap().names().count(), 100);
        let pooled = Pooled {
            pool: PoolId::new(),
            capacity: 3,
            by: PooledBy::Time,
        };
        let (from, to) = (at("2027-05-04T09:20:00Z"), at("2027-05-04T09:40:00Z"));
        let whole = (at("2027-05-04T09:15:00Z"), at("2027-05-04T09:45:00Z"));
        let buckets = pooled.within(from, to).unwrap();
        assert_eq!(pooled.around(&buckets, (from, to)), whole);
    }
}
