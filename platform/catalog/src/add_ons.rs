//! What can be had with products.

use berth_access::{Context, Permission};
use berth_kernel::{AddOnId, Money, ProductId};
use berth_tenancy::{IdempotencyKey, idempotency};

use crate::{
    AddOn, AddOnChange, Catalog, Error, NewAddOn,
    model::{check_add_on, check_add_on_count},
    store,
};

impl Catalog {
    /// Lets something be had with a product.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown product, [`Error::Invalid`] for a field.
    pub async fn create_add_on(
        &self,
        ctx: &Context,
        product: ProductId,
        new: &NewAddOn,
        key: Option<&IdempotencyKey>,
    ) -> Result<AddOn, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let currency = ctx.tenant.currency;
        let (price, most) = (Some(new.price_minor), Some(new.max_quantity));
        check_add_on(Some(&new.name), price, most, currency)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let of = store::product(&mut tx, product).await?;
        of.ok_or(Error::NotFound)?;
        check_add_on_count(store::add_ons(&mut tx, product).await?.len())?;
        let add_on = AddOn {
            id: AddOnId::new(),
            product_id: product,
            name: new.name.trim().to_owned(),
            price: Money::new(new.price_minor, currency),
            max_quantity: new.max_quantity,
            required: new.required,
            active: true,
            version: 1,
        };
        store::insert_add_on(&mut tx, &add_on, ctx.clock.now()).await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &add_on).await?;
        }
        self.commit_change(tx, &ctx.tenant).await?;
        Ok(add_on)
    }

    /// Changes what can be had with a product. Bookings made keep what was agreed.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for a field, [`Error::VersionConflict`] when it was changed
    /// since it was read.
    pub async fn change_add_on(
        &self,
        ctx: &Context,
        product: ProductId,
        id: AddOnId,
        change: &AddOnChange,
    ) -> Result<AddOn, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let (price, most) = (change.price_minor, change.max_quantity);
        check_add_on(change.name.as_deref(), price, most, ctx.tenant.currency)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let changed = store::update_add_on(&mut tx, product, id, change).await?;
        let all = store::add_ons(&mut tx, product).await?;
        let found = all.into_iter().find(|one| one.id == id);
        let add_on = found.ok_or(Error::NotFound)?;
        if !changed {
            return Err(Error::VersionConflict);
        }
        self.commit_change(tx, &ctx.tenant).await?;
        Ok(add_on)
    }

    /// What can be had with a product, in the order of its making.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown product.
    pub async fn add_ons(&self, ctx: &Context, product: ProductId) -> Result<Vec<AddOn>, Error> {
        self.product(ctx, product).await?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let add_ons = store::add_ons(&mut tx, product).await?;
        tx.rollback().await?;
        Ok(add_ons)
    }
}
