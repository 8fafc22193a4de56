//! How often a customer may book something, as it is asked for and shown.

use berth_catalog::Period;
use poem_openapi::{Enum, Object};

/// How often one customer may book a product. It holds for customers' own accounts, not for what staff or software
/// books for them.
#[derive(Clone, Copy, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct CustomerLimit {
    /// Most bookings, 1 to 1,000; those called off or not paid do not count.
    pub most: i32,
    /// In what time, by their starts and the calendar of the place.
    pub period: LimitPeriod,
}

/// A stretch of the calendar.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
pub enum LimitPeriod {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// From the first to the last.
    Month,
    /// All of time.
    Ever,
}

impl From<CustomerLimit> for berth_catalog::CustomerLimit {
    fn from(limit: CustomerLimit) -> Self {
        Self {
            most: limit.most,
            period: match limit.period {
                LimitPeriod::Day => Period::Day,
                LimitPeriod::Week => Period::Week,
                LimitPeriod::Month => Period::Month,
                LimitPeriod::Ever => Period::Ever,
            },
        }
    }
}

impl From<berth_catalog::CustomerLimit> for CustomerLimit {
    fn from(limit: berth_catalog::CustomerLimit) -> Self {
        Self {
            most: limit.most,
            period: match limit.period {
                Period::Day => LimitPeriod::Day,
                Period::Week => LimitPeriod::Week,
                Period::Month => LimitPeriod::Month,
                Period::Ever => LimitPeriod::Ever,
            },
        }
    }
}
