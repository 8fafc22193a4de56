//! `./dev prepare`: regenerates `.sqlx` and the baseline of a tenant's schema.
//!
//! The query macros describe each query on a live database when one is given,
//! and write what they learned into `SQLX_OFFLINE_DIR`. So the crates that have
//! queries are compiled once more, against a migrated database of a throw-away
//! cluster.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::files;
use crate::progress;
use crate::services::{PostgresOptions, PrivatePostgres};
use crate::workspace::Workspace;

use super::{cargo, interrupted, succeed};

mod baseline;
mod migrate;
mod packages;

/// The schemas in which the macros see tenant tables, platform tables and
/// extensions without qualification.
const SEARCH_PATH: &str = "options=-c%20search_path%3Dtenant_template,platform,public";

/// Regenerates `.sqlx`, or with `only_check` compares it.
///
/// # Errors
/// The database, the migration or the build failed, or `.sqlx` differs.
pub async fn run(workspace: &Workspace, only_check: bool) -> anyhow::Result<ExitCode> {
    progress::heading("Preparing a database");
    let place = tempfile::Builder::new()
        .prefix("berth-prepare-")
        .tempdir()?;
    open_to_postgres(place.path())?;
    let cluster = place.path().join("postgres");
    let start = PrivatePostgres::start(&cluster, PostgresOptions::default());
    let mut postgres = progress::timed("Postgres", start).await?;
    let outcome = tokio::select! {
        outcome = prepare(workspace, &postgres, place.path(), only_check) => outcome,
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    postgres.stop().await;
    outcome
}

async fn prepare(
    workspace: &Workspace,
    postgres: &PrivatePostgres,
    place: &Path,
    only_check: bool,
) -> anyhow::Result<ExitCode> {
    let url = postgres.ensure_database("prepare").await?;
    migrate::run(workspace, &url, place).await?;
    baseline::renew(workspace, &url, only_check).await?;
    progress::heading("Describing the queries");
    let fresh = place.join("sqlx");
    fs::create_dir(&fresh)?;
    describe(workspace, &format!("{url}?{SEARCH_PATH}"), place, &fresh).await?;
    let kept = workspace.root().join(".sqlx");
    let difference = Difference::between(&read(&kept)?, &read(&fresh)?);
    if only_check {
        return difference.report(".sqlx");
    }
    difference.apply(&fresh, &kept)?;
    progress::note(&format!(
        ".sqlx: {} queries, {} new or changed, {} removed",
        read(&kept)?.len(),
        difference.changed.len(),
        difference.stale.len()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Compiles every crate with queries once more, with the database at hand.
///
/// Cargo sees no reason to compile unchanged crates again, but only compiling
/// expands macros. A compiler wrapper it has not met makes it do so, for our
/// own crates only: what they depend on is shared with `./dev check`.
async fn describe(
    workspace: &Workspace,
    url: &str,
    place: &Path,
    into: &Path,
) -> anyhow::Result<()> {
    let wrapper = place.join("rustc");
    files::write_atomic(&wrapper, b"#!/bin/sh\nexec \"$@\"\n", 0o755)?;
    let mut command = cargo(workspace, &["check", "--all-targets"]);
    for package in packages::with_queries(workspace).await? {
        command.args(["-p", &package]);
    }
    command
        .env("DATABASE_URL", url)
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", into)
        .env("RUSTC_WORKSPACE_WRAPPER", wrapper)
        .env("CARGO_INCREMENTAL", "0");
    let status = command.status().await.context("running cargo")?;
    succeed("cargo check", status)
}

/// A temporary directory is closed to others, but Postgres may run as another
/// user.
fn open_to_postgres(place: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(
        place,
        fs::Permissions::from_mode(0o755),
    )?)
}

/// The query files of a directory by name; none where it does not exist.
fn read(directory: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut queries = BTreeMap::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("query-") {
            queries.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(queries)
}

/// What separates the kept query files from the fresh ones.
#[derive(Debug, PartialEq, Eq)]
struct Difference {
    changed: Vec<String>,
    stale: Vec<String>,
}

impl Difference {
    fn between(kept: &BTreeMap<String, Vec<u8>>, fresh: &BTreeMap<String, Vec<u8>>) -> Self {
        let changed = fresh
            .iter()
            .filter(|(name, query)| kept.get(*name) != Some(query));
        let stale = kept.keys().filter(|name| !fresh.contains_key(*name));
        Self {
            changed: changed.map(|(name, _)| name.clone()).collect(),
            stale: stale.cloned().collect(),
        }
    }

    fn apply(&self, fresh: &Path, kept: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(kept)?;
        for name in &self.stale {
            fs::remove_file(kept.join(name))?;
        }
        for name in &self.changed {
            fs::copy(fresh.join(name), kept.join(name))?;
        }
        Ok(())
    }

    fn report(&self, directory: &str) -> anyhow::Result<ExitCode> {
        if self.changed.is_empty() && self.stale.is_empty() {
            progress::note(&format!("{directory} is what the code needs"));
            return Ok(ExitCode::SUCCESS);
        }
        let list = |names: &[String]| {
            names
                .iter()
                .map(|name| format!("\n    {name}"))
                .collect::<String>()
        };
        bail!(
            "{directory} is not what the code needs; run `./dev prepare` and commit the result\n  \
             missing or changed: {}{}\n  no longer used: {}{}",
            self.changed.len(),
            list(&self.changed),
            self.stale.len(),
            list(&self.stale)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_applied_and_then_gone() {
        let dir = tempfile::tempdir().unwrap();
        let (kept, fresh) = (dir.path().join("kept"), dir.path().join("fresh"));
        fs::create_dir_all(&kept).unwrap();
        fs::create_dir_all(&fresh).unwrap();
        for (place, name, text) in [
            (&kept, "query-a.json", "same"),
            (&fresh, "query-a.json", "same"),
            (&kept, "query-b.json", "old"),
            (&fresh, "query-b.json", "new"),
            (&kept, "query-c.json", "stale"),
            (&kept, "README", "not a query"),
            (&fresh, "query-d.json", "added"),
        ] {
            fs::write(place.join(name), text).unwrap();
        }
        let difference = Difference::between(&read(&kept).unwrap(), &read(&fresh).unwrap());
        assert_eq!(difference.changed, ["query-b.json", "query-d.json"]);
        assert_eq!(difference.stale, ["query-c.json"]);
        assert!(difference.report(".sqlx").is_err());
        difference.apply(&fresh, &kept).unwrap();
        let after = Difference::between(&read(&kept).unwrap(), &read(&fresh).unwrap());
        assert!(after.report(".sqlx").is_ok());
        assert!(kept.join("README").exists());
    }
}
