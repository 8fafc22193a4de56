//! Locations: where resources and products are, and which are near.

use berth_access::{Context, Permission};
use berth_kernel::LocationId;
use berth_tenancy::{IdempotencyKey, TenantTx, idempotency};

use crate::{
    Catalog, Error, Location, LocationChange, Near, NewLocation,
    model::{check_location, check_location_count, zone_there},
    store,
};

impl Catalog {
    /// Makes a location.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the field.
    pub async fn create_location(
        &self,
        ctx: &Context,
        new: &NewLocation,
        key: Option<&IdempotencyKey>,
    ) -> Result<Location, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let zone = new.timezone.as_deref();
        check_location(Some(&new.name), Some(&new.address), zone, new.point)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        check_location_count(store::count_locations(&mut tx).await?)?;
        let location = Location {
            id: LocationId::new(),
            name: new.name.trim().to_owned(),
            address: new.address.clone(),
            timezone: zone.unwrap_or(&ctx.tenant.timezone).to_owned(),
            point: new.point,
            version: 1,
        };
        store::insert_location(&mut tx, &location, ctx.clock.now()).await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &location).await?;
        }
        tx.commit().await?;
        Ok(location)
    }

    /// Changes a location. Its zone stays: what is booked there was promised in it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::VersionConflict`] when it was changed since it
    /// was read.
    pub async fn change_location(
        &self,
        ctx: &Context,
        id: LocationId,
        change: &LocationChange,
    ) -> Result<Location, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let (name, address) = (change.name.as_deref(), change.address.as_deref());
        check_location(name, address, None, change.point)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let changed = store::update_location(&mut tx, id, change).await?;
        let found = store::location(&mut tx, id).await?;
        let location = found.ok_or(Error::NotFound)?;
        if !changed {
            return Err(Error::VersionConflict);
        }
        tx.commit().await?;
        Ok(location)
    }

    /// Removes a location that nothing is at.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InUse`] when something is.
    pub async fn delete_location(&self, ctx: &Context, id: LocationId) -> Result<(), Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        match store::delete_location(&mut tx, id).await {
            Ok(true) => Ok(tx.commit().await?),
            Ok(false) => Err(Error::NotFound),
            Err(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => {
                Err(Error::InUse)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A location.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn location(&self, ctx: &Context, id: LocationId) -> Result<Location, Error> {
        ctx.authorize(Permission::CatalogRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let location = store::location(&mut tx, id).await?;
        tx.rollback().await?;
        location.ok_or(Error::NotFound)
    }

    /// All locations, by name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn locations(&self, ctx: &Context) -> Result<Vec<Location>, Error> {
        ctx.authorize(Permission::CatalogRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let locations = store::locations(&mut tx).await?;
        tx.rollback().await?;
        Ok(locations)
    }

    /// Locations near a point and how far they are in kilometres, the nearest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a point that is not on earth.
    pub async fn locations_near(
        &self,
        ctx: &Context,
        near: &Near,
    ) -> Result<Vec<(f64, Location)>, Error> {
        ctx.authorize(Permission::CatalogRead)
            .map_err(Error::Denied)?;
        near.check()?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let locations = store::locations_near(&mut tx, near).await?;
        tx.rollback().await?;
        Ok(locations)
    }
}

/// The zone of something new: that of its location, the one asked for, or else the tenant's.
pub(crate) async fn zone_of(
    tx: &mut TenantTx,
    ctx: &Context,
    location: Option<LocationId>,
    asked: Option<&str>,
) -> Result<String, Error> {
    let Some(id) = location else {
        return Ok(asked.unwrap_or(&ctx.tenant.timezone).to_owned());
    };
    let found = store::location(tx, id).await?;
    let detail = "There is no such thing here.";
    let unknown = || Error::invalid("location_id", "UNKNOWN_REFERENCE", detail);
    zone_there(asked, &found.ok_or_else(unknown)?)
}
