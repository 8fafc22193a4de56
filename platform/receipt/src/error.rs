//! What can go wrong with receipts.

use berth_kernel::Problem;

/// A query was refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such receipt, or none the asker may see.
    #[error("no such receipt")]
    NotFound,
    /// The asker may not.
    #[error(transparent)]
    Denied(Problem),
    /// The object store does not answer.
    #[error("the object store cannot be reached")]
    Files(#[source] object_store::Error),
    /// The PDF cannot be made.
    #[error("the receipt's PDF cannot be made")]
    Pdf(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database.
    #[error(transparent)]
    Database(#[from] berth_tenancy::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found(),
            Error::Denied(problem) => problem,
            Error::Files(_) => Self::unavailable(
                "RECEIPT_FILE_UNAVAILABLE",
                "The receipt's file cannot be fetched at the moment; please try again.",
                error,
            ),
            Error::Pdf(_) => Self::internal(error),
            Error::Database(error) => error.into(),
        }
    }
}
