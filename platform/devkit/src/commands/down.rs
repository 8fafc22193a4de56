//! `./dev down` and `./dev reset`.

use std::process::ExitCode;

use anyhow::Context;

use crate::ledger::Ledger;
use crate::process::{Stage, Stopped};
use crate::progress;
use crate::workspace::Workspace;

/// Stops everything that was started from this checkout.
///
/// # Errors
/// The ledger cannot be read or written, or a process survived SIGKILL.
pub async fn run(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    let mut stopped = stop(&workspace.ledger(), Stage::NameServer).await?;
    // Services of tests are stopped by their own run; only what a killed one
    // left behind is nobody's.
    if let Ok(_nobody_tests) = workspace.lock("test/run", "tests are running") {
        stopped += stop(&workspace.test_ledger(), Stage::NameServer).await?;
    }
    if stopped == 0 {
        progress::note("nothing was running");
    }
    Ok(ExitCode::SUCCESS)
}

/// Stops everything, then deletes what is under `.dev/`. A database given by
/// URL is left alone.
///
/// # Errors
/// As [`run`], or something cannot be deleted.
pub async fn reset(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    run(workspace).await?;
    workspace.services().remove_data()?;
    workspace.test_services().remove_data()?;
    let directory = workspace.dev("");
    std::fs::remove_dir_all(&directory)
        .with_context(|| format!("deleting {}", directory.display()))?;
    progress::note(&format!("{} is deleted", directory.display()));
    if std::env::var_os("DATABASE_URL").is_some() {
        progress::note("DATABASE_URL is set: that database was not touched");
    }
    Ok(ExitCode::SUCCESS)
}

/// Stops the processes of `from` and later stages, saying what was done to
/// each; returns how many ran.
pub(super) async fn stop(ledger: &Ledger, from: Stage) -> anyhow::Result<usize> {
    let done = ledger
        .stop_from(from)
        .await
        .context("reading or writing pids.json")?;
    let mut survivors = Vec::new();
    for (entry, stopped) in &done {
        let pid = entry.identity.pid;
        match stopped {
            Stopped::Orderly => progress::note(&format!("{} stopped (pid {pid})", entry.name)),
            Stopped::Killed => progress::warning(&format!(
                "{} (pid {pid}) did not stop within {} s and was killed",
                entry.name, entry.grace_seconds
            )),
            Stopped::StillThere => survivors.push(format!("{} (pid {pid})", entry.name)),
            Stopped::WasGone => {}
        }
    }
    anyhow::ensure!(
        survivors.is_empty(),
        "still running after SIGKILL: {}",
        survivors.join(", ")
    );
    Ok(done.len())
}
