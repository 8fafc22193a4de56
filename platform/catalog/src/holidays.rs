//! Days on which a business keeps other hours than every week, or none.

use berth_access::{Context, Permission};
use berth_kernel::HolidayId;
use berth_tenancy::{IdempotencyKey, idempotency};

use crate::{Catalog, Error, Holiday, NewHoliday, model::check_holiday, resources::today, store};

impl Catalog {
    /// Closes all schedules on a day, or gives them other hours. Bookings made stay.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the field; [`Error::DayTaken`] when the day has other hours already.
    pub async fn create_holiday(
        &self,
        ctx: &Context,
        new: &NewHoliday,
        key: Option<&IdempotencyKey>,
    ) -> Result<Holiday, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let days = store::holidays(&mut tx, today(ctx)).await?.len();
        check_holiday(new, i64::try_from(days).unwrap_or(i64::MAX))?;
        let holiday = Holiday {
            id: HolidayId::new(),
            day: new.day,
            name: new.name.trim().to_owned(),
            hours: new.hours.clone(),
        };
        store::insert_holiday(&mut tx, &holiday, ctx.clock.now()).await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &holiday).await?;
        }
        self.commit_change(tx, &ctx.tenant).await?;
        Ok(holiday)
    }

    /// Lets a day be like every week's.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_holiday(&self, ctx: &Context, id: HolidayId) -> Result<(), Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if !store::delete_holiday(&mut tx, id).await? {
            return Err(Error::NotFound);
        }
        self.commit_change(tx, &ctx.tenant).await
    }

    /// Such days to come, in their order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn holidays(&self, ctx: &Context) -> Result<Vec<Holiday>, Error> {
        ctx.authorize(Permission::CatalogRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let holidays = store::holidays(&mut tx, today(ctx)).await?;
        tx.rollback().await?;
        Ok(holidays)
    }
}
