//! All of the payment service's SQL.

mod accounts;
mod attempts;
mod inbox;
mod ledger;
mod payments;
mod refunds;

pub(crate) use accounts::*;
pub(crate) use attempts::*;
pub(crate) use inbox::*;
pub(crate) use ledger::*;
pub(crate) use payments::*;
pub(crate) use refunds::*;

use berth_kernel::Currency;

use crate::Error;

type Result<T> = std::result::Result<T, Error>;

fn currency(code: &str) -> Result<Currency> {
    code.parse()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)).into())
}

fn unknown(what: &str) -> Error {
    sqlx::Error::Decode(format!("`{what}` is no known state").into()).into()
}
