//! `./dev check`: everything that needs no running service.

use std::process::ExitCode;
use std::time::Instant;

use tokio::process::Command;

use crate::progress;
use crate::services::find_program;
use crate::workspace::Workspace;

use super::{cargo, stage};

mod arrows;

/// The version of cargo-deny that `deny.toml` is written for.
const CARGO_DENY: &str = "0.20.2";

/// Runs every stage in turn; the first that fails ends it.
///
/// # Errors
/// A stage failed.
pub async fn run(workspace: &Workspace, online: bool) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    stage("format", cargo(workspace, &["fmt", "--all", "--check"])).await?;
    let lints = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    stage("lints", cargo(workspace, &lints)).await?;
    progress::heading("arrows between crates");
    arrows::check(workspace).await?;
    stage("golden files", golden(workspace)).await?;
    if find_program(&["cargo-deny"]).is_none() {
        // Unoptimised it is built in a third of the time and runs for a second.
        let install = [
            "install",
            "--locked",
            "--debug",
            "cargo-deny",
            "--version",
            CARGO_DENY,
        ];
        stage("installing cargo-deny", apart(workspace, &install)).await?;
    }
    stage("dependency rules", deny(workspace, online)).await?;
    if !online {
        progress::note(
            "advisories were not checked: their database has to be fetched; --online does",
        );
    }
    progress::note(&format!(
        "all checks passed after {:.1} s",
        started.elapsed().as_secs_f64()
    ));
    Ok(ExitCode::SUCCESS)
}

/// The tests that hold documents and events against what is kept; built as `./dev test` builds them,
/// so that neither builds again what the other has built.
fn golden(workspace: &Workspace) -> Command {
    let arguments = [
        "nextest",
        "run",
        "--workspace",
        "--bins",
        "--tests",
        "-E",
        "binary(golden) + binary(matrix)",
    ];
    cargo(workspace, &arguments)
}

fn deny(workspace: &Workspace, online: bool) -> Command {
    let mut arguments = vec!["deny", "--workspace", "check", "--hide-inclusion-graph"];
    arguments.extend(["bans", "licenses", "sources"]);
    if online {
        arguments.push("advisories");
    }
    // A rule may name a crate that only would be allowed.
    arguments.extend(["--allow", "unused-wrapper"]);
    cargo(workspace, &arguments)
}

/// An installation, whose build must not mix with the workspace's.
fn apart(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = cargo(workspace, arguments);
    command.env("CARGO_TARGET_DIR", workspace.target().join("tools"));
    command
}
