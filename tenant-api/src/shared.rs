//! What several parts of the API have in common.

use berth_web::text::CurrencyCode;
use poem_openapi::{Object, Tags};

/// The parts of the API.
#[derive(Tags)]
pub(crate) enum Tag {
    /// Taking, moving and ending bookings.
    Bookings,
    /// What is free.
    Availability,
    /// What is offered, by whom and when.
    Catalog,
    /// What is booked in calendar programs, and what calendar programs know.
    Calendars,
    /// Money.
    Payments,
    /// Proofs of payment.
    Receipts,
    /// Accounts and signing in.
    Users,
    /// Accounts at other platforms.
    Connections,
    /// Hosts of the business's own.
    Domains,
    /// Figures.
    Admin,
}

/// An amount.
#[derive(Clone, Copy, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct Money {
    /// Minor units: cents, pence; whole yen.
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: CurrencyCode,
}

impl From<berth_kernel::Money> for Money {
    fn from(money: berth_kernel::Money) -> Self {
        Self {
            amount: money.amount,
            currency: money.currency.into(),
        }
    }
}

impl From<Money> for berth_kernel::Money {
    fn from(money: Money) -> Self {
        Self::new(money.amount, money.currency.0)
    }
}
