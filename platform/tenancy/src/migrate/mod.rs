//! Brings the shared tables, and then every tenant's schema, to the state this program expects.
//!
//! Our own runner, because sqlx's takes one lock per database and leaves it behind when it fails.
//! A tenant's DDL and its version move in one transaction: a run that is killed goes on where it
//! stopped.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, migrate::Migrator};

use crate::{
    DatabaseSettings, Error,
    pools::{NOWHERE, PLATFORM_LOGIN, bucket_login},
};

static PLATFORM: Migrator = sqlx::migrate!("../../migrations/platform");
static TENANT: Migrator = sqlx::migrate!("../../migrations/tenant");

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Files applied to the shared tables.
    pub platform: usize,
    /// Tenants brought up to date.
    pub tenants: usize,
}

/// Version of the newest file for the shared tables.
pub(crate) fn latest_platform() -> Option<i64> {
    PLATFORM.iter().map(|file| file.version).max()
}

/// Version of the newest file for a tenant's schema.
pub(crate) fn latest_tenant() -> i64 {
    TENANT.iter().map(|file| file.version).max().unwrap_or(0)
}

/// All of a tenant's files as one message.
pub(crate) fn tenant_baseline() -> String {
    tenant_files_after(0)
}

fn tenant_files_after(version: i64) -> String {
    let files = TENANT.iter().filter(|file| file.version > version);
    files
        .map(|file| file.sql.as_str())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Migrates everything. Safe to run twice, and by two at once.
///
/// # Errors
/// [`Error::MigrationChanged`] when an applied file was edited, [`Error::OtherSecret`]; else what
/// the database says.
pub async fn run(settings: &DatabaseSettings) -> Result<Report, Error> {
    let mut conn = PgConnection::connect_with(&settings.owner()?).await?;
    // Session-level, and gone with this connection whatever happens.
    conn.execute("SELECT pg_advisory_lock(hashtext('berth migrate'))")
        .await?;
    make_logins(&mut conn, settings).await?;
    if !opens(settings, PLATFORM_LOGIN).await? {
        return Err(Error::OtherSecret);
    }
    let platform = migrate_platform(&mut conn).await?;
    let tenants = migrate_tenants(&mut conn).await?;
    conn.close().await?;
    Ok(Report { platform, tenants })
}

/// Roles are of the whole cluster, where another database's run may be making the same ones.
async fn make_logins(conn: &mut PgConnection, settings: &DatabaseSettings) -> Result<(), Error> {
    for group in ["berth_platform", "berth_tenant"] {
        make_role(conn, group, "NOLOGIN").await?;
    }
    let platform = format!(
        "LOGIN INHERIT IN ROLE berth_platform PASSWORD '{}'",
        settings.password(PLATFORM_LOGIN)
    );
    make_role(conn, PLATFORM_LOGIN, &platform).await?;
    for number in 0..settings.buckets {
        let login = bucket_login(number);
        let options = format!("LOGIN NOINHERIT PASSWORD '{}'", settings.password(&login));
        make_role(conn, &login, &options).await?;
    }
    Ok(())
}

/// Whether a login's password is the one that follows from the secret at hand.
async fn opens(settings: &DatabaseSettings, login: &str) -> Result<bool, Error> {
    match PgConnection::connect_with(&settings.login(login)?).await {
        Ok(conn) => {
            conn.close().await?;
            Ok(true)
        }
        // 28P01: the password is wrong.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("28P01") => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Gives the logins the passwords that follow from the secret at hand, where they have others. Whoever
/// still has the old secret can connect no more; logins belong to the whole cluster.
///
/// # Errors
/// What the database says.
pub async fn renew_logins(settings: &DatabaseSettings) -> Result<(), Error> {
    let mut conn = PgConnection::connect_with(&settings.owner()?).await?;
    let buckets = (0..settings.buckets).map(bucket_login);
    for login in buckets.chain([PLATFORM_LOGIN.to_owned()]) {
        let known: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
                .bind(&login)
                .fetch_one(&mut conn)
                .await?;
        if known && !opens(settings, &login).await? {
            let sql = format!(
                "ALTER ROLE {login} PASSWORD '{}'",
                settings.password(&login)
            );
            conn.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
        }
    }
    Ok(conn.close().await?)
}

async fn make_role(conn: &mut PgConnection, role: &str, options: &str) -> Result<(), Error> {
    // Roles are made once and then left alone: ALTER ROLE on a shared catalogue fails for one of
    // two that run at once.
    let sql = format!(
        "DO $$ BEGIN \
           IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN \
             CREATE ROLE {role} {options}; \
             ALTER ROLE {role} SET search_path = {NOWHERE}; \
           END IF; \
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    );
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    Ok(())
}

async fn migrate_platform(conn: &mut PgConnection) -> Result<usize, Error> {
    conn.execute(
        "CREATE SCHEMA IF NOT EXISTS platform; \
         CREATE TABLE IF NOT EXISTS platform.schema_migration (\
           version bigint PRIMARY KEY, checksum bytea NOT NULL, \
           applied_at timestamptz NOT NULL DEFAULT clock_timestamp()); \
         GRANT USAGE ON SCHEMA platform TO berth_platform; \
         GRANT SELECT ON platform.schema_migration TO berth_platform",
    )
    .await?;
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
    Ok(applied)
}

/// One transaction a tenant; the row lock keeps a second runner off it.
async fn migrate_tenants(conn: &mut PgConnection) -> Result<usize, Error> {
    let latest = latest_tenant();
    let mut migrated = 0;
    loop {
        let mut tx = conn.begin().await?;
        let behind: Option<(uuid::Uuid, String, i64)> = sqlx::query_as(
            "SELECT id, role, schema_version FROM platform.tenant \
             WHERE schema_version < $1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
        )
        .bind(latest)
        .fetch_optional(&mut *tx)
        .await?;
        let Some((id, role, version)) = behind else {
            return Ok(migrated);
        };
        let message = format!(
            "SET LOCAL lock_timeout = '800ms'; SET LOCAL search_path = {role}, public; {}",
            tenant_files_after(version)
        );
        tx.execute(sqlx::raw_sql(AssertSqlSafe(message))).await?;
        sqlx::query("UPDATE platform.tenant SET schema_version = $2 WHERE id = $1")
            .bind(id)
            .bind(latest)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        migrated += 1;
    }
}
