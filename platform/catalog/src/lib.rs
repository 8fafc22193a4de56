//! What a tenant offers, by whom and when. Owns products, variants, categories, resources and
//! their schedules.
//!
//! Others see a product as a compiled [`Offering`]: everything that decides about a booking, in
//! one immutable value. The table `catalog_version` is the catalog's published signal: whoever
//! keeps an offering reads the number together with their own rows and asks again when it moved.
//!
//! Must not know bookings: a change here never touches one that was made.
//!
//! To add a product's property: migration, [`model::Product`], `store.rs`, and the API's mapping.

mod categories;
mod error;
pub mod model;
mod offerings;
mod products;
mod resources;
mod store;

use berth_kernel::ProductId;
use berth_tenancy::Tenancy;
use moka::sync::Cache;
use std::sync::Arc;

pub use error::Error;
pub use model::{
    CancellationTier, Category, DayException, NewProduct, NewResource, OfferedResource, Offering,
    PaymentMode, Product, ProductChange, ProductKind, Resource, ResourceKind, Variant, Weekly,
    Window,
};

/// The catalog's commands and queries.
#[derive(Clone, Debug)]
pub struct Catalog {
    tenancy: Tenancy,
    /// Compiled offerings, by the tenant's role and the product; each knows its version.
    offerings: Cache<(Arc<str>, ProductId), Arc<Offering>>,
}

impl Catalog {
    /// A catalog over `tenancy`.
    #[must_use]
    pub fn new(tenancy: Tenancy) -> Self {
        Self {
            tenancy,
            offerings: Cache::builder().max_capacity(20_000).build(),
        }
    }
}
