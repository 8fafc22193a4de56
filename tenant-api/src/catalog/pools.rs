//! Pools, as they are asked for and shown.

use berth_catalog::{NewPool, Pool, PoolChange};
use poem_openapi::Object;
use uuid::Uuid;

/// A pool to be made.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct PoolRequest {
    /// What they are called: `Double room`.
    pub name: String,
    /// How many there are that have no name of their own; resources that have name their pool.
    #[oai(default)]
    pub quantity: i32,
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
            capacity: pool.capacity,
            version: pool.version,
        }
    }
}
