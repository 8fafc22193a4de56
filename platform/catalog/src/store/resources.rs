//! Rows of resources, and of when they work.

use berth_kernel::{PoolId, ProductId, ResourceId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Result, foreign, pool};
use crate::{
    model::{
        DayException, Party, Pooled, PooledBy, Resource, ResourceChange, ResourceKind,
        ResourceStanding, SoldBy, Weekly, Window,
    },
    offerings::zone,
};

pub(crate) async fn insert_resource(
    tx: &mut TenantTx,
    resource: &Resource,
    at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO resource (id, kind, name, timezone, created_at, pool_id, party_min, party_max, tags, location_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        resource.id.uuid(),
        resource.kind.as_str(),
        resource.name,
        resource.timezone,
        jiff_sqlx::Timestamp::from(at) as _,
        resource.pool_id.map(|id| id.uuid()),
        resource.party.map(|party| party.min),
        resource.party.map(|party| party.max),
        &resource.tags,
        resource.location_id.map(|id| id.uuid()),
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

/// Changes a resource of that version; whether it had it.
pub(crate) async fn update_resource(
    tx: &mut TenantTx,
    id: ResourceId,
    change: &ResourceChange,
    tags: Option<&[String]>,
) -> Result<bool> {
    let updated = sqlx::query!(
        "UPDATE resource SET name = coalesce(btrim($3), name), active = coalesce($4, active), version = version + 1,
             party_min = coalesce($5, party_min), party_max = coalesce($6, party_max), tags = coalesce($7, tags)
         WHERE id = $1 AND version = $2",
        id.uuid(),
        change.version,
        change.name,
        change.active,
        change.party.map(|party| party.min),
        change.party.map(|party| party.max),
        tags,
    )
    .execute(tx.conn())
    .await?;
    Ok(updated.rows_affected() == 1)
}

pub(crate) async fn resource_standing(
    tx: &mut TenantTx,
    id: ResourceId,
) -> Result<Option<ResourceStanding>> {
    // Read before the rest: a change in between makes it look older than it is.
    let catalog_version = super::version(tx).await?;
    let row = sqlx::query!(
        r#"SELECT r.active, r.timezone, r.pool_id,
                  coalesce(min((p.stay->>'check_in')::time), '15:00') AS "check_in!: jiff_sqlx::Time",
                  coalesce(max((p.stay->>'check_out')::time), '11:00') AS "check_out!: jiff_sqlx::Time"
           FROM resource r LEFT JOIN product p ON p.pool_id = r.pool_id
           WHERE r.id = $1 GROUP BY r.id"#,
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let pooled = match row.pool_id.map(PoolId::from) {
        Some(id) => pool(tx, id).await?,
        None => None,
    };
    let pooled = match pooled {
        Some(pool) => Some(Pooled {
            pool: pool.id,
            capacity: pool.capacity,
            by: match pool.sold_by {
                SoldBy::Time => PooledBy::Time,
                SoldBy::Night => PooledBy::Night {
                    timezone: zone(&row.timezone)?,
                    check_in: row.check_in.to_jiff(),
                    check_out: row.check_out.to_jiff(),
                },
            },
        }),
        None => None,
    };
    let active = row.active;
    Ok(Some(ResourceStanding {
        catalog_version,
        active,
        timezone: row.timezone,
        pooled,
    }))
}

/// Which resources are read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    /// The first thousand.
    All,
    /// Those that a product may take.
    Of(ProductId),
    /// One.
    Only(ResourceId),
}

pub(crate) async fn resource(
    tx: &mut TenantTx,
    id: ResourceId,
    today: jiff::civil::Date,
) -> Result<Option<Resource>> {
    Ok(resources(tx, Which::Only(id), today).await?.pop())
}

/// Resources with their schedules.
pub(crate) async fn resources(
    tx: &mut TenantTx,
    which: Which,
    today: jiff::civil::Date,
) -> Result<Vec<Resource>> {
    let (product, only) = match which {
        Which::All => (None, None),
        Which::Of(product) => (Some(product.uuid()), None),
        Which::Only(id) => (None, Some(id.uuid())),
    };
    let rows = sqlx::query!(
        "SELECT id, kind, name, location_id, timezone, pool_id, party_min, party_max, tags, active, version FROM resource r
         WHERE ($2::uuid IS NULL OR id = $2)
           AND ($1::uuid IS NULL
                OR id IN (SELECT m.resource_id
                          FROM requirement q JOIN requirement_resource m ON m.requirement_id = q.id
                          WHERE q.product_id = $1))
         ORDER BY id LIMIT 1000",
        product,
        only,
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
        location_id: row.location_id.map(Into::into),
        timezone: row.timezone,
        weekly: weekly.remove(&row.id).unwrap_or_default(),
        exceptions: exceptions.remove(&row.id).unwrap_or_default(),
        pool_id: row.pool_id.map(Into::into),
        party: row
            .party_min
            .zip(row.party_max)
            .map(|(min, max)| Party { min, max }),
        tags: row.tags,
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
