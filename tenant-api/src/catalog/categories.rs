//! The category tree.

use berth_catalog::{Category, CategoryChange, NewCategory};
use berth_kernel::CategoryId;
use berth_web::{Asker, Refusal, Visitor, idempotency, refuse};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
    payload::Json,
    types::MaybeUndefined,
};
use uuid::Uuid;

use crate::{Api, shared::Tag};

/// The operations.
pub(crate) struct CategoriesApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Catalog")]
impl CategoriesApi {
    /// Add a node to the category tree.
    #[oai(
        path = "/categories",
        method = "post",
        operation_id = "create_category"
    )]
    async fn create_category(
        &self,
        asker: Asker,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<CategoryRequest>,
    ) -> Result<Json<CategoryAnswer>, Refusal> {
        let ctx = asker.context();
        let key = idempotency::key(&ctx, "POST /v1/categories", key.0.as_deref(), "", &body.0)
            .map_err(refuse)?;
        let new = NewCategory::from(body.0);
        let category = self.0.catalog.create_category(&ctx, &new, key.as_ref());
        Ok(Json(category.await.map_err(refuse)?.into()))
    }

    /// Read the category tree.
    #[oai(path = "/categories", method = "get", operation_id = "list_categories")]
    async fn categories(&self, visitor: Visitor) -> Result<Json<CategoryList>, Refusal> {
        let categories = self.0.catalog.categories(&visitor.0).await;
        let categories = categories.map_err(refuse)?;
        Ok(Json(CategoryList {
            items: categories.into_iter().map(Into::into).collect(),
        }))
    }

    /// Read a node of the category tree.
    #[oai(
        path = "/categories/:id",
        method = "get",
        operation_id = "get_category"
    )]
    async fn category(
        &self,
        visitor: Visitor,
        id: Path<Uuid>,
    ) -> Result<Json<CategoryAnswer>, Refusal> {
        let category = self.0.catalog.category(&visitor.0, id.0.into()).await;
        Ok(Json(category.map_err(refuse)?.into()))
    }

    /// Rename a node of the category tree, or move it with all that is below it.
    #[oai(
        path = "/categories/:id",
        method = "patch",
        operation_id = "update_category"
    )]
    async fn update_category(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        body: Json<CategoryEdit>,
    ) -> Result<Json<CategoryAnswer>, Refusal> {
        let ctx = asker.context();
        let change = CategoryChange::from(body.0);
        let changed = self.0.catalog.change_category(&ctx, id.0.into(), &change);
        Ok(Json(changed.await.map_err(refuse)?.into()))
    }

    /// Remove a node that has no node below it and no product in it.
    #[oai(
        path = "/categories/:id",
        method = "delete",
        operation_id = "delete_category"
    )]
    async fn delete_category(&self, asker: Asker, id: Path<Uuid>) -> Result<(), Refusal> {
        let ctx = asker.context();
        let gone = self.0.catalog.delete_category(&ctx, id.0.into());
        gone.await.map_err(refuse)
    }
}

/// A node to be added to the tree.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct CategoryRequest {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// The node above; there are eight levels at most.
    pub parent_id: Option<Uuid>,
    /// Its place among those below the same node, 0 to 100,000, the lowest first.
    #[oai(default)]
    pub position: i32,
}

/// What is to become different of a node; what is not given stays.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct CategoryEdit {
    /// The version you read.
    pub version: i64,
    /// Its name.
    pub name: Option<String>,
    /// The node above; `null` makes it one of the highest.
    pub parent_id: MaybeUndefined<Uuid>,
    /// Its place among those below the same node.
    pub position: Option<i32>,
}

/// A node of the category tree.
#[derive(Debug, Object)]
#[oai(rename = "Category")]
pub struct CategoryAnswer {
    /// Its id.
    pub id: Uuid,
    /// The node above.
    #[oai(skip_serializing_if_is_none)]
    pub parent_id: Option<Uuid>,
    /// Its name.
    pub name: String,
    /// Its place among those below the same node, the lowest first; by name where it is equal.
    pub position: i32,
    /// Raised by each change.
    pub version: i64,
}

impl From<CategoryRequest> for NewCategory {
    fn from(request: CategoryRequest) -> Self {
        Self {
            parent_id: request.parent_id.map(Into::into),
            name: request.name,
            position: request.position,
        }
    }
}

impl From<CategoryEdit> for CategoryChange {
    fn from(edit: CategoryEdit) -> Self {
        Self {
            version: edit.version,
            name: edit.name,
            parent_id: given(edit.parent_id).map(|id| id.map(CategoryId::from)),
            position: edit.position,
        }
    }
}

/// What is said of something that may also be taken away.
pub(super) fn given<T>(value: MaybeUndefined<T>) -> Option<Option<T>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

impl From<Category> for CategoryAnswer {
    fn from(category: Category) -> Self {
        Self {
            id: category.id.into(),
            parent_id: category.parent_id.map(Into::into),
            name: category.name,
            position: category.position,
            version: category.version,
        }
    }
}

/// The category tree.
#[derive(Debug, Object)]
pub struct CategoryList {
    /// All nodes, those below the same one in their order.
    pub items: Vec<CategoryAnswer>,
}
