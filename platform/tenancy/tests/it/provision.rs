//! Schemas made ahead.

use std::{sync::Arc, time::Duration};

use berth_tenancy::{
    Error, TenantKey,
    provision::{Provisioner, Stock},
};
use berth_testkit::{NoBooks, TestPlatform};
use tokio_util::sync::CancellationToken;

use crate::{admin, create, files::Store, gym, operate, tables};

async fn ready(platform: &TestPlatform) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM platform.ready_schema")
        .fetch_one(platform.admin_pool())
        .await
        .unwrap()
}

/// Waits until so many are ready.
async fn until_ready(platform: &TestPlatform, wanted: i64) {
    let waiting = async {
        while ready(platform).await != wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .expect("so many are never ready");
}

/// Keeps `wanted` schemas ready until the token is cancelled.
fn builder(
    platform: &TestPlatform,
    wanted: usize,
) -> (CancellationToken, tokio::task::JoinHandle<()>) {
    let stop = CancellationToken::new();
    let provisioner = Provisioner {
        settings: platform.settings().clone(),
        stock: Stock { wanted, rest: 0 },
        files: Arc::new(Store::default()),
        books: Arc::new(NoBooks),
        clock: platform.clock().clone(),
    };
    let stopped = stop.clone();
    let running = tokio::spawn(async move { provisioner.run(stopped).await });
    (stop, running)
}

#[tokio::test]
async fn a_claimed_schema_is_a_tenant_like_any_other_and_is_made_up_for() {
    let platform = TestPlatform::start().await;
    let none = operate(&platform).claim(&gym("gamma-gym")).await;
    assert!(matches!(none, Err(Error::NoneReady)), "{none:?}");
    let (one, running) = builder(&platform, 2);
    let (two, also) = builder(&platform, 2);
    until_ready(&platform, 2).await;
    let made = operate(&platform).claim(&gym("gamma-gym")).await.unwrap();
    until_ready(&platform, 2).await;
    one.cancel();
    two.cancel();
    running.await.unwrap();
    also.await.unwrap();
    assert_eq!(
        ready(&platform).await,
        2,
        "two builders made more than was wanted"
    );

    let registry = platform.tenancy().registry();
    let gamma = registry
        .find(&TenantKey::Id(made.id))
        .await
        .unwrap()
        .unwrap()
        .tenant;
    assert_eq!(
        tables(&platform, gamma.role()).await,
        tables(&platform, platform.alpha().role()).await
    );
    let mut tx = platform.tenancy().begin(&gamma).await.unwrap();
    sqlx::query("SELECT count(*) FROM booking")
        .execute(tx.conn())
        .await
        .unwrap();
    drop(tx);
    // The owner's way takes from the same stock.
    create(&platform, &gym("delta-gym")).await.unwrap();
    assert_eq!(ready(&platform).await, 1);
}

#[tokio::test]
async fn of_those_who_claim_at_once_each_has_a_schema_of_its_own_and_no_refusal_costs_one() {
    let platform = TestPlatform::start().await;
    let (stop, running) = builder(&platform, 3);
    until_ready(&platform, 3).await;
    stop.cancel();
    running.await.unwrap();
    let operator = operate(&platform);
    let taken = operator.claim(&gym("alpha-clinic")).await;
    assert!(matches!(taken, Err(Error::SlugTaken(_))), "{taken:?}");
    assert_eq!(ready(&platform).await, 3);
    let slugs = ["one-gym", "two-gym", "three-gym", "four-gym"];
    let news = slugs.map(gym);
    let claims = futures::future::join_all(news.iter().map(|new| operator.claim(new))).await;
    let won = claims.iter().filter(|claim| claim.is_ok()).count();
    assert_eq!(won, 3, "{claims:?}");
    let roles: i64 = sqlx::query_scalar("SELECT count(DISTINCT role) FROM platform.tenant")
        .fetch_one(platform.admin_pool())
        .await
        .unwrap();
    assert_eq!(roles, 5);
}

#[tokio::test]
async fn what_an_older_release_made_ready_is_not_given_away() {
    let platform = TestPlatform::start().await;
    let (stop, running) = builder(&platform, 1);
    until_ready(&platform, 1).await;
    stop.cancel();
    running.await.unwrap();
    admin(
        &platform,
        "UPDATE platform.ready_schema SET schema_version = 1".to_owned(),
    )
    .await;
    let old: String = sqlx::query_scalar("SELECT role FROM platform.ready_schema")
        .fetch_one(platform.admin_pool())
        .await
        .unwrap();
    let none = operate(&platform).claim(&gym("gamma-gym")).await;
    assert!(matches!(none, Err(Error::NoneReady)), "{none:?}");
    let (stop, running) = builder(&platform, 1);
    let replaced = async {
        loop {
            let roles: Vec<String> = sqlx::query_scalar("SELECT role FROM platform.ready_schema")
                .fetch_all(platform.admin_pool())
                .await
                .unwrap();
            if roles.len() == 1 && roles[0] != old {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), replaced)
        .await
        .expect("it stays");
    stop.cancel();
    running.await.unwrap();
    let left: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) OR EXISTS (SELECT FROM pg_roles WHERE rolname = $1)",
    )
    .bind(&old)
    .fetch_one(platform.admin_pool())
    .await
    .unwrap();
    assert!(!left, "{old} is left");
}

#[tokio::test]
async fn a_tenant_that_leaves_is_erased_without_being_waited_for() {
    let platform = TestPlatform::start().await;
    create(&platform, &gym("gamma-gym")).await.unwrap();
    let (stop, running) = builder(&platform, 0);
    let operator = operate(&platform);
    operator.archive("gamma-gym").await.unwrap();
    operator.erase("gamma-gym").await.unwrap();
    let erased = async {
        while operator.certificate("gamma-gym").await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // Sooner than it looks without being told.
    tokio::time::timeout(Duration::from_secs(4), erased)
        .await
        .expect("it stays");
    stop.cancel();
    running.await.unwrap();
}
