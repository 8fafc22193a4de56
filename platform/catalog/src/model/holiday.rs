//! Days on which a business keeps other hours than every week.

use std::collections::BTreeMap;

use berth_kernel::HolidayId;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Window, check_product_name};
use crate::Error;

/// Days to come of one tenant.
const MOST_DAYS: i64 = 1_000;

/// Stretches of one day.
const MOST_WINDOWS: usize = 10;

/// A day on which all schedules differ, but for resources with an exception of their own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Holiday {
    /// Its id.
    pub id: HolidayId,
    /// The day, by the calendar of each schedule's own zone.
    pub day: Date,
    /// What it is called.
    pub name: String,
    /// When it is open instead; closed if there are none.
    pub hours: Vec<Window>,
}

/// Such a day to be made.
#[derive(Clone, Debug)]
pub struct NewHoliday {
    /// The day.
    pub day: Date,
    /// What it is called, 1 to 200 characters.
    pub name: String,
    /// When it is open, at most ten stretches.
    pub hours: Vec<Window>,
}

/// The days to come on which a business keeps other hours.
pub type Holidays = BTreeMap<Date, Holiday>;

/// Refuses what no such day may be; `days` there are already.
pub(crate) fn check(new: &NewHoliday, days: i64) -> Result<(), Error> {
    check_product_name(&new.name)?;
    if new.hours.len() > MOST_WINDOWS {
        let detail = format!("At most {MOST_WINDOWS} stretches.");
        return Err(Error::invalid("hours", "INVALID_SCHEDULE", detail));
    }
    if days >= MOST_DAYS {
        let detail = format!("At most {MOST_DAYS} days to come.");
        return Err(Error::invalid("day", "TOO_MANY", detail));
    }
    Ok(())
}
