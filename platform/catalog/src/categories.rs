//! The category tree.

use berth_access::{Context, Permission};
use berth_kernel::CategoryId;
use berth_tenancy::{IdempotencyKey, idempotency};

use crate::{Catalog, Category, CategoryChange, Error, NewCategory, model::check_category, store};

impl Catalog {
    /// Adds a node to the tree.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the field.
    pub async fn create_category(
        &self,
        ctx: &Context,
        new: &NewCategory,
        key: Option<&IdempotencyKey>,
    ) -> Result<Category, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        check_category(Some(&new.name), Some(new.position))?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let category = Category {
            id: CategoryId::new(),
            parent_id: new.parent_id,
            name: new.name.trim().to_owned(),
            position: new.position,
            version: 1,
        };
        store::lock_tree(&mut tx).await?;
        let family = store::family(&mut tx, category.id, category.parent_id).await?;
        family.check_new()?;
        store::insert_category(&mut tx, &category, ctx.clock.now()).await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &category).await?;
        }
        tx.commit().await?;
        Ok(category)
    }

    /// Renames a node, moves it with all that is below it, or gives it another place.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], among others when it would stand below itself;
    /// [`Error::VersionConflict`] when it was changed since it was read.
    pub async fn change_category(
        &self,
        ctx: &Context,
        id: CategoryId,
        change: &CategoryChange,
    ) -> Result<Category, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        check_category(change.name.as_deref(), change.position)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if change.parent_id.is_some() {
            store::lock_tree(&mut tx).await?;
        }
        let found = store::category(&mut tx, id).await?;
        let mut category = found.ok_or(Error::NotFound)?;
        if let Some(name) = &change.name {
            name.trim().clone_into(&mut category.name);
        }
        category.position = change.position.unwrap_or(category.position);
        if let Some(parent) = change.parent_id {
            store::family(&mut tx, id, parent).await?.check()?;
            category.parent_id = parent;
        }
        if !store::update_category(&mut tx, &category, change.version).await? {
            return Err(Error::VersionConflict);
        }
        tx.commit().await?;
        Ok(Category {
            version: change.version + 1,
            ..category
        })
    }

    /// Removes a node that has nothing below it and nothing in it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotEmpty`] when it has.
    pub async fn delete_category(&self, ctx: &Context, id: CategoryId) -> Result<(), Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        match store::delete_category(&mut tx, id).await {
            Ok(true) => Ok(tx.commit().await?),
            Ok(false) => Err(Error::NotFound),
            Err(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => {
                Err(Error::NotEmpty)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A node.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn category(&self, ctx: &Context, id: CategoryId) -> Result<Category, Error> {
        ctx.authorize(Permission::CatalogRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let category = store::category(&mut tx, id).await?;
        tx.rollback().await?;
        category.ok_or(Error::NotFound)
    }

    /// All nodes, those below the same one in their order.
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
