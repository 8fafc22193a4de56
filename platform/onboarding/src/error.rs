//! What onboarding refuses.

use berth_kernel::{FieldError, Kind, Problem};

/// A tenant could not be made, or a sign-up not gone on with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields are against rules; at least one. Those of the administrator are below `admin.`.
    #[error("{} field(s) are against a rule", .0.len())]
    Fields(Vec<FieldError>),
    /// The link is none of ours, or too old.
    #[error("the sign-up is unknown or too old")]
    LinkExpired,
    /// What the registry says.
    #[error(transparent)]
    Tenancy(#[from] berth_tenancy::Error),
    /// What the user service says.
    #[error(transparent)]
    Users(#[from] berth_user::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Tenancy(error.into())
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Fields(fields) => Self::fields(fields),
            Error::LinkExpired => Self::new(
                Kind::NotFound,
                "LINK_EXPIRED",
                "This link is not good any more. Sign up again to get a new one.",
            ),
            Error::Tenancy(error) => error.into(),
            Error::Users(error) => error.into(),
        }
    }
}
