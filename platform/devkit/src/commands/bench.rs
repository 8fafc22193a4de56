//! `./dev bench`: how fast the product is beside Postgres alone.

use std::process::ExitCode;

use anyhow::Context;

use super::{build_release, interrupted};
use crate::bench::{self, BenchOptions, Subject};
use crate::workspace::Workspace;

const BUSY: &str =
    "another `./dev bench` runs in this checkout; its figures would be worth nothing";

/// Measures; Ctrl-C ends everything that was started.
///
/// The load generator shares the machine with what it measures: it is this same program, built as
/// the product is shipped.
///
/// # Errors
/// Something did not start, or a request was refused.
pub async fn run(workspace: &Workspace, options: BenchOptions) -> anyhow::Result<ExitCode> {
    if cfg!(debug_assertions) {
        return run_optimised(workspace).await;
    }
    std::fs::create_dir_all(workspace.dev("bench"))?;
    let _lock = workspace.lock("bench/run", BUSY)?;
    tokio::select! {
        done = measure(workspace, options) => done?,
        () = interrupted() => anyhow::bail!("interrupted"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(workspace: &Workspace, options: BenchOptions) -> anyhow::Result<()> {
    match options.subject {
        Some(Subject::Tenancy { tenants }) => bench::tenancy(workspace, tenants).await,
        None => bench::run(workspace, options).await,
    }
}

/// Builds the product and this program for speed, and has that one go on with the same arguments.
async fn run_optimised(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    build_release(workspace).await?;
    let program = workspace.target().join("release/berth-dev");
    let mut measuring = tokio::process::Command::new(&program)
        .args(std::env::args_os().skip(1))
        .current_dir(workspace.root())
        .spawn()
        .with_context(|| format!("running {}", program.display()))?;
    let status = tokio::select! {
        status = measuring.wait() => status?,
        // It got the same signal from the terminal, and ends what it started.
        () = interrupted() => measuring.wait().await?,
    };
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}
