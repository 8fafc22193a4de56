//! Fairness between tenants: how much of something one tenant has in use at once in a process.
//!
//! Without it all connections of a bucket could serve one tenant, or all that the broker hands out at
//! once be work of one that waits for its provider, and nobody else's booking would be confirmed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use berth_kernel::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Tenants remembered before those with nothing in flight are forgotten.
const REMEMBERED: usize = 1_024;

/// What each tenant has in use in this process.
#[derive(Clone, Debug, Default)]
pub struct Shares {
    tenants: Arc<Mutex<HashMap<TenantId, Places>>>,
}

/// A tenant's places, and how many they are in all.
type Places = (usize, Arc<Semaphore>);

/// A place of a tenant's share, given back when dropped.
#[derive(Debug)]
pub struct Share {
    _permit: OwnedSemaphorePermit,
}

impl Shares {
    /// A place of the tenant's share of `size`; nothing if none came free within `patience`.
    pub async fn enter(&self, tenant: TenantId, size: usize, patience: Duration) -> Option<Share> {
        let places = self.of(tenant, size);
        let permit = match Arc::clone(&places).try_acquire_owned() {
            Ok(permit) => permit,
            // Neither time nor a closed semaphore, which this one never is, gives a place.
            Err(_) => tokio::time::timeout(patience, places.acquire_owned())
                .await
                .ok()?
                .ok()?,
        };
        Some(Share { _permit: permit })
    }

    fn of(&self, tenant: TenantId, size: usize) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= REMEMBERED {
            // Whoever waits or works holds a second reference.
            tenants.retain(|_, (_, share)| Arc::strong_count(share) > 1);
        }
        let made = || (size, Arc::new(Semaphore::new(size)));
        let share = tenants.entry(tenant).or_insert_with(made);
        if share.0 != size {
            // Another plan: what is in flight runs out beside the new share.
            *share = made();
        }
        Arc::clone(&share.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARE: usize = 20;
    const PATIENCE: Duration = Duration::from_millis(200);

    #[tokio::test(start_paused = true)]
    async fn a_tenant_at_its_share_waits_and_others_do_not() {
        let shares = Shares::default();
        let (busy, calm) = (TenantId::new(), TenantId::new());
        let mut taken = Vec::new();
        for _ in 0..SHARE {
            taken.push(shares.enter(busy, SHARE, PATIENCE).await.unwrap());
        }
        assert!(shares.enter(busy, SHARE, PATIENCE).await.is_none());
        assert!(shares.enter(calm, SHARE, PATIENCE).await.is_some());
        taken.pop();
        assert!(shares.enter(busy, SHARE, PATIENCE).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn another_plan_is_another_share() {
        let shares = Shares::default();
        let tenant = TenantId::new();
        let _one = shares.enter(tenant, 1, PATIENCE).await.unwrap();
        assert!(shares.enter(tenant, 1, PATIENCE).await.is_none());
        let _two = shares.enter(tenant, 2, PATIENCE).await.unwrap();
        let _three = shares.enter(tenant, 2, PATIENCE).await.unwrap();
        assert!(shares.enter(tenant, 2, PATIENCE).await.is_none());
    }

    #[tokio::test]
    async fn tenants_with_nothing_in_flight_are_forgotten_and_others_are_not() {
        let shares = Shares::default();
        let busy = TenantId::new();
        let held = shares.enter(busy, SHARE, PATIENCE).await.unwrap();
        for _ in 0..REMEMBERED * 2 {
            shares
                .enter(TenantId::new(), SHARE, PATIENCE)
                .await
                .unwrap();
        }
        let tenants = shares.tenants.lock().unwrap();
        assert!(tenants.len() <= REMEMBERED, "{}", tenants.len());
        assert_eq!(tenants[&busy].1.available_permits(), SHARE - 1);
        drop(held);
    }
}
