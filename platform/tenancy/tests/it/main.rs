//! Tenancy against a real database: one module a theme.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod cancellation;
mod channel;
mod data;
mod files;
mod isolation;
mod lanes;
mod lifecycle;
mod migrate;
mod provision;
mod registry;
mod standing;

use std::str::FromStr as _;

use berth_tenancy::{
    DatabaseSettings, Error, Tenant,
    lifecycle::{CreatedTenant, Lifecycle, NewTenant, Operator},
};
use berth_testkit::TestPlatform;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sqlx::{AssertSqlSafe, Executor as _, postgres::PgConnectOptions};

/// The tables of a schema, by name.
async fn tables(platform: &TestPlatform, schema: &str) -> Vec<String> {
    let sql = "SELECT tablename::text FROM pg_tables WHERE schemaname = $1 ORDER BY 1";
    let tables: Vec<String> = sqlx::query_scalar(sql)
        .bind(schema)
        .fetch_all(platform.admin_pool())
        .await
        .unwrap();
    assert!(!tables.is_empty(), "no tables in {schema}");
    tables
}

/// Runs `sql` as the superuser.
async fn admin(platform: &TestPlatform, sql: String) {
    platform
        .admin_pool()
        .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
        .await
        .unwrap();
}

/// How a login of the product connects: as `tenancy` itself derives it.
fn login(settings: &DatabaseSettings, role: &str) -> PgConnectOptions {
    let secret = settings.bucket_secret.expose().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(role.as_bytes());
    PgConnectOptions::from_str(settings.url.expose())
        .unwrap()
        .username(role)
        .password(&hex::encode(mac.finalize().into_bytes()))
}

/// The login whose pool serves `tenant`.
async fn bucket_login(platform: &TestPlatform, tenant: &Tenant) -> String {
    let sql = "SELECT 'berth_b' || lpad(bucket::text, 2, '0') FROM platform.tenant WHERE id = $1";
    let pool = platform.admin_pool();
    sqlx::query_scalar(sql)
        .bind(tenant.id.uuid())
        .fetch_one(pool)
        .await
        .unwrap()
}

/// The SQLSTATE of a refusal.
fn sqlstate<T: std::fmt::Debug>(result: Result<T, sqlx::Error>) -> String {
    match result {
        Err(sqlx::Error::Database(error)) => error.code().unwrap_or_default().into_owned(),
        other => format!("no refusal: {other:?}"),
    }
}

/// Who acts in these tests.
fn tester() -> Operator {
    Operator("cli:tester".to_owned())
}

async fn create(platform: &TestPlatform, new: &NewTenant) -> Result<CreatedTenant, Error> {
    berth_tenancy::lifecycle::create(platform.settings(), new, &tester(), platform.clock()).await
}

/// What an operator can do.
fn operate(platform: &TestPlatform) -> Lifecycle {
    let (tenancy, clock) = (platform.tenancy().clone(), platform.clock().clone());
    Lifecycle::new(tenancy, tester(), clock)
}

/// What was done to a tenant, and by whom, in order.
async fn audited(platform: &TestPlatform, tenant: uuid::Uuid) -> Vec<(String, String)> {
    let sql = "SELECT operator, action FROM platform.audit WHERE tenant_id = $1 ORDER BY id";
    sqlx::query_as(sql)
        .bind(tenant)
        .fetch_all(platform.admin_pool())
        .await
        .unwrap()
}

fn gym(slug: &str) -> NewTenant {
    NewTenant {
        slug: slug.into(),
        name: "Gamma Gym".into(),
        kind: "gym".into(),
        timezone: "Asia/Kathmandu".into(),
        currency: "INR".parse().unwrap(),
        locale: "ne".into(),
        color: "#1f4b99".into(),
        legal_name: "Gamma Gym".into(),
        address: String::new(),
        accent_color: None,
        logo_url: None,
        tax_id: None,
        plan: None,
        founder: None,
    }
}
