//! Pools.

use berth_access::{Context, Permission};
use berth_kernel::PoolId;
use berth_tenancy::{IdempotencyKey, idempotency};

use crate::{Catalog, Error, NewPool, Pool, PoolChange, model::check_pool, store};

impl Catalog {
    /// Makes a pool.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the field.
    pub async fn create_pool(
        &self,
        ctx: &Context,
        new: &NewPool,
        key: Option<&IdempotencyKey>,
    ) -> Result<Pool, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        check_pool(Some(&new.name), Some(new.quantity))?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let pool = Pool {
            id: PoolId::new(),
            name: new.name.trim().to_owned(),
            quantity: new.quantity,
            sold_by: new.sold_by,
            capacity: new.quantity,
            version: 1,
        };
        store::insert_pool(&mut tx, &pool, ctx.clock.now()).await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &pool).await?;
        }
        self.commit_change(tx, &ctx.tenant).await?;
        Ok(pool)
    }

    /// Changes a pool. What is booked of it stays, even where there are fewer by now.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::VersionConflict`] when it was changed since it
    /// was read.
    pub async fn change_pool(
        &self,
        ctx: &Context,
        id: PoolId,
        change: &PoolChange,
    ) -> Result<Pool, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        check_pool(change.name.as_deref(), change.quantity)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        store::pool(&mut tx, id).await?.ok_or(Error::NotFound)?;
        if !store::update_pool(&mut tx, id, change).await? {
            return Err(Error::VersionConflict);
        }
        let pool = store::pool(&mut tx, id).await?.ok_or(Error::NotFound)?;
        self.commit_change(tx, &ctx.tenant).await?;
        Ok(pool)
    }

    /// All pools.
    ///
    /// # Errors
    /// What the database says.
    pub async fn pools(&self, ctx: &Context) -> Result<Vec<Pool>, Error> {
        ctx.authorize(Permission::CatalogRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let pools = store::pools(&mut tx).await?;
        tx.rollback().await?;
        Ok(pools)
    }
}
