//! The category tree as it is asked for and shown.

use berth_catalog::Category;
use poem_openapi::Object;
use uuid::Uuid;

/// A node to be added to the tree.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct CategoryRequest {
    /// Its name.
    pub name: String,
    /// The node above.
    pub parent_id: Option<Uuid>,
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
}

impl From<Category> for CategoryAnswer {
    fn from(category: Category) -> Self {
        Self {
            id: category.id.into(),
            parent_id: category.parent_id.map(Into::into),
            name: category.name,
        }
    }
}

/// The category tree.
#[derive(Debug, Object)]
pub struct CategoryList {
    /// All nodes.
    pub items: Vec<CategoryAnswer>,
}
