//! Calendars: bookings as calendar programs read them, and busy times that calendars outside tell.
//!
//! A feed shows what a resource or a customer has, to whoever knows its address: `feeds.rs` makes and revokes
//! addresses, `entries.rs` says what is read there. An outside calendar is read again and again (`reading.rs`);
//! what it says keeps bookings from being made, wherever the store asks what is taken, and ends none.

mod entries;
mod external;
mod feeds;
mod reading;
mod token;

use std::time::Duration;

use berth_calendar::Fetcher;
use berth_catalog::Catalog;
use berth_tenancy::Tenancy;

pub use entries::FeedFile;
pub(crate) use entries::{EntryKind, FeedEntry, FeedFound, Shown};
pub use external::{ExternalCalendar, NewExternalCalendar};
pub use feeds::{Feed, NewFeed};
pub(crate) use feeds::{FeedRow, Whose};
pub(crate) use reading::{Due, Read};

/// Commands and queries about calendars.
#[derive(Clone, Debug)]
pub struct Calendars {
    tenancy: Tenancy,
    catalog: Catalog,
    fetcher: Fetcher,
    /// How often a calendar outside is read.
    every: Duration,
}

impl Calendars {
    /// Calendars of what `catalog` has; those outside are read `every` so often, by `fetcher`.
    #[must_use]
    pub fn new(tenancy: Tenancy, catalog: Catalog, fetcher: Fetcher, every: Duration) -> Self {
        Self {
            tenancy,
            catalog,
            fetcher,
            every,
        }
    }
}
