//! Which version each tenant's catalog has, remembered so that the public's look at a product costs
//! the database nothing.
//!
//! A change made in this process is seen at once. Of one made in another the database tells by
//! `NOTIFY`, a moment after it was committed; while nothing can be heard, what is remembered is
//! trusted for as long as [`REMEMBERED`]. Only looking rests on it: whoever decides reads the version
//! with rows of their own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use berth_tenancy::{Error, Tenant, channel::Follower};
use moka::sync::Cache;
use tokio_util::sync::CancellationToken;

use crate::Catalog;

/// How long a version is trusted when nothing is heard of a change.
const REMEMBERED: Duration = Duration::from_secs(5);

/// The versions known to be current, by the tenant's role.
#[derive(Clone, Debug)]
pub(crate) struct Fresh {
    versions: Cache<Arc<str>, i64>,
    /// Changes heard of, of any tenant.
    changes: Arc<AtomicU64>,
}

/// Taken before a version is read, so that a change heard of in between is not forgotten.
pub(crate) struct Reading(u64);

impl Fresh {
    pub(crate) fn new() -> Self {
        let versions = Cache::builder()
            .max_capacity(50_000)
            .time_to_live(REMEMBERED)
            .build();
        let changes = Arc::default();
        Self { versions, changes }
    }

    pub(crate) fn version(&self, tenant: &Tenant) -> Option<i64> {
        self.versions.get(tenant.role())
    }

    pub(crate) fn reading(&self) -> Reading {
        Reading(self.changes.load(Ordering::SeqCst))
    }

    /// Remembers a version read since `reading` began, unless a change was heard of.
    pub(crate) fn keep(&self, tenant: &Tenant, version: i64, reading: &Reading) {
        self.versions.insert(tenant.role_name(), version);
        // Looked at only now: a change counted later finds the version, and forgets it.
        if self.changes.load(Ordering::SeqCst) != reading.0 {
            self.versions.invalidate(tenant.role());
        }
    }

    pub(crate) fn forget(&self, role: &str) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.versions.invalidate(role);
    }
}

impl Catalog {
    /// Forgets catalogs as they change in other processes, until cancelled. A process that answers
    /// the public runs this.
    pub async fn follow_changes(&self, stop: CancellationToken) {
        self.tenancy.follow(self, stop).await;
    }
}

impl Follower for Catalog {
    const CHANNEL: &'static str = "berth_catalog_changed";

    async fn catch_up(&self) -> Result<(), Error> {
        self.fresh.changes.fetch_add(1, Ordering::SeqCst);
        self.fresh.versions.invalidate_all();
        Ok(())
    }

    /// Forgets a tenant's catalog; told is the name of its schema, which is its role's.
    async fn hear(&self, told: &str) {
        self.fresh.forget(told);
    }
}
