//! What can go wrong with messages.

use berth_kernel::Problem;

/// A query was refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The asker may not.
    #[error(transparent)]
    Denied(Problem),
    /// The database.
    #[error(transparent)]
    Database(#[from] berth_tenancy::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(problem) => problem,
            Error::Database(error) => error.into(),
        }
    }
}
