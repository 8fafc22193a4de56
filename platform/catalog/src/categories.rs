//! The category tree.

use berth_access::{Context, Permission};
use berth_kernel::CategoryId;
use berth_tenancy::{IdempotencyKey, idempotency};

use crate::{Catalog, Category, Error, model::check_product_name, store};

impl Catalog {
    /// Adds a node to the tree. A node's parent is there before it, so the tree has no cycles.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the field.
    pub async fn create_category(
        &self,
        ctx: &Context,
        name: &str,
        parent_id: Option<CategoryId>,
        key: Option<&IdempotencyKey>,
    ) -> Result<Category, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        check_product_name(name)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let category = Category {
            id: CategoryId::new(),
            parent_id,
            name: name.trim().to_owned(),
        };
        store::insert_category(&mut tx, &category, ctx.clock.now()).await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &category).await?;
        }
        tx.commit().await?;
        Ok(category)
    }

    /// All nodes.
    ///
    /// # Errors
    /// What the database says.
    pub async fn categories(&self, ctx: &Context) -> Result<Vec<Category>, Error> {
        ctx.authorize(Permission::CatalogRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let categories = store::categories(&mut tx).await?;
        tx.rollback().await?;
        Ok(categories)
    }
}
