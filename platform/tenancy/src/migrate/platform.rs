//! The shared tables, brought up to date one file a transaction.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::PLATFORM;
use crate::{DatabaseSettings, Error, NodeId};

/// Applies what is missing to the database of a node; how many files that was.
pub(super) async fn migrate_platform(
    conn: &mut PgConnection,
    node: NodeId,
) -> Result<usize, Error> {
    conn.execute(
        "CREATE SCHEMA IF NOT EXISTS platform; \
         CREATE TABLE IF NOT EXISTS platform.schema_migration (\
           version bigint PRIMARY KEY, checksum bytea NOT NULL, \
           applied_at timestamptz NOT NULL DEFAULT clock_timestamp()); \
         CREATE TABLE IF NOT EXISTS platform.this_node (\
           node smallint NOT NULL, single boolean PRIMARY KEY DEFAULT true CHECK (single)); \
         GRANT USAGE ON SCHEMA platform TO berth_platform; \
         GRANT SELECT ON platform.schema_migration TO berth_platform",
    )
    .await?;
    // Whichever it is first taken for it is from then on.
    sqlx::query("INSERT INTO platform.this_node (node) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(i32::from(node.0))
        .execute(&mut *conn)
        .await?;
    check_node(conn, node).await?;
    let mut applied = 0;
    for file in PLATFORM.iter() {
        let known: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT checksum FROM platform.schema_migration WHERE version = $1")
                .bind(file.version)
                .fetch_optional(&mut *conn)
                .await?;
        match known {
            Some(checksum) if checksum == *file.checksum => continue,
            Some(_) => return Err(Error::MigrationChanged(file.version)),
            None => {}
        }
        let mut tx = conn.begin().await?;
        tx.execute(sqlx::raw_sql(AssertSqlSafe(file.sql.as_str())))
            .await?;
        sqlx::query("INSERT INTO platform.schema_migration (version, checksum) VALUES ($1, $2)")
            .bind(file.version)
            .bind(&*file.checksum)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        applied += 1;
    }
    // The files give rights on all tables there are, and these are among them.
    conn.execute(
        "REVOKE INSERT, UPDATE, DELETE ON platform.schema_migration, platform.this_node FROM berth_platform",
    )
    .await?;
    Ok(applied)
}

/// A connection of the owner's to a node's database, and no other's: what is looked for there is not gone if it is not
/// found in another.
///
/// # Errors
/// [`Error::OtherNode`]; when it does not answer.
pub(crate) async fn connect_to(
    settings: &DatabaseSettings,
    node: NodeId,
) -> Result<PgConnection, Error> {
    let mut conn = settings.connect(node).await?;
    check_node(&mut conn, node).await?;
    Ok(conn)
}

async fn check_node(conn: &mut PgConnection, node: NodeId) -> Result<(), Error> {
    // One that was not migrated since nodes know themselves.
    let known: bool = sqlx::query_scalar("SELECT to_regclass('platform.this_node') IS NOT NULL")
        .fetch_one(&mut *conn)
        .await?;
    if !known {
        return Ok(());
    }
    let is: Option<i16> = sqlx::query_scalar("SELECT node FROM platform.this_node")
        .fetch_optional(conn)
        .await?;
    match is {
        Some(is) if is.unsigned_abs() != node.0 => Err(Error::OtherNode {
            asked: node.0,
            is: is.unsigned_abs(),
        }),
        _ => Ok(()),
    }
}

/// Whether this database was ever migrated.
pub(super) async fn is_there(conn: &mut PgConnection) -> Result<bool, Error> {
    let there: Option<String> =
        sqlx::query_scalar("SELECT to_regclass('platform.schema_migration')::text")
            .fetch_one(conn)
            .await?;
    Ok(there.is_some())
}

/// Whether nothing is missing, as far as the newest file tells.
pub(super) async fn is_current(conn: &mut PgConnection) -> Result<bool, Error> {
    if !is_there(conn).await? {
        return Ok(false);
    }
    let known: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT version, checksum FROM platform.schema_migration")
            .fetch_all(&mut *conn)
            .await?;
    Ok(PLATFORM.iter().all(|file| {
        let same = |(version, checksum): &(i64, Vec<u8>)| {
            *version == file.version && *checksum == *file.checksum
        };
        known.iter().any(same)
    }))
}
