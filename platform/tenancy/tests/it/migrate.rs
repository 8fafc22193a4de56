//! Bringing the fleet up to date.

use berth_tenancy::{
    Error, Tenant,
    migrate::{self, Report},
};
use berth_testkit::TestPlatform;

use crate::{admin, tables};

const NOTHING: Report = Report {
    platform: 0,
    tenants: 0,
};

/// Takes a tenant back to before its first migration.
async fn unmigrate(platform: &TestPlatform, tenant: &Tenant) {
    let role = tenant.role();
    let sql = format!(
        "BEGIN; DROP SCHEMA {role} CASCADE; CREATE SCHEMA {role}; GRANT USAGE ON SCHEMA {role} TO {role}; \
         ALTER DEFAULT PRIVILEGES IN SCHEMA {role} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}; \
         UPDATE platform.tenant SET schema_version = 0 WHERE role = '{role}'; COMMIT"
    );
    admin(platform, sql).await;
}

async fn version(platform: &TestPlatform, tenant: &Tenant) -> i64 {
    sqlx::query_scalar("SELECT schema_version FROM platform.tenant WHERE id = $1")
        .bind(tenant.id.uuid())
        .fetch_one(platform.admin_pool())
        .await
        .unwrap()
}

/// Whether the tenant's own role can use its tables.
async fn works(platform: &TestPlatform, tenant: &Tenant) -> bool {
    let mut tx = platform.tenancy().begin(tenant).await.unwrap();
    sqlx::query("SELECT (SELECT count(*) FROM account) + (SELECT count(*) FROM booking)")
        .execute(tx.conn())
        .await
        .is_ok()
}

#[tokio::test]
async fn a_run_with_nothing_to_do_does_nothing() {
    let platform = TestPlatform::start().await;
    assert_eq!(migrate::run(platform.settings()).await.unwrap(), NOTHING);
    assert_eq!(migrate::run(platform.settings()).await.unwrap(), NOTHING);
}

#[tokio::test]
async fn two_runs_at_once_share_the_work() {
    let platform = TestPlatform::start().await;
    let before = tables(&platform, platform.alpha().role()).await;
    for tenant in [platform.alpha(), platform.beta()] {
        unmigrate(&platform, &tenant).await;
    }
    let (one, two) = tokio::join!(
        migrate::run(platform.settings()),
        migrate::run(platform.settings()),
    );
    assert_eq!(one.unwrap().tenants + two.unwrap().tenants, 2);
    for tenant in [platform.alpha(), platform.beta()] {
        assert_eq!(tables(&platform, tenant.role()).await, before);
        assert!(works(&platform, &tenant).await);
    }
}

#[tokio::test]
async fn a_run_that_failed_at_a_tenant_goes_on_there() {
    let platform = TestPlatform::start().await;
    let (alpha, beta) = (platform.alpha(), platform.beta());
    assert!(
        alpha.id < beta.id,
        "tenants are migrated in the order of their ids"
    );
    let newest = version(&platform, &alpha).await;
    for tenant in [&alpha, &beta] {
        unmigrate(&platform, tenant).await;
    }
    // In the way of a migration that is not the first: what came before it must go too.
    admin(
        &platform,
        format!("CREATE TABLE {}.account (id int)", beta.role()),
    )
    .await;
    let failed = migrate::run(platform.settings()).await;
    assert!(matches!(failed, Err(Error::Statement(_))), "{failed:?}");
    assert_eq!(version(&platform, &alpha).await, newest);
    assert_eq!(version(&platform, &beta).await, 0);
    assert_eq!(
        tables(&platform, beta.role()).await,
        ["account"],
        "half a migration is left"
    );
    assert!(works(&platform, &alpha).await);

    admin(&platform, format!("DROP TABLE {}.account", beta.role())).await;
    let report = migrate::run(platform.settings()).await.unwrap();
    assert_eq!(
        report,
        Report {
            platform: 0,
            tenants: 1
        }
    );
    assert_eq!(version(&platform, &beta).await, newest);
    assert!(works(&platform, &beta).await);
    assert_eq!(migrate::run(platform.settings()).await.unwrap(), NOTHING);
}

#[tokio::test]
async fn an_applied_file_that_was_edited_is_refused() {
    let platform = TestPlatform::start().await;
    admin(
        &platform,
        "UPDATE platform.schema_migration SET checksum = '\\x00'".to_owned(),
    )
    .await;
    let refused = migrate::run(platform.settings()).await;
    assert!(
        matches!(refused, Err(Error::MigrationChanged(_))),
        "{refused:?}"
    );
}
