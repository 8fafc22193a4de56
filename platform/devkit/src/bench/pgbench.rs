//! The ceiling: Postgres' own load generator on the same cluster.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};

use super::stage::Stage;
use crate::services::postgres_program;

/// What pgbench does over and over.
#[derive(Debug, Clone)]
pub(super) struct Ceiling {
    /// The schema that unqualified names are found in.
    pub schema: String,
    /// Statements, with pgbench's own commands and variables.
    pub script: String,
}

/// What it reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached {
    /// Transactions a second.
    pub rate: f64,
    /// Mean milliseconds of one.
    pub mean_ms: f64,
}

/// Runs the script for `seconds`.
///
/// # Errors
/// pgbench is missing, or a statement failed.
pub(super) async fn run(
    stage: &Stage,
    ceiling: &Ceiling,
    connections: usize,
    seconds: Duration,
) -> anyhow::Result<Reached> {
    let script = tempfile::NamedTempFile::new().context("making a script")?;
    std::fs::write(script.path(), &ceiling.script).context("writing a script")?;
    let clients = connections.to_string();
    let output = tokio::process::Command::new(postgres_program("pgbench", None)?)
        .args(["-n", "-M", "prepared", "-c", &clients, "-j", "2"])
        .args(["-T", &seconds.as_secs().max(1).to_string()])
        .arg("-f")
        .arg(script.path())
        .arg(stage.database_url())
        .env(
            "PGOPTIONS",
            format!("-c search_path={},platform,public", ceiling.schema),
        )
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("running pgbench")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    let (rate, mean) = (
        figure(&printed, "tps = "),
        figure(&printed, "latency average = "),
    );
    let failed = figure(&printed, "number of failed transactions: ").unwrap_or(0.0) > 0.0;
    match (rate, mean) {
        (Some(rate), Some(mean_ms)) if output.status.success() && !failed => {
            Ok(Reached { rate, mean_ms })
        }
        _ => bail!("pgbench failed:\n{printed}{complaint}"),
    }
}

fn figure(text: &str, before: &str) -> Option<f64> {
    let (_, rest) = text.split_once(before)?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_in_what_pgbench_prints() {
        let printed = "number of failed transactions: 0 (0.000%)\nlatency average = 1.402 ms\n\
                       tps = 5707.119 (without initial connection time)\n";
        assert_eq!(figure(printed, "tps = "), Some(5707.119));
        assert_eq!(figure(printed, "latency average = "), Some(1.402));
        assert_eq!(
            figure(printed, "number of failed transactions: "),
            Some(0.0)
        );
        assert_eq!(figure("nothing", "tps = "), None);
    }
}
