//! All of the booking service's SQL.

mod claims;
mod place;
mod rows;
mod sessions;

pub(crate) use claims::*;
pub(crate) use place::*;
pub(crate) use rows::*;
pub(crate) use sessions::*;
