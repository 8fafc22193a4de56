//! What the payment service refuses.

use berth_kernel::{Kind, Problem};
use berth_messaging::Failure;
use berth_tenancy::idempotency::IdempotencyError;

use crate::provider::ProviderError;

/// A command or query was refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such thing, or none the asker may see.
    #[error("no such payment")]
    NotFound,
    /// The asker may not.
    #[error(transparent)]
    Denied(Problem),
    /// Nothing is to be paid for this booking.
    #[error("there is nothing to pay")]
    NothingToPay,
    /// The payment was taken on an account that is another tenant's: this one's data is a copy.
    #[error("the payment is another business's by now")]
    Elsewhere,
    /// The tenant has no account that may take money.
    #[error("the tenant has no payment account")]
    NoAccount,
    /// More than is left, nothing, or another currency.
    #[error("{0}")]
    RefundRefused(&'static str),
    /// The provider said no, or nothing.
    #[error(transparent)]
    Provider(#[from] ProviderError),
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

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found(),
            Error::Denied(problem) => problem,
            Error::NothingToPay => Self::new(
                Kind::Conflict,
                "NOTHING_TO_PAY",
                "There is nothing to pay for this booking.",
            ),
            Error::Elsewhere => Self::new(
                Kind::Conflict,
                "PAYMENT_ELSEWHERE",
                "This payment was taken on the account of another business, of whose data this is a copy.",
            ),
            Error::NoAccount => Self::new(
                Kind::Conflict,
                "PAYMENTS_NOT_READY",
                "This business cannot take payments yet.",
            ),
            Error::RefundRefused(detail) => Self::field("amount", "REFUND_REFUSED", detail),
            Error::Provider(ProviderError::Refused { .. }) => Self {
                source: Some(error.into()),
                ..Self::new(
                    Kind::Conflict,
                    "PAYMENT_REFUSED",
                    "The payment provider refused this.",
                )
            },
            Error::Provider(_) => Self::unavailable(
                "PAYMENTS_UNAVAILABLE",
                "The payment provider does not answer; please try again.",
                error,
            ),
            Error::Idempotency(error) => error.into(),
            Error::Database(error) => error.into(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Provider(ProviderError::Unavailable(_) | ProviderError::Indeterminate(_)) => {
                Self::Unavailable(error.into())
            }
            other => Problem::from(other).into(),
        }
    }
}
