//! All of the booking service's SQL.

mod blocks;
mod buckets;
mod calendars;
mod claims;
mod customers;
mod groups;
mod place;
mod recount;
mod rows;
mod seats;
mod sessions;
mod vouchers;
mod waitlist;

pub(crate) use blocks::*;
pub(crate) use buckets::{block_buckets, bucket_takers, buckets_of, move_buckets, taken};
pub(crate) use calendars::*;
pub(crate) use claims::*;
pub(crate) use customers::*;
pub(crate) use groups::*;
pub(crate) use place::*;
pub(crate) use recount::recount;
pub(crate) use rows::*;
pub(crate) use seats::*;
pub(crate) use sessions::*;
pub(crate) use vouchers::*;
pub(crate) use waitlist::*;
