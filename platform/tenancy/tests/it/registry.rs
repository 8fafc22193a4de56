//! What is remembered of tenants, and how it is forgotten.

use std::time::Duration;

use berth_events::tenant::{Resumed, Suspended};
use berth_tenancy::{
    Error, Registry, Tenancy, TenantKey, lifecycle,
    standing::{self, Operator},
};
use berth_testkit::TestPlatform;
use tokio_util::sync::CancellationToken;

use crate::{admin, gym};

/// Asks until the tenant is active, or is not. What is remembered grows old by itself after five
/// seconds; this has to be sooner.
async fn until(registry: &Registry, key: &TenantKey, active: bool) {
    let asking = async {
        loop {
            let found = registry.find(key).await.unwrap();
            if found.is_some_and(|found| found.tenant.active) == active {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(3), asking)
        .await
        .unwrap_or_else(|_| panic!("{key:?} is not {active} in time"));
}

/// What another process remembers, which hears of changes until the test ends.
fn another_process(platform: &TestPlatform) -> Registry {
    let tenancy = Tenancy::new(platform.tenancy().database().clone());
    let registry = tenancy.registry().clone();
    let following = registry.clone();
    tokio::spawn(async move { following.follow_changes(CancellationToken::new()).await });
    registry
}

#[tokio::test]
async fn a_change_is_seen_at_once_by_processes_that_did_not_make_it() {
    let platform = TestPlatform::start().await;
    let registry = another_process(&platform);
    let slug = |slug: &str| TenantKey::Slug(slug.to_owned());
    until(&registry, &slug("alpha-clinic"), true).await;
    // Remembered as unknown, and made after that.
    until(&registry, &slug("gamma-gym"), false).await;
    lifecycle::create(platform.settings(), &gym("gamma-gym"), platform.clock())
        .await
        .unwrap();
    until(&registry, &slug("gamma-gym"), true).await;

    let set = |what: &str| {
        let sql = format!("UPDATE platform.tenant SET {what} WHERE slug = 'alpha-clinic'");
        admin(&platform, sql)
    };
    let id = TenantKey::Id(platform.alpha().id);
    until(&registry, &id, true).await;
    set("status = 'suspended'").await;
    until(&registry, &slug("alpha-clinic"), false).await;
    until(&registry, &id, false).await;
    set("status = 'active'").await;
    until(&registry, &slug("alpha-clinic"), true).await;
    until(&registry, &slug("renamed"), false).await;
    set("slug = 'renamed'").await;
    until(&registry, &slug("renamed"), true).await;
    until(&registry, &slug("alpha-clinic"), false).await;
}

#[tokio::test]
async fn a_suspended_tenant_is_unknown_everywhere_at_once_until_it_is_resumed() {
    let platform = TestPlatform::start().await;
    let registry = another_process(&platform);
    let slug = TenantKey::Slug("alpha-clinic".to_owned());
    let (settings, clock) = (platform.settings(), platform.clock());
    let by = Operator("cli:tester".to_owned());
    until(&registry, &slug, true).await;
    let suspend =
        async || standing::suspend(settings, "alpha-clinic", "The bill", &by, clock).await;
    assert!(suspend().await.unwrap());
    until(&registry, &slug, false).await;
    assert!(!suspend().await.unwrap(), "it was suspended already");
    let resume = async || standing::resume(settings, "alpha-clinic", &by, clock).await;
    assert!(resume().await.unwrap());
    until(&registry, &slug, true).await;
    assert!(!resume().await.unwrap(), "it was not suspended");
    let unknown = standing::suspend(settings, "nobody-here", "", &by, clock).await;
    assert!(
        matches!(unknown, Err(Error::UnknownTenant(_))),
        "{unknown:?}"
    );

    let id = platform.alpha().id;
    let told = platform.events(id.uuid()).await;
    let [_created, suspended, resumed] = told.as_slice() else {
        panic!("{} events", told.len());
    };
    let suspended: Suspended = suspended.open().unwrap().unwrap();
    assert_eq!((suspended.version, &*suspended.reason), (2, "The bill"));
    let resumed: Resumed = resumed.open().unwrap().unwrap();
    assert_eq!(resumed.version, 3);
    let audited: Vec<(String, String)> = sqlx::query_as(
        "SELECT operator, action FROM platform.audit WHERE tenant_id = $1 ORDER BY id",
    )
    .bind(id.uuid())
    .fetch_all(platform.admin_pool())
    .await
    .unwrap();
    let by = |action: &str| ("cli:tester".to_owned(), action.to_owned());
    assert_eq!(audited, [by("tenant.suspended"), by("tenant.resumed")]);
}
