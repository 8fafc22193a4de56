//! A tenant's data, taken out as it was at one moment.

use std::path::Path;

use berth_kernel::Clock;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::{
    DataError, Files, Manifest,
    copy::{self, Sink},
    events,
    folder::{Unfinished, write},
    manifest::{Described, FORM, File},
};
use crate::{
    DatabaseSettings, Error, NodeId,
    lifecycle::{Operator, audit},
};

/// Writes everything of the tenant of that name into `folder`, which is made and must be empty. The
/// manifest is written last: a folder without one is of an export that did not end, and is written anew. Uses the
/// owner's login, as the tenant's role: what another tenant has cannot get into it.
///
/// # Errors
/// [`Error::UnknownTenant`]; what folder, database or store of files says.
pub async fn export(
    settings: &DatabaseSettings,
    slug: &str,
    folder: &Path,
    files: &dyn Files,
    by: &Operator,
    clock: &Clock,
) -> Result<Manifest, DataError> {
    let mut registry = settings.connect(NodeId::HOME).await?;
    let (tenant, role, node) = described(&mut registry, slug).await?;
    let unfinished = Unfinished::begin(folder).await?;
    // Written down first: nothing is taken out of which that is not said.
    audit(&mut registry, tenant.id, by, "tenant.exported", &json!({})).await?;
    registry.close().await.map_err(Error::from)?;

    let mut conn = settings.connect(node).await?;
    let mut tx = conn.begin().await?;
    tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        .await?;
    // Of the same moment as all that follows, and read by the owner: it is none of the tenant's
    // business.
    let schema_version = version(&mut tx, &role).await?;
    // What it told where it was before a move came first.
    let mut told = Vec::new();
    for other in settings.node_ids().filter(|other| *other != node) {
        let mut conn = settings.connect(other).await?;
        told.extend(events::told(&mut conn, tenant.id).await?);
        conn.close().await.map_err(Error::from)?;
    }
    told.extend(events::told(&mut tx, tenant.id).await?);
    let events = events::write(&told, folder).await?;
    let become_tenant = format!("SET LOCAL ROLE {role}");
    tx.execute(sqlx::raw_sql(AssertSqlSafe(become_tenant)))
        .await?;
    let exported_at = clock.now();
    let mut tables = Vec::new();
    for layout in copy::layouts(&mut tx, &role).await? {
        let path = folder.join("tables").join(format!("{}.csv", layout.name));
        tables.push(copy::copy_out(&mut tx, &role, &layout, Sink::File(&path)).await?);
    }
    tx.rollback().await?;
    conn.close().await?;

    let mut manifest = Manifest {
        form: FORM,
        schema_version,
        exported_at,
        tables,
        files: Vec::new(),
        events,
        tenant,
    };
    for entry in files
        .list(manifest.tenant.id)
        .await
        .map_err(DataError::Files)?
    {
        let content = files.read(manifest.tenant.id, &entry.path).await;
        let content = content.map_err(DataError::Files)?;
        manifest.files.push(File {
            bytes: content.len() as u64,
            sha256: hex::encode(Sha256::digest(&content)),
            path: entry.path.clone(),
        });
        write(&folder.join("files").join(&entry.path), &content).await?;
    }
    let text = serde_json::to_vec_pretty(&manifest)?;
    write(&folder.join("manifest.json"), &text).await?;
    unfinished.finish().await?;
    Ok(manifest)
}

async fn described(
    registry: &mut PgConnection,
    slug: &str,
) -> Result<(Described, String, NodeId), DataError> {
    let row: Option<sqlx::types::Json<Described>> = sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM platform.tenant t WHERE slug = $1 AND status <> 'leaving'",
    )
    .bind(slug)
    .fetch_optional(&mut *registry)
    .await?;
    let tenant = row.ok_or_else(|| Error::UnknownTenant(slug.to_owned()))?.0;
    let (role, node): (String, i16) =
        sqlx::query_as("SELECT role, node FROM platform.tenant WHERE id = $1")
            .bind(tenant.id.uuid())
            .fetch_one(registry)
            .await?;
    Ok((tenant, role, NodeId(node.unsigned_abs())))
}

async fn version(conn: &mut PgConnection, role: &str) -> Result<i64, DataError> {
    Ok(
        sqlx::query_scalar("SELECT version FROM platform.tenant_schema WHERE role = $1")
            .bind(role)
            .fetch_one(conn)
            .await?,
    )
}
