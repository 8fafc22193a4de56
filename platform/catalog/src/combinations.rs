//! Tables that can be put together.

use berth_access::{Context, Permission};
use berth_kernel::CombinationId;
use berth_tenancy::{IdempotencyKey, idempotency};

use crate::{Catalog, Combination, Error, NewCombination, store};

/// Most combinations of one business: each is looked at for each start.
const MOST: usize = 200;

impl Catalog {
    /// Lets tables be put together.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the field.
    pub async fn create_combination(
        &self,
        ctx: &Context,
        new: &NewCombination,
        key: Option<&IdempotencyKey>,
    ) -> Result<Combination, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        new.check()?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let mut combination = Combination {
            id: CombinationId::new(),
            resource_ids: new.resource_ids.clone(),
            party: new.party,
        };
        combination.resource_ids.sort_unstable();
        if store::combinations(&mut tx).await?.len() >= MOST {
            let detail = "There are 200 combinations already.";
            return Err(Error::invalid("resource_ids", "TOO_MANY", detail));
        }
        store::insert_combination(&mut tx, &combination, ctx.clock.now()).await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &combination).await?;
        }
        self.commit_change(tx, &ctx.tenant).await?;
        Ok(combination)
    }

    /// Lets tables be put together no more. Who has booked them keeps them.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_combination(&self, ctx: &Context, id: CombinationId) -> Result<(), Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if !store::delete_combination(&mut tx, id).await? {
            return Err(Error::NotFound);
        }
        self.commit_change(tx, &ctx.tenant).await
    }

    /// All tables that can be put together.
    ///
    /// # Errors
    /// What the database says.
    pub async fn combinations(&self, ctx: &Context) -> Result<Vec<Combination>, Error> {
        ctx.authorize(Permission::CatalogRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let combinations = store::combinations(&mut tx).await?;
        tx.rollback().await?;
        Ok(combinations)
    }
}
