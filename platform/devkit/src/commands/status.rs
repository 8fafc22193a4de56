//! `./dev status`.

use std::process::ExitCode;

use crate::endpoints::Endpoints;
use crate::environment::Role;
use crate::ledger::Entry;
use crate::process::Stage;
use crate::services::answers;
use crate::workspace::Workspace;

use super::up::is_ready;

/// Prints each process, its port and whether it answers. The exit code is 0
/// when all that was started runs and answers, 1 otherwise.
///
/// # Errors
/// The ledger or the endpoints cannot be read.
pub async fn run(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    let entries = workspace.ledger().entries()?;
    let shown: Vec<&Entry> = entries
        .iter()
        .filter(|entry| entry.stage != Stage::Supervisor)
        .collect();
    if shown.is_empty() {
        println!("nothing was started; `./dev up` starts everything");
        return Ok(ExitCode::FAILURE);
    }
    let mut healthy = true;
    println!(
        "{:<12} {:>8} {:>6}  {:<14} log",
        "process", "pid", "port", "state"
    );
    for entry in shown {
        let state = state(entry).await;
        healthy &= state.is_good();
        let port = entry.port.map_or_else(String::new, |port| port.to_string());
        println!(
            "{:<12} {:>8} {:>6}  {:<14} {}",
            entry.name,
            entry.identity.pid,
            port,
            state.text(),
            entry.log.display()
        );
    }
    if healthy && let Some(endpoints) = Endpoints::load(workspace)? {
        println!(
            "\nAPI {}\nPortal {}\nMailbox {}",
            endpoints.api, endpoints.portal, endpoints.mailbox
        );
    }
    Ok(if healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

enum State {
    Ended,
    Silent,
    Unready,
    Answers,
}

impl State {
    const fn is_good(&self) -> bool {
        matches!(self, Self::Answers)
    }

    const fn text(&self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Silent => "does not answer",
            Self::Unready => "not ready",
            Self::Answers => "answers",
        }
    }
}

async fn state(entry: &Entry) -> State {
    if !entry.identity.is_alive() {
        return State::Ended;
    }
    let Some(port) = entry.port else {
        return State::Answers;
    };
    if !answers(&entry.name, port).await {
        return State::Silent;
    }
    if entry.name == Role::Serve.name() && !is_ready(port).await {
        return State::Unready;
    }
    State::Answers
}
