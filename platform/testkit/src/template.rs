//! The template all test databases are cloned from.
//!
//! Its name is a hash of the migrations and of what is seeded, so that a stale one is never taken.
//! A template that is ready is marked as one (`datistemplate`) and lets nobody in; one that lacks
//! the mark was left half-made by a killed process and is made again. Who clones holds an advisory
//! lock of the maintenance database in common, who makes a template holds it alone.

use std::time::{SystemTime, UNIX_EPOCH};

use berth_kernel::{Clock, Currency, Secret};
use berth_tenancy::{
    DatabaseSettings,
    lifecycle::{self, NewTenant, Operator},
    migrate::{self, TenantFiles},
};
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, PgConnection, migrate::Migrator};

use crate::{
    ALPHA, BETA,
    database::{Clone, INHERITED, SetupError, remove, run, with_database},
};

static PLATFORM: Migrator = sqlx::migrate!("../../migrations/platform");
static TENANT: Migrator = sqlx::migrate!("../../migrations/tenant");

/// Raised when [`seed`] puts something else into the template.
const CONTENT: u32 = 1;

/// Prefix of the clones; the second they were made follows.
const CLONES: &str = "berth_test_";
/// Prefix of the templates; their hash follows.
const TEMPLATES: &str = "berth_template_";
/// Seconds after which a clone's test cannot be running any more.
const ABANDONED_AFTER: u64 = 3_600;

/// Copying files instead of writing the copy to the log: 140 instead of 165 ms for these 11 MB with
/// `fsync` off, and no slower when several tests clone at once.
const STRATEGY: &str = "FILE_COPY";

/// What [`TestPlatform`](crate::TestPlatform) uses for the database at `url`: few connections,
/// because many tests run at once. The secret is the same for all, because the logins it opens
/// belong to the whole cluster.
pub(crate) fn settings(url: &str) -> DatabaseSettings {
    DatabaseSettings {
        url: Secret::new(url),
        nodes: Vec::new(),
        bucket_secret: Secret::new("the bucket secret of all tests on this cluster"),
        buckets: 4,
        connections_per_bucket: 4,
        platform_connections: 4,
        files: TenantFiles::of_this_release(),
    }
}

/// A new clone of the template, which is made first if it is not there.
pub(crate) async fn clone(maintenance: &str) -> Result<Clone, SetupError> {
    let mut conn = PgConnection::connect(maintenance).await?;
    sweep(&mut conn, maintenance).await?;
    let template = format!("{TEMPLATES}{}", content_hash());
    lock(&mut conn, Share::Common).await?;
    while !is_ready(&mut conn, &template).await? {
        unlock(&mut conn, Share::Common).await?;
        lock(&mut conn, Share::Alone).await?;
        if !is_ready(&mut conn, &template).await? {
            make(&mut conn, maintenance, &template).await?;
        }
        unlock(&mut conn, Share::Alone).await?;
        lock(&mut conn, Share::Common).await?;
    }
    let clone = Clone::new(maintenance, clone_name())?;
    run(
        &mut conn,
        format!(
            "CREATE DATABASE {} TEMPLATE {template} STRATEGY {STRATEGY}",
            clone.name()
        ),
    )
    .await?;
    unlock(&mut conn, Share::Common).await?;
    conn.close().await?;
    Ok(clone)
}

/// Hash of all that decides what the template holds.
fn content_hash() -> String {
    let mut digest = Sha256::new();
    digest.update(CONTENT.to_be_bytes());
    for file in PLATFORM.iter().chain(TENANT.iter()) {
        digest.update(file.version.to_be_bytes());
        digest.update(&file.checksum);
    }
    hex::encode(&digest.finalize()[..8])
}

fn clone_name() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    format!("{CLONES}{now}_{:016x}", rand::rng().random::<u64>())
}

/// The second a clone was made, by its name.
fn made_at(name: &str) -> Option<u64> {
    name.strip_prefix(CLONES)?.split('_').next()?.parse().ok()
}

#[derive(Clone, Copy)]
enum Share {
    Common,
    Alone,
}

impl Share {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Common => "_shared",
            Self::Alone => "",
        }
    }
}

async fn lock(conn: &mut PgConnection, share: Share) -> Result<(), SetupError> {
    let suffix = share.suffix();
    run(
        conn,
        format!("SELECT pg_advisory_lock{suffix}(hashtext('berth test template'))"),
    )
    .await
}

async fn unlock(conn: &mut PgConnection, share: Share) -> Result<(), SetupError> {
    let suffix = share.suffix();
    run(
        conn,
        format!("SELECT pg_advisory_unlock{suffix}(hashtext('berth test template'))"),
    )
    .await
}

async fn is_ready(conn: &mut PgConnection, template: &str) -> Result<bool, SetupError> {
    let ready = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)";
    Ok(sqlx::query_scalar(ready)
        .bind(template)
        .fetch_one(conn)
        .await?)
}

/// Makes the template anew and marks it ready. Held alone.
async fn make(
    conn: &mut PgConnection,
    maintenance: &str,
    template: &str,
) -> Result<(), SetupError> {
    sweep_templates(conn, maintenance, template).await?;
    remove(conn, maintenance, template, &[]).await?;
    run(conn, format!("CREATE DATABASE {template}")).await?;
    seed(&with_database(maintenance, template)?).await?;
    run(
        conn,
        format!("ALTER DATABASE {template} ALLOW_CONNECTIONS false IS_TEMPLATE true"),
    )
    .await
}

/// Fills the template: all tables, and two tenants of different kinds.
async fn seed(url: &str) -> Result<(), SetupError> {
    let settings = settings(url);
    migrate::run(&settings, migrate::Pace::default(), &|_| {}).await?;
    let by = Operator("testkit".to_owned());
    for tenant in [alpha(), beta()] {
        lifecycle::create(&settings, &tenant, &by, &Clock::System).await?;
    }
    let mut conn = PgConnection::connect(url).await?;
    let (platform, tenant): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT max(version) FROM platform.schema_migration), \
                (SELECT min(schema_version) FROM platform.tenant)",
    )
    .fetch_one(&mut conn)
    .await?;
    conn.close().await?;
    let newest = |files: &Migrator| files.iter().map(|file| file.version).max();
    let fresh = newest(&PLATFORM) == Some(platform) && newest(&TENANT) == Some(tenant);
    if fresh {
        Ok(())
    } else {
        Err(SetupError::Stale)
    }
}

fn alpha() -> NewTenant {
    NewTenant {
        slug: ALPHA.into(),
        name: "Alpha Clinic".into(),
        kind: "clinic".into(),
        timezone: "Europe/Berlin".into(),
        currency: Currency::EUR,
        locale: "de".into(),
        color: "#0f766e".into(),
        legal_name: "Alpha Clinic GmbH".into(),
        address: "Torstraße 1, 10119 Berlin".into(),
        accent_color: None,
        logo_url: None,
        tax_id: None,
        plan: None,
        founder: None,
    }
}

fn beta() -> NewTenant {
    NewTenant {
        slug: BETA.into(),
        name: "Beta Theatre".into(),
        kind: "theatre".into(),
        timezone: "America/New_York".into(),
        currency: "USD".parse().expect("the dollar is a currency"),
        locale: "en-US".into(),
        color: "#7f1d1d".into(),
        legal_name: "Beta Theatre Inc.".into(),
        address: "234 West 44th Street, New York, NY 10036".into(),
        accent_color: None,
        logo_url: None,
        tax_id: None,
        plan: None,
        founder: None,
    }
}

/// Drops clones whose tests were killed. Another test may be at the same ones.
async fn sweep(conn: &mut PgConnection, maintenance: &str) -> Result<(), SetupError> {
    let names: Vec<String> =
        sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname LIKE $1")
            .bind(format!("{}%", CLONES.replace('_', "\\_")))
            .fetch_all(&mut *conn)
            .await?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let abandoned = |name: &&String| made_at(name).is_some_and(|at| at + ABANDONED_AFTER < now);
    for name in names.iter().filter(abandoned) {
        let _taken_by_another = remove(conn, maintenance, name, &INHERITED).await;
    }
    Ok(())
}

/// Drops templates of other migrations that are more than a day old. Held alone, so that nobody
/// is cloning them.
async fn sweep_templates(
    conn: &mut PgConnection,
    maintenance: &str,
    present: &str,
) -> Result<(), SetupError> {
    let old: Vec<String> = sqlx::query_scalar(
        "SELECT datname::text FROM pg_database \
         WHERE datname LIKE $1 AND datname <> $2 AND \
           (pg_stat_file('base/' || oid || '/PG_VERSION', true)).modification < now() - interval '1 day'",
    )
    .bind(format!("{}%", TEMPLATES.replace('_', "\\_")))
    .bind(present)
    .fetch_all(&mut *conn)
    .await?;
    for name in old {
        run(
            conn,
            format!("ALTER DATABASE {name} IS_TEMPLATE false ALLOW_CONNECTIONS true"),
        )
        .await?;
        remove(conn, maintenance, &name, &[]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clones_name_tells_when_it_was_made() {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        assert!(made_at(&clone_name()).is_some_and(|at| at.abs_diff(now) < 5));
        assert_eq!(made_at("berth_template_0011223344556677"), None);
        assert_eq!(made_at("berth_test_"), None);
    }
}
