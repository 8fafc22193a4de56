//! All of the catalog's SQL; products and variants here.

mod add_ons;
mod categories;
mod combinations;
mod holidays;
mod images;
mod locations;
mod pools;
mod resources;
mod search;
mod seat_maps;
mod vouchers;

use berth_kernel::{Money, ProductId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    Error,
    model::{
        CancellationTier, CustomerLimit, Image, Listing, NewProduct, PaymentMode, Pricing, Product,
        ProductKind, Question, RentalTerms, Requirement, Seating, StayTerms, Variant,
        VariantChange, ZonePrice,
    },
};
pub(crate) use add_ons::*;
pub(crate) use categories::*;
pub(crate) use combinations::*;
pub(crate) use holidays::*;
pub(crate) use images::*;
pub(crate) use locations::*;
pub use pools::pool;
pub(crate) use pools::*;
pub(crate) use resources::*;
pub(crate) use search::*;
pub(crate) use seat_maps::*;
pub(crate) use vouchers::*;
pub use vouchers::{hold_voucher, voucher_of_code};

type Result<T> = std::result::Result<T, Error>;

/// A product's row, as every query selects it.
struct ProductRow {
    /// How well it fits what was searched for.
    rank: i64,
    id: Uuid,
    kind: String,
    category_id: Option<Uuid>,
    location_id: Option<Uuid>,
    name: String,
    description: String,
    duration_min: i32,
    step_min: i32,
    buffer_before_min: i32,
    buffer_after_min: i32,
    timezone: String,
    price_minor: i64,
    currency: String,
    payment_mode: String,
    max_quantity: i32,
    min_notice_min: i32,
    window_days: i32,
    hold_min: i32,
    cancellation_policy: sqlx::types::Json<Vec<CancellationTier>>,
    requirements: sqlx::types::Json<Vec<Requirement>>,
    pool_id: Option<Uuid>,
    stay: Option<sqlx::types::Json<StayTerms>>,
    rental: Option<sqlx::types::Json<RentalTerms>>,
    seat_map_id: Option<Uuid>,
    zone_prices: sqlx::types::Json<Vec<ZonePrice>>,
    pricing: sqlx::types::Json<Pricing>,
    customer_limit: Option<sqlx::types::Json<CustomerLimit>>,
    approval_hours: Option<i32>,
    images: sqlx::types::Json<Vec<Image>>,
    questions: sqlx::types::Json<Vec<Question>>,
    names_required: bool,
    tags: Vec<String>,
    slug: Option<String>,
    meta_title: Option<String>,
    meta_description: Option<String>,
    active: bool,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
}

/// Selects whole products; the tail says which, the head what comes before, such as what the tail and
/// `$rank` rest on.
macro_rules! select_product {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        $crate::store::select_product!(ranked "", "0::bigint", $tail $(, $arg)*)
    };
    (ranked $head:literal, $rank:literal, $tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::store::ProductRow,
            $head + "SELECT " + $rank + r#" AS "rank!", id, kind, category_id, name, description, duration_min, step_min, buffer_before_min,
                  buffer_after_min, timezone, price_minor, currency, payment_mode, max_quantity,
                  min_notice_min, window_days, hold_min,
                  cancellation_policy AS "cancellation_policy: sqlx::types::Json<Vec<CancellationTier>>",
                  coalesce((SELECT json_agg(json_build_object('role', q.role, 'quantity', q.quantity,
                                'buffer_before_min', q.buffer_before_min, 'buffer_after_min', q.buffer_after_min,
                                'resource_ids', ARRAY(SELECT resource_id FROM requirement_resource
                                                      WHERE requirement_id = q.id ORDER BY resource_id))
                              ORDER BY q.position)
                            FROM requirement q WHERE q.product_id = product.id), '[]')
                    AS "requirements!: sqlx::types::Json<Vec<Requirement>>",
                  coalesce((SELECT json_agg(json_build_object('id', i.id, 'alt', i.alt, 'extension', i.extension,
                                                              'sizes', i.sizes) ORDER BY i.position)
                            FROM product_image i WHERE i.product_id = product.id), '[]')
                    AS "images!: sqlx::types::Json<Vec<Image>>",
                  pool_id, stay AS "stay: sqlx::types::Json<StayTerms>",
                  rental AS "rental: sqlx::types::Json<RentalTerms>",
                  seat_map_id, zone_prices AS "zone_prices: sqlx::types::Json<Vec<ZonePrice>>",
                  pricing AS "pricing: sqlx::types::Json<Pricing>",
                  customer_limit AS "customer_limit: sqlx::types::Json<CustomerLimit>", approval_hours,
                  questions AS "questions: sqlx::types::Json<Vec<Question>>", names_required,
                  tags, slug, meta_title, meta_description, location_id, active, version, created_at
           FROM product "# + $tail
            $(, $arg)*
        )
    };
}
pub(crate) use select_product;

impl TryFrom<ProductRow> for Product {
    type Error = Error;

    fn try_from(row: ProductRow) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            kind: ProductKind::parse(&row.kind),
            category_id: row.category_id.map(Into::into),
            location_id: row.location_id.map(Into::into),
            name: row.name,
            description: row.description,
            duration_min: row.duration_min,
            step_min: row.step_min,
            buffer_before_min: row.buffer_before_min,
            buffer_after_min: row.buffer_after_min,
            timezone: row.timezone,
            price: money(row.price_minor, &row.currency)?,
            payment_mode: PaymentMode::parse(&row.payment_mode),
            max_quantity: row.max_quantity,
            min_notice_min: row.min_notice_min,
            window_days: row.window_days,
            hold_min: row.hold_min,
            cancellation_policy: row.cancellation_policy.0,
            requirements: row.requirements.0,
            pool_id: row.pool_id.map(Into::into),
            stay: row.stay.map(|terms| terms.0),
            rental: row.rental.map(|terms| terms.0),
            seating: row.seat_map_id.map(|id| Seating {
                seat_map_id: id.into(),
                zone_prices: row.zone_prices.0,
            }),
            pricing: row.pricing.0,
            customer_limit: row.customer_limit.map(|limit| limit.0),
            approval_hours: row.approval_hours,
            images: row.images.0,
            questions: row.questions.0,
            names_required: row.names_required,
            tags: row.tags,
            listing: Listing {
                slug: row.slug,
                meta_title: row.meta_title,
                meta_description: row.meta_description,
            },
            active: row.active,
            version: row.version,
            created_at: row.created_at.to_jiff(),
        })
    }
}

fn money(minor: i64, currency: &str) -> Result<Money> {
    let currency = currency
        .parse()
        .map_err(|e| sqlx::Error::Decode(Box::new(e)))?;
    Ok(Money::new(minor, currency))
}

/// Whether there is no product yet; then nobody else makes one, or changes the currency, before the transaction ends.
pub(crate) async fn awaits_first_product(tx: &mut TenantTx) -> Result<bool> {
    if has_products(tx).await? {
        return Ok(false);
    }
    sqlx::query!("SELECT FROM catalog_version FOR UPDATE")
        .execute(tx.conn())
        .await?;
    Ok(!has_products(tx).await?)
}

async fn has_products(tx: &mut TenantTx) -> Result<bool> {
    let any = sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM product) AS "any!""#);
    Ok(any.fetch_one(tx.conn()).await?)
}

/// Raises the catalog's version: every change ends with it.
pub(crate) async fn touch(tx: &mut TenantTx) -> Result<()> {
    sqlx::query!("UPDATE catalog_version SET version = version + 1")
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(crate) async fn version(tx: &mut TenantTx) -> Result<i64> {
    Ok(sqlx::query_scalar!("SELECT version FROM catalog_version")
        .fetch_one(tx.conn())
        .await?)
}

pub(crate) async fn insert_product(
    tx: &mut TenantTx,
    id: ProductId,
    new: &NewProduct,
    timezone: &str,
    language: &str,
    at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO product (id, kind, category_id, name, description, duration_min, step_min,
            buffer_before_min, buffer_after_min, timezone, price_minor, currency, payment_mode,
            max_quantity, min_notice_min, window_days, hold_min, cancellation_policy, created_at, updated_at, pool_id, stay, rental,
            seat_map_id, zone_prices, pricing, customer_limit, tags, slug, meta_title, meta_description, language,
            location_id, questions, names_required, approval_hours)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19, $20, $21, $22,
            $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35)",
        id.uuid(),
        new.kind.as_str(),
        new.category_id.map(|id| id.uuid()),
        new.name.trim(),
        new.description,
        new.duration_min,
        new.step_min,
        new.buffer_before_min,
        new.buffer_after_min,
        timezone,
        new.price_minor,
        new.currency.code(),
        new.payment_mode.as_str(),
        new.max_quantity,
        new.min_notice_min,
        new.window_days,
        new.hold_min,
        sqlx::types::Json(&new.cancellation_policy) as _,
        jiff_sqlx::Timestamp::from(at) as _,
        new.pool_id.map(|id| id.uuid()),
        new.stay.as_ref().map(sqlx::types::Json) as _,
        new.rental.as_ref().map(sqlx::types::Json) as _,
        new.seating.as_ref().map(|seating| seating.seat_map_id.uuid()),
        sqlx::types::Json(zone_prices(new.seating.as_ref())) as _,
        sqlx::types::Json(&new.pricing) as _,
        new.customer_limit.map(sqlx::types::Json) as _,
        &new.tags,
        new.listing.slug,
        new.listing.meta_title,
        new.listing.meta_description,
        language,
        new.location_id.map(|id| id.uuid()),
        sqlx::types::Json(&new.questions) as _,
        new.names_required,
        new.approval_hours,
    )
    .execute(tx.conn())
    .await
    .map_err(refused)?;
    Ok(())
}

/// What the tables say against a product's row.
fn refused(error: sqlx::Error) -> Error {
    let field = match &error {
        sqlx::Error::Database(inner) => match inner.constraint() {
            Some("product_slug_taken") => return Error::SlugTaken,
            Some("product_location_id_fkey") => "location_id",
            Some("product_pool_id_fkey") => "pool_id",
            Some("product_seat_map_id_fkey") => "seating.seat_map_id",
            _ => "category_id",
        },
        _ => "category_id",
    };
    foreign(error, field)
}

/// A reference to something that is not there names its field.
fn foreign(error: sqlx::Error, field: &'static str) -> Error {
    match &error {
        sqlx::Error::Database(inner) if inner.is_foreign_key_violation() => {
            Error::invalid(field, "UNKNOWN_REFERENCE", "There is no such thing here.")
        }
        _ => error.into(),
    }
}

/// Replaces what a product takes.
pub(crate) async fn set_requirements(
    tx: &mut TenantTx,
    product: ProductId,
    kind: ProductKind,
    requirements: &[Requirement],
) -> Result<()> {
    sqlx::query!(
        "DELETE FROM requirement WHERE product_id = $1",
        product.uuid()
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "WITH given AS MATERIALIZED (
             SELECT gen_random_uuid() AS id, n::smallint AS position, one
             FROM jsonb_array_elements($2) WITH ORDINALITY AS list (one, n)
         ), made AS (
             INSERT INTO requirement (id, product_id, position, role, quantity, buffer_before_min, buffer_after_min)
             SELECT id, $1, position, btrim(one->>'role'), (one->>'quantity')::int,
                    (one->>'buffer_before_min')::int, (one->>'buffer_after_min')::int
             FROM given
         )
         INSERT INTO requirement_resource (requirement_id, resource_id)
         SELECT DISTINCT given.id, resource::uuid
         FROM given, jsonb_array_elements_text(one->'resource_ids') AS resource",
        product.uuid(),
        sqlx::types::Json(requirements) as _,
    )
    .execute(tx.conn())
    .await
    .map_err(|error| foreign(error, "requirements"))?;
    let taken = sqlx::query!(
        r#"SELECT coalesce(bool_or(r.pool_id IS NOT NULL), false) AS "pooled!",
                  coalesce(bool_or(r.kind <> 'table'), false) AS "others!"
           FROM requirement q JOIN requirement_resource m ON m.requirement_id = q.id
           JOIN resource r ON r.id = m.resource_id
           WHERE q.product_id = $1"#,
        product.uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    if kind == ProductKind::Table && taken.others {
        let detail = "A party takes tables, and nothing else.";
        return Err(Error::invalid("requirements", "WRONG_KIND", detail));
    }
    if taken.pooled {
        let detail = "What is one of a pool is sold with the pool, and cannot be taken otherwise.";
        return Err(Error::invalid("requirements", "POOLED_RESOURCE", detail));
    }
    Ok(())
}

pub(crate) async fn product(tx: &mut TenantTx, id: ProductId) -> Result<Option<Product>> {
    let row = select_product!("WHERE id = $1", id.uuid())
        .fetch_optional(tx.conn())
        .await?;
    row.map(Product::try_from).transpose()
}

/// What products are called.
pub(crate) async fn product_names(
    tx: &mut TenantTx,
    ids: &[Uuid],
) -> Result<Vec<(ProductId, String)>> {
    let rows = sqlx::query!("SELECT id, name FROM product WHERE id = ANY($1)", ids)
        .fetch_all(tx.conn())
        .await?;
    let named = rows.into_iter().map(|row| (row.id.into(), row.name));
    Ok(named.collect())
}

/// Writes the product's changeable fields if its version is still `version`; whether it was.
pub(crate) async fn update_product(
    tx: &mut TenantTx,
    product: &Product,
    version: i64,
    language: &str,
    at: Timestamp,
) -> Result<bool> {
    let updated = sqlx::query!(
        "UPDATE product SET name = $3, description = $4, price_minor = $5, active = $6,
                zone_prices = $8, pricing = $9, category_id = $10, tags = $11, slug = $12, meta_title = $13,
                meta_description = $14, language = $15, questions = $16, names_required = $17, approval_hours = $18,
                version = version + 1, updated_at = $7
         WHERE id = $1 AND version = $2",
        product.id.uuid(),
        version,
        product.name,
        product.description,
        product.price.amount,
        product.active,
        jiff_sqlx::Timestamp::from(at) as _,
        sqlx::types::Json(zone_prices(product.seating.as_ref())) as _,
        sqlx::types::Json(&product.pricing) as _,
        product.category_id.map(|id| id.uuid()),
        &product.tags,
        product.listing.slug,
        product.listing.meta_title,
        product.listing.meta_description,
        language,
        sqlx::types::Json(&product.questions) as _,
        product.names_required,
        product.approval_hours,
    )
    .execute(tx.conn())
    .await
    .map_err(refused)?;
    Ok(updated.rows_affected() == 1)
}

fn zone_prices(seating: Option<&Seating>) -> &[ZonePrice] {
    seating.map_or(&[], |seating| &seating.zone_prices)
}

pub(crate) async fn insert_variant(
    tx: &mut TenantTx,
    variant: &Variant,
    at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO variant (id, product_id, name, price_minor, created_at) VALUES ($1, $2, $3, $4, $5)",
        variant.id,
        variant.product_id.uuid(),
        variant.name,
        variant.price.amount,
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn variants(tx: &mut TenantTx, product: ProductId) -> Result<Vec<Variant>> {
    let rows = sqlx::query!(
        "SELECT v.id, v.name, v.price_minor, p.currency, v.active
         FROM variant v JOIN product p ON p.id = v.product_id
         WHERE v.product_id = $1 ORDER BY v.created_at, v.id LIMIT 200",
        product.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Variant {
                id: row.id,
                product_id: product,
                name: row.name,
                price: money(row.price_minor, &row.currency)?,
                active: row.active,
            })
        })
        .collect()
}

/// Changes a variant of a product; what is `None` stays.
pub(crate) async fn update_variant(
    tx: &mut TenantTx,
    product: ProductId,
    id: Uuid,
    change: &VariantChange,
) -> Result<bool> {
    let changed = sqlx::query!(
        "UPDATE variant SET name = coalesce($3, name), price_minor = coalesce($4, price_minor),
                active = coalesce($5, active), version = version + 1
         WHERE id = $1 AND product_id = $2",
        id,
        product.uuid(),
        change.name.as_deref().map(str::trim),
        change.price_minor,
        change.active,
    )
    .execute(tx.conn())
    .await?;
    Ok(changed.rows_affected() == 1)
}
