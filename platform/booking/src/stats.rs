//! Figures over bookings.

use berth_access::{Context, Permission};
use berth_kernel::Money;
use berth_tenancy::TenantTx;
use jiff::{Timestamp, civil::Date};

use crate::{Bookings, Error, store};

/// What bookings are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// Day of the start, in the tenant's zone.
    Day,
    /// Week of the start, from Monday.
    Week,
    /// Month of the start.
    Month,
    /// Product.
    Product,
    /// Resource, session, group of sessions or pool.
    Provider,
    /// Status.
    Status,
}

impl Grouping {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Product => "product",
            Self::Provider => "provider",
            Self::Status => "status",
        }
    }
}

/// Figures of one group and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatsRow {
    /// The group: a date, an id or a status.
    pub key: String,
    /// All bookings.
    pub bookings: i64,
    /// Those confirmed or completed.
    pub confirmed: i64,
    /// Those cancelled.
    pub cancelled: i64,
    /// Places of all bookings.
    pub places: i64,
    /// Price of those confirmed or completed.
    pub revenue: Money,
}

/// What a day of UTC brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRow {
    /// The day.
    pub day: Date,
    /// Bookings made on it.
    pub made: i64,
    /// Of those, the ones that stand or took place.
    pub confirmed: i64,
    /// Of those, the ones that were cancelled.
    pub cancelled: i64,
}

/// Figures over bookings made since, a midnight of UTC, day by day, for the platform's own books; and of the
/// days before on which a booking was made that changed since, so long after that they were not reckoned then.
///
/// # Errors
/// What the database says.
pub async fn days(tx: &mut TenantTx, since: Timestamp) -> Result<Vec<DayRow>, Error> {
    store::days(tx, since).await
}

impl Bookings {
    /// Figures over bookings that start in `[from, to)`; at most 1,000 groups.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the range is empty or longer than five years.
    pub async fn stats(
        &self,
        ctx: &Context,
        grouping: Grouping,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<StatsRow>, Error> {
        ctx.authorize(Permission::BookingStats)
            .map_err(Error::Denied)?;
        if from >= to || to.as_second() - from.as_second() > 5 * 366 * 86_400 {
            let detail = "`to` must be later than `from`, by five years at most.";
            return Err(Error::invalid("to", "INVALID_RANGE", detail));
        }
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let rows = store::stats(&mut tx, grouping, from, to, &ctx.tenant.timezone).await?;
        tx.rollback().await?;
        Ok(rows)
    }
}
