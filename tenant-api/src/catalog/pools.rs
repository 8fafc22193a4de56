//! Pools, as they are asked for and shown.

use berth_catalog::{NewPool, Pool, PoolChange, SoldBy};
use poem_openapi::{Enum, Object};
use uuid::Uuid;

/// How the things of a pool are sold.
#[derive(Clone, Copy, Debug, Default, Enum)]
#[oai(rename = "SoldBy", rename_all = "snake_case")]
pub enum SoldByName {
    /// By the night, by stays.
    #[default]
    Night,
    /// By time, by rentals.
    Time,
}

/// A pool to be made.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct PoolRequest {
    /// What they are called: `Double room`.
    pub name: String,
    /// How many there are that have no name of their own; resources that have name their pool.
    #[oai(default)]
    pub quantity: i32,
    /// How they are sold, for good.
    #[oai(default)]
    pub sold_by: SoldByName,
}

/// What is to become different of a pool; what is not given stays.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct PoolEdit {
    /// The version you read.
    pub version: i64,
    /// What they are called.
    pub name: Option<String>,
    /// How many there are that have no name of their own. What is booked stays, even where there are
    /// fewer.
    pub quantity: Option<i32>,
}

/// Things of one sort, any of which will do.
#[derive(Debug, Object)]
#[oai(rename = "Pool")]
pub struct PoolAnswer {
    /// Its id.
    pub id: Uuid,
    /// What they are called.
    pub name: String,
    /// How many there are that have no name of their own.
    pub quantity: i32,
    /// How they are sold.
    pub sold_by: SoldByName,
    /// How many there are in all, with the active resources of the pool.
    pub capacity: i32,
    /// Raised by each change.
    pub version: i64,
}

/// Pools.
#[derive(Debug, Object)]
pub struct PoolList {
    /// In the order of their names.
    pub items: Vec<PoolAnswer>,
}

impl From<PoolRequest> for NewPool {
    fn from(request: PoolRequest) -> Self {
        Self {
            name: request.name,
            quantity: request.quantity,
            sold_by: match request.sold_by {
                SoldByName::Night => SoldBy::Night,
                SoldByName::Time => SoldBy::Time,
            },
        }
    }
}

impl From<PoolEdit> for PoolChange {
    fn from(edit: PoolEdit) -> Self {
        Self {
            version: edit.version,
            name: edit.name,
            quantity: edit.quantity,
        }
    }
}

impl From<Pool> for PoolAnswer {
    fn from(pool: Pool) -> Self {
        Self {
            id: pool.id.into(),
            name: pool.name,
            quantity: pool.quantity,
            sold_by: match pool.sold_by {
                SoldBy::Night => SoldByName::Night,
                SoldBy::Time => SoldByName::Time,
            },
            capacity: pool.capacity,
            version: pool.version,
        }
    }
}
