//! `./dev psql`.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::services::{find_program, postgres_program};
use crate::workspace::Workspace;

/// Replaces this process by `psql` on the development database.
///
/// # Errors
/// The database does not run, or `psql` is not installed.
pub fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let [database, ..] = workspace.services().running()?;
    let database = database.context(
        "no database runs; start one with `./dev up` or `./dev services start`, or set DATABASE_URL",
    )?;
    let psql = match find_program(&["psql"]) {
        Some(psql) => psql,
        None => postgres_program("psql", None)?,
    };
    let error = Command::new(&psql).arg(database).args(arguments).exec();
    Err(error).with_context(|| format!("running {}", psql.display()))
}
