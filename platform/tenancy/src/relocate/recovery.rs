//! What becomes of moves that were cut off.

use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use super::{
    Relocation,
    freeze::thaw,
    knows, lock,
    replication::{MARKER, unsubscribe},
    run,
};
use crate::{
    DatabaseSettings, Error, NodeId,
    lifecycle::{Operator, audit},
    provision,
};

/// Undoes or finishes moves that were killed; how many.
///
/// # Errors
/// What the databases say.
pub async fn recover(settings: &DatabaseSettings) -> Result<usize, Error> {
    let mut registry = settings.connect(NodeId::HOME).await?;
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM platform.relocation)")
        .fetch_one(&mut registry)
        .await?;
    if !there || lock(&mut registry).await.is_err() {
        return Ok(0);
    }
    let recovered = recover_all(settings, &mut registry).await?;
    registry.close().await?;
    Ok(recovered)
}

pub(super) async fn recover_all(
    settings: &DatabaseSettings,
    registry: &mut PgConnection,
) -> Result<usize, Error> {
    type Row = (uuid::Uuid, String, i16, i16, i16, i16, String);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT tenant_id, role, from_node, from_bucket, to_node, to_bucket, state
         FROM platform.relocation ORDER BY since",
    )
    .fetch_all(&mut *registry)
    .await?;
    let relocation = |(tenant, role, from, from_bucket, to, to_bucket, state): Row| Relocation {
        tenant: tenant.into(),
        role,
        from: (NodeId(from.unsigned_abs()), from_bucket.unsigned_abs()),
        to: (NodeId(to.unsigned_abs()), to_bucket.unsigned_abs()),
        moved: state == "moved",
    };
    let all: Vec<Relocation> = rows.into_iter().map(relocation).collect();
    // First of all everybody is served: clearing away may wait for a node that does not answer.
    for relocation in all.iter().filter(|relocation| !relocation.moved) {
        let thawing = async {
            let mut source = relocation.source(settings).await?;
            thaw(&mut source, relocation).await?;
            Ok::<_, Error>(source.close().await?)
        };
        if let Err(error) = thawing.await {
            tracing::warn!(tenant_id = %relocation.tenant, error = berth_kernel::chain(&error), "a tenant may be frozen still: {error}");
        }
    }
    let mut count = 0;
    for relocation in all {
        let mended = match relocation.moved {
            true => finish(settings, registry, &relocation).await,
            false => undo(settings, registry, &relocation).await,
        };
        match mended {
            Ok(()) => count += 1,
            // Its node may be away; it keeps nobody else from moving, and is looked at again.
            Err(error) => {
                tracing::warn!(tenant_id = %relocation.tenant, error = berth_kernel::chain(&error), "a move waits to be mended: {error}");
            }
        }
    }
    Ok(count)
}

/// Clears away what a move leaves behind at its source. May be repeated.
pub(super) async fn finish(
    settings: &DatabaseSettings,
    registry: &mut PgConnection,
    relocation: &Relocation,
) -> Result<(), Error> {
    let mut target = relocation.target(settings).await?;
    let mut source = relocation.source(settings).await?;
    unsubscribe(&mut target, &mut source, relocation).await?;
    let role = &relocation.role;
    run(
        &mut target,
        &format!("DROP TABLE IF EXISTS {role}.{MARKER}"),
    )
    .await?;
    let mut tx = source.begin().await?;
    provision::remove(&mut tx, role).await?;
    tx.commit().await?;
    target.close().await?;
    source.close().await?;
    forget(registry, relocation).await
}

/// Makes as if a move had never begun. May be repeated.
async fn undo(
    settings: &DatabaseSettings,
    registry: &mut PgConnection,
    relocation: &Relocation,
) -> Result<(), Error> {
    let mut source = relocation.source(settings).await?;
    let role = &relocation.role;
    // First of all it is served again.
    thaw(&mut source, relocation).await?;
    let mut target = relocation.target(settings).await?;
    unsubscribe(&mut target, &mut source, relocation).await?;
    run(
        &mut source,
        &format!("DROP TABLE IF EXISTS {role}.{MARKER}"),
    )
    .await?;
    let lost = !knows(&mut source, role).await?;
    if lost {
        // The node was replaced by an empty one: there may be no other copy.
        tracing::warn!(tenant_id = %relocation.tenant, "what had been copied of it stays on node {} as {role}", relocation.to.0);
    } else {
        let mut tx = target.begin().await?;
        provision::remove(&mut tx, role).await?;
        tx.commit().await?;
    }
    target.close().await?;
    source.close().await?;
    let (by, to) = (Operator("relocation".to_owned()), relocation.to.0.0);
    let detail = json!({ "to": to, "copy_kept": lost });
    audit(
        registry,
        relocation.tenant,
        &by,
        "tenant.relocation.undone",
        &detail,
    )
    .await?;
    forget(registry, relocation).await
}

async fn forget(registry: &mut PgConnection, relocation: &Relocation) -> Result<(), Error> {
    sqlx::query("DELETE FROM platform.relocation WHERE tenant_id = $1")
        .bind(relocation.tenant.uuid())
        .execute(registry)
        .await?;
    Ok(())
}
