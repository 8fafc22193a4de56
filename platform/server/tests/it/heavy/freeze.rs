//! A move that cannot be brief. Nobody in the whole cluster gets or loses a role while this lasts.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction};

use crate::{
    caller::{Caller, Credential},
    relocation::{traces, two_nodes},
};

/// Keeps everybody from changing a table until it is let go.
async fn locked<'a>(pool: &'a PgPool, table: &str) -> Transaction<'a, Postgres> {
    let mut tx = pool.begin().await.unwrap();
    let lock = AssertSqlSafe(format!("LOCK TABLE {table} IN SHARE MODE"));
    sqlx::query(lock).execute(&mut *tx).await.unwrap();
    tx
}

/// Waits until so many sessions wait for a lock at a statement that begins so.
async fn until(what: &str, pool: &PgPool, statement: &str, count: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE query LIKE '%' || $1 || '%' AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'";
    let began = Instant::now();
    let found = async || -> i64 {
        let found = sqlx::query_scalar(waiting).bind(statement);
        found.fetch_one(pool).await.unwrap()
    };
    while found().await != count {
        assert!(began.elapsed() < Duration::from_secs(60), "not {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_given_up_and_the_tenant_is_served_where_it_was() {
    let nodes = two_nodes().await;
    let house = &nodes.house;
    let (gym, home) = (house.gym(), house.platform.admin_pool());
    let arguments = ["tenant", "move", "--slug", &gym.slug, "--node", "1"];
    let in_the_way = async {
        let copied = locked(&nodes.second, "platform.tenant_schema").await;
        until("copied", &nodes.second, "CREATE ROLE t\\_", 1).await;
        let frozen = locked(home, "pg_auth_members").await;
        copied.rollback().await.unwrap();
        until("frozen", home, "REVOKE t\\_", 1).await;
        // It gives up, and ends what would freeze the tenant as soon as it can.
        until("given up", home, "REVOKE t\\_", 0).await;
        frozen.rollback().await.unwrap();
    };
    let moving = house.berth(&arguments);
    tokio::pin!(moving, in_the_way);
    let refused = tokio::select! {
        moved = &mut moving => panic!("nothing was in the way: {moved:?}"),
        () = &mut in_the_way => moving.await.unwrap_err(),
    };
    assert!(refused.contains("briefly enough"), "{refused}");
    assert_eq!(traces(home).await + traces(&nodes.second).await, 0);
    let caller = Caller::to(house, gym);
    let (status, _) = caller
        .call(
            &reqwest::Method::GET,
            "/products",
            None,
            &Credential::Nothing,
        )
        .await;
    assert_eq!(status, 200);
    // And nothing of it is left that would keep it from moving later.
    house.berth(&arguments).await.unwrap();
    house.berth(&["acl"]).await.unwrap();
}
