//! What is remembered of tenants, and how it is forgotten.

use std::time::Duration;

use berth_tenancy::{Registry, Tenancy, TenantKey};
use berth_testkit::TestPlatform;
use sqlx::{Executor as _, postgres::PgListener};
use tokio_util::sync::CancellationToken;

use crate::{admin, create, gym};

/// Asks until the tenant is active, or is not. What is remembered grows old by itself after five
/// seconds; this has to be sooner.
pub(crate) async fn until(registry: &Registry, key: &TenantKey, active: bool) {
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
pub(crate) fn another_process(platform: &TestPlatform) -> Registry {
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
    create(&platform, &gym("gamma-gym")).await.unwrap();
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
async fn what_was_looked_at_and_did_not_change_is_told_to_nobody() {
    let platform = TestPlatform::start().await;
    let id = platform.alpha().id;
    let mut listener = PgListener::connect_with(platform.admin_pool())
        .await
        .unwrap();
    listener.listen("berth_tenant_changed").await.unwrap();
    let mut told = async |sql: &str| {
        admin(&platform, sql.to_owned()).await;
        let mut told = Vec::new();
        // The answer comes after what was told before.
        listener.execute("SELECT 1").await.unwrap();
        while let Some(one) = listener.next_buffered() {
            told.push(one.payload().to_owned());
        }
        told
    };
    let account = format!(
        "INSERT INTO platform.stripe_account (account_id, tenant_id) VALUES ('acct_a', '{id}')"
    );
    assert_eq!(told(&account).await, [id.to_string()]);
    let host = format!(
        "INSERT INTO platform.domain (id, tenant_id, host, token, since, check_at)
         VALUES (gen_random_uuid(), '{id}', 'book.example', 'x', now(), now())"
    );
    assert!(told(&host).await.is_empty());

    let looked_at =
        "UPDATE platform.stripe_account SET charges_enabled = false, updated_at = now();
         UPDATE platform.domain SET state = 'pending', check_at = now(), last_error = 'none'";
    assert!(told(looked_at).await.is_empty());
    let may = "UPDATE platform.stripe_account SET charges_enabled = true";
    assert_eq!(told(may).await, [id.to_string()]);
    for change in [
        "UPDATE platform.domain SET state = 'verified'",
        "DELETE FROM platform.domain",
    ] {
        assert_eq!(told(change).await, [format!("{id} book.example")]);
    }
}

#[tokio::test]
async fn names_asked_for_again_cost_no_query_known_or_not() {
    let platform = TestPlatform::start().await;
    // It hears of nothing: what it forgets it would ask for again.
    let tenancy = Tenancy::new(platform.tenancy().database().clone());
    let registry = tenancy.registry();
    let unknown = [
        TenantKey::Slug("no-such-gym".into()),
        TenantKey::Host("gym.example".into()),
        TenantKey::ApiKey([7; 32]),
    ];
    let known = TenantKey::Slug("alpha-clinic".into());
    for key in &unknown {
        assert!(registry.find(key).await.unwrap().is_none());
    }
    registry.find(&known).await.unwrap().unwrap();
    // From here on a query fails.
    let away = "ALTER TABLE platform.tenant RENAME TO elsewhere";
    admin(&platform, away.to_owned()).await;
    for _ in 0..100 {
        for key in &unknown {
            assert!(registry.find(key).await.unwrap().is_none());
        }
        registry.find(&known).await.unwrap().unwrap();
    }
    let other = TenantKey::Slug("another-gym".into());
    registry.find(&other).await.unwrap_err();
    let back = "ALTER TABLE platform.elsewhere RENAME TO tenant";
    admin(&platform, back.to_owned()).await;
    // A failure is not remembered.
    assert!(registry.find(&other).await.unwrap().is_none());
}
