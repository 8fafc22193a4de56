//! Pools: things of one sort, any of which will do.

use berth_kernel::PoolId;
use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use super::{product::check_name, stay::instant};
use crate::Error;

/// Things of one sort, any of which will do: the double rooms of a house.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pool {
    /// Its id.
    pub id: PoolId,
    /// What they are called.
    pub name: String,
    /// How many there are that have no name of their own.
    pub quantity: i32,
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

/// The nights of the pool a resource is one of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PooledNights {
    /// The pool.
    pub pool: PoolId,
    /// How many it has.
    pub capacity: i32,
    /// The zone of the resource.
    pub timezone: TimeZone,
    /// From when the first guest may come, of whatever product sells the nights.
    pub check_in: Time,
    /// By when the last guest has to go.
    pub check_out: Time,
}

impl PooledNights {
    /// The nights of which some is within `from .. to`, as `[first, last)`.
    #[must_use]
    pub fn within(&self, from: Timestamp, to: Timestamp) -> Option<(Date, Date)> {
        let day = |at: Timestamp| at.to_zoned(self.timezone.clone()).date();
        let (mut first, mut last) = (day(from), day(to));
        // Whoever came the day before is still there, and whoever comes that day has come.
        if instant(&self.timezone, first, self.check_out)? > from {
            first = first.yesterday().ok()?;
        }
        if instant(&self.timezone, last, self.check_in)? < to {
            last = last.tomorrow().ok()?;
        }
        (first < last).then_some((first, last))
    }
}

impl PooledNights {
    /// From when to when one of the pool is taken for the nights `first .. last`, or more if `from .. to` is
    /// more: a night is taken once, and whole.
    #[must_use]
    pub fn around(
        &self,
        (first, last): (Date, Date),
        (from, to): (Timestamp, Timestamp),
    ) -> (Timestamp, Timestamp) {
        let comes = instant(&self.timezone, first, self.check_in);
        let goes = instant(&self.timezone, last, self.check_out);
        (
            comes.map_or(from, |comes| comes.min(from)),
            goes.map_or(to, |goes| goes.max(to)),
        )
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
        let nights = PooledNights {
            pool: PoolId::new(),
            capacity: 3,
            timezone: TimeZone::get("Europe/Berlin").unwrap(),
            check_in: time(15, 0, 0, 0),
            check_out: time(11, 0, 0, 0),
        };
        let at = |day: i8, hour: i8| {
            let shown = date(2027, 5, day).at(hour, 0, 0, 0);
            shown.to_zoned(nights.timezone.clone()).unwrap().timestamp()
        };
        let within = |from, to| {
            let found = nights.within(from, to);
            found.map(|(first, last)| (first.day(), last.day()))
        };
        assert_eq!(within(at(4, 11), at(4, 15)), None, "between two guests");
        assert_eq!(within(at(4, 10), at(4, 15)), Some((3, 4)));
        assert_eq!(within(at(4, 11), at(4, 16)), Some((4, 5)));
        assert_eq!(within(at(4, 23), at(5, 1)), Some((4, 5)));
        assert_eq!(within(at(4, 1), at(4, 2)), Some((3, 4)));
        assert_eq!(within(at(4, 0), at(7, 0)), Some((3, 7)));
    }
}
