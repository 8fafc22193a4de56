//! The baseline: what all of `migrations/tenant` come to, as one file that a new
//! tenant's schema is made from.
//!
//! Taken with `pg_dump` from a schema that the files made, and stripped of what
//! concerns the dump and not the schema.

use std::fs;

use anyhow::{Context, bail, ensure};
use tokio::process::Command;

use crate::files;
use crate::progress;
use crate::services::postgres_program;
use crate::workspace::Workspace;

use super::migrate;

/// What schema and role are called in the file; each tenant has names of its own.
pub(super) const BASELINE: &str = "tenant_baseline";

/// Writes the file, or with `only_check` compares it.
pub(super) async fn renew(
    workspace: &Workspace,
    url: &str,
    only_check: bool,
) -> anyhow::Result<()> {
    let migrations = workspace.root().join("migrations");
    let newest = migrate::files(&migrations.join("tenant"))?.pop();
    let version = newest
        .as_deref()
        .and_then(|file| file.file_name()?.to_str()?.split('_').next()?.parse().ok());
    let version: i64 = version.context("the newest migration has no number")?;
    let text = format!(
        "-- Version {version} of a tenant's schema, as one. Made by `./dev prepare` from the files in\n\
         -- `tenant`, which say why; not edited.\n{}",
        strip(&dump(url).await?)
    );
    let path = migrations.join("tenant_baseline.sql");
    if fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
        return Ok(());
    }
    if only_check {
        bail!(
            "{} is not what the files make; run `./dev prepare`",
            path.display()
        );
    }
    files::write_atomic(&path, text.as_bytes(), 0o644)?;
    progress::note("migrations/tenant_baseline.sql: renewed");
    Ok(())
}

async fn dump(url: &str) -> anyhow::Result<String> {
    let mut command = Command::new(postgres_program("pg_dump", None)?);
    command.args(["--no-owner", "--inserts", "-n", BASELINE, "-d", url]);
    let output = command.output().await.context("running pg_dump")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "pg_dump failed:\n{complaint}");
    Ok(String::from_utf8(output.stdout)?)
}

/// The statements that make the schema. The bodies of functions stay as they are: they are data.
fn strip(dump: &str) -> String {
    let mut kept = String::new();
    let mut quote = None;
    for line in dump.lines() {
        let body = quote.is_some();
        for tag in ["$$", "$_$"] {
            let marks = line.matches(tag).count();
            if marks % 2 == 1 && quote.is_none_or(|open| open == tag) {
                quote = if quote.is_none() { Some(tag) } else { None };
            }
        }
        if body || !is_about_the_dump(line) {
            kept.push_str(&without_owner(line));
            kept.push('\n');
        }
    }
    kept
}

fn is_about_the_dump(line: &str) -> bool {
    let starts = ["--", "\\", "SET ", "SELECT pg_catalog.set_config("];
    line.trim().is_empty() || starts.iter().any(|start| line.starts_with(start))
}

/// Default rights are for what the migrator makes, whoever that is.
fn without_owner(line: &str) -> String {
    const START: &str = "ALTER DEFAULT PRIVILEGES ";
    let rest = line
        .strip_prefix(START)
        .and_then(|rest| rest.strip_prefix("FOR ROLE "));
    match rest.and_then(|rest| rest.split_once(' ')) {
        Some((_owner, rest)) => format!("{START}{rest}"),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_the_dump_goes_and_bodies_stay() {
        let dump = "\\restrict x\n--\nSET row_security = off;\n\nCREATE FUNCTION s.f() AS $$\nBEGIN\n    -- why\n\n\
                    SET x = 1;\nEND\n$$;\n-- end\nCREATE TABLE s.t (\n    id int\n);\n\
                    ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA s GRANT SELECT ON TABLES TO s;\n";
        assert_eq!(
            strip(dump),
            "CREATE FUNCTION s.f() AS $$\nBEGIN\n    -- why\n\nSET x = 1;\nEND\n$$;\n\
             CREATE TABLE s.t (\n    id int\n);\n\
             ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO s;\n"
        );
    }
}
