//! A million transactions dropped wherever they stand: what of them was left on a connection, or seen by
//! another tenant. The suite's own test, on a cluster that need not sync.

use anyhow::Context;
use serde_json::json;

use crate::commands::cargo;
use crate::progress;
use crate::services::{self, PostgresOptions, PrivatePostgres};
use crate::workspace::Workspace;

/// Transactions, most of them dropped.
const VISITS: usize = 1_000_000;
/// The test that drops them.
const TEST: &str = "cancellation::a_transaction_dropped_anywhere_leaves_nothing_behind";

/// Drops them; the figure as the other figures of many tenants are written.
///
/// # Errors
/// The test could not be run.
pub(super) async fn run(workspace: &Workspace) -> anyhow::Result<serde_json::Value> {
    progress::heading("Dropping a million transactions");
    let data = workspace.dev("bench").join("dropped");
    services::remove_postgres(&data)?;
    let start = PrivatePostgres::start(&data, PostgresOptions::default());
    let mut postgres = progress::timed("Postgres", start).await?;
    let tried = drop_them(workspace, &postgres).await;
    postgres.stop().await;
    services::remove_postgres(&data)?;
    let clean = tried?;
    let verdict = if clean { "nothing is left" } else { "MISSED" };
    println!("  {VISITS} transactions, three in four dropped on their way: {verdict}");
    Ok(json!({
        "name": "transactions dropped, of which nothing is left", "value": VISITS, "unit": "transactions",
        "aim": VISITS, "met": clean,
    }))
}

/// Whether the test passed.
async fn drop_them(workspace: &Workspace, postgres: &PrivatePostgres) -> anyhow::Result<bool> {
    let url = postgres.ensure_database("postgres").await?;
    let arguments = [
        "test",
        "--release",
        "-p",
        "berth-tenancy",
        "--test",
        "it",
        "--",
        "--exact",
        TEST,
    ];
    let mut test = cargo(workspace, &arguments);
    test.env("BERTH_TEST_DATABASE_URL", url)
        .env("BERTH_FUZZ_VISITS", VISITS.to_string());
    let output = test.output().await.context("running cargo test")?;
    let said = String::from_utf8_lossy(&output.stdout);
    // A name that no test has fails nothing either.
    let passed = output.status.success() && said.contains("1 passed");
    if !passed {
        eprintln!("{said}{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(passed)
}
