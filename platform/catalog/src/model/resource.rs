//! Resources and when they work.

use berth_kernel::{LocationId, PoolId, ResourceId};
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use super::{
    Party,
    pool::Pooled,
    product::{check_name, check_timezone},
};
use crate::Error;

/// What a resource is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// A person.
    Staff,
    /// A room.
    Room,
    /// A thing.
    Equipment,
    /// A table.
    Table,
}

impl ResourceKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Room => "room",
            Self::Equipment => "equipment",
            Self::Table => "table",
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "room" => Self::Room,
            "equipment" => Self::Equipment,
            "table" => Self::Table,
            _ => Self::Staff,
        }
    }
}

/// A stretch of wall time that begins on a day, end exclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Window {
    /// From.
    pub starts: Time,
    /// To; on the next day if it is not later than `starts`.
    pub ends: Time,
}

impl Window {
    /// Whether it ends on the next day.
    #[must_use]
    pub fn is_overnight(&self) -> bool {
        self.ends <= self.starts
    }
}

/// A stretch of every week.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Weekly {
    /// ISO: 1 is Monday, 7 is Sunday.
    pub weekday: i16,
    /// When on that day.
    #[serde(flatten)]
    pub window: Window,
}

/// A day on which the weekly rule does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DayException {
    /// The day.
    pub day: Date,
    /// When it is open instead; closed if none.
    pub window: Option<Window>,
}

/// A person, room or thing that is taken for a time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// What it is.
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
    /// Where it is.
    #[serde(default)]
    pub location_id: Option<LocationId>,
    /// IANA zone its schedule is in; of one that is at a location, the location's.
    pub timezone: String,
    /// When it works, every week.
    pub weekly: Vec<Weekly>,
    /// Days that differ.
    pub exceptions: Vec<DayException>,
    /// One of which it is, if any of them will do.
    #[serde(default)]
    pub pool_id: Option<PoolId>,
    /// How many sit down at it, of a table.
    #[serde(default)]
    pub party: Option<Party>,
    /// What it is found by: in lower case, in their order.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Whether it works at all.
    pub active: bool,
    /// Raised by each change.
    pub version: i64,
}

/// A resource to be made.
#[derive(Clone, Debug)]
pub struct NewResource {
    /// What it is.
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub location_id: Option<LocationId>,
    /// IANA zone; the location's or the tenant's if none is given.
    pub timezone: Option<String>,
    /// When it works.
    pub weekly: Vec<Weekly>,
    /// One of which it is, if any of them will do.
    pub pool_id: Option<PoolId>,
    /// How many sit down at it; of a table, and of nothing else.
    pub party: Option<Party>,
    /// At most 20 of letters, digits, hyphens and underscores.
    pub tags: Vec<String>,
}

/// What may be changed of a resource besides its hours; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct ResourceChange {
    /// The version the asker read.
    pub version: i64,
    /// Its name.
    pub name: Option<String>,
    /// Whether it works at all.
    pub active: Option<bool>,
    /// How many sit down at it, of a table.
    pub party: Option<Party>,
    /// Its tags, all of them.
    pub tags: Option<Vec<String>>,
}

/// What matters to taking a resource away for a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResourceStanding {
    /// The catalog's version it is of.
    pub catalog_version: i64,
    /// Whether it works at all.
    pub active: bool,
    /// Its IANA zone.
    pub timezone: String,
    /// What it is one of.
    pub pooled: Option<Pooled>,
}

pub(crate) fn check(new: &NewResource) -> Result<(), Error> {
    check_name(&new.name)?;
    if let Some(zone) = &new.timezone {
        check_timezone(zone)?;
    }
    check_party(new.kind, new.party)?;
    if new.kind == ResourceKind::Table && new.pool_id.is_some() {
        let detail = "A table is none of a pool.";
        return Err(Error::invalid("pool_id", "WRONG_KIND", detail));
    }
    check_weekly("schedule", &new.weekly)
}

/// Refuses a table of which nobody knows how many sit down at it, and a party at anything else.
fn check_party(kind: ResourceKind, party: Option<Party>) -> Result<(), Error> {
    match (kind, party) {
        (ResourceKind::Table, Some(party)) => party.check("party"),
        (ResourceKind::Table, None) => {
            let detail = "Say how many sit down at it.";
            Err(Error::invalid("party", "REQUIRED", detail))
        }
        (_, Some(_)) => Err(Error::invalid("party", "WRONG_KIND", "Only for a table.")),
        (_, None) => Ok(()),
    }
}

/// Refuses hours that no week has; `field` is theirs.
pub(crate) fn check_weekly(field: &'static str, weekly: &[Weekly]) -> Result<(), Error> {
    let bad = |rule: &Weekly| !(1..=7).contains(&rule.weekday);
    if weekly.len() > 200 || weekly.iter().any(bad) {
        let detail = "Weekday 1 to 7, at most 200 rules.";
        return Err(Error::invalid(field, "INVALID_SCHEDULE", detail));
    }
    Ok(())
}

pub(crate) fn check_exceptions(exceptions: &[DayException]) -> Result<(), Error> {
    if exceptions.len() > 1_000 {
        let detail = "At most 1,000 days.";
        return Err(Error::invalid("exceptions", "INVALID_SCHEDULE", detail));
    }
    Ok(())
}
