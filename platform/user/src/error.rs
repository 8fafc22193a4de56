//! What the user service refuses.

use berth_access::token::TokenError;
use berth_kernel::{FieldError, Kind, Problem};
use berth_tenancy::idempotency::IdempotencyError;

/// A command or query was refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The asker may not.
    #[error(transparent)]
    Denied(Box<Problem>),
    /// Fields are against a rule; at least one.
    #[error("{} field(s) are against a rule", .0.len())]
    Invalid(Vec<FieldError>),
    /// Another account has the address.
    #[error("the address has an account")]
    EmailTaken,
    /// Unknown address, wrong password, or an account that may not sign in here: nobody outside
    /// learns which.
    #[error("address and password do not open an account")]
    CredentialsInvalid,
    /// The password given to confirm a change is not the account's.
    #[error("the present password is wrong")]
    PasswordWrong,
    /// Unknown, expired, ended, or used before.
    #[error("the refresh token opens nothing")]
    RefreshInvalid,
    /// No such account or session, or none the asker may see.
    #[error("no such account or session")]
    NotFound,
    /// It was changed since the asker read it.
    #[error("the account was changed in the meantime")]
    VersionConflict,
    /// Nobody would be left to run the tenant.
    #[error("the last administrator cannot be deleted")]
    LastAdmin,
    /// Too many passwords are being checked.
    #[error("too many passwords are being checked at once")]
    Busy,
    /// A password could not be hashed.
    #[error("a password could not be hashed: {0}")]
    Hashing(String),
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness")]
    Randomness,
    /// An access token could not be made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// About the idempotency key.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database.
    #[error(transparent)]
    Database(#[from] berth_tenancy::Error),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Denied(Box::new(problem))
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(problem) => *problem,
            Error::Invalid(fields) => Self::fields(fields),
            Error::EmailTaken => conflict(
                "EMAIL_TAKEN",
                "An account with this e-mail address exists; sign in or choose another address.",
            ),
            Error::CredentialsInvalid => Self::new(
                Kind::Unauthenticated,
                "CREDENTIALS_INVALID",
                "The e-mail address or the password is wrong.",
            ),
            Error::PasswordWrong => Self::field(
                "old_password",
                "PASSWORD_WRONG",
                "This is not your present password.",
            ),
            Error::RefreshInvalid => Self::new(
                Kind::Unauthenticated,
                "REFRESH_TOKEN_INVALID",
                "The refresh token is no longer valid; please sign in again.",
            ),
            Error::NotFound => Self::not_found(),
            Error::VersionConflict => conflict(
                "VERSION_CONFLICT",
                "It was changed since you read it; read it again and repeat your change.",
            ),
            Error::LastAdmin => conflict(
                "LAST_ADMIN",
                "You are the only administrator; make somebody else one first.",
            ),
            Error::Busy => Self::unavailable(
                "SIGN_IN_BUSY",
                "Many people are signing in at the moment; please try again.",
                error,
            ),
            Error::Idempotency(error) => error.into(),
            Error::Database(error) => error.into(),
            Error::Hashing(_) | Error::Randomness | Error::Token(_) => Self::internal(error),
        }
    }
}

fn conflict(code: &'static str, detail: &str) -> Problem {
    Problem::new(Kind::Conflict, code, detail)
}
