//! What the ledger says of some days, for the platform's own books.

use berth_kernel::Currency;
use berth_tenancy::TenantTx;
use jiff::{Timestamp, civil::Date};

use crate::{Error, store};

/// What was posted on a day of UTC, in minor units of a currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRow {
    /// The day.
    pub day: Date,
    /// The currency.
    pub currency: Currency,
    /// Money that came in.
    pub sales: i64,
    /// Money that went back.
    pub refunds: i64,
    /// What the provider kept.
    pub processing_fees: i64,
    /// What the platform kept.
    pub platform_fees: i64,
}

/// What was posted since, day by day.
///
/// # Errors
/// What the database says.
pub async fn days(tx: &mut TenantTx, since: Timestamp) -> Result<Vec<DayRow>, Error> {
    store::days(tx, since).await
}
