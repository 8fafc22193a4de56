//! Rows of calendars.

mod external;
mod feeds;

pub(crate) use external::*;
pub(crate) use feeds::*;
