//! Calendars of the world outside: iCalendar files (RFC 5545) as they are written for calendar programs and
//! read for busy times, and the way to get them.
//!
//! Whatever comes from an address that somebody typed in is hostile: the address is followed to public hosts
//! alone ([`Fetcher`]), and what is there is read within bounds ([`busy`]). Must not know of bookings, nor of
//! tables.

mod address;
mod busy;
mod fetch;
mod moment;
mod rule;
mod write;

pub use address::{AddressError, CalendarAddress};
pub use busy::{Stretch, Unreadable, Window, busy};
pub use fetch::{FetchError, Fetched, Fetcher, FetcherError, Seen};
pub use write::{Entry, Feed, Standing};
