//! Where things are: the checkout, its `.dev/`, cargo's target directory.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::ledger::Ledger;
use crate::services::{Profile, ServiceSet};

/// A checkout of the repository.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The checkout named by `BERTH_DEV_ROOT`, or the one the current
    /// directory is in.
    ///
    /// # Errors
    /// There is none.
    pub fn locate() -> anyhow::Result<Self> {
        let start = match std::env::var_os("BERTH_DEV_ROOT") {
            Some(root) => PathBuf::from(root),
            None => std::env::current_dir()?,
        };
        let root = start
            .ancestors()
            .find(|directory| directory.join("platform/devkit/Cargo.toml").is_file())
            .with_context(|| format!("{} is in no checkout of Berth", start.display()))?;
        Ok(Self {
            root: root.canonicalize()?,
        })
    }

    /// The top of the checkout.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `.dev/NAME`.
    #[must_use]
    pub fn dev(&self, name: &str) -> PathBuf {
        self.root.join(".dev").join(name)
    }

    /// The log of a process of `./dev up`.
    #[must_use]
    pub fn log(&self, name: &str) -> PathBuf {
        self.dev("logs").join(format!("{name}.log"))
    }

    /// Makes `.dev/` and what is always in it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn prepare(&self) -> io::Result<()> {
        fs::create_dir_all(self.dev("logs"))
    }

    /// A program that cargo built.
    #[must_use]
    pub fn built(&self, program: &str) -> PathBuf {
        self.target().join("debug").join(program)
    }

    /// Cargo's target directory.
    #[must_use]
    pub fn target(&self) -> PathBuf {
        match std::env::var_os("CARGO_TARGET_DIR") {
            Some(target) => self.root.join(target),
            None => self.root.join("target"),
        }
    }

    /// What `./dev up` and `./dev services` started.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        Ledger::at(&self.dev("pids.json"))
    }

    /// What `./dev test` started.
    #[must_use]
    pub fn test_ledger(&self) -> Ledger {
        Ledger::at(&self.dev("test/pids.json"))
    }

    /// The services of `./dev up`.
    #[must_use]
    pub fn services(&self) -> ServiceSet {
        ServiceSet::new(&self.dev(""), self.ledger(), Profile::Development)
    }

    /// The services of `./dev test`.
    #[must_use]
    pub fn test_services(&self) -> ServiceSet {
        ServiceSet::new(&self.dev("test"), self.test_ledger(), Profile::Test)
    }

    /// Holds `.dev/NAME.lock` until the value is dropped.
    ///
    /// # Errors
    /// Another process holds it: `busy` is the message.
    pub fn lock(&self, name: &str, busy: &str) -> anyhow::Result<File> {
        let path = self.dev(&format!("{name}.lock"));
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let lock = lock.with_context(|| format!("opening {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(fs::TryLockError::WouldBlock) => bail!("{busy}"),
            Err(fs::TryLockError::Error(error)) => Err(error.into()),
        }
    }
}
