//! Bookings: taking, moving, ending them, and saying what is free. Owns bookings, claims, sessions, and
//! what calendars outside say.
//!
//! A booking takes a resource for a range of time (a claim under an exclusion constraint), places of a
//! session or some of a pool (counters under a CHECK), in one transaction with the booking, the answer
//! to repeat and the event. A session has claims too, on who gives it and where, and so has a block.
//! Availability is advice; the claim is the judge. Time in which a calendar outside says that a resource is
//! busy is no claim: it keeps what is new from being taken, and what was taken before stays.
//!
//! Lock order in every transaction: idempotency key, then who waits and is served, then the booking that is
//! changed (a new one is nobody else's yet), then the customer whose bookings are counted, then resources
//! sorted by id, then session rows sorted by id; or the buckets of a pool in their order;
//! last the voucher whose uses are counted.
//!
//! Must not know payment: that a booking is paid, or will not be, it learns from events. From the
//! catalog it takes the compiled offering and the number in `catalog_version`.
//!
//! To add a step in a booking's life: `model/status.rs`, a file here named after the step, its
//! event in `berth-events`, its route in `tenant-api`.

mod alternatives;
mod approval;
mod asked;
mod availability;
mod blocks;
mod calendars;
mod cancel;
mod change;
mod check_in;
mod complete;
mod confirm;
mod create;
mod customer;
mod decide;
mod error;
mod expire;
mod explain;
mod groups;
pub mod model;
mod of_pool;
mod prolong;
mod quote;
mod reactions;
mod read;
mod reasons;
mod recount;
mod reinstate;
mod reschedule;
mod seats;
mod sessions;
mod stats;
mod store;
mod transfer;
mod update;
mod vouchers;
mod waitlist;

use berth_catalog::Catalog;
use berth_tenancy::Tenancy;

pub use alternatives::Check;
pub use asked::SlotsAsked;
pub use availability::{Availability, DayAvailability, Free, Slot};
pub use blocks::{Block, NewBlock};
pub use calendars::{Calendars, ExternalCalendar, Feed, FeedFile, NewExternalCalendar, NewFeed};
pub use create::{AddOnAsked, NewBooking, VariantAsked, When};
pub use customer::CustomerInput;
pub use error::{Error, Refusal, Taker};
pub use expire::Referee;
pub use groups::{NewSessionGroup, SessionGroup, SessionGroupChange};
pub use model::details::{Answer, Details, Given, NewParticipant, Participant};
pub use model::nights::{Night, Stay};
pub use model::price::{LineKind, PriceLine};
pub use model::rentals::{Period, Rentable};
pub use model::seats::{BookedSeat, SeatAsked};
pub use model::{Booking, Status};
pub use quote::Quote;
pub use reactions::Reactions;
pub use read::{Filter, Sort};
pub use reasons::Reason;
pub use recount::{Recount, recount};
pub use reschedule::Move;
pub use seats::{SeatsLeft, ZoneLeft};
pub use sessions::{NewSession, Session, SessionChange};
pub use stats::{DayRow, Grouping, StatsRow, days};
pub use update::BookingChange;
pub use waitlist::{NewWaitlistEntry, WaitFor, WaitStatus, WaitlistEntry, WaitlistFilter};

/// The booking service's commands and queries.
#[derive(Clone, Debug)]
pub struct Bookings {
    tenancy: Tenancy,
    catalog: Catalog,
}

impl Bookings {
    /// Bookings of what `catalog` offers.
    #[must_use]
    pub fn new(tenancy: Tenancy, catalog: Catalog) -> Self {
        Self { tenancy, catalog }
    }
}
