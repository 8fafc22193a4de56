//! How the rows get there, and keep up with what is written meanwhile.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::{LOOK, Relocation, end_sessions, run};
use crate::{DatabaseSettings, Error, NodeId, provision};

/// How long the first copy may take.
const COPIED_WITHIN: Duration = Duration::from_secs(3_600);

/// A table of no data whose one row, arriving, says that everything before it has arrived.
pub(super) const MARKER: &str = "relocation_marker";

/// Whether a tenant can be moved away from a node.
pub(super) async fn check_source(source: &mut PgConnection, node: NodeId) -> Result<(), Error> {
    let (level, sees): (String, bool) = sqlx::query_as(
        "SELECT current_setting('wal_level'),
                (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
                OR (pg_has_role('pg_read_all_stats', 'USAGE') AND pg_has_role('pg_signal_backend', 'USAGE'))",
    )
    .fetch_one(source)
    .await?;
    if level != "logical" {
        return Err(Error::Invalid(format!(
            "node {node} runs with wal_level = {level}; moving a tenant away needs `logical`"
        )));
    }
    // What is under way has to be seen, or it would be lost.
    if !sees {
        return Err(Error::Invalid(format!(
            "the owner's login of node {node} does not see what others do; it has to be a superuser, or a \
             member of pg_read_all_stats and pg_signal_backend"
        )));
    }
    Ok(())
}

/// Publishes the tenant's tables, and the marker; the names of the tables, with their schema's.
pub(super) async fn publish(
    source: &mut PgConnection,
    relocation: &Relocation,
) -> Result<Vec<String>, Error> {
    let role = &relocation.role;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = $1 ORDER BY 1",
    )
    .bind(role)
    .fetch_all(&mut *source)
    .await?;
    run(
        source,
        &format!(
            "CREATE TABLE {role}.{MARKER} (single boolean PRIMARY KEY); \
             CREATE PUBLICATION {} FOR TABLE {}, {role}.{MARKER}",
            relocation.name(),
            tables.join(", ")
        ),
    )
    .await?;
    Ok(tables)
}

/// Makes the schema, empty, and subscribes to what is published.
pub(super) async fn receive(
    settings: &DatabaseSettings,
    target: &mut PgConnection,
    relocation: &Relocation,
    tables: &[String],
) -> Result<(), Error> {
    let role = &relocation.role;
    let mut tx = target.begin().await?;
    let message = format!(
        "{}; CREATE TABLE {role}.{MARKER} (single boolean PRIMARY KEY); TRUNCATE {}",
        // Nobody takes it on before it is there whole.
        provision::message(&settings.files, role, None),
        tables.join(", ")
    );
    tx.execute(sqlx::raw_sql(AssertSqlSafe(message))).await?;
    tx.commit().await?;
    // Not in a transaction: it makes a slot on the other side.
    let url = settings
        .url_of(relocation.from.0)?
        .expose()
        .replace('\'', "''");
    let name = relocation.name();
    run(
        target,
        &format!("CREATE SUBSCRIPTION {name} CONNECTION '{url}' PUBLICATION {name}"),
    )
    .await
}

/// Waits until every table is copied and keeps up.
pub(super) async fn await_copy(
    registry: &mut PgConnection,
    target: &mut PgConnection,
    relocation: &Relocation,
) -> Result<(), Error> {
    let began = Instant::now();
    loop {
        let (all, left): (i64, i64) = sqlx::query_as(
            "SELECT count(*), count(*) FILTER (WHERE r.srsubstate <> 'r')
             FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid
             WHERE s.subname = $1",
        )
        .bind(relocation.name())
        .fetch_one(&mut *target)
        .await?;
        // Asked each time: with the connection to the registry goes the right to move anybody, and
        // another may have undone this by now.
        if all == 0 || !is_under_way(registry, relocation).await? {
            return Err(Error::Busy("the move was undone meanwhile".to_owned()));
        }
        if left == 0 {
            return Ok(());
        }
        if began.elapsed() > COPIED_WITHIN {
            return Err(Error::Busy("copying takes too long".to_owned()));
        }
        tokio::time::sleep(LOOK * 5).await;
    }
}

async fn is_under_way(registry: &mut PgConnection, relocation: &Relocation) -> Result<bool, Error> {
    let there = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM platform.relocation WHERE tenant_id = $1 AND state = 'copying')",
    )
    .bind(relocation.tenant.uuid())
    .fetch_one(registry)
    .await?;
    Ok(there)
}

/// Sends the marker, and waits for it: whatever was committed before it has arrived by then.
pub(super) async fn await_marker(
    source: &mut PgConnection,
    target: &mut PgConnection,
    relocation: &Relocation,
) -> Result<(), Error> {
    let role = &relocation.role;
    run(
        source,
        &format!("INSERT INTO {role}.{MARKER} VALUES (true)"),
    )
    .await?;
    let there = format!("SELECT EXISTS (SELECT FROM {role}.{MARKER})");
    loop {
        let arrived: bool = sqlx::query_scalar(AssertSqlSafe(there.clone()))
            .fetch_one(&mut *target)
            .await?;
        if arrived {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Ends the replication on both sides.
pub(super) async fn unsubscribe(
    target: &mut PgConnection,
    source: &mut PgConnection,
    relocation: &Relocation,
) -> Result<(), Error> {
    let name = relocation.name();
    // Whoever died while making it may have left a session that goes on with it, and would subscribe
    // when nobody looks any more.
    end_sessions(target, &format!("%CREATE SUBSCRIPTION {name} %")).await?;
    end_sessions(source, &format!("%CREATE PUBLICATION {name} %")).await?;
    let (subscribed, slot): (bool, bool) = {
        let subscribed = "SELECT EXISTS (SELECT FROM pg_subscription WHERE subname = $1)";
        let slot = "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)";
        (
            sqlx::query_scalar(subscribed)
                .bind(&name)
                .fetch_one(&mut *target)
                .await?,
            sqlx::query_scalar(slot)
                .bind(&name)
                .fetch_one(&mut *source)
                .await?,
        )
    };
    if subscribed && !slot {
        // It is dropped together with its slot, and not at all if there is none: the source was replaced.
        for detach in ["DISABLE", "SET (slot_name = NONE)"] {
            run(target, &format!("ALTER SUBSCRIPTION {name} {detach}")).await?;
        }
    }
    if subscribed {
        run(target, &format!("DROP SUBSCRIPTION {name}")).await?;
    }
    // Left when the one who made it was killed between the two sides. One that is in use a moment longer
    // is an error, and this is repeated: forgotten, it would keep all that is written from then on.
    sqlx::query(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
    )
    .bind(&name)
    .execute(&mut *source)
    .await?;
    run(source, &format!("DROP PUBLICATION IF EXISTS {name}")).await
}
