//! What a visitor of one of very many tenants waits for, over HTTP, held against one of few: in turns, on
//! the same fleet.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use tokio_postgres::Client;

use super::load::Load;
use super::report::{median, percentile};
use super::stage::{self, Stage};
use super::{CONNECTIONS, data, usage};
use crate::progress;

/// What many are held against.
const FEW: usize = 100;
/// Turns of few and all.
const TURNS: usize = 5;
/// How long each is.
const TURN: Duration = Duration::from_secs(5);
/// How often each tenant is asked before anything is measured: what is meant is a fleet at work.
const TOUCHES: usize = 6;
/// What is asked for.
const PAGE: &str = "/v1/products";
/// What a request to any may take, as a multiple of one to a few.
const AIM: f64 = 1.5;
/// All that visitors may ask a tenant for without saying what of: a backend that answered them keeps what it learned
/// of their tables.
const PAGES: [&str; 8] = [
    PAGE,
    "/v1/pools",
    "/v1/combinations",
    "/v1/seat-maps",
    "/v1/resources",
    "/v1/categories",
    "/v1/locations",
    "/v1/holidays",
];
/// MiB that a backend may have for itself after it.
const BACKEND_AIM: f64 = 256.0;

/// Measures; the figures as the other figures of many tenants are written.
///
/// # Errors
/// Something did not answer.
pub(super) async fn run(stage: &Stage) -> anyhow::Result<Vec<serde_json::Value>> {
    progress::heading("Measuring requests to all tenants");
    let client = stage::connect(stage.database_url()).await?;
    let rows = client
        .query(
            "SELECT slug FROM platform.tenant WHERE status = 'active' ORDER BY created_at, id",
            &[],
        )
        .await?;
    let slugs: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    data::stock(&client).await?;
    data::settle(&client, &[]).await?;
    let few = Load::of_visitors(stage.api(), CONNECTIONS, &slugs[..FEW], PAGE);
    let all = Load::of_visitors(stage.api(), CONNECTIONS, &slugs, PAGE);
    // The few last: they are to be at their best.
    all.touch(TOUCHES).await?;
    few.touch(TOUCHES).await?;
    let (mut ratios, mut each) = (Vec::new(), [Vec::new(), Vec::new()]);
    for _ in 0..TURNS {
        let turn = [few.run(TURN).await?, all.run(TURN).await?];
        let [few, all] = turn.map(|answered| percentile(&answered.took_ms, 50));
        ratios.push(all / few);
        each[0].push(few);
        each[1].push(all);
    }
    let [few, all] = each.map(median);
    let ratio = median(ratios);
    println!(
        "  GET {PAGE} of one of {} tenants, p50, median of {TURNS} turns: {all:.2} ms by {few:.2} ms for one of \
         {FEW}, {ratio:.2} ×, at most {AIM}: {}",
        slugs.len(),
        verdict(ratio <= AIM)
    );
    for page in PAGES {
        let visit = Load::of_visitors(stage.api(), CONNECTIONS, &slugs, page);
        visit.touch(1).await?;
    }
    let backend = largest_backend(&client).await?;
    println!(
        "  largest backend after {} pages of each of them: {backend:.1} MiB, at most {BACKEND_AIM}: {}",
        PAGES.len(),
        verdict(backend <= BACKEND_AIM)
    );
    Ok(vec![
        json!({
            "name": "largest backend after all pages of all tenants",
            "value": backend, "unit": "MiB", "aim": BACKEND_AIM, "met": backend <= BACKEND_AIM,
        }),
        json!({ "name": "request to one of 100 tenants, p50", "value": few, "unit": "ms" }),
        json!({ "name": "request to one of all tenants, p50", "value": all, "unit": "ms" }),
        json!({
            "name": "request to one of all by one of 100, p50",
            "value": ratio, "unit": "×", "aim": AIM, "met": ratio <= AIM,
        }),
    ])
}

const fn verdict(met: bool) -> &'static str {
    if met { "reached" } else { "MISSED" }
}

/// Memory of its own of the largest backend that serves tenants, in MiB.
async fn largest_backend(client: &Client) -> anyhow::Result<f64> {
    let rows = client
        .query(
            "SELECT pid FROM pg_stat_activity WHERE usename LIKE 'berth\\_b%'",
            &[],
        )
        .await?;
    ensure!(!rows.is_empty(), "no backend serves tenants");
    let mut largest: f64 = 0.0;
    for row in rows {
        largest = largest.max(usage::private(row.get(0))?);
    }
    Ok(largest)
}
