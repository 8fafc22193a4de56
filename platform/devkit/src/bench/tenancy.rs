//! What many tenants cost: `platform/tenancy/benches/fleet`, on a cluster of its own that syncs every
//! commit to disk.

use anyhow::{Context, ensure};

use super::neighbours;
use crate::commands::cargo;
use crate::progress;
use crate::services::{self, Durability, PostgresOptions, PrivatePostgres};
use crate::workspace::Workspace;

/// Megabytes that hold the catalogs of so many tenants, as whoever runs them gives Postgres: a tenant takes
/// some 0.63 MB there, and what is not held is read anew for each request.
const fn buffers_mb(tenants: usize) -> usize {
    512 + tenants * 6 / 10
}

/// Measures, prints the table and saves the figures.
///
/// # Errors
/// Something did not start, or a stage failed.
pub(crate) async fn run(workspace: &Workspace, tenants: usize) -> anyhow::Result<()> {
    progress::heading("Setting the stage");
    let directory = workspace.dev("bench");
    let data = directory.join("tenancy");
    services::remove_postgres(&data)?;
    let options = PostgresOptions {
        durability: Durability::Kept,
        settings: vec![
            format!("shared_buffers={}MB", buffers_mb(tenants)),
            "max_wal_size=4GB".to_owned(),
        ],
        ..PostgresOptions::default()
    };
    let start = PrivatePostgres::start(&data, options);
    let mut postgres = progress::timed("Postgres", start).await?;
    let url = postgres.ensure_database("berth").await?;
    let file = directory.join("tenancy.json");
    progress::heading("Measuring");
    let mut measuring = cargo(
        workspace,
        &["bench", "-p", "berth-tenancy", "--bench", "fleet", "--"],
    );
    measuring
        .arg(&url)
        .args(["--tenants", &tenants.to_string(), "--json"])
        .arg(&file);
    let status = measuring.status().await.context("running cargo bench");
    postgres.stop().await;
    services::remove_postgres(&data)?;
    ensure!(
        status?.success(),
        "the measuring failed; its own message is above"
    );
    // Of its own: the product as it is served, with few tenants.
    let neighbours = neighbours::run(workspace).await?;
    let text = std::fs::read(&file).context("reading the figures")?;
    let mut saved: serde_json::Value = serde_json::from_slice(&text)?;
    if let Some(figures) = saved["figures"].as_array_mut() {
        figures.push(neighbours);
    }
    std::fs::write(&file, serde_json::to_vec_pretty(&saved)?)?;
    println!("\nSaved in {}", file.display());
    Ok(())
}
