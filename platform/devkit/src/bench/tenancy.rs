//! What many tenants cost: `platform/tenancy/benches/fleet`, on a cluster of its own that syncs every
//! commit to disk.

use std::path::Path;

use anyhow::{Context, ensure};

use super::stage::{self, Limits, Stage};
use super::{dropped, neighbours, warm};
use crate::commands::cargo;
use crate::files;
use crate::progress;
use crate::services::{self, Durability, PostgresOptions, PrivatePostgres};
use crate::workspace::Workspace;

/// Logins of the fleet: as many as there are unless it is said.
const BUCKETS: &str = "32";

/// Megabytes that hold the catalogs of so many tenants, as whoever runs them gives Postgres: a tenant takes
/// some 0.63 MB there, and what is not held is read anew for each request.
const fn buffers_mb(tenants: usize) -> usize {
    512 + tenants * 6 / 10
}

/// Measures, prints the table and saves the figures.
///
/// # Errors
/// Something did not start, a stage failed, or a figure is not what is aimed for.
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
            // A backend keeps open what it has read: some ten files a tenant.
            "max_files_per_process=10000".to_owned(),
        ],
        ..PostgresOptions::default()
    };
    let start = PrivatePostgres::start(&data, options);
    let mut postgres = progress::timed("Postgres", start).await?;
    let file = directory.join("tenancy.json");
    if let Err(error) = fleet(workspace, &postgres, tenants, &file).await {
        postgres.stop().await;
        return Err(error);
    }
    // Then the product as it is served to them.
    let buckets = [("BERTH_DATABASE_BUCKETS", BUCKETS)];
    let mut stage = Stage::over(workspace, Limits::None, postgres, &buckets).await?;
    let mut figures = warm::run(&stage).await?;
    stage.limit(Limits::Tenants).await?;
    figures.push(neighbours::run(&stage).await?);
    stage.strike().await;
    services::remove_postgres(&data)?;
    figures.push(dropped::run(workspace).await?);
    let missed = add(&file, figures)?;
    println!("\nSaved in {}", file.display());
    ensure!(missed.is_empty(), "missed: {}", missed.join("; "));
    Ok(())
}

/// Makes the tenants and measures what they cost beneath the product.
async fn fleet(
    workspace: &Workspace,
    postgres: &PrivatePostgres,
    tenants: usize,
    file: &Path,
) -> anyhow::Result<()> {
    let url = postgres.ensure_database("berth").await?;
    let secrets = stage::secrets(workspace)?;
    progress::heading("Measuring");
    let mut measuring = cargo(
        workspace,
        &["bench", "-p", "berth-tenancy", "--bench", "fleet", "--"],
    );
    measuring
        .arg(&url)
        .args(["--tenants", &tenants.to_string(), "--json"])
        .arg(file)
        .env("BERTH_BUCKET_SECRET_FILE", secrets.bucket_secret_file);
    let status = measuring.status().await.context("running cargo bench")?;
    ensure!(
        status.success(),
        "the measuring failed; its own message is above"
    );
    Ok(())
}

/// Adds to the figures that are saved; the names of all that missed their aim.
fn add(file: &Path, figures: Vec<serde_json::Value>) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read(file).context("reading the figures")?;
    let mut saved: serde_json::Value = serde_json::from_slice(&text)?;
    if let Some(all) = saved["figures"].as_array_mut() {
        all.extend(figures);
    }
    files::write_json(file, &saved).context("saving the figures")?;
    let all = saved["figures"].as_array().into_iter().flatten();
    let missed = all.filter(|figure| figure["met"] == false);
    Ok(missed
        .filter_map(|figure| figure["name"].as_str().map(str::to_owned))
        .collect())
}
