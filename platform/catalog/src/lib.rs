//! What a tenant offers, by whom, when and for how much. Owns products, their variants and prices,
//! categories, pools, seat maps, add-ons, resources, their schedules and combinations, locations and
//! holidays.
//!
//! Others see a product as a compiled [`Offering`]: everything that decides about a booking, in
//! one immutable value. The table `catalog_version` is the catalog's published signal: whoever
//! keeps an offering reads the number together with their own rows and asks again when it moved.
//! Where only looking is concerned, `fresh.rs` remembers the number for a moment.
//!
//! Must not know bookings: a change here never touches one that was made.
//!
//! To add a product's property: migration, [`model::Product`], `store.rs`, and the API's mapping.

mod add_ons;
mod categories;
mod combinations;
mod error;
mod fresh;
mod holidays;
mod images;
mod locations;
pub mod model;
mod offerings;
mod pools;
mod products;
mod resources;
mod seat_maps;
mod store;
mod vouchers;

use std::sync::Arc;

use berth_access::Context;
use berth_kernel::{Currency, ProductId};
use berth_tenancy::{Tenancy, Tenant, TenantTx};
use moka::sync::Cache;

use fresh::Fresh;

pub use error::Error;
pub use images::{ImageFile, Images};
pub use model::{
    AddOn, AddOnChange, Bounds, Buckets, CancellationTier, Category, CategoryChange, Combination,
    CustomerLimit, DayException, Discount, Holiday, Holidays, Image, ImageChange, Listing,
    ListingChange, Location, LocationChange, Near, NewAddOn, NewCategory, NewCombination,
    NewHoliday, NewImage, NewLocation, NewPool, NewProduct, NewResource, NewSeatMap, NewVoucher,
    OfferedCombination, OfferedPool, OfferedRequirement, OfferedResource, OfferedRow,
    OfferedSeating, Offering, Party, PaymentMode, Period, Point, Pool, PoolChange, Pooled,
    PooledBy, PriceEffect, PriceRule, Pricing, Product, ProductChange, ProductFilter, ProductKind,
    Question, QuestionKind, RentalTerms, Requirement, Resource, ResourceChange, ResourceKind,
    ResourceStanding, Schedule, SeatMap, SeatRow, Seating, Section, SoldBy, StayTerms, Tax,
    TaxRate, Variant, VariantChange, Voucher, VoucherChange, Weekly, Window, ZonePrice, rental_end,
    rental_minutes, rental_units, voucher_code,
};
pub use store::{hold_voucher, pool, voucher_of_code};

/// The catalog's commands and queries.
#[derive(Clone, Debug)]
pub struct Catalog {
    tenancy: Tenancy,
    /// Compiled offerings, by the tenant's role and the product; each knows its version.
    offerings: Cache<(Arc<str>, ProductId), Arc<Offering>>,
    fresh: Fresh,
}

impl Catalog {
    /// A catalog over `tenancy`.
    #[must_use]
    pub fn new(tenancy: Tenancy) -> Self {
        Self {
            tenancy,
            offerings: Cache::builder().max_capacity(20_000).build(),
            fresh: Fresh::new(),
        }
    }

    /// What the tenant prices in. It may be changed as long as nothing has a price: then it is not what it was a moment
    /// ago, and nobody changes it before the transaction ends.
    async fn currency(&self, tx: &mut TenantTx, ctx: &Context) -> Result<Currency, Error> {
        if !store::awaits_first_product(tx).await? {
            return Ok(ctx.tenant.currency);
        }
        let now = self.tenancy.registry().refresh(ctx.tenant.id).await?;
        Ok(now.map_or(ctx.tenant.currency, |tenant| tenant.currency))
    }

    /// Commits a change, under a new version of the tenant's catalog.
    async fn commit_change(&self, mut tx: TenantTx, tenant: &Tenant) -> Result<(), Error> {
        store::touch(&mut tx).await?;
        let committed = tx.commit().await;
        // Also when the answer was lost: the change may have been made.
        self.fresh.forget(tenant.role());
        Ok(committed?)
    }
}
