//! What is offered.

mod add_ons;
mod categories;
mod combinations;
mod holidays;
mod images;
mod limits;
mod locations;
mod pools;
mod pricing;
mod products;
mod questions;
mod resources;
mod seat_maps;
mod variants;
mod vouchers;

use berth_catalog::{
    ListingChange, NewCombination, NewPool, NewProduct, NewResource, NewSeatMap, PoolChange,
    ProductChange, ProductFilter, ResourceChange, VariantChange,
};
use berth_kernel::{CategoryId, Problem};
use berth_web::{Asker, Refusal, Visitor, idempotency, refuse};
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{Api, cursor, limit, shared::Tag};
pub(crate) use add_ons::*;
pub(crate) use categories::*;
pub(crate) use combinations::*;
pub(crate) use holidays::*;
pub(crate) use images::*;
pub(crate) use locations::*;
pub(crate) use pools::*;
pub(crate) use products::*;
pub(crate) use resources::*;
pub(crate) use seat_maps::*;
pub(crate) use variants::*;
pub(crate) use vouchers::*;

/// The operations.
pub(crate) struct CatalogApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Catalog")]
impl CatalogApi {
    /// Make a product.
    #[oai(path = "/products", method = "post", operation_id = "create_product")]
    async fn create_product(
        &self,
        asker: Asker,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<ProductRequest>,
    ) -> Result<Json<ProductAnswer>, Refusal> {
        let ctx = asker.context();
        let key = idempotency::key(&ctx, "POST /v1/products", key.0.as_deref(), "", &body.0)
            .map_err(refuse)?;
        let new = NewProduct::try_from(body.0)?;
        let product = self
            .0
            .catalog
            .create_product(&ctx, &new, key.as_ref())
            .await;
        Ok(Json(product.map_err(refuse)?.into()))
    }

    /// List products, in the order of their making, or search them, the best first.
    #[oai(path = "/products", method = "get", operation_id = "list_products")]
    #[expect(clippy::too_many_arguments, reason = "what may be asked of a list")]
    async fn products(
        &self,
        visitor: Visitor,
        /// Words that must all occur in name, description or tags, in any of their forms; or what a name contains
        /// or resembles. Accents do not matter. At most 200 characters.
        q: Query<Option<String>>,
        /// Only those in this category, or below it.
        category_id: Query<Option<Uuid>>,
        /// Only those with this tag; with all of them, the parameter repeated.
        tag: Query<Option<Vec<String>>>,
        /// Only those of this kind.
        kind: Query<Option<Kind>>,
        /// Only the one with this name in addresses.
        slug: Query<Option<String>>,
        /// `next_cursor` of the page before.
        #[oai(name = "cursor")]
        after: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 20 unless asked.
        #[oai(name = "limit")]
        rows: Query<Option<u16>>,
    ) -> Result<Json<ProductPage>, Refusal> {
        let (catalog, ctx, rows) = (&self.0.catalog, &visitor.0, limit(rows.0)?);
        let tags = tag.0.iter().flatten();
        let filter = ProductFilter {
            category_id: category_id.0.map(Into::into),
            tags: tags.map(|tag| tag.trim().to_lowercase()).collect(),
            kind: kind.0.map(Into::into),
            slug: slug.0,
        };
        let after = after.0.as_deref();
        let words = q.0.filter(|words| !words.trim().is_empty());
        let page = match words {
            Some(words) => {
                let after = cursor(after)?;
                let page = catalog.search_products(ctx, &words, &filter, after, rows);
                page.await.map(ProductPage::from)
            }
            None => {
                let page = catalog.products(ctx, &filter, cursor(after)?, rows);
                page.await.map(ProductPage::from)
            }
        };
        Ok(Json(page.map_err(refuse)?))
    }

    /// Read a product.
    #[oai(path = "/products/:id", method = "get", operation_id = "get_product")]
    async fn product(
        &self,
        visitor: Visitor,
        id: Path<Uuid>,
    ) -> Result<Json<ProductAnswer>, Refusal> {
        let product = self
            .0
            .catalog
            .product(&visitor.0, id.0.into())
            .await
            .map_err(refuse)?;
        Ok(Json(product.into()))
    }

    /// Change a product. Bookings made keep what was agreed.
    #[oai(
        path = "/products/:id",
        method = "patch",
        operation_id = "update_product"
    )]
    async fn update_product(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        body: Json<ProductEdit>,
    ) -> Result<Json<ProductAnswer>, Refusal> {
        let ctx = asker.context();
        let zones = body.0.zone_prices;
        let change = ProductChange {
            version: body.0.version,
            name: body.0.name,
            description: body.0.description,
            category_id: given(body.0.category_id).map(|id| id.map(CategoryId::from)),
            price_minor: body.0.price_amount,
            active: body.0.active,
            requirements: requirements(body.0.requirements, body.0.resource_ids)?,
            questions: body
                .0
                .questions
                .map(|all| all.into_iter().map(Into::into).collect()),
            names_required: body.0.names_required,
            approval_hours: given(body.0.approval_hours),
            tags: body.0.tags,
            listing: ListingChange {
                slug: given(body.0.slug),
                meta_title: given(body.0.meta_title),
                meta_description: given(body.0.meta_description),
            },
            zone_prices: zones.map(|all| all.into_iter().map(Into::into).collect()),
            pricing: body.0.pricing.map(TryInto::try_into).transpose()?,
        };
        let product = self
            .0
            .catalog
            .update_product(&ctx, id.0.into(), &change)
            .await;
        Ok(Json(product.map_err(refuse)?.into()))
    }

    /// Add a form of a product.
    #[oai(
        path = "/products/:id/variants",
        method = "post",
        operation_id = "create_variant"
    )]
    async fn create_variant(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<VariantRequest>,
    ) -> Result<Json<VariantAnswer>, Refusal> {
        let ctx = asker.context();
        let route = "POST /v1/products/:id/variants";
        let key = idempotency::key(&ctx, route, key.0.as_deref(), &id.0.to_string(), &body.0)
            .map_err(refuse)?;
        let VariantRequest { name, price_amount } = body.0;
        let variant =
            self.0
                .catalog
                .create_variant(&ctx, id.0.into(), &name, price_amount, key.as_ref());
        Ok(Json(variant.await.map_err(refuse)?.into()))
    }

    /// Change a form of a product. Bookings made keep what was agreed.
    #[oai(
        path = "/products/:id/variants/:variant",
        method = "patch",
        operation_id = "update_variant"
    )]
    async fn update_variant(
        &self,
        asker: Asker,
        /// Of what.
        id: Path<Uuid>,
        /// The form.
        variant: Path<Uuid>,
        body: Json<VariantEdit>,
    ) -> Result<Json<VariantAnswer>, Refusal> {
        let ctx = asker.context();
        let change = VariantChange::from(body.0);
        let changed = self
            .0
            .catalog
            .update_variant(&ctx, id.0.into(), variant.0, &change);
        Ok(Json(changed.await.map_err(refuse)?.into()))
    }

    /// List the forms of a product.
    #[oai(
        path = "/products/:id/variants",
        method = "get",
        operation_id = "list_variants"
    )]
    async fn variants(
        &self,
        visitor: Visitor,
        id: Path<Uuid>,
    ) -> Result<Json<VariantList>, Refusal> {
        let variants = self
            .0
            .catalog
            .variants(&visitor.0, id.0.into())
            .await
            .map_err(refuse)?;
        Ok(Json(VariantList {
            items: variants.into_iter().map(Into::into).collect(),
        }))
    }

    /// Make a pool.
    #[oai(path = "/pools", method = "post", operation_id = "create_pool")]
    async fn create_pool(
        &self,
        asker: Asker,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<PoolRequest>,
    ) -> Result<Json<PoolAnswer>, Refusal> {
        let ctx = asker.context();
        let key = idempotency::key(&ctx, "POST /v1/pools", key.0.as_deref(), "", &body.0)
            .map_err(refuse)?;
        let new = NewPool::from(body.0);
        let pool = self.0.catalog.create_pool(&ctx, &new, key.as_ref()).await;
        Ok(Json(pool.map_err(refuse)?.into()))
    }

    /// Change a pool.
    #[oai(path = "/pools/:id", method = "patch", operation_id = "update_pool")]
    async fn update_pool(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        body: Json<PoolEdit>,
    ) -> Result<Json<PoolAnswer>, Refusal> {
        let ctx = asker.context();
        let change = PoolChange::from(body.0);
        let changed = self.0.catalog.change_pool(&ctx, id.0.into(), &change);
        Ok(Json(changed.await.map_err(refuse)?.into()))
    }

    /// List pools.
    #[oai(path = "/pools", method = "get", operation_id = "list_pools")]
    async fn pools(&self, visitor: Visitor) -> Result<Json<PoolList>, Refusal> {
        let pools = self.0.catalog.pools(&visitor.0).await.map_err(refuse)?;
        Ok(Json(PoolList {
            items: pools.into_iter().map(Into::into).collect(),
        }))
    }

    /// Let tables be put together for larger parties.
    #[oai(
        path = "/combinations",
        method = "post",
        operation_id = "create_combination"
    )]
    async fn create_combination(
        &self,
        asker: Asker,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<CombinationRequest>,
    ) -> Result<Json<CombinationAnswer>, Refusal> {
        let ctx = asker.context();
        let key = idempotency::key(&ctx, "POST /v1/combinations", key.0.as_deref(), "", &body.0)
            .map_err(refuse)?;
        let new = NewCombination::from(body.0);
        let made = self.0.catalog.create_combination(&ctx, &new, key.as_ref());
        Ok(Json(made.await.map_err(refuse)?.into()))
    }

    /// List the tables that can be put together.
    #[oai(
        path = "/combinations",
        method = "get",
        operation_id = "list_combinations"
    )]
    async fn combinations(&self, visitor: Visitor) -> Result<Json<CombinationList>, Refusal> {
        let all = self.0.catalog.combinations(&visitor.0).await;
        Ok(Json(CombinationList {
            items: all.map_err(refuse)?.into_iter().map(Into::into).collect(),
        }))
    }

    /// Let tables be put together no more. Who has booked them keeps them.
    #[oai(
        path = "/combinations/:id",
        method = "delete",
        operation_id = "delete_combination"
    )]
    async fn delete_combination(&self, asker: Asker, id: Path<Uuid>) -> Result<(), Refusal> {
        let ctx = asker.context();
        let gone = self.0.catalog.delete_combination(&ctx, id.0.into());
        gone.await.map_err(refuse)
    }

    /// Import a hall's numbered seats.
    ///
    /// A map never changes, so that a seat that was sold stays the seat it was.
    #[oai(path = "/seat-maps", method = "post", operation_id = "create_seat_map")]
    async fn create_seat_map(
        &self,
        asker: Asker,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<SeatMapRequest>,
    ) -> Result<Json<SeatMapAnswer>, Refusal> {
        let ctx = asker.context();
        let key = idempotency::key(&ctx, "POST /v1/seat-maps", key.0.as_deref(), "", &body.0)
            .map_err(refuse)?;
        let new = NewSeatMap::from(body.0);
        let made = self.0.catalog.create_seat_map(&ctx, new, key.as_ref());
        Ok(Json(made.await.map_err(refuse)?.into()))
    }

    /// List halls.
    #[oai(path = "/seat-maps", method = "get", operation_id = "list_seat_maps")]
    async fn seat_maps(&self, visitor: Visitor) -> Result<Json<SeatMapList>, Refusal> {
        let maps = self.0.catalog.seat_maps(&visitor.0).await.map_err(refuse)?;
        Ok(Json(SeatMapList {
            items: maps.into_iter().map(Into::into).collect(),
        }))
    }

    /// Read a hall with its seats. It never changes.
    #[oai(path = "/seat-maps/:id", method = "get", operation_id = "get_seat_map")]
    async fn seat_map(
        &self,
        visitor: Visitor,
        id: Path<Uuid>,
    ) -> Result<Json<SeatMapAnswer>, Refusal> {
        let map = self.0.catalog.seat_map(&visitor.0, id.0.into()).await;
        Ok(Json(map.map_err(refuse)?.into()))
    }

    /// Remove a hall that no product is sold in.
    #[oai(
        path = "/seat-maps/:id",
        method = "delete",
        operation_id = "delete_seat_map"
    )]
    async fn delete_seat_map(&self, asker: Asker, id: Path<Uuid>) -> Result<(), Refusal> {
        let ctx = asker.context();
        let gone = self.0.catalog.delete_seat_map(&ctx, id.0.into());
        gone.await.map_err(refuse)
    }

    /// Make a resource.
    #[oai(path = "/resources", method = "post", operation_id = "create_resource")]
    async fn create_resource(
        &self,
        asker: Asker,
        /// The same key gives the same answer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<ResourceRequest>,
    ) -> Result<Json<ResourceAnswer>, Refusal> {
        let ctx = asker.context();
        let key = idempotency::key(&ctx, "POST /v1/resources", key.0.as_deref(), "", &body.0)
            .map_err(refuse)?;
        let new = NewResource::from(body.0);
        let resource = self
            .0
            .catalog
            .create_resource(&ctx, &new, key.as_ref())
            .await;
        Ok(Json(resource.map_err(refuse)?.into()))
    }

    /// List resources with their schedules.
    #[oai(path = "/resources", method = "get", operation_id = "list_resources")]
    async fn resources(&self, visitor: Visitor) -> Result<Json<ResourceList>, Refusal> {
        let resources = self.0.catalog.resources(&visitor.0).await.map_err(refuse)?;
        Ok(Json(ResourceList {
            items: resources.into_iter().map(Into::into).collect(),
        }))
    }

    /// Change a resource.
    #[oai(
        path = "/resources/:id",
        method = "patch",
        operation_id = "update_resource"
    )]
    async fn update_resource(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        body: Json<ResourceEdit>,
    ) -> Result<Json<ResourceAnswer>, Refusal> {
        let ctx = asker.context();
        let change = ResourceChange::from(body.0);
        let changed = self.0.catalog.change_resource(&ctx, id.0.into(), &change);
        Ok(Json(changed.await.map_err(refuse)?.into()))
    }

    /// Replace when a resource works.
    #[oai(
        path = "/resources/:id/schedule",
        method = "put",
        operation_id = "set_schedule"
    )]
    async fn set_schedule(
        &self,
        asker: Asker,
        id: Path<Uuid>,
        body: Json<ScheduleRequest>,
    ) -> Result<(), Refusal> {
        let ctx = asker.context();
        let half = |rule: &ExceptionRule| rule.starts.is_some() != rule.ends.is_some();
        if body.0.exceptions.iter().any(half) {
            let detail = "Name `starts` and `ends`, or neither for a day that is closed.";
            return Err(refuse(Problem::field(
                "exceptions",
                "INVALID_WINDOW",
                detail,
            )));
        }
        let weekly: Vec<_> = body.0.schedule.into_iter().map(Into::into).collect();
        let exceptions: Vec<_> = body.0.exceptions.into_iter().map(Into::into).collect();
        let set = self
            .0
            .catalog
            .set_schedule(&ctx, id.0.into(), &weekly, &exceptions);
        set.await.map_err(refuse)
    }
}
