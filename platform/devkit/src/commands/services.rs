//! `./dev services`.

use std::process::ExitCode;

use crate::process::Stage;
use crate::progress;
use crate::services::Urls;
use crate::workspace::Workspace;

use super::down;

/// What a second start says while one is at work.
pub(super) const BUSY: &str =
    "another ./dev is starting here; wait for it, or end it with `./dev down`";

/// Starts the three services and prints `export` lines on standard output.
///
/// # Errors
/// One of them did not start.
pub async fn start(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    let lock = workspace.lock("start", BUSY)?;
    progress::heading("Services");
    let Urls {
        database,
        redis,
        amqp,
    } = workspace.services().start().await?;
    drop(lock);
    println!("export DATABASE_URL='{database}'");
    println!("export REDIS_URL='{redis}'");
    println!("export AMQP_URL='{amqp}'");
    Ok(ExitCode::SUCCESS)
}

/// Stops the services, and what runs on them.
///
/// # Errors
/// The ledger cannot be used, or a process survived SIGKILL.
pub async fn stop(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    if down::stop(&workspace.ledger(), Stage::NameServer).await? == 0 {
        progress::note("nothing was running");
    }
    Ok(ExitCode::SUCCESS)
}
