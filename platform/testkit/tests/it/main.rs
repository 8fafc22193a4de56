//! The kit itself: clones are separate, and nothing of them stays.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use berth_access::Actor;
use berth_kernel::{Clock, Currency};
use berth_tenancy::lifecycle::{self, NewTenant, Operator};
use berth_testkit::{TestPlatform, environment};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

async fn maintenance() -> PgConnection {
    PgConnection::connect(&environment::database_url())
        .await
        .unwrap()
}

async fn exists(conn: &mut PgConnection, sql: &'static str, name: &str) -> bool {
    sqlx::query_scalar(sql)
        .bind(name)
        .fetch_one(conn)
        .await
        .unwrap()
}

async fn database_exists(name: &str) -> bool {
    let sql = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
    exists(&mut maintenance().await, sql, name).await
}

async fn role_exists(name: &str) -> bool {
    let sql = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)";
    exists(&mut maintenance().await, sql, name).await
}

#[tokio::test]
async fn a_clone_holds_two_tenants_of_different_kinds() {
    let platform = TestPlatform::start().await;
    let (alpha, beta) = (platform.alpha(), platform.beta());
    assert_eq!(
        (alpha.kind.as_str(), alpha.timezone.as_str()),
        ("clinic", "Europe/Berlin")
    );
    assert_eq!(
        (beta.kind.as_str(), beta.timezone.as_str()),
        ("theatre", "America/New_York")
    );
    assert_eq!(
        (alpha.currency.code(), beta.currency.code()),
        ("EUR", "USD")
    );
    let ctx = platform.context(&beta, Actor::Anonymous);
    assert_eq!(
        (ctx.tenant.id, ctx.clock.now()),
        (beta.id, platform.clock().now())
    );
}

#[tokio::test]
async fn what_one_test_writes_another_does_not_see() {
    let (one, two) = (TestPlatform::start().await, TestPlatform::start().await);
    assert_ne!(one.name(), two.name());
    let sql = format!(
        "INSERT INTO {}.idempotency (principal, route, key, request_hash, body) \
         VALUES ('a', 'b', 'c', '', '')",
        one.alpha().role()
    );
    one.admin_pool().execute(AssertSqlSafe(sql)).await.unwrap();
    let mut tx = two.tenancy().begin(&two.alpha()).await.unwrap();
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM idempotency")
        .fetch_one(tx.conn())
        .await
        .unwrap();
    assert_eq!(seen, 0);
}

#[tokio::test]
async fn a_clone_and_its_own_tenants_roles_go_with_its_platform() {
    let platform = TestPlatform::start().await;
    let new = NewTenant {
        slug: "gamma-gym".into(),
        name: "Gamma".into(),
        kind: "gym".into(),
        timezone: "Europe/Berlin".into(),
        currency: Currency::EUR,
        locale: "en".into(),
        color: "#000000".into(),
        legal_name: "Gamma".into(),
        address: String::new(),
        accent_color: None,
        logo_url: None,
        tax_id: None,
        plan: None,
        founder: None,
    };
    let made = lifecycle::create(
        platform.settings(),
        &new,
        &Operator("testkit".into()),
        &Clock::System,
    )
    .await
    .unwrap();
    let gamma = platform
        .tenancy()
        .registry()
        .get(made.id)
        .await
        .unwrap()
        .unwrap();
    let (name, own) = (platform.name().to_owned(), gamma.role().to_owned());
    let shared = platform.alpha().role().to_owned();
    assert!(database_exists(&name).await && role_exists(&own).await);
    // A transaction that is still open does not keep it.
    let held = platform.tenancy().begin(&gamma).await.unwrap();
    drop(platform);
    assert!(!database_exists(&name).await);
    assert!(!role_exists(&own).await);
    assert!(
        role_exists(&shared).await,
        "other clones use the template's roles"
    );
    drop(held);
}

#[tokio::test]
async fn what_a_killed_test_left_is_swept_and_what_is_at_work_is_not() {
    let abandoned = format!("berth_test_1000000000_{}", Uuid::now_v7().simple());
    let create = format!("CREATE DATABASE {abandoned}");
    maintenance()
        .await
        .execute(AssertSqlSafe(create))
        .await
        .unwrap();
    let at_work = TestPlatform::start().await;
    let _next = TestPlatform::start().await;
    assert!(!database_exists(&abandoned).await);
    assert!(database_exists(at_work.name()).await);
}
