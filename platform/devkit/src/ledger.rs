//! What was started and by which identity, in a file, so that another process
//! (`./dev down`) can end exactly that and nothing else.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::files;
use crate::process::{Identity, Stage, StopSignal, Stopped};

/// One process that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name, unique among those that run.
    pub name: String,
    /// Which process it is.
    #[serde(flatten)]
    pub identity: Identity,
    /// The port it answers on.
    pub port: Option<u16>,
    /// Its log.
    pub log: PathBuf,
    /// How it is asked to end.
    pub stop: StopSignal,
    /// How long it may take to end, in seconds.
    pub grace_seconds: u64,
    /// When it is ended, relative to the others.
    pub stage: Stage,
}

impl Entry {
    /// Asks the process to end, and after its grace makes it.
    pub async fn stop(&self) -> Stopped {
        self.identity
            .stop(self.stop, Duration::from_secs(self.grace_seconds))
            .await
    }
}

/// The file of started processes. Clones share one file and its lock.
#[derive(Debug, Clone)]
pub struct Ledger {
    path: PathBuf,
    writing: Arc<Mutex<()>>,
}

impl Ledger {
    /// The ledger at `path`; the file appears with the first record.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            writing: Arc::default(),
        }
    }

    /// Every recorded process, running or not, in the order of starting.
    ///
    /// # Errors
    /// The file is there but cannot be read.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        Ok(files::read_json(&self.path)?.unwrap_or_default())
    }

    /// The recorded processes that run.
    ///
    /// # Errors
    /// As [`Ledger::entries`].
    pub fn alive(&self) -> io::Result<Vec<Entry>> {
        let mut entries = self.entries()?;
        entries.retain(|entry| entry.identity.is_alive());
        Ok(entries)
    }

    /// The running process of this name.
    ///
    /// # Errors
    /// As [`Ledger::entries`].
    pub fn find(&self, name: &str) -> io::Result<Option<Entry>> {
        Ok(self.alive()?.into_iter().find(|entry| entry.name == name))
    }

    /// Adds a process, in place of an earlier one of that name.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn record(&self, entry: Entry) -> io::Result<()> {
        self.change(|entries| {
            entries.retain(|other| other.name != entry.name);
            entries.push(entry);
        })
    }

    /// Takes a process out, running or not.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn forget(&self, name: &str) -> io::Result<()> {
        self.change(|entries| entries.retain(|entry| entry.name != name))
    }

    /// Ends every recorded process of `from` and later stages, latest stage
    /// first, those of one stage together. Returns what was done to those that
    /// ran; the ones that are gone leave the ledger.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub async fn stop_from(&self, from: Stage) -> io::Result<Vec<(Entry, Stopped)>> {
        let mut entries = self.entries()?;
        entries.retain(|entry| entry.stage >= from && !entry.is_this_process());
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.stage));
        let mut done = Vec::new();
        for stage in entries.chunk_by(|one, other| one.stage == other.stage) {
            let stops = stage.iter().map(Entry::stop);
            done.extend(
                stage
                    .iter()
                    .cloned()
                    .zip(futures::future::join_all(stops).await),
            );
        }
        self.change(|entries| entries.retain(|entry| entry.identity.is_alive()))?;
        done.retain(|(_, stopped)| *stopped != Stopped::WasGone);
        Ok(done)
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Entry>)) -> io::Result<()> {
        let _guard = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = self.entries()?;
        change(&mut entries);
        files::write_json(&self.path, &entries)
    }
}

impl Entry {
    fn is_this_process(&self) -> bool {
        u32::try_from(self.identity.pid).is_ok_and(|pid| pid == std::process::id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Lifetime, Process, Spec};

    fn start(ledger: &Ledger, dir: &Path, name: &str, stage: Stage) -> Process {
        let spec = Spec {
            name: name.to_owned(),
            program: "/bin/sleep".into(),
            arguments: vec!["600".into()],
            environment: Vec::new(),
            inherit: true,
            directory: dir.to_owned(),
            log: dir.join(format!("{name}.log")),
            port: Some(4),
            stop: StopSignal::Terminate,
            grace: Duration::from_secs(5),
            stage,
        };
        Process::spawn(&spec, &Lifetime::Recorded(ledger.clone())).unwrap()
    }

    #[tokio::test]
    async fn a_stop_ends_later_stages_first_and_is_idempotent() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pids.json");
        let ledger = Ledger::at(&path);
        let service = start(&ledger, dir.path(), "service", Stage::Service);
        let product = start(&ledger, dir.path(), "product", Stage::Product);

        // Another process that only knows the file.
        let reader = Ledger::at(&path);
        let stopped = reader.stop_from(Stage::Product).await.unwrap();
        assert_eq!(stopped.len(), 1);
        assert!(service.identity().is_alive());
        assert!(!product.identity().is_alive());
        assert_eq!(reader.alive().unwrap().len(), 1);

        let stopped = reader.stop_from(Stage::NameServer).await.unwrap();
        assert_eq!(stopped[0].0.name, "service");
        assert_eq!(stopped[0].1, Stopped::Orderly);
        assert!(
            reader
                .stop_from(Stage::NameServer)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(reader.entries().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_stale_entry_whose_pid_is_anothers_now_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::at(&dir.path().join("pids.json"));
        let bystander = start(&ledger, dir.path(), "bystander", Stage::Product);
        let mut stale = bystander.entry().clone();
        stale.identity.started -= 1;
        ledger.record(stale).unwrap();

        assert!(ledger.find("bystander").unwrap().is_none());
        assert!(
            ledger
                .stop_from(Stage::NameServer)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(bystander.identity().is_alive());
        bystander
            .identity()
            .stop(StopSignal::Terminate, Duration::from_secs(5))
            .await;
    }
}
