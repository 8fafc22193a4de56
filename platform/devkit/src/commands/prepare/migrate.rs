//! The schemas that the query macros look at: `migrations/platform`, and one
//! tenant's tables in the schema `tenant_template`. Beside them one with a role
//! of its own, as tenants have: the baseline is taken from it.
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

use super::baseline::BASELINE;

/// The roles that migrations grant to; `berth migrate` makes them likewise,
/// because roles belong to the whole cluster and not to one database.
const ROLES: [&str; 2] = ["berth_platform", "berth_tenant"];

/// Where the macros see a tenant's tables.
const TEMPLATE: &str = "tenant_template";

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
    let tenant = files(&migrations.join("tenant"))?;
    writeln!(script, "CREATE ROLE {BASELINE} NOLOGIN;")?;
    for schema in [TEMPLATE, BASELINE] {
        writeln!(script, "CREATE SCHEMA {schema};")?;
        if schema == BASELINE {
            script.push_str(&rights_of_tenant());
        }
        writeln!(script, "SET search_path = {schema}, public;")?;
        for file in &tenant {
            writeln!(script, "\\ir '{}'", file.display())?;
        }
    }
    Ok(script)
}

/// What a tenant's role may do in its schema, unless a file says otherwise.
fn rights_of_tenant() -> String {
    format!(
        "GRANT USAGE ON SCHEMA {BASELINE} TO {BASELINE};\n\
         ALTER DEFAULT PRIVILEGES IN SCHEMA {BASELINE} \
         GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {BASELINE};\n\
         ALTER DEFAULT PRIVILEGES IN SCHEMA {BASELINE} GRANT USAGE ON SEQUENCES TO {BASELINE};\n"
    )
}

/// The `.sql` files of a directory in their order, which their names give.
pub(super) fn files(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
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
