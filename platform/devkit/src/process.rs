//! Starting a process with a log, waiting until it is ready, and ending it.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use crate::files;
use crate::ledger::{Entry, Ledger};

mod identity;

pub(crate) use identity::descendants;
pub use identity::{Identity, Stopped};
use identity::{KILL_GRACE, POLL};

/// Lines of a log shown in an error.
const TAIL_LINES: usize = 25;

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The program or its log file cannot be opened, or the ledger not written.
    #[error("{name} could not be started ({program}): {source}")]
    Spawn {
        /// The process' name.
        name: String,
        /// The program's path.
        program: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It ended, or was not ready in time.
    #[error("{name} {reason}\n  log: {log}\n{tail}")]
    NotReady {
        /// The process' name.
        name: String,
        /// What was seen.
        reason: String,
        /// The log's path.
        log: String,
        /// The log's last lines, indented.
        tail: String,
    },
}

/// The signal that asks a program to end in an orderly way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopSignal {
    /// SIGTERM, for most.
    Terminate,
    /// SIGINT: Postgres' fast shutdown, which does not wait for its clients.
    Interrupt,
}

impl StopSignal {
    const fn signal(self) -> Signal {
        match self {
            Self::Terminate => Signal::SIGTERM,
            Self::Interrupt => Signal::SIGINT,
        }
    }
}

/// When a process is ended, relative to the others: later stages first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Erlang's name server, which brokers need until their end.
    NameServer,
    /// Postgres, Redis, RabbitMQ.
    Service,
    /// Mailbox and Stripe emulator.
    Tool,
    /// The product's own processes.
    Product,
    /// The `./dev up` that watches over all of them.
    Supervisor,
}

/// Who ends the processes that are started.
#[derive(Debug, Clone)]
pub enum Lifetime {
    /// The value that started them: they end when it is dropped, and share the
    /// caller's process group, so that a killed test takes them along.
    Owned,
    /// Whoever reads the ledger: they outlive this process, in a group of their
    /// own, so that Ctrl-C reaches only the one that stops them in order.
    Recorded(Ledger),
}

/// What to start.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The name in ledger and messages.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its environment: only these, where `inherit` is false.
    pub environment: Vec<(String, String)>,
    /// Whether the caller's environment is passed on too.
    pub inherit: bool,
    /// Its working directory.
    pub directory: PathBuf,
    /// Where its output goes (appended).
    pub log: PathBuf,
    /// The port it answers on.
    pub port: Option<u16>,
    /// How it is asked to end.
    pub stop: StopSignal,
    /// How long it may take to end.
    pub grace: Duration,
    /// When it is ended, relative to the others.
    pub stage: Stage,
}

/// A started process.
#[derive(Debug)]
pub struct Process {
    entry: Entry,
    child: tokio::process::Child,
    log_start: u64,
    owned: bool,
}

impl Process {
    /// Starts a process, recording it before anything else is awaited.
    ///
    /// # Errors
    /// The program, its log or the ledger cannot be used.
    pub fn spawn(spec: &Spec, lifetime: &Lifetime) -> Result<Self, StartError> {
        let failed = |source| StartError::Spawn {
            name: spec.name.clone(),
            program: spec.program.display().to_string(),
            source,
        };
        let log = File::options()
            .create(true)
            .append(true)
            .open(&spec.log)
            .map_err(failed)?;
        let log_start = log.metadata().map_err(failed)?.len();
        let child = command(spec, lifetime, log).and_then(|mut command| command.spawn());
        let child = child.map_err(failed)?;
        let identity = child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(Identity::of)
            .ok_or_else(|| failed(io::Error::other("/proc shows no such process")))?;
        let entry = Entry {
            name: spec.name.clone(),
            identity,
            port: spec.port,
            log: spec.log.clone(),
            stop: spec.stop,
            grace_seconds: spec.grace.as_secs(),
            stage: spec.stage,
        };
        let owned = matches!(lifetime, Lifetime::Owned);
        let process = Self {
            entry,
            child,
            log_start,
            owned,
        };
        if let Lifetime::Recorded(ledger) = lifetime
            && let Err(source) = ledger.record(process.entry.clone())
        {
            process.entry.identity.kill_tree();
            return Err(failed(source));
        }
        Ok(process)
    }

    /// Which process it is.
    #[must_use]
    pub const fn identity(&self) -> Identity {
        self.entry.identity
    }

    /// Its ledger entry.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Waits until `probe` succeeds.
    ///
    /// # Errors
    /// The process ended, or the deadline passed; with the end of its log.
    pub async fn wait_ready<F, R>(&mut self, within: Duration, probe: F) -> Result<(), StartError>
    where
        F: Fn() -> R,
        R: Future<Output = bool>,
    {
        let deadline = Instant::now() + within;
        loop {
            if probe().await {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait().ok().flatten() {
                return Err(self.not_ready(format!("ended while starting ({status})")));
            }
            if Instant::now() >= deadline {
                return Err(self.not_ready(format!("was not ready within {within:?}")));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Whether it has written `words` near the end of its log since it started.
    #[must_use]
    pub fn has_said(&self, words: &str) -> bool {
        files::tail(&self.entry.log, self.log_start, usize::MAX).contains(words)
    }

    /// An error about this process with the end of its log.
    #[must_use]
    pub fn not_ready(&self, reason: String) -> StartError {
        let tail = files::tail(&self.entry.log, self.log_start, TAIL_LINES);
        let tail = if tail.is_empty() {
            "(it wrote nothing)".to_owned()
        } else {
            tail
        };
        StartError::NotReady {
            name: self.entry.name.clone(),
            reason,
            log: self.entry.log.display().to_string(),
            tail: tail.lines().map(|line| format!("  | {line}\n")).collect(),
        }
    }

    /// Asks it to end, and after its grace makes it.
    pub async fn stop(&mut self) -> Stopped {
        let stopped = self.entry.stop().await;
        self.reap();
        stopped
    }

    /// Kills it and its descendants (SIGKILL) and waits until they are gone.
    pub async fn kill(&mut self) {
        let identity = self.entry.identity;
        let descendants = descendants(identity.pid);
        identity.kill_tree();
        for gone in descendants.into_iter().chain([identity]) {
            gone.wait_gone(KILL_GRACE).await;
        }
        self.reap();
    }

    /// Collects the exit status, so that no zombie stays behind.
    fn reap(&mut self) {
        // Nothing follows from a failure: the process is not ours any more.
        drop(self.child.try_wait());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.owned {
            return;
        }
        match self.entry.stop {
            // Postgres leaves shared memory behind when it is killed outright;
            // SIGQUIT is its immediate shutdown.
            StopSignal::Interrupt => self.entry.identity.signal(Signal::SIGQUIT),
            StopSignal::Terminate => self.entry.identity.signal(Signal::SIGKILL),
        };
    }
}

fn command(spec: &Spec, lifetime: &Lifetime, log: File) -> io::Result<tokio::process::Command> {
    let mut command = tokio::process::Command::new(&spec.program);
    command.args(&spec.arguments).current_dir(&spec.directory);
    if !spec.inherit {
        command.env_clear();
    }
    command.envs(spec.environment.iter().cloned());
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    if matches!(lifetime, Lifetime::Recorded(_)) {
        command.process_group(0);
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn spec(dir: &Path, script: &str) -> Spec {
        Spec {
            name: "sample".to_owned(),
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: Vec::new(),
            inherit: true,
            directory: dir.to_owned(),
            log: dir.join("sample.log"),
            port: None,
            stop: StopSignal::Terminate,
            grace: Duration::from_millis(400),
            stage: Stage::Tool,
        }
    }

    /// True once the script has written `word` to its log, so its traps are set.
    async fn said(process: &mut Process, word: &str) {
        let log = process.entry().log.clone();
        let probe = || async { files::tail(&log, 0, 9).contains(word) };
        process
            .wait_ready(Duration::from_secs(20), probe)
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn an_identity_with_another_start_time_is_never_signalled() {
        let dir = tempfile::tempdir().unwrap();
        let process =
            Process::spawn(&spec(dir.path(), "exec sleep 600"), &Lifetime::Owned).unwrap();
        let other = Identity {
            started: process.identity().started + 1,
            ..process.identity()
        };
        assert!(!other.is_alive());
        assert!(!other.signal(Signal::SIGKILL));
        assert!(process.identity().is_alive());
    }

    #[tokio::test]
    async fn a_process_that_ignores_sigterm_is_killed_after_its_grace() {
        let dir = tempfile::tempdir().unwrap();
        let script = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
        let mut process = Process::spawn(&spec(dir.path(), script), &Lifetime::Owned).unwrap();
        said(&mut process, "ready").await;
        assert_eq!(process.stop().await, Stopped::Killed);
        assert!(!process.identity().is_alive());
        assert_eq!(process.stop().await, Stopped::WasGone);
    }

    #[tokio::test]
    async fn a_kill_takes_the_children_along() {
        let dir = tempfile::tempdir().unwrap();
        let script = "sleep 600 & echo child=$!; wait";
        let mut process = Process::spawn(&spec(dir.path(), script), &Lifetime::Owned).unwrap();
        said(&mut process, "child=").await;
        let below = descendants(process.identity().pid);
        assert_eq!(below.len(), 1);
        process.kill().await;
        assert!(!process.identity().is_alive());
        assert!(!below[0].is_alive());
    }

    #[tokio::test]
    async fn a_process_that_ends_while_starting_is_reported_with_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let script = "echo the disk is full; exit 3";
        let mut process = Process::spawn(&spec(dir.path(), script), &Lifetime::Owned).unwrap();
        let error = process
            .wait_ready(Duration::from_secs(20), async || false)
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(text.contains("exit status: 3"), "{text}");
        assert!(text.contains("the disk is full"), "{text}");
    }

    #[tokio::test]
    async fn dropping_an_owned_process_ends_it() {
        let dir = tempfile::tempdir().unwrap();
        let process =
            Process::spawn(&spec(dir.path(), "exec sleep 600"), &Lifetime::Owned).unwrap();
        let identity = process.identity();
        drop(process);
        assert!(identity.wait_gone(Duration::from_secs(10)).await);
    }
}
