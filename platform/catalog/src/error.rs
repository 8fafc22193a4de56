//! What the catalog refuses.

use berth_kernel::{Kind, Problem};
use berth_tenancy::idempotency::IdempotencyError;

/// A command or query was refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such thing.
    #[error("no such thing in the catalog")]
    NotFound,
    /// The asker may not.
    #[error(transparent)]
    Denied(Problem),
    /// A field is against a rule.
    #[error("{field}: {detail}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// Stable code.
        code: &'static str,
        /// A sentence.
        detail: String,
    },
    /// It was changed since the asker read it.
    #[error("the thing was changed in the meantime")]
    VersionConflict,
    /// Something else rests on it.
    #[error("the thing is in use")]
    InUse,
    /// Something is in it.
    #[error("the thing is not empty")]
    NotEmpty,
    /// Another product has that name in addresses.
    #[error("the slug is taken")]
    SlugTaken,
    /// Another voucher has that code.
    #[error("the code is taken")]
    CodeTaken,
    /// The day has other hours already.
    #[error("the day is a holiday already")]
    DayTaken,
    /// A picture's file could not be kept or got.
    #[error("the object store does not take or give files")]
    Files(#[from] object_store::Error),
    /// About the idempotency key.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database.
    #[error(transparent)]
    Database(#[from] berth_tenancy::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Error {
    pub(crate) fn invalid(
        field: &'static str,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            field,
            code,
            detail: detail.into(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found(),
            Error::Denied(problem) => problem,
            Error::Invalid {
                field,
                code,
                detail,
            } => Self::field(field, code, detail),
            Error::VersionConflict => Self::new(
                Kind::Conflict,
                "VERSION_CONFLICT",
                "It was changed since you read it; read it again and repeat your change.",
            ),
            Error::InUse => Self::new(
                Kind::Conflict,
                "IN_USE",
                "Something needs it; it can be removed when nothing does.",
            ),
            Error::NotEmpty => Self::new(
                Kind::Conflict,
                "NOT_EMPTY",
                "It has categories below it, or products in it; move or remove those first.",
            ),
            Error::SlugTaken => Self::new(
                Kind::Conflict,
                "SLUG_TAKEN",
                "Another product has that name in addresses.",
            ),
            Error::CodeTaken => Self::new(
                Kind::Conflict,
                "CODE_TAKEN",
                "Another voucher has that code.",
            ),
            Error::DayTaken => Self::new(
                Kind::Conflict,
                "DAY_TAKEN",
                "That day has other hours already; remove those first.",
            ),
            Error::Files(error) => Self::unavailable(
                "FILES_UNAVAILABLE",
                "Pictures cannot be kept or shown at the moment.",
                error,
            ),
            Error::Idempotency(error) => error.into(),
            Error::Database(error) => error.into(),
        }
    }
}
