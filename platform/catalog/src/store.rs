//! All of the catalog's SQL.

use berth_kernel::{Cursor, Money, PoolId, ProductId, ResourceId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    Error,
    model::{
        CancellationTier, Category, DayException, NewProduct, PaymentMode, Pool, PoolChange,
        Product, ProductKind, Requirement, Resource, ResourceKind, StayTerms, Variant, Weekly,
        Window,
    },
};

type Result<T> = std::result::Result<T, Error>;

/// A product's row, as every query selects it.
struct ProductRow {
    id: Uuid,
    kind: String,
    category_id: Option<Uuid>,
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
    active: bool,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
}

/// Selects whole products; the tail says which.
macro_rules! select_product {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            ProductRow,
            r#"SELECT id, kind, category_id, name, description, duration_min, step_min, buffer_before_min,
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
                  pool_id, stay AS "stay: sqlx::types::Json<StayTerms>",
                  active, version, created_at
           FROM product "# + $tail
            $(, $arg)*
        )
    };
}

impl TryFrom<ProductRow> for Product {
    type Error = Error;

    fn try_from(row: ProductRow) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            kind: ProductKind::parse(&row.kind),
            category_id: row.category_id.map(Into::into),
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
    at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO product (id, kind, category_id, name, description, duration_min, step_min,
            buffer_before_min, buffer_after_min, timezone, price_minor, currency, payment_mode,
            max_quantity, min_notice_min, window_days, hold_min, cancellation_policy, created_at, updated_at, pool_id, stay)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19, $20, $21)",
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
    )
    .execute(tx.conn())
    .await
    .map_err(|error| {
        let pool = matches!(&error, sqlx::Error::Database(inner)
            if inner.constraint() == Some("product_pool_id_fkey"));
        foreign(error, if pool { "pool_id" } else { "category_id" })
    })?;
    Ok(())
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
    Ok(())
}

pub(crate) async fn product(tx: &mut TenantTx, id: ProductId) -> Result<Option<Product>> {
    let row = select_product!("WHERE id = $1", id.uuid())
        .fetch_optional(tx.conn())
        .await?;
    row.map(Product::try_from).transpose()
}

/// Products in the order of their making; `words` must all occur in name or description.
pub(crate) async fn products(
    tx: &mut TenantTx,
    words: Option<&str>,
    only_active: bool,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Product>> {
    let pattern = words.map(like_pattern);
    let rows = select_product!(
        "WHERE ($1::text IS NULL OR name || ' ' || description ILIKE $1)
             AND (active OR NOT $2)
             AND ($3::timestamptz IS NULL OR (created_at, id) > ($3, $4))
           ORDER BY created_at, id LIMIT $5",
        pattern,
        only_active,
        after.map(|cursor| jiff_sqlx::Timestamp::from(cursor.at)) as _,
        after.map(|cursor| cursor.id),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Product::try_from).collect()
}

/// `%two%words%`, with the pattern's own signs taken literally.
fn like_pattern(words: &str) -> String {
    let escaped = words
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!(
        "%{}%",
        escaped.split_whitespace().collect::<Vec<_>>().join("%")
    )
}

/// Writes the product's changeable fields if its version is still `version`; whether it was.
pub(crate) async fn update_product(
    tx: &mut TenantTx,
    product: &Product,
    version: i64,
    at: Timestamp,
) -> Result<bool> {
    let updated = sqlx::query!(
        "UPDATE product SET name = $3, description = $4, price_minor = $5, active = $6,
                version = version + 1, updated_at = $7
         WHERE id = $1 AND version = $2",
        product.id.uuid(),
        version,
        product.name,
        product.description,
        product.price.amount,
        product.active,
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(updated.rows_affected() == 1)
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

pub(crate) async fn insert_category(
    tx: &mut TenantTx,
    category: &Category,
    at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO category (id, parent_id, name, created_at) VALUES ($1, $2, $3, $4)",
        category.id.uuid(),
        category.parent_id.map(|id| id.uuid()),
        category.name,
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await
    .map_err(|error| foreign(error, "parent_id"))?;
    Ok(())
}

pub(crate) async fn categories(tx: &mut TenantTx) -> Result<Vec<Category>> {
    let rows =
        sqlx::query!("SELECT id, parent_id, name FROM category ORDER BY name, id LIMIT 1000")
            .fetch_all(tx.conn())
            .await?;
    let category = |id: Uuid, parent: Option<Uuid>, name| Category {
        id: id.into(),
        parent_id: parent.map(Into::into),
        name,
    };
    Ok(rows
        .into_iter()
        .map(|row| category(row.id, row.parent_id, row.name))
        .collect())
}

pub(crate) async fn insert_pool(tx: &mut TenantTx, pool: &Pool, at: Timestamp) -> Result<()> {
    sqlx::query!(
        "INSERT INTO pool (id, name, quantity, created_at) VALUES ($1, $2, $3, $4)",
        pool.id.uuid(),
        pool.name,
        pool.quantity,
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Changes a pool of that version; whether it had it.
pub(crate) async fn update_pool(
    tx: &mut TenantTx,
    id: PoolId,
    change: &PoolChange,
) -> Result<bool> {
    let updated = sqlx::query!(
        "UPDATE pool SET name = coalesce(btrim($3), name), quantity = coalesce($4, quantity), version = version + 1
         WHERE id = $1 AND version = $2",
        id.uuid(),
        change.version,
        change.name,
        change.quantity,
    )
    .execute(tx.conn())
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Selects whole pools; the tail says which.
macro_rules! select_pool {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            Pool,
            r#"SELECT id, name, quantity, version,
                  quantity + (SELECT count(*) FROM resource WHERE pool_id = pool.id AND active)::int AS "capacity!"
           FROM pool "# + $tail
            $(, $arg)*
        )
    };
}

pub(crate) async fn pool(tx: &mut TenantTx, id: PoolId) -> Result<Option<Pool>> {
    let found = select_pool!("WHERE id = $1", id.uuid());
    Ok(found.fetch_optional(tx.conn()).await?)
}

pub(crate) async fn pools(tx: &mut TenantTx) -> Result<Vec<Pool>> {
    let found = select_pool!("ORDER BY name, id LIMIT 1000");
    Ok(found.fetch_all(tx.conn()).await?)
}

pub(crate) async fn insert_resource(
    tx: &mut TenantTx,
    resource: &Resource,
    at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO resource (id, kind, name, timezone, created_at, pool_id) VALUES ($1, $2, $3, $4, $5, $6)",
        resource.id.uuid(),
        resource.kind.as_str(),
        resource.name,
        resource.timezone,
        jiff_sqlx::Timestamp::from(at) as _,
        resource.pool_id.map(|id| id.uuid()),
    )
    .execute(tx.conn())
    .await
    .map_err(|error| foreign(error, "pool_id"))?;
    replace_weekly(tx, resource.id, &resource.weekly).await
}

/// Replaces a resource's weekly rules.
pub(crate) async fn replace_weekly(
    tx: &mut TenantTx,
    resource: ResourceId,
    weekly: &[Weekly],
) -> Result<()> {
    sqlx::query!(
        "DELETE FROM schedule_rule WHERE resource_id = $1",
        resource.uuid()
    )
    .execute(tx.conn())
    .await?;
    let ids: Vec<Uuid> = weekly.iter().map(|_| Uuid::now_v7()).collect();
    let days: Vec<i16> = weekly.iter().map(|rule| rule.weekday).collect();
    let starts: Vec<_> = weekly
        .iter()
        .map(|rule| jiff_sqlx::Time::from(rule.window.starts))
        .collect();
    let ends: Vec<_> = weekly
        .iter()
        .map(|rule| jiff_sqlx::Time::from(rule.window.ends))
        .collect();
    sqlx::query!(
        "INSERT INTO schedule_rule (id, resource_id, weekday, starts, ends)
         SELECT id, $1, weekday, starts, ends
         FROM unnest($2::uuid[], $3::smallint[], $4::time[], $5::time[]) AS rule (id, weekday, starts, ends)",
        resource.uuid(),
        &ids,
        &days,
        &starts as _,
        &ends as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Replaces the exceptions of a resource.
pub(crate) async fn replace_exceptions(
    tx: &mut TenantTx,
    resource: ResourceId,
    exceptions: &[DayException],
) -> Result<()> {
    sqlx::query!(
        "DELETE FROM schedule_exception WHERE resource_id = $1",
        resource.uuid()
    )
    .execute(tx.conn())
    .await?;
    let ids: Vec<Uuid> = exceptions.iter().map(|_| Uuid::now_v7()).collect();
    let days: Vec<_> = exceptions
        .iter()
        .map(|e| jiff_sqlx::Date::from(e.day))
        .collect();
    let starts: Vec<_> = exceptions
        .iter()
        .map(|e| e.window.map(|w| jiff_sqlx::Time::from(w.starts)))
        .collect();
    let ends: Vec<_> = exceptions
        .iter()
        .map(|e| e.window.map(|w| jiff_sqlx::Time::from(w.ends)))
        .collect();
    sqlx::query!(
        "INSERT INTO schedule_exception (id, resource_id, day, starts, ends)
         SELECT id, $1, day, starts, ends
         FROM unnest($2::uuid[], $3::date[], $4::time[], $5::time[]) AS e (id, day, starts, ends)",
        resource.uuid(),
        &ids,
        &days as _,
        &starts as _,
        &ends as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Raises a resource's version; whether there is such a resource.
pub(crate) async fn touch_resource(tx: &mut TenantTx, resource: ResourceId) -> Result<bool> {
    let updated = sqlx::query!(
        "UPDATE resource SET version = version + 1 WHERE id = $1",
        resource.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(updated.rows_affected() == 1)
}

pub(crate) async fn has_resource(tx: &mut TenantTx, resource: ResourceId) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM resource WHERE id = $1) AS "found!""#,
        resource.uuid()
    );
    Ok(found.fetch_one(tx.conn()).await?)
}

/// Resources with their schedules: all of them, or those that `product` may take.
pub(crate) async fn resources(
    tx: &mut TenantTx,
    product: Option<ProductId>,
    today: jiff::civil::Date,
) -> Result<Vec<Resource>> {
    let rows = sqlx::query!(
        "SELECT id, kind, name, timezone, pool_id, active, version FROM resource r
         WHERE $1::uuid IS NULL
            OR id IN (SELECT m.resource_id FROM requirement q JOIN requirement_resource m ON m.requirement_id = q.id
                      WHERE q.product_id = $1)
         ORDER BY id LIMIT 1000",
        product.map(|id| id.uuid()),
    )
    .fetch_all(tx.conn())
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut weekly = weekly_rules(tx, &ids).await?;
    let mut exceptions = exceptions(tx, &ids, today).await?;
    let resource = rows.into_iter().map(|row| Resource {
        id: row.id.into(),
        kind: ResourceKind::parse(&row.kind),
        name: row.name,
        timezone: row.timezone,
        weekly: weekly.remove(&row.id).unwrap_or_default(),
        exceptions: exceptions.remove(&row.id).unwrap_or_default(),
        pool_id: row.pool_id.map(Into::into),
        active: row.active,
        version: row.version,
    });
    Ok(resource.collect())
}

type ByResource<T> = std::collections::HashMap<Uuid, Vec<T>>;

async fn weekly_rules(tx: &mut TenantTx, ids: &[Uuid]) -> Result<ByResource<Weekly>> {
    let rows = sqlx::query!(
        "SELECT resource_id, weekday, starts, ends FROM schedule_rule
         WHERE resource_id = ANY($1) ORDER BY weekday, starts",
        ids,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut rules = ByResource::new();
    for row in rows {
        let window = Window {
            starts: row.starts.to_jiff(),
            ends: row.ends.to_jiff(),
        };
        rules.entry(row.resource_id).or_default().push(Weekly {
            weekday: row.weekday,
            window,
        });
    }
    Ok(rules)
}

/// Past exceptions are of no use to anybody and would only grow.
async fn exceptions(
    tx: &mut TenantTx,
    ids: &[Uuid],
    today: jiff::civil::Date,
) -> Result<ByResource<DayException>> {
    let rows = sqlx::query!(
        "SELECT resource_id, day, starts, ends FROM schedule_exception
         WHERE resource_id = ANY($1) AND day >= $2::date - 1 ORDER BY day, starts",
        ids,
        jiff_sqlx::Date::from(today) as _,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut days = ByResource::new();
    for row in rows {
        let window = row.starts.zip(row.ends);
        let window = window.map(|(s, e)| Window {
            starts: s.to_jiff(),
            ends: e.to_jiff(),
        });
        let day = row.day.to_jiff();
        days.entry(row.resource_id)
            .or_default()
            .push(DayException { day, window });
    }
    Ok(days)
}
