//! What requests do, put on for a while.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use berth_kernel::TenantId;
use futures::future::try_join_all;
use rand::RngExt as _;

use crate::{
    Bench,
    figures::{percentile, sorted_ms},
};

/// Requests at once.
const CONNECTIONS: usize = 8;

/// How long requests took.
pub(crate) struct Took {
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
}

/// Asks for a tenant at random and reads two of its tables, as a request does, for so long.
pub(crate) async fn requests(
    bench: &Arc<Bench>,
    tenants: &[TenantId],
    seconds: f64,
) -> anyhow::Result<Took> {
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let callers = (0..CONNECTIONS).map(|_| {
        let (bench, tenants) = (Arc::clone(bench), tenants.to_vec());
        async move {
            tokio::spawn(async move {
                let mut took = Vec::new();
                while Instant::now() < until {
                    let id = tenants[rand::rng().random_range(0..tenants.len())];
                    let began = Instant::now();
                    request(&bench, id).await?;
                    took.push(began.elapsed());
                }
                anyhow::Ok(took)
            })
            .await?
        }
    });
    let took: Vec<Duration> = try_join_all(callers).await?.concat();
    let ms = sorted_ms(&took);
    Ok(Took {
        p50: percentile(&ms, 50),
        p95: percentile(&ms, 95),
        p99: percentile(&ms, 99),
    })
}

/// Asks for each tenant so many times.
pub(crate) async fn touch(
    bench: &Arc<Bench>,
    tenants: &[TenantId],
    times: usize,
) -> anyhow::Result<()> {
    let callers = (0..CONNECTIONS).map(|first| {
        let (bench, tenants) = (Arc::clone(bench), tenants.to_vec());
        async move {
            tokio::spawn(async move {
                for round in 0..times {
                    let mine = tenants.iter().skip((first + round) % CONNECTIONS);
                    for id in mine.step_by(CONNECTIONS) {
                        request(&bench, *id).await?;
                    }
                }
                anyhow::Ok(())
            })
            .await?
        }
    });
    try_join_all(callers).await?;
    Ok(())
}

/// One request's way to its tenant's data.
pub(crate) async fn request(bench: &Bench, id: TenantId) -> anyhow::Result<()> {
    let tenant = bench.tenancy.registry().get(id).await?;
    let tenant = tenant.ok_or_else(|| anyhow::anyhow!("{id} is gone"))?;
    let mut tx = bench.tenancy.begin(&tenant).await?;
    sqlx::query("SELECT id, name, price_minor FROM product ORDER BY id LIMIT 20")
        .fetch_all(tx.conn())
        .await?;
    sqlx::query("SELECT id, status, starts_at FROM booking WHERE starts_at > now() LIMIT 20")
        .fetch_all(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(())
}
