//! One file per command of `./dev`.

pub mod bench;
pub mod check;
pub mod down;
pub mod logs;
pub mod play;
pub mod prepare;
pub mod psql;
pub mod services;
pub mod status;
pub mod test;
pub mod up;

use std::process::ExitStatus;
use std::time::Instant;

use anyhow::{Context, bail};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::progress;
use crate::workspace::Workspace;

/// Waits for Ctrl-C, SIGTERM or the end of the terminal.
pub async fn interrupted() {
    let listen = |kind| async move {
        match signal(kind) {
            Ok(mut signals) => drop(signals.recv().await),
            // Without a handler the signal's default action ends the program.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = listen(SignalKind::interrupt()) => {}
        () = listen(SignalKind::terminate()) => {}
        () = listen(SignalKind::hangup()) => {}
    }
}

/// `cargo`, in the checkout, building without a database.
pub(crate) fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(arguments)
        .current_dir(workspace.root())
        .kill_on_drop(true);
    // A database of somebody's own must not decide what compiles.
    command
        .env("SQLX_OFFLINE", "true")
        .env_remove("DATABASE_URL");
    command
}

/// What cargo knows of the workspace's own crates.
async fn metadata<T: serde::de::DeserializeOwned>(workspace: &Workspace) -> anyhow::Result<T> {
    let arguments = ["metadata", "--no-deps", "--format-version", "1"];
    let output = cargo(workspace, &arguments)
        .output()
        .await
        .context("running cargo metadata")?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("cargo metadata failed:\n{complaint}");
    }
    serde_json::from_slice(&output.stdout).context("reading what cargo metadata printed")
}

/// Builds every program of the workspace, with cargo's own progress; `also` names more targets.
/// Tests are built in the same command as the programs they start: built apart, what only tests
/// need would change the features of what both share, and the slowest crates be built twice.
async fn build(workspace: &Workspace, also: &[&str]) -> anyhow::Result<()> {
    progress::heading("Building");
    let mut command = cargo(workspace, &["build", "--workspace", "--bins"]);
    command.args(also);
    succeed(
        "cargo build",
        command.status().await.context("running cargo")?,
    )
}

/// Builds every program of the workspace as it is shipped.
pub(crate) async fn build_release(workspace: &Workspace) -> anyhow::Result<()> {
    progress::heading("Building what is measured");
    let mut command = cargo(workspace, &["build", "--release", "--workspace", "--bins"]);
    succeed(
        "cargo build --release",
        command.status().await.context("running cargo")?,
    )
}

fn succeed(what: &str, status: ExitStatus) -> anyhow::Result<()> {
    if status.success() {
        return Ok(());
    }
    bail!("{what} failed ({status}); its own message is above")
}

/// Runs one named stage, showing its output and how long it took.
async fn stage(name: &str, mut command: Command) -> anyhow::Result<()> {
    progress::heading(name);
    let started = Instant::now();
    let status = command
        .status()
        .await
        .with_context(|| format!("running {name}"))?;
    let seconds = started.elapsed().as_secs_f64();
    let outcome = if status.success() { "passed" } else { "FAILED" };
    progress::note(&format!("{name}: {outcome} after {seconds:.1} s"));
    succeed(name, status)
}
