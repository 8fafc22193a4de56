//! Seat maps: importing, showing and removing them.

use berth_access::{Context, Permission};
use berth_kernel::SeatMapId;
use berth_tenancy::{IdempotencyKey, idempotency};

use crate::{Catalog, Error, NewSeatMap, SeatMap, store};

impl Catalog {
    /// Imports a hall's numbered seats.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the field.
    pub async fn create_seat_map(
        &self,
        ctx: &Context,
        new: NewSeatMap,
        key: Option<&IdempotencyKey>,
    ) -> Result<SeatMap, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let seats = new.check()?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let map = SeatMap {
            id: SeatMapId::new(),
            name: new.name.trim().to_owned(),
            seats,
            sections: new.sections,
            created_at: ctx.clock.now(),
        };
        store::insert_seat_map(&mut tx, &map).await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &map).await?;
        }
        tx.commit().await?;
        Ok(map)
    }

    /// Removes a hall that no product is sold in.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InUse`] when a product has it.
    pub async fn delete_seat_map(&self, ctx: &Context, id: SeatMapId) -> Result<(), Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        match store::delete_seat_map(&mut tx, id).await {
            Ok(true) => Ok(tx.commit().await?),
            Ok(false) => Err(Error::NotFound),
            Err(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => {
                Err(Error::InUse)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A hall with its seats.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn seat_map(&self, ctx: &Context, id: SeatMapId) -> Result<SeatMap, Error> {
        ctx.authorize(Permission::CatalogRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let map = store::seat_map(&mut tx, id).await?;
        tx.rollback().await?;
        map.ok_or(Error::NotFound)
    }

    /// All halls, without their seats.
    ///
    /// # Errors
    /// What the database says.
    pub async fn seat_maps(&self, ctx: &Context) -> Result<Vec<SeatMap>, Error> {
        ctx.authorize(Permission::CatalogRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let maps = store::seat_maps(&mut tx).await?;
        tx.rollback().await?;
        Ok(maps)
    }
}
