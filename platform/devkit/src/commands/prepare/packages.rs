//! Which crates of the workspace hold checked queries. Only those are compiled
//! again: the others, and what only they depend on, would take minutes more.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::workspace::Workspace;

use crate::commands::metadata;

/// The macros that read the database; the others are `_unchecked` or plain
/// functions.
const MACROS: [&str; 5] = [
    "query!",
    "query_as!",
    "query_scalar!",
    "query_file!",
    "query_file_as!",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
}

/// The names of the crates that use a checked query anywhere.
pub(super) async fn with_queries(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let metadata: Metadata = metadata(workspace).await?;
    let mut found = Vec::new();
    for package in metadata.packages {
        let directory = package
            .manifest_path
            .parent()
            .context("a manifest without directory")?;
        // This crate only speaks of the macros.
        let is_this = package.name == env!("CARGO_PKG_NAME");
        if !is_this && mentions_queries(directory)? {
            found.push(package.name);
        }
    }
    ensure!(!found.is_empty(), "no crate has a checked query");
    Ok(found)
}

fn mentions_queries(directory: &Path) -> std::io::Result<bool> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let found = if path.is_dir() {
            mentions_queries(&path)?
        } else {
            path.extension().is_some_and(|extension| extension == "rs")
                && has_macro(&fs::read_to_string(&path)?)
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_macro(source: &str) -> bool {
    MACROS.iter().any(|name| source.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_checked_queries_count() {
        assert!(has_macro("let row = sqlx::query_as!(Row, \"SELECT 1\")"));
        assert!(!has_macro("sqlx::query(\"SELECT 1\")"));
        assert!(!has_macro("sqlx::query_unchecked!(\"SELECT 1\")"));
    }
}
