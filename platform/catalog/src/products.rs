//! Making, changing and finding products and their variants.

use std::collections::HashMap;

use berth_access::{Context, Permission, Role};
use berth_kernel::{Cursor, Money, Page, ProductId, RankCursor};
use berth_tenancy::{IdempotencyKey, TenantTx, idempotency};
use uuid::Uuid;

use crate::{
    Catalog, Error, NewProduct, Product, ProductChange, ProductFilter, Variant, VariantChange,
    locations::zone_of,
    model::{
        check_approval, check_new_product, check_pricing, check_product_description,
        check_product_name, check_product_price, check_questions, check_requirements, check_taken,
        check_words, check_zone_prices, check_zones, language, tags,
    },
    store,
};

impl Catalog {
    /// Makes a product.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the field that is against a rule.
    pub async fn create_product(
        &self,
        ctx: &Context,
        new: &NewProduct,
        key: Option<&IdempotencyKey>,
    ) -> Result<Product, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        check_new_product(new, ctx.tenant.currency)?;
        let new = &NewProduct {
            tags: tags(&new.tags)?,
            ..new.clone()
        };
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        check_new_product(new, self.currency(&mut tx, ctx).await?)?;
        let id = ProductId::new();
        let zone = zone_of(&mut tx, ctx, new.location_id, new.timezone.as_deref()).await?;
        if let (Some(sold_by), Some(pool)) = (new.kind.sold_by(), new.pool_id) {
            let pool = store::pool(&mut tx, pool).await?;
            if pool.is_some_and(|pool| pool.sold_by != sold_by) {
                let detail = "A stay takes of a pool that is sold by the night, a rental of one sold by time.";
                return Err(Error::invalid("pool_id", "WRONG_KIND", detail));
            }
        }
        if let Some(seating) = &new.seating
            && let Some(map) = store::seat_map(&mut tx, seating.seat_map_id).await?
        {
            check_zones(&seating.zone_prices, &map)?;
        }
        let language = language(&ctx.tenant.locale);
        store::insert_product(&mut tx, id, new, &zone, language, ctx.clock.now()).await?;
        store::set_requirements(&mut tx, id, new.kind, &new.requirements).await?;
        let product = store::product(&mut tx, id).await?.ok_or(Error::NotFound)?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &product).await?;
        }
        self.commit_change(tx, &ctx.tenant).await?;
        Ok(product)
    }

    /// Changes a product. Bookings made keep what was agreed.
    ///
    /// # Errors
    /// [`Error::VersionConflict`] when it was changed since it was read.
    pub async fn update_product(
        &self,
        ctx: &Context,
        id: ProductId,
        change: &ProductChange,
    ) -> Result<Product, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let mut product = store::product(&mut tx, id).await?.ok_or(Error::NotFound)?;
        if let Some(name) = &change.name {
            check_product_name(name)?;
            name.trim().clone_into(&mut product.name);
        }
        if let Some(minor) = change.price_minor {
            product.price.amount = minor;
            check_product_price(product.price)?;
        }
        if let Some(description) = &change.description {
            check_product_description(description)?;
            product.description.clone_from(description);
        }
        product.category_id = change.category_id.unwrap_or(product.category_id);
        product.active = change.active.unwrap_or(product.active);
        product.approval_hours = change.approval_hours.unwrap_or(product.approval_hours);
        check_approval(product.approval_hours)?;
        if let Some(questions) = &change.questions {
            check_questions(questions)?;
            product.questions.clone_from(questions);
        }
        product.names_required = change.names_required.unwrap_or(product.names_required);
        if let Some(given) = &change.tags {
            product.tags = tags(given)?;
        }
        product.listing = product.listing.changed(&change.listing);
        product.listing.check()?;
        if let Some(pricing) = &change.pricing {
            let currency = product.price.currency;
            check_pricing(pricing, product.kind, product.max_quantity, currency)?;
            product.pricing.clone_from(pricing);
        }
        if let Some(prices) = &change.zone_prices {
            let Some(seating) = &mut product.seating else {
                let detail = "It has no numbered seats.";
                return Err(Error::invalid("zone_prices", "WRONG_KIND", detail));
            };
            check_zone_prices(prices, product.price.currency)?;
            let map = store::seat_map(&mut tx, seating.seat_map_id).await?;
            check_zones(prices, &map.ok_or(Error::NotFound)?)?;
            seating.zone_prices.clone_from(prices);
        }
        let (language, now) = (language(&ctx.tenant.locale), ctx.clock.now());
        if !store::update_product(&mut tx, &product, change.version, language, now).await? {
            return Err(Error::VersionConflict);
        }
        if let Some(requirements) = &change.requirements {
            check_requirements(requirements)?;
            check_taken(product.kind, requirements)?;
            store::set_requirements(&mut tx, id, product.kind, requirements).await?;
            let stored = store::product(&mut tx, id).await?.ok_or(Error::NotFound)?;
            product.requirements = stored.requirements;
        }
        self.commit_change(tx, &ctx.tenant).await?;
        Ok(Product {
            version: change.version + 1,
            ..product
        })
    }

    /// A product. One that is not offered is seen by staff only, who always see it as it is now;
    /// others may see it as it was a moment ago.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn product(&self, ctx: &Context, id: ProductId) -> Result<Product, Error> {
        ctx.authorize(Permission::CatalogRead)
            .map_err(Error::Denied)?;
        let product = if sees_inactive(ctx) {
            let mut tx = self.tenancy.begin(&ctx.tenant).await?;
            let product = store::product(&mut tx, id).await?;
            tx.rollback().await?;
            product.ok_or(Error::NotFound)?
        } else {
            let offering = self.remembered(ctx, id).await?;
            let offered = Some(&offering.product).filter(|product| product.active);
            offered.ok_or(Error::NotFound)?.clone()
        };
        Ok(product)
    }

    /// Products, in the order of their making.
    ///
    /// # Errors
    /// What the database says.
    pub async fn products(
        &self,
        ctx: &Context,
        filter: &ProductFilter,
        after: Option<Cursor>,
        limit: u16,
    ) -> Result<Page<Product>, Error> {
        ctx.authorize(Permission::CatalogRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let only_active = !sees_inactive(ctx);
        let found =
            store::products(&mut tx, filter, only_active, after, i64::from(limit) + 1).await?;
        tx.rollback().await?;
        Ok(Page::from_surplus(found, usize::from(limit), |product| {
            Cursor {
                at: product.created_at,
                id: product.id.uuid(),
            }
        }))
    }

    /// Products in which all of `words` occur, in one of their forms, or that have a name which resembles
    /// or contains them; the best first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more words than anybody looks for.
    pub async fn search_products(
        &self,
        ctx: &Context,
        words: &str,
        filter: &ProductFilter,
        after: Option<RankCursor>,
        limit: u16,
    ) -> Result<Page<Product, RankCursor>, Error> {
        ctx.authorize(Permission::CatalogRead)
            .map_err(Error::Denied)?;
        check_words(words)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let found = store::found(
            &mut tx,
            words.trim(),
            language(&ctx.tenant.locale),
            filter,
            !sees_inactive(ctx),
            after,
            i64::from(limit) + 1,
        )
        .await?;
        tx.rollback().await?;
        let page = Page::from_surplus(found, usize::from(limit), |(rank, product)| RankCursor {
            rank: *rank,
            id: product.id.uuid(),
        });
        Ok(Page {
            next: page.next,
            items: page.items.into_iter().map(|(_, product)| product).collect(),
        })
    }

    /// Adds a form of a product with its own price.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown product, [`Error::Invalid`] for a field.
    pub async fn create_variant(
        &self,
        ctx: &Context,
        product: ProductId,
        name: &str,
        price_minor: i64,
        key: Option<&IdempotencyKey>,
    ) -> Result<Variant, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        check_product_name(name)?;
        let price = Money::new(price_minor, ctx.tenant.currency);
        check_product_price(price)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if let Some(key) = key
            && let Some(answer) = idempotency::answered(&mut tx, key).await?
        {
            return Ok(answer);
        }
        let of = store::product(&mut tx, product).await?;
        of.ok_or(Error::NotFound)?;
        let variant = Variant {
            id: Uuid::now_v7(),
            product_id: product,
            name: name.trim().to_owned(),
            price,
            active: true,
        };
        store::insert_variant(&mut tx, &variant, ctx.clock.now()).await?;
        if let Some(key) = key {
            idempotency::remember(&mut tx, key, &variant).await?;
        }
        self.commit_change(tx, &ctx.tenant).await?;
        Ok(variant)
    }

    /// Changes a form of a product. Bookings made keep what was agreed.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for a field.
    pub async fn update_variant(
        &self,
        ctx: &Context,
        product: ProductId,
        id: Uuid,
        change: &VariantChange,
    ) -> Result<Variant, Error> {
        ctx.authorize(Permission::CatalogWrite)
            .map_err(Error::Denied)?;
        if let Some(name) = &change.name {
            check_product_name(name)?;
        }
        if let Some(minor) = change.price_minor {
            check_product_price(Money::new(minor, ctx.tenant.currency))?;
        }
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        if !store::update_variant(&mut tx, product, id, change).await? {
            return Err(Error::NotFound);
        }
        let variants = store::variants(&mut tx, product).await?;
        let changed = variants.into_iter().find(|variant| variant.id == id);
        self.commit_change(tx, &ctx.tenant).await?;
        changed.ok_or(Error::NotFound)
    }

    /// A product's forms.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown product.
    pub async fn variants(&self, ctx: &Context, product: ProductId) -> Result<Vec<Variant>, Error> {
        self.product(ctx, product).await?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let variants = store::variants(&mut tx, product).await?;
        tx.rollback().await?;
        Ok(variants)
    }
}

fn sees_inactive(ctx: &Context) -> bool {
    matches!(ctx.actor.role(), Role::Staff | Role::Admin | Role::Service)
}

impl Catalog {
    /// What products are called now, within the caller's transaction; those that are none are missing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn product_names(
        &self,
        tx: &mut TenantTx,
        ids: &[ProductId],
    ) -> Result<HashMap<ProductId, String>, Error> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let named = store::product_names(tx, &ids).await?;
        Ok(named.into_iter().collect())
    }
}
