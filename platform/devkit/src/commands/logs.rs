//! `./dev logs`.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::files;
use crate::workspace::Workspace;

/// What `./dev logs` is asked for.
#[derive(Debug, clap::Args)]
pub struct LogsOptions {
    /// Only this process' log (`serve`, `worker`, `postgres`, …).
    name: Option<String>,
    /// Stay and show what is added.
    #[arg(short, long)]
    follow: bool,
    /// How many lines of each log.
    #[arg(short = 'n', long, default_value_t = 40)]
    lines: usize,
}

/// Shows the end of one log or of all.
///
/// # Errors
/// There is no such log.
pub fn run(workspace: &Workspace, options: &LogsOptions) -> anyhow::Result<ExitCode> {
    let mut logs = known(workspace)?;
    if let Some(name) = &options.name {
        let names = logs.keys().cloned().collect::<Vec<_>>().join(", ");
        let Some(log) = logs.remove(name) else {
            bail!("there is no log of `{name}`; there are: {names}");
        };
        logs = BTreeMap::from([(name.clone(), log)]);
    }
    if logs.is_empty() {
        bail!("there are no logs yet; `./dev up` writes them");
    }
    if options.follow {
        let error = Command::new("tail")
            .arg("-n")
            .arg(options.lines.to_string())
            .arg("-F")
            .args(logs.values())
            .exec();
        return Err(error).context("running tail");
    }
    for (name, log) in &logs {
        println!(
            "== {name} ({})\n{}\n",
            log.display(),
            files::tail(log, 0, options.lines)
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Logs by name: those under `.dev/logs/` and the services' own.
fn known(workspace: &Workspace) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut logs = BTreeMap::new();
    for entry in workspace.ledger().entries()? {
        logs.insert(entry.name, entry.log);
    }
    for file in std::fs::read_dir(workspace.dev("logs"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let path = file.path();
        if path.extension().is_some_and(|extension| extension == "log")
            && let Some(name) = path.file_stem().and_then(|stem| stem.to_str())
        {
            logs.insert(name.to_owned(), path);
        }
    }
    Ok(logs)
}
