//! Who and what serves products, and when, as it is asked for and shown.

use berth_catalog::{
    DayException, NewResource, Party, Resource, ResourceChange, ResourceKind, Weekly, Window,
};
use berth_web::text::{Day, TimeOfDay};
use poem_openapi::{Enum, Object};
use uuid::Uuid;

/// What a resource is.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename = "ResourceKind", rename_all = "snake_case")]
pub enum ResourceKindName {
    /// A person.
    Staff,
    /// A room.
    Room,
    /// A thing.
    Equipment,
    /// A table.
    Table,
}

/// How many people sit down together.
#[derive(Clone, Copy, Debug, Object)]
#[oai(rename = "Party", deny_unknown_fields)]
pub struct PartySize {
    /// Fewest for whom it is given away.
    pub min: i32,
    /// Most who find a seat, up to 1,000.
    pub max: i32,
}

impl From<PartySize> for Party {
    fn from(size: PartySize) -> Self {
        Self {
            min: size.min,
            max: size.max,
        }
    }
}

impl From<Party> for PartySize {
    fn from(party: Party) -> Self {
        Self {
            min: party.min,
            max: party.max,
        }
    }
}

/// A stretch of every week, in wall time.
#[derive(Clone, Copy, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct WeeklyRule {
    /// ISO: 1 is Monday, 7 is Sunday.
    pub weekday: i16,
    /// From.
    pub starts: TimeOfDay,
    /// To; on the next day if it is not later than `starts`.
    pub ends: TimeOfDay,
}

/// A day that differs: closed, or open at other times.
#[derive(Clone, Copy, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ExceptionRule {
    /// The day.
    pub day: Day,
    /// From; closed if left out.
    pub starts: Option<TimeOfDay>,
    /// To.
    pub ends: Option<TimeOfDay>,
}

/// A resource to be made.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ResourceRequest {
    /// What it is.
    pub kind: ResourceKindName,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub location_id: Option<Uuid>,
    /// IANA zone of its schedule; the location's or the business's unless said.
    pub timezone: Option<String>,
    /// When it works, every week.
    #[oai(default)]
    pub schedule: Vec<WeeklyRule>,
    /// One of which it is, if any of them will do.
    pub pool_id: Option<Uuid>,
    /// How many sit down at it; of a table, and of nothing else.
    pub party: Option<PartySize>,
    /// What it is found by: at most 20 of letters, digits, hyphens and underscores, up to 40 each. Kept in lower
    /// case.
    #[oai(default)]
    pub tags: Vec<String>,
}

/// What is to become different of a resource besides its hours; what is not given stays.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ResourceEdit {
    /// The version you read.
    pub version: i64,
    /// Its name.
    pub name: Option<String>,
    /// Whether it works at all. What is booked of it stays; blocks of one that belongs to a pool go on
    /// taking one from the pool until they are deleted.
    pub active: Option<bool>,
    /// How many sit down at it, of a table.
    pub party: Option<PartySize>,
    /// Its tags: all of them.
    pub tags: Option<Vec<String>>,
}

/// When a resource works.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ScheduleRequest {
    /// Every week.
    pub schedule: Vec<WeeklyRule>,
    /// Days that differ.
    #[oai(default)]
    pub exceptions: Vec<ExceptionRule>,
}

/// A person, room or thing that is taken for a time.
#[derive(Debug, Object)]
#[oai(rename = "Resource")]
pub struct ResourceAnswer {
    /// Its id.
    pub id: Uuid,
    /// What it is.
    pub kind: ResourceKindName,
    /// Its name.
    pub name: String,
    /// Where it is.
    #[oai(skip_serializing_if_is_none)]
    pub location_id: Option<Uuid>,
    /// IANA zone of its schedule.
    pub timezone: String,
    /// When it works, every week.
    pub schedule: Vec<WeeklyRule>,
    /// Days that differ.
    pub exceptions: Vec<ExceptionRule>,
    /// One of which it is.
    #[oai(skip_serializing_if_is_none)]
    pub pool_id: Option<Uuid>,
    /// How many sit down at it, of a table.
    #[oai(skip_serializing_if_is_none)]
    pub party: Option<PartySize>,
    /// What it is found by.
    #[oai(default, skip_serializing_if_is_empty)]
    pub tags: Vec<String>,
    /// Whether it works at all.
    pub active: bool,
    /// Raised by each change.
    pub version: i64,
}

impl From<ResourceRequest> for NewResource {
    fn from(request: ResourceRequest) -> Self {
        Self {
            kind: match request.kind {
                ResourceKindName::Staff => ResourceKind::Staff,
                ResourceKindName::Room => ResourceKind::Room,
                ResourceKindName::Equipment => ResourceKind::Equipment,
                ResourceKindName::Table => ResourceKind::Table,
            },
            name: request.name,
            location_id: request.location_id.map(Into::into),
            timezone: request.timezone,
            weekly: request.schedule.into_iter().map(Into::into).collect(),
            pool_id: request.pool_id.map(Into::into),
            party: request.party.map(Into::into),
            tags: request.tags,
        }
    }
}

impl From<ResourceEdit> for ResourceChange {
    fn from(edit: ResourceEdit) -> Self {
        Self {
            version: edit.version,
            name: edit.name,
            active: edit.active,
            party: edit.party.map(Into::into),
            tags: edit.tags,
        }
    }
}

impl From<ExceptionRule> for DayException {
    fn from(rule: ExceptionRule) -> Self {
        Self {
            day: rule.day.0,
            window: rule.starts.zip(rule.ends).map(|(starts, ends)| Window {
                starts: starts.0,
                ends: ends.0,
            }),
        }
    }
}

impl From<WeeklyRule> for Weekly {
    fn from(rule: WeeklyRule) -> Self {
        let window = Window {
            starts: rule.starts.0,
            ends: rule.ends.0,
        };
        Self {
            weekday: rule.weekday,
            window,
        }
    }
}

impl From<Weekly> for WeeklyRule {
    fn from(rule: Weekly) -> Self {
        Self {
            weekday: rule.weekday,
            starts: rule.window.starts.into(),
            ends: rule.window.ends.into(),
        }
    }
}

impl From<Resource> for ResourceAnswer {
    fn from(resource: Resource) -> Self {
        let exception = |exception: DayException| ExceptionRule {
            day: exception.day.into(),
            starts: exception.window.map(|window| window.starts.into()),
            ends: exception.window.map(|window| window.ends.into()),
        };
        Self {
            id: resource.id.into(),
            kind: match resource.kind {
                ResourceKind::Staff => ResourceKindName::Staff,
                ResourceKind::Room => ResourceKindName::Room,
                ResourceKind::Equipment => ResourceKindName::Equipment,
                ResourceKind::Table => ResourceKindName::Table,
            },
            name: resource.name,
            location_id: resource.location_id.map(Into::into),
            timezone: resource.timezone,
            schedule: resource.weekly.into_iter().map(Into::into).collect(),
            exceptions: resource.exceptions.into_iter().map(exception).collect(),
            pool_id: resource.pool_id.map(Into::into),
            party: resource.party.map(Into::into),
            tags: resource.tags,
            active: resource.active,
            version: resource.version,
        }
    }
}

/// Resources.
#[derive(Debug, Object)]
pub struct ResourceList {
    /// All of them.
    pub items: Vec<ResourceAnswer>,
}
