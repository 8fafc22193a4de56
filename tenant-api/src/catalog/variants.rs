//! Forms of a product as they are asked for and shown.

use berth_catalog::{Variant, VariantChange};
use poem_openapi::Object;
use uuid::Uuid;

use crate::shared::Money;

/// A form of a product with its own price.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct VariantRequest {
    /// Its name.
    pub name: String,
    /// Price of one place, in minor units of the product's currency.
    pub price_amount: i64,
}

/// What is to be changed of a form; what is left out stays.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct VariantEdit {
    /// Its name.
    pub name: Option<String>,
    /// Price of one place, in minor units of the product's currency.
    pub price_amount: Option<i64>,
    /// Whether it can be booked.
    pub active: Option<bool>,
}

impl From<VariantEdit> for VariantChange {
    fn from(edit: VariantEdit) -> Self {
        Self {
            name: edit.name,
            price_minor: edit.price_amount,
            active: edit.active,
        }
    }
}

/// A form of a product.
#[derive(Debug, Object)]
#[oai(rename = "Variant")]
pub struct VariantAnswer {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Price of one place.
    pub price: Money,
    /// Whether it can be booked.
    pub active: bool,
}

impl From<Variant> for VariantAnswer {
    fn from(variant: Variant) -> Self {
        Self {
            id: variant.id,
            name: variant.name,
            price: variant.price.into(),
            active: variant.active,
        }
    }
}

/// Forms of a product.
#[derive(Debug, Object)]
pub struct VariantList {
    /// The forms.
    pub items: Vec<VariantAnswer>,
}
