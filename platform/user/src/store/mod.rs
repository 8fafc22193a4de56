//! All SQL of the user service. Lock order: account, then session.

mod accounts;
mod sessions;

pub(crate) use accounts::*;
pub(crate) use sessions::*;

use crate::Error;

type Result<T> = std::result::Result<T, Error>;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}
