//! A tenant moves to another database while it is served.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use berth_devkit::{
    Tenant,
    demo::Client,
    environment::Role,
    services::{PostgresOptions, PrivatePostgres},
};
use berth_tenancy::migrate::TenantFiles;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

use crate::{
    house::House,
    shop::{self, Checkout, Intention},
};

/// A house whose product knows two nodes.
pub(crate) struct TwoNodes {
    pub(crate) house: House,
    pub(crate) second: PgPool,
    // Dropped after what is connected to it.
    postgres: Option<PrivatePostgres>,
    directory: tempfile::TempDir,
}

impl TwoNodes {
    /// Ends the second node as a crash would, and lets an empty one answer in its place.
    pub(crate) async fn lose_the_second(&mut self) {
        let mut lost = self.postgres.take().unwrap();
        lost.kill().await;
        let options = PostgresOptions {
            port: Some(lost.port()),
            ..PostgresOptions::default()
        };
        drop(lost);
        let place = self.directory.path().join(uuid::Uuid::now_v7().to_string());
        let empty = PrivatePostgres::start(&place, options).await.unwrap();
        empty.ensure_database("berth").await.unwrap();
        self.postgres = Some(empty);
        self.house.berth(&["migrate"]).await.unwrap();
    }

    /// Waits until nothing is left of any move on either node.
    pub(crate) async fn are_clean(&self, after: &str) {
        let began = Instant::now();
        while traces(self.house.platform.admin_pool()).await + traces(&self.second).await > 0 {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "killed {after}, it is not mended"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

pub(crate) async fn two_nodes() -> TwoNodes {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("postgres");
    let postgres = PrivatePostgres::start(&place, PostgresOptions::default());
    let postgres = postgres.await.unwrap();
    let url = postgres.ensure_database("berth").await.unwrap();
    let house = House::with(&[("BERTH_DATABASE_NODE_1_URL", &url)]).await;
    house.berth(&["migrate"]).await.unwrap();
    TwoNodes {
        house,
        second: PgPool::connect(&url).await.unwrap(),
        postgres: Some(postgres),
        directory,
    }
}

/// The rows of each table of a schema, as text and in one order.
async fn rows(pool: &PgPool, schema: &str) -> Vec<(String, String)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = $1 ORDER BY 1",
    )
    .bind(schema)
    .fetch_all(pool)
    .await
    .unwrap();
    let mut found = Vec::new();
    for table in tables {
        let sql = format!(
            "SELECT coalesce(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\"), '') FROM {schema}.{table} t"
        );
        let rows = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(pool).await;
        found.push((table, rows.unwrap()));
    }
    found
}

/// Writes to a booking, again and again, until told to stop; the longest wait, and the version it was told last.
async fn keep_writing(tenant: Tenant, booking: String, stop: Arc<AtomicBool>) -> (Duration, i64) {
    let client = Client::sign_in(&tenant, &tenant.customer).await.unwrap();
    let path = format!("/v1/bookings/{booking}");
    let booking = client.get(&path).await.unwrap();
    let mut version = booking["version"].as_i64().unwrap();
    let mut longest = Duration::ZERO;
    while !stop.load(Ordering::SeqCst) {
        let began = Instant::now();
        let edit = json!({ "version": version, "notes": format!("after {version}") });
        let told = client.patch(&path, &edit).await.unwrap();
        longest = longest.max(began.elapsed());
        // Nothing that was acknowledged is lost: the next is refused if the version is another.
        assert_eq!(told["version"], version + 1, "{told}");
        version += 1;
    }
    (longest, version)
}

pub(crate) async fn moved(house: &House, tenant: &Tenant, node: &str) -> Value {
    let arguments = ["tenant", "move", "--slug", &tenant.slug, "--node", node];
    serde_json::from_str(&house.berth(&arguments).await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_in_use_moves_to_another_node_and_back_and_loses_nothing() {
    let mut nodes = two_nodes().await;
    let TwoNodes { house, second, .. } = &nodes;
    let gym = &house.gym().clone();
    let customer = Client::sign_in(gym, &gym.customer).await.unwrap();
    let checkout = Checkout::at(house);
    let buy = async || {
        let wish = shop::first_session(gym).await;
        shop::shop(&checkout, &customer, wish, Intention::Pay).await
    };
    let bought = buy().await.id;
    let path = format!("/v1/bookings/{bought}");
    let before = customer.get(&path).await.unwrap();
    let schema = house.schema(gym).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn(keep_writing(gym.clone(), bought, Arc::clone(&stop)));
    let playing = async {
        for _ in 0..3 {
            buy().await;
        }
    };
    let (told, ()) = tokio::join!(moved(house, gym, "1"), playing);
    assert!(told["frozen_ms"].as_u64().unwrap() < 2_000, "{told}");
    stop.store(true, Ordering::SeqCst);
    let (longest, version) = writing.await.unwrap();
    assert!(longest < Duration::from_secs(3), "{longest:?}");
    let after = customer.get(&path).await.unwrap();
    assert_eq!(after["version"], version);
    assert!(
        version > before["version"].as_i64().unwrap() + 10,
        "{after}"
    );

    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_namespace WHERE nspname = $1")
        .bind(&schema)
        .fetch_one(house.platform.admin_pool())
        .await
        .unwrap();
    assert_eq!(left, 0, "its schema is left where it was");
    // It books, pays and is paid where it is now; its events come from that node's outbox.
    buy().await;
    let bookings: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT count(*) FROM {schema}.booking WHERE status = 'CONFIRMED'"
    )))
    .fetch_one(second)
    .await
    .unwrap();
    assert!(bookings >= 5, "{bookings} bookings arrived");
    let drift = house.berth(&["drift"]).await.unwrap();
    assert!(drift.contains("4 tenants compared, 0 differ"), "{drift}");

    // Nothing is written while rows are held against each other.
    nodes.house.stop(Role::Worker).await;
    let TwoNodes { house, second, .. } = &nodes;
    let before = rows(second, &schema).await;
    moved(house, gym, "0").await;
    let after = rows(house.platform.admin_pool(), &schema).await;
    assert_eq!(before, after);
    nodes.house.start(Role::Worker).await;
    let TwoNodes { house, .. } = &nodes;
    let wish = shop::first_session(gym).await;
    shop::shop(&Checkout::at(house), &customer, wish, Intention::Pay).await;
    let leftovers: (i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM pg_publication), (SELECT count(*) FROM pg_subscription s JOIN pg_database d
                 ON d.oid = s.subdbid WHERE d.datname = current_database()),
                (SELECT count(*) FROM platform.relocation)",
    )
    .fetch_one(house.platform.admin_pool())
    .await
    .unwrap();
    assert_eq!(leftovers, (0, 0, 0));
}

/// Moves under way, and what they leave behind, on this node.
pub(crate) async fn traces(pool: &PgPool) -> i64 {
    let sql = "SELECT (SELECT count(*) FROM platform.relocation) + (SELECT count(*) FROM pg_publication)
                    + (SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
                       WHERE d.datname = current_database())
                    + (SELECT count(*) FROM pg_tables WHERE tablename = 'relocation_marker')
                    + (SELECT count(*) FROM pg_replication_slots WHERE database = current_database())";
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_killed_anywhere_leaves_the_tenant_served_and_is_mended() {
    let mut nodes = two_nodes().await;
    let gym = nodes.house.gym().clone();
    let customer = Client::sign_in(&gym, &gym.customer).await.unwrap();
    let wish = shop::first_session(&gym).await;
    let checkout = Checkout::at(&nodes.house);
    shop::shop(&checkout, &customer, wish.clone(), Intention::Pay).await;
    nodes.house.start(Role::Provisioner).await;
    let mut to = 1;
    for after in [20, 80, 160, 300, 500, 800] {
        let node = to.to_string();
        let arguments = ["tenant", "move", "--slug", &gym.slug, "--node", &node];
        let killed = nodes
            .house
            .berth_killed(&arguments, Duration::from_millis(after))
            .await;
        nodes.are_clean(&format!("after {after} ms")).await;
        // Wherever it is now, it is there whole and nowhere else.
        shop::shop(&checkout, &customer, wish.clone(), Intention::Pay).await;
        let at: i16 = sqlx::query_scalar("SELECT node FROM platform.tenant WHERE slug = $1")
            .bind(&gym.slug)
            .fetch_one(nodes.house.platform.admin_pool())
            .await
            .unwrap();
        assert!(killed || at == to, "it ended well and is on node {at}");
        let schema = nodes.house.schema(&gym).await;
        for (node, pool) in [(0, nodes.house.platform.admin_pool()), (1, &nodes.second)] {
            let there: bool = sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL")
                .bind(&schema)
                .fetch_one(pool)
                .await
                .unwrap();
            assert_eq!(there, at == node, "killed after {after} ms, on node {node}");
        }
        to = 1 - at;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_killed_at_its_turning_points_is_undone_or_finished() {
    let mut nodes = two_nodes().await;
    let gym = nodes.house.gym().clone();
    let customer = Client::sign_in(&gym, &gym.customer).await.unwrap();
    let checkout = Checkout::at(&nodes.house);
    nodes.house.start(Role::Provisioner).await;
    let arguments = ["tenant", "move", "--slug", &gym.slug, "--node", "1"];
    // Before anything; while the schema is made; frozen, just before the registry says where it is; and
    // moved, before it is cleared away where it was.
    for (at_home, table, moved) in [
        (true, "platform.relocation", false),
        (false, "platform.tenant_schema", false),
        (true, "platform.tenant", false),
        (true, "platform.outbox", false),
        (true, "platform.tenant_schema", true),
    ] {
        let home = nodes.house.platform.admin_pool();
        let node = if at_home { home } else { &nodes.second };
        let killed = nodes.house.berth_killed_on(node, &arguments, table).await;
        killed.unwrap();
        nodes.are_clean(&format!("at {table}")).await;
        let wish = shop::first_session(&gym).await;
        shop::shop(&checkout, &customer, wish, Intention::Pay).await;
        let at: i16 = sqlx::query_scalar("SELECT node FROM platform.tenant WHERE slug = $1")
            .bind(&gym.slug)
            .fetch_one(home)
            .await
            .unwrap();
        assert_eq!(at == 1, moved, "killed at {table}");
        let schema = nodes.house.schema(&gym).await;
        for (number, pool) in [(0, home), (1, &nodes.second)] {
            let there: bool = sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL")
                .bind(&schema)
                .fetch_one(pool)
                .await
                .unwrap();
            assert_eq!(there, at == number, "killed at {table}, on node {number}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_whose_schema_was_changed_by_hand_is_not_moved_and_hears_why() {
    let nodes = two_nodes().await;
    let TwoNodes { house, second, .. } = &nodes;
    let gym = house.gym();
    let schema = house.schema(gym).await;
    let home = house.platform.admin_pool();
    let by_hand = async |sql: String| {
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(home)
            .await
            .unwrap();
    };
    by_hand(format!(
        "CREATE TABLE {schema}.notes (id int PRIMARY KEY); ALTER TABLE {schema}.booking ADD COLUMN mine text"
    ))
    .await;
    let arguments = ["tenant", "move", "--slug", &gym.slug, "--node", "1"];
    let began = Instant::now();
    let refused = house.berth(&arguments).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(20), "{refused}");
    for named in [
        "column booking.mine should not be there",
        "notes",
        "`berth drift`",
    ] {
        assert!(refused.contains(named), "{refused}");
    }
    assert_eq!((traces(home).await, traces(second).await), (0, 0));
    by_hand(format!(
        "DROP TABLE {schema}.notes; ALTER TABLE {schema}.booking DROP COLUMN mine"
    ))
    .await;
    moved(house, gym, "1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_on_another_node_that_is_killed_is_held_until_it_is_repeated() {
    let nodes = two_nodes().await;
    let TwoNodes { house, second, .. } = &nodes;
    let gym = &house.gym().clone();
    let customer = Client::sign_in(gym, &gym.customer).await.unwrap();
    let wish = shop::first_session(gym).await;
    shop::shop(&Checkout::at(house), &customer, wish, Intention::Pay).await;
    moved(house, gym, "1").await;
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("export");
    let (slug, folder) = (gym.slug.as_str(), folder.to_str().unwrap());
    let export = ["tenant", "export", "--slug", slug, "--to", folder];
    let told: Value = serde_json::from_str(&house.berth(&export).await.unwrap()).unwrap();
    let suspend = ["tenant", "suspend", "--slug", slug, "--reason", "restore"];
    house.berth(&suspend).await.unwrap();
    let restore = ["tenant", "restore", "--from", folder, "--into", slug];
    let release = ["tenant", "release", "--slug", slug];
    let home = house.platform.admin_pool();
    // First where the schema is; the last two are written to when that is committed already.
    for (node, table, whole) in [
        (second, "platform.tenant_schema", true),
        (second, "platform.outbox", true),
        (home, "platform.booking_day", false),
        (home, "platform.audit", false),
    ] {
        house.berth_killed_on(node, &restore, table).await.unwrap();
        let began = Instant::now();
        // What was not committed is undone; what was is no tenant's, and stays for the next run.
        let schema = house.schema(gym).await;
        let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname ~ '^t_[a-z0-9]{12}$'";
        while sqlx::query_scalar::<_, i64>(schemas)
            .fetch_one(second)
            .await
            .unwrap()
            != 1
        {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "killed at {table}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let there: bool = sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL")
            .bind(&schema)
            .fetch_one(second)
            .await
            .unwrap();
        assert_eq!(there, whole, "killed at {table}");
        if !whole {
            let refused = house.berth(&release).await.unwrap_err();
            assert!(refused.contains("has not come to its end"), "{refused}");
            let back = ["tenant", "move", "--slug", slug, "--node", "0"];
            let refused = house.berth(&back).await.unwrap_err();
            assert!(refused.contains("its restore was cut off"), "{refused}");
        }
    }
    let restored: Value = serde_json::from_str(&house.berth(&restore).await.unwrap()).unwrap();
    assert_eq!(restored["rows"], told["rows"]);
    house.berth(&release).await.unwrap();
    let began = Instant::now();
    while customer.get("/v1/bookings").await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(5), "it is not served");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let wish = shop::first_session(gym).await;
    shop::shop(&Checkout::at(house), &customer, wish, Intention::Pay).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_on_another_node_is_migrated_and_erased_where_it_is() {
    let mut nodes = two_nodes().await;
    let house = &nodes.house;
    let gym = house.gym().clone();
    moved(house, &gym, "1").await;
    let schema = house.schema(&gym).await;
    let latest = TenantFiles::of_this_release().latest();
    let versions = async || -> (i64, i64) {
        let there =
            sqlx::query_scalar("SELECT version FROM platform.tenant_schema WHERE role = $1")
                .bind(&schema)
                .fetch_one(&nodes.second);
        let told = sqlx::query_scalar("SELECT schema_version FROM platform.tenant WHERE role = $1")
            .bind(&schema)
            .fetch_one(house.platform.admin_pool());
        (there.await.unwrap(), told.await.unwrap())
    };
    // As it was before the last file.
    let back = format!(
        "DROP TABLE {schema}.conversion, {schema}.connection;
         UPDATE platform.tenant_schema SET version = {} WHERE role = '{schema}'",
        latest - 1
    );
    sqlx::raw_sql(AssertSqlSafe(back))
        .execute(&nodes.second)
        .await
        .unwrap();
    sqlx::query("UPDATE platform.tenant SET schema_version = $2 WHERE role = $1")
        .bind(&schema)
        .bind(latest - 1)
        .execute(house.platform.admin_pool())
        .await
        .unwrap();
    // Killed when the node has moved on and the registry is about to be told.
    let killed = house.berth_killed_at(&["migrate"], "platform.tenant").await;
    killed.unwrap();
    assert_eq!(versions().await, (latest, latest - 1));
    house.berth(&["migrate"]).await.unwrap();
    assert_eq!(versions().await, (latest, latest));
    let drift = house.berth(&["drift"]).await.unwrap();
    assert!(drift.contains("0 differ"), "{drift}");
    let customer = Client::sign_in(&gym, &gym.customer).await.unwrap();
    let checkout = Checkout::at(house);
    let wish = shop::first_session(&gym).await;
    shop::shop(&checkout, &customer, wish, Intention::Pay).await;

    let slug = gym.slug.as_str();
    house
        .berth(&["tenant", "archive", "--slug", slug])
        .await
        .unwrap();
    let delete = ["tenant", "delete", "--slug", slug, "--confirm", slug];
    house.berth(&delete).await.unwrap();
    nodes.house.start(Role::Provisioner).await;
    let house = &nodes.house;
    let began = Instant::now();
    let certificate = loop {
        let certificate = house
            .berth(&["tenant", "certificate", "--slug", slug])
            .await;
        if let Ok(certificate) = certificate {
            break serde_json::from_str::<Value>(&certificate).unwrap();
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "it is not erased"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(
        certificate["tables"]["booking"].as_i64() >= Some(1),
        "{certificate}"
    );
    for pool in [house.platform.admin_pool(), &nodes.second] {
        let left: i64 = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = $1)
                  + (SELECT count(*) FROM platform.tenant_schema WHERE role = $1)
                  + (SELECT count(*) FROM platform.outbox WHERE written_by = $1)",
        )
        .bind(&schema)
        .fetch_one(pool)
        .await
        .unwrap();
        assert_eq!(left, 0);
    }
}
