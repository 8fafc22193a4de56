//! `./dev bench`: how fast the product is beside Postgres alone.

use std::process::ExitCode;

use super::interrupted;
use crate::bench::{self, BenchOptions};
use crate::workspace::Workspace;

const BUSY: &str =
    "another `./dev bench` runs in this checkout; its figures would be worth nothing";

/// Measures; Ctrl-C ends everything that was started.
///
/// # Errors
/// Something did not start, or a request was refused.
pub async fn run(workspace: &Workspace, options: BenchOptions) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(workspace.dev("bench"))?;
    let _lock = workspace.lock("bench/run", BUSY)?;
    tokio::select! {
        done = bench::run(workspace, options) => done?,
        () = interrupted() => anyhow::bail!("interrupted"),
    }
    Ok(ExitCode::SUCCESS)
}
