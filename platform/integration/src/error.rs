//! What can go wrong with connections.

use berth_kernel::Problem;

/// A command or query was refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The asker may not.
    #[error(transparent)]
    Denied(Problem),
    /// The pixel's code is none.
    #[error("the pixel code is not 1 to 64 letters, digits, `-` or `_`")]
    PixelCode,
    /// The access token is none.
    #[error("the access token is not 1 to 512 visible characters")]
    AccessToken,
    /// The database.
    #[error(transparent)]
    Database(#[from] berth_tenancy::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(problem) => problem,
            Error::PixelCode => Self::field(
                "pixel_code",
                "PIXEL_CODE_INVALID",
                "A pixel code is 1 to 64 letters, digits, hyphens or underscores.",
            ),
            Error::AccessToken => Self::field(
                "access_token",
                "ACCESS_TOKEN_INVALID",
                "An access token is 1 to 512 visible characters without spaces.",
            ),
            Error::Database(error) => error.into(),
        }
    }
}
