//! The folder of an export while it is written, and how its files are.

use std::{
    fs::TryLockError,
    io::{Error as IoError, ErrorKind},
    path::{Path, PathBuf},
};

use tokio::io::AsyncWriteExt as _;

use super::{DataError, copy};

/// The mark of an export that has not ended. Whoever writes it keeps it locked, which the system undoes when the
/// process is killed.
const MARK: &str = "unfinished";
/// What an export makes beside the mark.
const FOLDERS: [&str; 2] = ["tables", "files"];
const FILES: [&str; 2] = ["events.jsonl", "manifest.json"];

/// A folder an export is written into.
pub(super) struct Unfinished {
    mark: PathBuf,
    lock: std::fs::File,
}

impl Unfinished {
    /// Makes the folder, for its owner alone. One that is there must be empty, or of an export that was cut off:
    /// what that wrote is removed.
    pub(super) async fn begin(folder: &Path) -> Result<Self, DataError> {
        let began = Self::make(folder).await;
        began.map_err(|source| unwritten(folder, source))
    }

    async fn make(folder: &Path) -> Result<Self, IoError> {
        private().create(folder).await?;
        let mark = folder.join(MARK);
        if !tokio::fs::try_exists(&mark).await? {
            let mut inside = tokio::fs::read_dir(folder).await?;
            if inside.next_entry().await?.is_some() {
                return Err(ErrorKind::DirectoryNotEmpty.into());
            }
        }
        let lock = copy::private_file(&mark).await?.into_std().await;
        lock.try_lock().map_err(|refused| match refused {
            TryLockError::WouldBlock => {
                IoError::new(ErrorKind::ResourceBusy, "another export is written there")
            }
            TryLockError::Error(error) => error,
        })?;
        for name in FOLDERS {
            gone(tokio::fs::remove_dir_all(folder.join(name)).await)?;
            private().create(folder.join(name)).await?;
        }
        for name in FILES {
            gone(tokio::fs::remove_file(folder.join(name)).await)?;
        }
        Ok(Self { mark, lock })
    }

    /// Says that everything is there.
    pub(super) async fn finish(self) -> Result<(), DataError> {
        let removed = tokio::fs::remove_file(&self.mark).await;
        drop(self.lock);
        removed.map_err(|source| unwritten(&self.mark, source))
    }
}

/// Writes a file of an export, for its owner alone, and the folders it is in.
pub(super) async fn write(path: &Path, content: &[u8]) -> Result<(), DataError> {
    let write = async {
        if let Some(folder) = path.parent() {
            private().create(folder).await?;
        }
        let mut file = copy::private_file(path).await?;
        file.write_all(content).await?;
        file.sync_all().await
    };
    write.await.map_err(|source| unwritten(path, source))
}

fn private() -> tokio::fs::DirBuilder {
    let mut private = tokio::fs::DirBuilder::new();
    private.recursive(true).mode(0o700);
    private
}

/// What is not there need not be removed.
fn gone(removed: Result<(), IoError>) -> Result<(), IoError> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn unwritten(path: &Path, source: IoError) -> DataError {
    DataError::Folder {
        path: path.display().to_string(),
        what: "written",
        source,
    }
}
