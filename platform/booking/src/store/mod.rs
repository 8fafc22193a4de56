//! All of the booking service's SQL.

mod blocks;
mod claims;
mod groups;
mod nights;
mod place;
mod recount;
mod rows;
mod sessions;

pub(crate) use blocks::*;
pub(crate) use claims::*;
pub(crate) use groups::*;
pub(crate) use nights::{block_nights, move_nights, night_takers, nights_of, taken};
pub(crate) use place::*;
pub(crate) use recount::recount;
pub(crate) use rows::*;
pub(crate) use sessions::*;
