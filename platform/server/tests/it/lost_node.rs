//! A node is gone for good, and an empty database takes its number.

use std::time::{Duration, Instant};

use berth_devkit::{demo::Client, environment::Role};
use serde_json::Value;
use sqlx::PgPool;

use crate::{
    relocation::{TwoNodes, moved, two_nodes},
    shop::{self, Checkout, Intention},
};

async fn there(pool: &PgPool, schema: &str) -> bool {
    sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL")
        .bind(schema)
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_whose_other_node_is_lost_ends_when_an_empty_one_takes_its_place() {
    let mut nodes = two_nodes().await;
    let (gym, clinic) = (nodes.house.gym().clone(), nodes.house.clinic().clone());
    let back = |slug: &str| ["tenant", "move", "--slug", slug, "--node", "0"].map(str::to_owned);
    let checkout = Checkout::at(&nodes.house);
    let customer = Client::sign_in(&gym, &gym.customer).await.unwrap();
    let buy = async || {
        let wish = shop::first_session(&gym).await;
        shop::shop(&checkout, &customer, wish, Intention::Pay).await;
    };
    buy().await;
    moved(&nodes.house, &gym, "1").await;
    moved(&nodes.house, &clinic, "1").await;
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("export");
    let folder = folder.to_str().unwrap();
    let export = ["tenant", "export", "--slug", &clinic.slug, "--to", folder];
    let told: Value = serde_json::from_str(&nodes.house.berth(&export).await.unwrap()).unwrap();

    // Moved away, but not cleared away.
    let arguments = back(&gym.slug);
    let arguments = arguments.each_ref().map(String::as_str);
    let killed = nodes
        .house
        .berth_killed_on(&nodes.second, &arguments, "platform.tenant_schema");
    killed.await.unwrap();
    nodes.lose_the_second().await;
    nodes.house.start(Role::Provisioner).await;
    nodes.are_clean("before it was cleared away").await;
    buy().await;

    // What was on it is put back where it was.
    let slug = clinic.slug.as_str();
    let restored = async |nodes: &TwoNodes| {
        let house = &nodes.house;
        let suspend = ["tenant", "suspend", "--slug", slug, "--reason", "lost"];
        house.berth(&suspend).await.unwrap();
        let restore = ["tenant", "restore", "--from", folder, "--into", slug];
        let restored = house.berth(&restore).await.unwrap();
        let restored: Value = serde_json::from_str(&restored).unwrap();
        assert_eq!(restored["rows"], told["rows"]);
        house
            .berth(&["tenant", "release", "--slug", slug])
            .await
            .unwrap();
        let began = Instant::now();
        while Client::sign_in(&clinic, &clinic.customer).await.is_err() {
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "it is not served"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    restored(&nodes).await;

    // Lost while it was copied from there: the copy may be all there is, and stays.
    nodes.house.stop(Role::Provisioner).await;
    let schema = nodes.house.schema(&clinic).await;
    let arguments = back(slug);
    let arguments = arguments.each_ref().map(String::as_str);
    let home = nodes.house.platform.admin_pool().clone();
    let killed = nodes
        .house
        .berth_killed_on(&home, &arguments, "platform.outbox");
    killed.await.unwrap();
    nodes.lose_the_second().await;
    nodes.house.start(Role::Provisioner).await;
    let began = Instant::now();
    let under_way = "SELECT count(*) FROM platform.relocation";
    while sqlx::query_scalar::<_, i64>(under_way)
        .fetch_one(&home)
        .await
        .unwrap()
        > 0
    {
        assert!(began.elapsed() < Duration::from_secs(30), "it is not ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(there(&home, &schema).await);
    assert!(!there(&nodes.second, &schema).await);
    let kept: bool = sqlx::query_scalar(
        "SELECT (detail ->> 'copy_kept')::boolean FROM platform.audit
         WHERE action = 'tenant.relocation.undone' ORDER BY id DESC LIMIT 1",
    )
    .fetch_one(&home)
    .await
    .unwrap();
    assert!(kept);
    restored(&nodes).await;
}
