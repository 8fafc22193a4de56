//! Keeping figures, and adding them up.

use berth_kernel::TenantId;
use berth_tenancy::{Error, Tenancy};
use jiff::civil::Date;

use crate::store;

/// Bookings of a tenant on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookingDay {
    /// The day, of UTC.
    pub day: Date,
    /// Bookings made on it.
    pub made: i64,
    /// Of those, the ones that stand or took place.
    pub confirmed: i64,
    /// Of those, the ones that were cancelled.
    pub cancelled: i64,
}

/// Money of a tenant on a day, in minor units of a currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyDay {
    /// The day, of UTC.
    pub day: Date,
    /// ISO 4217 code.
    pub currency: String,
    /// Money that came in.
    pub sales: i64,
    /// Money that went back.
    pub refunds: i64,
    /// What the provider kept.
    pub processing_fees: i64,
    /// What the platform kept.
    pub platform_fees: i64,
}

/// All tenants' figures of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    /// The day, of UTC.
    pub day: Date,
    /// Tenants at which something was booked; all that are gone count as one.
    pub tenants: i64,
    /// Bookings made on it.
    pub made: i64,
    /// Of those, the ones that stand or took place.
    pub confirmed: i64,
    /// Of those, the ones that were cancelled.
    pub cancelled: i64,
    /// Money, by currency.
    pub money: Vec<MoneyDay>,
}

/// The figures.
#[derive(Clone, Debug)]
pub struct Figures {
    tenancy: Tenancy,
}

impl Figures {
    /// Over the shared tables.
    #[must_use]
    pub fn new(tenancy: Tenancy) -> Self {
        Self { tenancy }
    }

    /// Puts a tenant's figures in the place of those there were of the same days.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keep(
        &self,
        tenant: TenantId,
        bookings: &[BookingDay],
        money: &[MoneyDay],
    ) -> Result<(), Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        if !tx.has_tenant(tenant).await? {
            return tx.rollback().await;
        }
        store::keep_bookings(&mut tx, tenant, bookings).await?;
        store::keep_money(&mut tx, tenant, money).await?;
        tx.commit().await
    }

    /// All tenants' figures from one day to another, both included, in order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn totals(&self, from: Date, to: Date) -> Result<Vec<Total>, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let mut totals = store::booking_totals(&mut tx, from, to).await?;
        let money = store::money_totals(&mut tx, from, to).await?;
        tx.rollback().await?;
        for one in money {
            match totals.iter_mut().find(|total| total.day == one.day) {
                Some(total) => total.money.push(one),
                None => totals.push(Total {
                    day: one.day,
                    tenants: 0,
                    made: 0,
                    confirmed: 0,
                    cancelled: 0,
                    money: vec![one],
                }),
            }
        }
        totals.sort_unstable_by_key(|total| total.day);
        Ok(totals)
    }
}
