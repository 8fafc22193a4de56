//! A product with everything that decides about a booking of it, ready to be reckoned with.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use berth_kernel::{PoolId, ResourceId};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    AddOn, Holidays, OfferedSeating, Party, Product, RentalTerms, StayTerms, Variant, Window,
};

/// One resource of an offering.
#[derive(Debug, Clone)]
pub struct OfferedResource {
    /// Its id.
    pub id: ResourceId,
    /// Its name, shown with the slot.
    pub name: String,
    /// Seconds it is busy before a start, and after the end.
    pub buffers: (i64, i64),
    /// How many sit down at it, of a table.
    pub party: Option<Party>,
    /// When it works. Resources of an offering with equal hours share one value, so that what
    /// follows from the hours can be reckoned once for all of them.
    pub schedule: Arc<Schedule>,
}

/// When somebody works: windows by weekday, and days that differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The zone its times are in.
    pub timezone: TimeZone,
    /// Windows by weekday, Monday first.
    pub weekly: [Vec<Window>; 7],
    /// Days that differ; an empty list is a closed day.
    pub exceptions: BTreeMap<Date, Vec<Window>>,
    /// Which of those differ because the business keeps other hours.
    pub holidays: BTreeSet<Date>,
}

impl Schedule {
    /// The wall-time windows that begin on `day`.
    #[must_use]
    pub fn windows(&self, day: Date) -> &[Window] {
        let weekday = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0);
        self.exceptions.get(&day).unwrap_or(&self.weekly[weekday])
    }

    /// Whether the business keeps other hours on the day of an instant, and this schedule with it.
    #[must_use]
    pub fn is_holiday(&self, at: Timestamp) -> bool {
        self.holidays
            .contains(&self.timezone.to_datetime(at).date())
    }

    /// The same without the business's holidays.
    #[must_use]
    pub fn usual(&self) -> Self {
        let mut usual = self.clone();
        for day in std::mem::take(&mut usual.holidays) {
            usual.exceptions.remove(&day);
        }
        usual
    }

    /// The stretch of time a wall-time window that begins on `day` covers. A time the clock skips counts from
    /// after the gap; one it shows twice counts from its first (for the end: its second) showing,
    /// so that an open shop is never shut by the change of clocks.
    #[must_use]
    pub fn instants(&self, day: Date, window: Window) -> Option<(Timestamp, Timestamp)> {
        let starts = self
            .timezone
            .to_ambiguous_zoned(day.to_datetime(window.starts));
        let last = match window.is_overnight() {
            true => day.tomorrow().ok()?,
            false => day,
        };
        let ends = self
            .timezone
            .to_ambiguous_zoned(last.to_datetime(window.ends));
        let (starts, ends) = (
            starts.compatible().ok()?.timestamp(),
            ends.later().ok()?.timestamp(),
        );
        (starts < ends).then_some((starts, ends))
    }
}

/// So many of some of an offering's resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedRequirement {
    /// How many.
    pub quantity: usize,
    /// Which can be it: indexes into the offering's resources, ascending.
    pub members: Vec<usize>,
}

/// Some of an offering's tables that can be put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedCombination {
    /// Which: indexes into the offering's resources, ascending.
    pub members: Vec<usize>,
    /// For how many.
    pub party: Party,
}

/// What nights or time are taken of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedPool<Terms> {
    /// Its id.
    pub id: PoolId,
    /// How many there are.
    pub capacity: i32,
    /// How it is sold.
    pub terms: Terms,
}

/// A product, compiled. Immutable; superseded when the catalog's version moves on.
#[derive(Debug, Clone)]
pub struct Offering {
    /// The product.
    pub product: Product,
    /// The zone the product takes place in.
    pub timezone: TimeZone,
    /// Who or what can serve it, in the order of ids; active ones only.
    pub resources: Vec<OfferedResource>,
    /// What an appointment takes of them at once; the first is who it is with.
    pub requirements: Vec<OfferedRequirement>,
    /// Which of them can be put together for a larger party.
    pub combinations: Vec<OfferedCombination>,
    /// What a stay takes some of.
    pub nights: Option<OfferedPool<StayTerms>>,
    /// What a rental takes some of.
    pub rental: Option<OfferedPool<RentalTerms>>,
    /// Its forms that can be booked.
    pub variants: Vec<Variant>,
    /// What can be had with it.
    pub add_ons: Vec<AddOn>,
    /// The numbered seats of its sessions.
    pub seating: Option<OfferedSeating>,
    /// Days on which the business keeps other hours; the schedules of the resources have them already.
    pub holidays: Holidays,
    /// The catalog's version it was compiled from.
    pub version: i64,
}

impl Offering {
    /// The same without the business's holidays.
    #[must_use]
    pub fn usual(&self) -> Self {
        let mut usual = self.clone();
        usual.holidays.clear();
        for resource in &mut usual.resources {
            resource.schedule = Arc::new(resource.schedule.usual());
        }
        usual
    }
}
