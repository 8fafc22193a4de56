//! A tenant's data as a whole: taken out, and put back.
//!
//! An export is a folder:
//!
//! ```text
//! manifest.json        what it is of, and every file below with its SHA-256
//! tables/booking.csv   a table each, as `COPY … CSV HEADER` writes it, in the order of its key
//! files/receipts/…     what the object store has
//! events.jsonl         what it has told of late: some may not have been heard yet
//! ```
//!
//! It holds everything, personal data and secrets too, and is readable by its owner alone. What the
//! registry has (keys, the payment account) stays out: it would be another tenant's after a restore. So do
//! tables whose comment says `transient`: who is signed in.
//!
//! What is put back in the place of what a tenant has becomes a new *timeline* of it, under another role
//! and schema: whoever is still at work in the old one finds neither, and what it told is dropped.
//!
//! - [`export`], [`restore`], [`manifest`]. [`files`]: the port to where files are kept.
//!
//! Must not know what any table holds.

mod copy;
mod events;
mod export;
mod files;
mod folder;
pub mod manifest;
pub(crate) mod restore;

pub use export::export;
pub use files::{FileEntry, Files, FilesError};
pub use manifest::Manifest;
pub use restore::{Restored, restore_as_new, restore_in_place};

/// What can go wrong with an export.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The folder cannot be read or written.
    #[error("{path} cannot be {what}")]
    Folder {
        /// The file or folder.
        path: String,
        /// `read` or `written`.
        what: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The manifest is none, or of another form.
    #[error("the manifest is not of this program's form")]
    Manifest(#[from] serde_json::Error),
    /// A file is not what the manifest says.
    #[error("{0} is not what the manifest says it is: the export is damaged")]
    Damaged(String),
    /// It has a table or column that no release made.
    #[error(
        "the export has {0}, which no release made; take it out of the tenant's schema (`berth drift` \
         names it) and export again"
    )]
    HandMade(String),
    /// What was put back is not what was taken out.
    #[error("{0} has other rows after the restore than in the export; nothing was kept")]
    Differs(String),
    /// The export is of a newer release.
    #[error("the export has schema version {0}, which this program does not know yet")]
    Newer(i64),
    /// The tenant is served; only one that is not can be overwritten.
    #[error("`{0}` is served; suspend it first, or restore it as a new tenant")]
    Served(String),
    /// It is another tenant's, of that name.
    #[error(
        "the export is of `{0}`; to put its data in this one's place name it by `--of`, or restore it as a new tenant"
    )]
    OtherTenant(String),
    /// The tenant prices in another currency.
    #[error("the export's prices are in {0}, the tenant's are not; restore it as a new tenant")]
    OtherCurrency(String),
    /// The store of files does not do as asked.
    #[error("the store of files does not do as asked")]
    Files(#[source] FilesError),
    /// The database does not do as asked.
    #[error(transparent)]
    Database(#[from] crate::Error),
}

/// A file of an export, whole.
async fn read(path: &std::path::Path) -> Result<Vec<u8>, DataError> {
    let content = tokio::fs::read(path).await;
    content.map_err(|source| DataError::Folder {
        path: path.display().to_string(),
        what: "read",
        source,
    })
}

impl From<sqlx::Error> for DataError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}
