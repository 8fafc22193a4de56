//! Tenants made by operators, and what an interruption leaves.

use std::time::Duration;

use berth_onboarding::{Error, Founded};
use berth_tenancy::{
    TenantKey,
    lifecycle::{Change, Lifecycle, erase_leaving},
};
use berth_testkit::{NoBooks, NoFiles, TestPlatform};

use crate::{Sweeping, accounts, break_accounts, gym, onboarding, ops, owner, status};

const MAYA: &str = "maya@gym.example";

async fn found(platform: &TestPlatform, slug: &str, email: &str) -> Result<Founded, Error> {
    onboarding(platform)
        .found(gym(slug), &owner(email), ops())
        .await
}

#[tokio::test]
async fn a_tenant_is_served_with_its_administrator_and_told_once() {
    let platform = TestPlatform::start().await;
    platform.make_ready(1).await;
    let made = found(&platform, "gamma-gym", "Maya@Gym.example")
        .await
        .unwrap();
    assert_eq!(
        accounts(&platform, "gamma-gym").await,
        [(MAYA.to_owned(), "admin".to_owned())]
    );
    let told = platform.events(made.id.uuid()).await;
    let told: Vec<&str> = told.iter().map(|event| &*event.event_type).collect();
    assert_eq!(told, ["tenant.tenant.created"]);
    let of_admin = platform.events(made.admin_id.uuid()).await;
    assert_eq!(of_admin.len(), 1);
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM platform.founder")
        .fetch_one(platform.admin_pool())
        .await
        .unwrap();
    assert_eq!(left, 0, "the founder's password is kept twice");
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once_and_nothing_is_made() {
    let platform = TestPlatform::start().await;
    platform.make_ready(1).await;
    let wrong = onboarding(&platform)
        .found(gym("api"), &owner("nobody"), ops())
        .await;
    let Err(Error::Fields(fields)) = wrong else {
        panic!("{wrong:?}")
    };
    let fields: Vec<&str> = fields.iter().map(|field| &*field.field).collect();
    assert_eq!(fields, ["slug", "admin.email"]);
    let ready: i64 = sqlx::query_scalar("SELECT count(*) FROM platform.ready_schema")
        .fetch_one(platform.admin_pool())
        .await
        .unwrap();
    assert_eq!(ready, 1);
}

#[tokio::test]
async fn an_interrupted_making_is_served_nowhere_and_gone_on_with_by_its_repetition() {
    let platform = TestPlatform::start().await;
    platform.make_ready(2).await;
    break_accounts(&platform, true).await;
    found(&platform, "gamma-gym", MAYA).await.unwrap_err();
    assert_eq!(
        status(&platform, "gamma-gym").await.as_deref(),
        Some("opening")
    );
    let key = TenantKey::Slug("gamma-gym".to_owned());
    let seen = platform.tenancy().registry().find(&key).await.unwrap();
    assert!(!seen.unwrap().tenant.active, "half a tenant is served");
    break_accounts(&platform, false).await;
    // Nobody else gets it by asking for its name.
    let other = found(&platform, "gamma-gym", "eve@gym.example").await;
    assert!(
        matches!(
            other,
            Err(Error::Tenancy(berth_tenancy::Error::SlugTaken(_)))
        ),
        "{other:?}"
    );
    let made = found(&platform, "gamma-gym", MAYA).await.unwrap();
    assert_eq!(
        status(&platform, "gamma-gym").await.as_deref(),
        Some("active")
    );
    assert_eq!(accounts(&platform, "gamma-gym").await.len(), 1);
    let by_key = berth_tenancy::lifecycle::hash_api_key(made.api_key.expose());
    let by_key = platform
        .tenancy()
        .registry()
        .find(&TenantKey::ApiKey(by_key))
        .await
        .unwrap();
    assert_eq!(by_key.unwrap().tenant.id, made.id);
    // It is made now: the name is taken even for who made it.
    found(&platform, "gamma-gym", MAYA).await.unwrap_err();
}

#[tokio::test]
async fn one_that_cannot_be_opened_can_be_erased_and_is_changed_by_nobody() {
    let platform = TestPlatform::start().await;
    platform.make_ready(1).await;
    break_accounts(&platform, true).await;
    found(&platform, "gamma-gym", MAYA).await.unwrap_err();
    let lifecycle = Lifecycle::new(platform.tenancy().clone(), ops(), platform.clock().clone());
    let changed = lifecycle.change("gamma-gym", &Change::default()).await;
    assert!(
        matches!(changed, Err(berth_tenancy::Error::Standing(_))),
        "{changed:?}"
    );
    let archived = lifecycle.archive("gamma-gym").await;
    assert!(
        matches!(archived, Err(berth_tenancy::Error::Standing(_))),
        "{archived:?}"
    );
    assert!(lifecycle.erase("gamma-gym").await.unwrap());
    let told: Vec<i64> = sqlx::query_scalar(
        "SELECT (envelope::jsonb->'data'->>'version')::bigint FROM platform.outbox
         WHERE event_type LIKE 'tenant.%' ORDER BY seq DESC LIMIT 2",
    )
    .fetch_all(platform.admin_pool())
    .await
    .unwrap();
    assert_eq!(told, [2, 1]);
    let (settings, clock) = (platform.settings(), platform.clock());
    let (erased, failed) = erase_leaving(settings, &NoFiles, &NoBooks, clock)
        .await
        .unwrap();
    assert_eq!((erased, failed.len()), (1, 0), "{failed:?}");
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM platform.founder")
        .fetch_one(platform.admin_pool())
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_tenant_whose_account_is_made_already_is_opened_with_it() {
    let platform = TestPlatform::start().await;
    platform.make_ready(1).await;
    // Fails after the account, as it is opened.
    let stop = "CREATE FUNCTION platform.stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                  RAISE EXCEPTION 'stopped'; END $$;
                CREATE TRIGGER stop BEFORE UPDATE OF status ON platform.tenant
                FOR EACH ROW EXECUTE FUNCTION platform.stop()";
    sqlx::raw_sql(stop)
        .execute(platform.admin_pool())
        .await
        .unwrap();
    found(&platform, "gamma-gym", MAYA).await.unwrap_err();
    sqlx::raw_sql("DROP TRIGGER stop ON platform.tenant")
        .execute(platform.admin_pool())
        .await
        .unwrap();
    let (one, two) = tokio::join!(
        found(&platform, "gamma-gym", MAYA),
        found(&platform, "gamma-gym", MAYA)
    );
    assert!(one.is_ok() || two.is_ok(), "{one:?} {two:?}");
    assert_eq!(accounts(&platform, "gamma-gym").await.len(), 1);
}

#[tokio::test]
async fn a_tenant_left_half_way_is_opened_by_a_worker() {
    let platform = TestPlatform::start().await;
    platform.make_ready(2).await;
    break_accounts(&platform, true).await;
    for slug in ["gamma-gym", "delta-gym"] {
        found(&platform, slug, MAYA).await.unwrap_err();
    }
    // One of them cannot be opened for another reason still, and is the first in line.
    break_accounts(&platform, false).await;
    let stuck: String =
        sqlx::query_scalar("SELECT role FROM platform.tenant WHERE slug = 'gamma-gym'")
            .fetch_one(platform.admin_pool())
            .await
            .unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "ALTER TABLE {stuck}.account RENAME TO elsewhere;
         UPDATE platform.founder SET since = since - interval '1 hour'"
    )))
    .execute(platform.admin_pool())
    .await
    .unwrap();
    let _sweeping = Sweeping::start(&platform);
    let opened = async {
        while status(&platform, "delta-gym").await.as_deref() != Some("active") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), opened)
        .await
        .expect("it is never opened");
    assert_eq!(accounts(&platform, "delta-gym").await.len(), 1);
    assert_eq!(
        status(&platform, "gamma-gym").await.as_deref(),
        Some("opening")
    );
}

#[tokio::test]
async fn many_are_made_at_once_and_one_name_by_one_alone() {
    let platform = TestPlatform::start().await;
    platform.make_ready(10).await;
    let slugs: Vec<String> = (0..8).map(|n| format!("gym-number-{n}")).collect();
    let making = slugs.iter().map(|slug| found(&platform, slug, MAYA));
    for made in futures::future::join_all(making).await {
        made.unwrap();
    }
    let (one, other) = tokio::join!(
        found(&platform, "gamma-gym", MAYA),
        found(&platform, "gamma-gym", MAYA)
    );
    let (made, refused) = match (one, other) {
        (Ok(made), Err(refused)) | (Err(refused), Ok(made)) => (made, refused),
        both => panic!("{both:?}"),
    };
    assert!(
        matches!(
            refused,
            Error::Tenancy(berth_tenancy::Error::Busy(_) | berth_tenancy::Error::SlugTaken(_))
        ),
        "{refused:?}"
    );
    // The key that was shown opens it.
    let key = berth_tenancy::lifecycle::hash_api_key(made.api_key.expose());
    let key = TenantKey::ApiKey(key);
    let by_key = platform.tenancy().registry().find(&key).await;
    assert_eq!(by_key.unwrap().unwrap().tenant.id, made.id);
}
