//! Pools: things of one sort, any of which will do.

use berth_kernel::PoolId;
use serde::{Deserialize, Serialize};

use super::product::check_name;
use crate::Error;

/// Things of one sort, any of which will do: the double rooms of a house.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pool {
    /// Its id.
    pub id: PoolId,
    /// What they are called.
    pub name: String,
    /// How many there are that have no name of their own.
    pub quantity: i32,
    /// How many there are in all: those, and the active resources of the pool.
    pub capacity: i32,
    /// Raised by each change.
    pub version: i64,
}

/// A pool to be made.
#[derive(Clone, Debug)]
pub struct NewPool {
    /// What they are called, 1 to 200 characters.
    pub name: String,
    /// How many there are that have no name of their own, 0 to 100,000.
    pub quantity: i32,
}

/// What may be changed of a pool; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct PoolChange {
    /// The version the asker read.
    pub version: i64,
    /// What they are called.
    pub name: Option<String>,
    /// How many there are that have no name of their own.
    pub quantity: Option<i32>,
}

/// Refuses what no pool may be.
pub(crate) fn check(name: Option<&str>, quantity: Option<i32>) -> Result<(), Error> {
    if let Some(name) = name {
        check_name(name)?;
    }
    if quantity.is_some_and(|quantity| !(0..=100_000).contains(&quantity)) {
        let detail = "Must be between 0 and 100,000.";
        return Err(Error::invalid("quantity", "OUT_OF_RANGE", detail));
    }
    Ok(())
}
