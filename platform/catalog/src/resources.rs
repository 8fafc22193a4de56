//! Resources and their schedules.

use berth_access::{Context, Permission};
use berth_kernel::ResourceId;
use berth_tenancy::{IdempotencyKey, TenantTx, idempotency};
use jiff::civil::Date;

use crate::{
    Catalog, DayException, Error, NewResource, Resource, ResourceChange, ResourceStanding,
    locations::zone_of,
    model::{Weekly, check_exceptions, check_new_resource, check_product_name, check_weekly, tags},
    store::{self, Which},
};

impl Catalog {
    /// Makes a resource with its weekly schedule.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the field.
    pub async fn create_resource(
        &self,
        ctx: &Context,
        new: &NewResource,
        key: Option<&IdempotencyKey>,
    ) -> Result<Resource, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        check_new_resource(new)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let resource = Resource {
            id: ResourceId::new(),
            kind: new.kind,
            name: new.name.trim().to_owned(),
            location_id: new.location_id,
            timezone: zone_of(&mut tx, ctx, new.location_id, new.timezone.as_deref()).await?,
            weekly: new.weekly.clone(),
            exceptions: Vec::new(),
            pool_id: new.pool_id,
            party: new.party,
            tags: tags(&new.tags)?,
            active: true,
            version: 1,
        };
        store::insert_resource(&mut tx, &resource, ctx.clock.now()).await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &resource).await?;
        }
        self.commit_change(tx, &ctx.tenant).await?;
        Ok(resource)
    }

    /// Replaces when a resource works.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`].
    pub async fn set_schedule(
        &self,
        ctx: &Context,
        resource: ResourceId,
        weekly: &[Weekly],
        exceptions: &[DayException],
    ) -> Result<(), Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        check_weekly("schedule", weekly)?;
        check_exceptions(exceptions)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if !store::touch_resource(&mut tx, resource).await? {
            return Err(Error::NotFound);
        }
        store::replace_weekly(&mut tx, resource, weekly).await?;
        store::replace_exceptions(&mut tx, resource, exceptions).await?;
        self.commit_change(tx, &ctx.tenant).await
    }

    /// Changes a resource. One that works no more is not booked any more; what is booked of it stays.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::VersionConflict`] when it was changed since it
    /// was read.
    pub async fn change_resource(
        &self,
        ctx: &Context,
        id: ResourceId,
        change: &ResourceChange,
    ) -> Result<Resource, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        if let Some(name) = &change.name {
            check_product_name(name)?;
        }
        if let Some(party) = change.party {
            party.check("party")?;
        }
        let tags = change.tags.as_deref().map(tags).transpose()?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if change.party.is_some() {
            let found = store::resource(&mut tx, id, today(ctx)).await?;
            if found.is_some_and(|resource| resource.party.is_none()) {
                return Err(Error::invalid("party", "WRONG_KIND", "Only for a table."));
            }
        }
        let changed = store::update_resource(&mut tx, id, change, tags.as_deref()).await?;
        let found = store::resource(&mut tx, id, today(ctx)).await?;
        let resource = found.ok_or(Error::NotFound)?;
        if !changed {
            return Err(Error::VersionConflict);
        }
        self.commit_change(tx, &ctx.tenant).await?;
        Ok(resource)
    }

    /// Whether there is such a resource, within the caller's transaction.
    ///
    /// # Errors
    /// What the database says.
    pub async fn has_resource(&self, tx: &mut TenantTx, id: ResourceId) -> Result<bool, Error> {
        store::has_resource(tx, id).await
    }

    /// What matters to taking a resource away for a time, within the caller's transaction; nothing when
    /// there is no such resource.
    ///
    /// # Errors
    /// What the database says.
    pub async fn resource_standing(
        &self,
        tx: &mut TenantTx,
        id: ResourceId,
    ) -> Result<Option<ResourceStanding>, Error> {
        store::resource_standing(tx, id).await
    }

    /// All resources with their schedules.
    ///
    /// # Errors
    /// What the database says.
    pub async fn resources(&self, ctx: &Context) -> Result<Vec<Resource>, Error> {
        ctx.authorize(Permission::CatalogRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let resources = store::resources(&mut tx, Which::All, today(ctx)).await?;
        tx.rollback().await?;
        Ok(resources)
    }
}

/// The day it is somewhere.
pub(crate) fn today(ctx: &Context) -> Date {
    ctx.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date()
}
