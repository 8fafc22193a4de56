//! Making tenants.

use berth_events::tenant::Created;
use berth_tenancy::{
    Error, TenantKey,
    lifecycle::{NewTenant, hash_api_key},
};
use berth_testkit::TestPlatform;
use futures::future::join_all;

use crate::{admin, create, gym, tables};

/// How many tenants there are, by the registry and by their schemas.
async fn counts(platform: &TestPlatform) -> (i64, i64) {
    sqlx::query_as(
        "SELECT (SELECT count(*) FROM platform.tenant), \
                (SELECT count(*) FROM pg_namespace WHERE nspname ~ '^t_[a-z0-9]{12}$')",
    )
    .fetch_one(platform.admin_pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn a_new_tenant_is_found_has_all_tables_and_is_told_once() {
    let platform = TestPlatform::start().await;
    let made = create(&platform, &gym("gamma-gym")).await.unwrap();
    let registry = platform.tenancy().registry();
    let key = TenantKey::ApiKey(hash_api_key(made.api_key.expose()));
    let found = registry.find(&key).await.unwrap().unwrap();
    let by_slug = registry
        .find(&TenantKey::Slug("gamma-gym".into()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.tenant.id, by_slug.tenant.id), (made.id, made.id));
    assert!(found.api_key.is_some() && by_slug.api_key.is_none());
    assert_eq!(found.tenant.timezone, "Asia/Kathmandu");
    let (own, other) = (found.tenant.role(), platform.alpha());
    assert_eq!(
        tables(&platform, own).await,
        tables(&platform, other.role()).await
    );
    let mut tx = platform.tenancy().begin(&found.tenant).await.unwrap();
    let accounts: i64 = sqlx::query_scalar("SELECT count(*) FROM account")
        .fetch_one(tx.conn())
        .await
        .unwrap();
    assert_eq!(accounts, 0);
    let told = platform.events(made.id.uuid()).await;
    assert_eq!((told.len(), told[0].metadata.entity_version), (1, 1));
    let created: Created = told[0].open().unwrap().unwrap();
    assert_eq!(
        (created.tenant_id, created.slug.as_str()),
        (made.id, "gamma-gym")
    );
}

#[tokio::test]
async fn a_tenant_that_cannot_be_finished_leaves_nothing() {
    let platform = TestPlatform::start().await;
    // Fails after role, schema and tables were made, and says which role that was.
    let stop = "CREATE FUNCTION platform.stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                  RAISE EXCEPTION 'made %', (SELECT role FROM platform.tenant WHERE id = NEW.tenant_id); \
                END $$; \
                CREATE TRIGGER stop BEFORE INSERT ON platform.api_key \
                FOR EACH ROW EXECUTE FUNCTION platform.stop()";
    admin(&platform, stop.to_owned()).await;
    let before = counts(&platform).await;
    let failed = create(&platform, &gym("gamma-gym")).await;
    let Err(Error::Statement(sqlx::Error::Database(error))) = failed else {
        panic!("it was made, or failed otherwise: {failed:?}")
    };
    let role = error
        .message()
        .strip_prefix("made ")
        .expect("the trigger's own words")
        .to_owned();
    assert_eq!(counts(&platform).await, before);
    let left: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(&role)
        .fetch_one(platform.admin_pool())
        .await
        .unwrap();
    assert!(!left, "the role {role} is left");
    admin(
        &platform,
        "DROP TRIGGER stop ON platform.api_key".to_owned(),
    )
    .await;
    create(&platform, &gym("gamma-gym")).await.unwrap();
}

#[tokio::test]
async fn of_creations_under_one_name_exactly_one_wins() {
    let platform = TestPlatform::start().await;
    let new = gym("gamma-gym");
    let tries = (0..6).map(|_| create(&platform, &new));
    let results = join_all(tries).await;
    let won = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(won, 1, "{results:?}");
    for lost in results.into_iter().filter_map(Result::err) {
        assert!(
            matches!(&lost, Error::SlugTaken(slug) if slug == "gamma-gym"),
            "{lost:?}"
        );
    }
    assert_eq!(counts(&platform).await, (3, 3));
    let taken = create(&platform, &gym("alpha-clinic")).await;
    assert!(matches!(taken, Err(Error::SlugTaken(slug)) if slug == "alpha-clinic"));
    // One that is read as the same.
    let alike = create(&platform, &gym("a1pha-clinic")).await;
    assert!(matches!(alike, Err(Error::SlugTaken(slug)) if slug == "a1pha-clinic"));
}

#[tokio::test]
async fn what_is_against_a_rule_is_refused_and_nothing_is_made() {
    let platform = TestPlatform::start().await;
    for wrong in [
        gym("api"),
        gym("1ogin"),
        NewTenant {
            timezone: "Mars/Olympus".into(),
            ..gym("gamma-gym")
        },
        NewTenant {
            color: "red".into(),
            ..gym("gamma-gym")
        },
        NewTenant {
            name: String::new(),
            ..gym("gamma-gym")
        },
    ] {
        let refused = create(&platform, &wrong).await;
        assert!(matches!(refused, Err(Error::Fields(_))), "{refused:?}");
    }
    assert_eq!(counts(&platform).await, (2, 2));
}
