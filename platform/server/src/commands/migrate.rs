//! `berth migrate`, `berth drift`, `berth acl`.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use berth_kernel::Clock;
use berth_tenancy::{
    Database, DatabaseSettings, Tenancy, acl,
    lifecycle::Lifecycle,
    migrate::{self, DriftReport, Pace, Progress, Quarantined, Report, Status},
};
use clap::Args;
use serde_json::{Value, json};

use super::tenant::operator as whoever_types;
use crate::settings;

/// How to migrate.
#[derive(Args)]
pub(crate) struct MigrateOptions {
    /// Give the logins the passwords that follow from the present bucket secret first.
    #[arg(long, conflicts_with_all = ["status", "dry_run"])]
    renew_logins: bool,
    /// Say how the fleet stands and what would be done, and do nothing.
    #[arg(long)]
    status: bool,
    /// Try it on every tenant that is behind and take it back, and say who would be in the way. Their
    /// tables are locked for as long as it will take in earnest.
    #[arg(long, conflicts_with = "status")]
    dry_run: bool,
    /// Try tenants in quarantine again.
    #[arg(long)]
    retry: bool,
    /// Tenants migrated side by side.
    #[arg(long, default_value_t = 4)]
    workers: usize,
    /// Percent of a wave that may fail before the run stops.
    #[arg(long, default_value_t = 1)]
    error_budget: usize,
}

/// Brings the database up to date.
pub(crate) async fn migrate(options: &MigrateOptions) -> anyhow::Result<()> {
    let database = settings::database()?;
    let renewed = match options.renew_logins {
        true => migrate::renew_logins(&database).await?,
        false => 0,
    };
    if options.status {
        print_status(&migrate::status(&database).await?);
        return Ok(());
    }
    let pace = Pace {
        workers: options.workers,
        budget_percent: options.error_budget,
        retry: options.retry,
        dry: options.dry_run,
    };
    let told = Mutex::new(Instant::now());
    let progress = |progress: Progress| {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() >= TELL_EVERY || progress.done == progress.all {
            *told = Instant::now();
            print_progress(&progress);
        }
    };
    if !options.dry_run {
        note_begun(&database, options.retry).await;
    }
    let ran = migrate::run(&database, pace, &progress).await;
    // Only now: before the first run there is nowhere to write it down.
    if renewed > 0 {
        let noted = note(
            &database,
            "fleet.logins.renewed",
            &json!({ "logins": renewed }),
        )
        .await;
        // A run that failed says more than that it could not be noted.
        if ran.is_ok() {
            noted?;
        }
    }
    let report = match ran {
        Ok(report) => report,
        Err(error) => {
            // What it did before stays done. Where nothing can be noted, its own error says more.
            let detail = json!({ "reason": error.to_string(), "retry": options.retry });
            if !options.dry_run {
                let _ = note(&database, "fleet.migration_stopped", &detail).await;
            }
            return Err(error).context("the migration failed");
        }
    };
    if options.dry_run {
        return print_dry(&database, &report).await;
    }
    if report.platform + report.tenants + report.quarantined.len() > 0 {
        let detail = json!({
            "platform_files": report.platform, "tenants": report.tenants,
            "quarantined": report.quarantined.len(), "retry": options.retry,
        });
        note(&database, "fleet.migrated", &detail).await?;
    }
    println!(
        "applied {} to the platform, brought {} tenants up to date",
        report.platform, report.tenants
    );
    print_quarantined(&report.quarantined);
    anyhow::ensure!(
        report.quarantined.is_empty(),
        "{} tenants are in quarantine; mend what is in the way and run `berth migrate --retry`",
        report.quarantined.len()
    );
    anyhow::ensure!(
        report.left == 0,
        "{} tenants are behind still: they are on their way to another node, or are being put back; run `berth \
         migrate` again when that is over",
        report.left
    );
    Ok(())
}

/// Writes down that something is about to be done, if there is and that can be written down: a run that is killed says
/// no more.
async fn note_begun(database: &DatabaseSettings, retry: bool) {
    let Ok(status) = migrate::status(database).await else {
        // What is wrong with the database the run itself says.
        return;
    };
    let behind = status.versions.iter();
    let behind: i64 = behind
        .filter(|(version, _)| *version < status.wanted)
        .map(|(_, tenants)| tenants)
        .sum();
    if status.platform_current && behind == 0 {
        return;
    }
    // Before the shared tables are of this release nobody is counted.
    let behind = status.platform_current.then_some(behind);
    let detail = json!({ "to": status.wanted, "behind": behind, "retry": retry });
    if let Err(error) = note(database, "fleet.migration_begun", &detail).await {
        tracing::warn!(
            error = berth_kernel::chain(&*error),
            "it is not written down that a migration begins: {error:#}"
        );
    }
}

/// Writes down what was done to the fleet, and who did it.
async fn note(database: &DatabaseSettings, action: &str, detail: &Value) -> anyhow::Result<()> {
    let tenancy = Tenancy::new(Database::connect(database)?);
    let lifecycle = Lifecycle::new(tenancy, whoever_types(), Clock::System);
    Ok(lifecycle.note(action, detail).await?)
}

/// Says what a run would do, and fails if anybody is in its way.
async fn print_dry(database: &DatabaseSettings, report: &Report) -> anyhow::Result<()> {
    if !migrate::status(database).await?.platform_current {
        println!("the shared tables would be migrated first, which was not tried");
    }
    println!("{} tenants would be brought up to date", report.tenants);
    for one in &report.quarantined {
        println!(
            "in the way: {} would stay at version {} instead of {}: {}",
            one.slug, one.version, one.wanted, one.reason
        );
    }
    anyhow::ensure!(
        report.quarantined.is_empty(),
        "{} tenants would be put in quarantine",
        report.quarantined.len()
    );
    Ok(())
}

/// How often a run says how far it is; besides, it does at the end of each wave.
const TELL_EVERY: Duration = Duration::from_secs(1);

fn print_progress(progress: &Progress) {
    println!(
        "{}: {} of {}, {} failed, {:.0}/s, {} s left",
        progress.wave,
        progress.done,
        progress.all,
        progress.failed,
        progress.rate(),
        progress.left().as_secs()
    );
}

fn print_status(status: &Status) {
    let platform = match status.platform_current {
        true => "are up to date",
        false => "are to be migrated",
    };
    println!("the shared tables {platform}");
    for (version, tenants) in &status.versions {
        let what = match *version < status.wanted {
            true => format!("to be brought to version {}", status.wanted),
            false => "up to date".to_owned(),
        };
        println!("{tenants} tenants at version {version}: {what}");
    }
    print_quarantined(&status.quarantined);
}

fn print_quarantined(quarantined: &[Quarantined]) {
    for one in quarantined {
        println!(
            "in quarantine: {} stays at version {} instead of {}: {}",
            one.slug, one.version, one.wanted, one.reason
        );
    }
}

/// Says where tenants' schemas are not what their files make, and fails if there is any.
pub(crate) async fn drift() -> anyhow::Result<()> {
    let report = migrate::drift(&settings::database()?).await?;
    print_drift(&report);
    anyhow::ensure!(
        report.drifted.is_empty(),
        "{} schemas were changed by hand",
        report.drifted.len()
    );
    Ok(())
}

/// Says where roles and rights are not what isolation rests on, and fails if there is any.
pub(crate) async fn acl() -> anyhow::Result<()> {
    let findings = acl::audit(&settings::database()?).await?;
    for finding in &findings {
        println!("node {}: {}", finding.node, finding.what);
    }
    anyhow::ensure!(
        findings.is_empty(),
        "{} rights are not as they should be",
        findings.len()
    );
    println!("roles and rights are as they should be");
    Ok(())
}

fn print_drift(report: &DriftReport) {
    for tenant in &report.drifted {
        println!("{} ({}):", tenant.slug, tenant.schema);
        for one in &tenant.differences {
            println!("  {one}");
            if let (Some(is), Some(should)) = (&one.is, &one.should) {
                println!("    is      {is}\n    should  {should}");
            }
        }
    }
    println!(
        "{} tenants compared, {} differ; {} at another version were not compared",
        report.compared,
        report.drifted.len(),
        report.other_version
    );
}
