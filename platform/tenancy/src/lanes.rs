//! A bucket's connections, so dealt out that a tenant comes back to the one that served it last.
//!
//! A backend remembers the tables of each tenant it served, and looks them up anew for one that it did
//! not: that costs more than the request. A pool that hands its connections round in turn makes every
//! backend learn every tenant. Here each connection is a lane of its own, and of those that are open each
//! tenant has its order of preference: the first that is free serves it. Lanes are opened when all that
//! are open are busy, so that there are as many as are needed at once; one more takes its share of the
//! tenants from all the others and moves nobody else.

use std::{sync::OnceLock, time::Duration};

use berth_kernel::TenantId;
use futures::{
    FutureExt as _,
    future::{BoxFuture, SelectAll, select_all},
};
use sqlx::{
    PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

/// How long one that is free again may take to show it.
const GIVEN_BACK_WITHIN: Duration = Duration::from_millis(2);

/// The connections of one login.
#[derive(Debug)]
pub(crate) struct Lanes {
    /// Pools of one connection each, made when first needed.
    lanes: Box<[OnceLock<PgPool>]>,
    pool: PgPoolOptions,
    login: PgConnectOptions,
}

impl Lanes {
    /// Up to `count` connections, none of which is open yet.
    pub(crate) fn new(count: u32, pool: PgPoolOptions, login: PgConnectOptions) -> Self {
        Self {
            lanes: (0..count.max(1)).map(|_| OnceLock::new()).collect(),
            pool: pool.max_connections(1),
            login,
        }
    }

    /// A connection for `tenant`: the free one it likes best, else a new one, else the first that comes
    /// free.
    pub(crate) async fn acquire(
        &self,
        tenant: TenantId,
    ) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        let mut order: Vec<(u64, &PgPool)> = self
            .open()
            .map(|(n, lane)| (liking(tenant, n), lane))
            .collect();
        order.sort_unstable_by_key(|(liking, _)| std::cmp::Reverse(*liking));
        let free = order.iter().filter(|(_, lane)| lane.num_idle() > 0);
        for (_, lane) in free {
            // Somebody else may take it first, and then it is not waited for.
            if let Some(conn) = lane.acquire().now_or_never() {
                return conn;
            }
        }
        // One that was just given back is looked at before it is free: a new one is opened only for those
        // who would wait longer than that takes.
        // Lanes whose connection was closed are not among them: to ask one is to open it.
        let mut open = Vec::with_capacity(order.len());
        open.extend(self.open().filter(|(_, lane)| lane.size() > 0));
        if !open.is_empty()
            && let Ok((conn, ..)) = timeout(GIVEN_BACK_WITHIN, first_of(open.into_iter())).await
        {
            return conn;
        }
        let mut made = self
            .lanes
            .iter()
            .map(|lane| lane.get_or_init(|| self.make()));
        if let Some(lane) = made.find(|lane| lane.size() == 0) {
            return lane.acquire().await;
        }
        first_of(self.open()).await.0
    }

    /// The lanes that were ever needed, with their numbers.
    pub(crate) fn open(&self) -> impl Iterator<Item = (usize, &PgPool)> {
        let lanes = self.lanes.iter().enumerate();
        lanes.filter_map(|(number, lane)| Some((number, lane.get()?)))
    }

    fn make(&self) -> PgPool {
        self.pool.clone().connect_lazy_with(self.login.clone())
    }
}

/// Waits for the first of several lanes that comes free; there is at least one.
fn first_of<'a>(
    lanes: impl Iterator<Item = (usize, &'a PgPool)>,
) -> SelectAll<BoxFuture<'a, Result<PoolConnection<Postgres>, sqlx::Error>>> {
    select_all(lanes.map(|(_, lane)| lane.acquire().boxed()))
}

/// How much a tenant likes a lane: the highest of several random numbers that are always the same, so
/// that one lane more or less moves only those it won or lost.
fn liking(tenant: TenantId, lane: usize) -> u64 {
    // The last bytes of a version 7 UUID are its random ones; then the finalizer of SplitMix64.
    let (_, random) = tenant.uuid().as_u64_pair();
    let mut mixed = random ^ (lane as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn favourite(tenant: TenantId, lanes: usize) -> usize {
        (0..lanes).max_by_key(|lane| liking(tenant, *lane)).unwrap()
    }

    #[test]
    fn tenants_are_dealt_out_evenly_and_one_lane_more_moves_only_its_share() {
        let tenants: Vec<TenantId> = (0..8_000).map(|_| TenantId::new()).collect();
        let mut dealt = [0; 4];
        let mut moved = 0;
        for tenant in tenants {
            let before = favourite(tenant, 4);
            let after = favourite(tenant, 5);
            dealt[before] += 1;
            assert!(after == before || after == 4, "moved between old lanes");
            moved += usize::from(after != before);
        }
        assert!(
            dealt.iter().all(|count| (1_700..2_300).contains(count)),
            "{dealt:?}"
        );
        assert!((1_300..1_900).contains(&moved), "{moved}");
    }
}
