//! The schema that the query macros look at: `migrations/platform`, and one
//! tenant's tables in the schema `tenant_template`.
//!
//! The files are applied directly rather than by `berth migrate`: a query over
//! a table that a new migration makes does not compile until `.sqlx` knows it,
//! so at this moment there may be no `berth` to run.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tokio::process::Command;

use crate::progress;
use crate::services::postgres_program;
use crate::workspace::Workspace;

/// The roles that migrations grant to; `berth migrate` makes them likewise,
/// because roles belong to the whole cluster and not to one database.
const ROLES: [&str; 2] = ["berth_platform", "berth_tenant"];

/// Applies every migration to an empty database.
pub(super) async fn run(workspace: &Workspace, url: &str, place: &Path) -> anyhow::Result<()> {
    let script = place.join("migrate.sql");
    fs::write(&script, script_of(&workspace.root().join("migrations"))?)?;
    progress::timed("migrations", apply(&script, url)).await
}

/// All files as one `psql` script; `\ir` keeps file names and line numbers in
/// its errors.
fn script_of(migrations: &Path) -> anyhow::Result<String> {
    let mut script = String::new();
    for role in ROLES {
        writeln!(script, "CREATE ROLE {role} NOLOGIN;")?;
    }
    writeln!(script, "CREATE SCHEMA IF NOT EXISTS platform;")?;
    for file in files(&migrations.join("platform"))? {
        writeln!(script, "\\ir '{}'", file.display())?;
    }
    writeln!(script, "CREATE SCHEMA tenant_template;")?;
    writeln!(script, "SET search_path = tenant_template, public;")?;
    for file in files(&migrations.join("tenant"))? {
        writeln!(script, "\\ir '{}'", file.display())?;
    }
    Ok(script)
}

/// The `.sql` files of a directory in their order, which their names give.
fn files(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listing =
        fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))?;
    let mut files = listing
        .map(|file| Ok(file?.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    ensure!(
        !files.is_empty(),
        "{} holds no migration",
        directory.display()
    );
    Ok(files)
}

async fn apply(script: &Path, url: &str) -> anyhow::Result<()> {
    let mut command = Command::new(postgres_program("psql", None)?);
    command
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-f"])
        .arg(script);
    let output = command.output().await.context("running psql")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "a migration failed:\n{complaint}");
    Ok(())
}
