//! Tenants as operators have them: migrated while they are in use, put to rest, erased.

use std::time::{Duration, Instant};

use berth_devkit::{
    Tenant,
    demo::{self, Client},
    environment::Role,
};
use berth_tenancy::migrate::{self, Pace, TenantFiles};
use serde_json::{Value, json};

use crate::{house::House, shop};

/// What a next release does to a tenant's schema: it expands, and leaves to a later one to contract.
const NEXT: &str = "
    ALTER TABLE booking ADD COLUMN channel text, ADD COLUMN priority integer NOT NULL DEFAULT 0;
    CREATE INDEX booking_channel ON booking (channel);
    CREATE TABLE channel (name text PRIMARY KEY);
    ALTER TABLE product ADD COLUMN channel text REFERENCES channel";

/// Books and pays at both tenants, and reads what is free, until told to stop; how often it did.
async fn keep_booking(house: &House, rounds: usize) -> usize {
    let mut done = 0;
    for _ in 0..rounds {
        for tenant in [house.clinic(), house.gym()] {
            demo::play(&house.endpoints, tenant, |_| {}).await.unwrap();
            done += 1;
        }
    }
    done
}

/// The tenant's version, and whether the next release's table is there.
async fn moved(house: &House, tenant: &Tenant) -> bool {
    let there = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'channel'";
    house.count(tenant, there).await == 1
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_of_both_releases_serve_a_fleet_of_which_half_has_moved() {
    let mut house = House::open().await;
    let files = TenantFiles::of_this_release().and(NEXT);
    // In the middle of its migration the clinic keeps its old schema: something holds its row.
    let mut holder = house.platform.admin_pool().begin().await.unwrap();
    sqlx::query("SELECT FROM platform.tenant WHERE slug = $1 FOR UPDATE")
        .bind(&house.clinic().slug)
        .execute(&mut *holder)
        .await
        .unwrap();
    let settings = house.platform.settings().clone();
    let (before, after) = (files.clone(), files.clone());
    let migrating = tokio::spawn(async move {
        migrate::run_files(&settings, &before, Pace::default(), &|_| {}).await
    });
    // While the fleet moves, the program that was there before it began is in use.
    let half = async {
        let began = Instant::now();
        while !moved(&house, house.gym()).await {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "the gym does not move"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(!moved(&house, house.clinic()).await);
        keep_booking(&house, 2).await
    };
    assert_eq!(half.await, 4);
    holder.rollback().await.unwrap();
    let report = migrating.await.unwrap();
    // It was held for longer than a run tries, or was moved after all: both are a fleet in use.
    let report = report.unwrap();
    assert!(moved(&house, house.gym()).await);
    let half_moved = !report.quarantined.is_empty();
    assert_eq!(half_moved, !moved(&house, house.clinic()).await);
    // A program that starts now finds schemas of the release after it, and of its own.
    for role in [Role::Serve, Role::Worker, Role::Relay] {
        house.stop(role).await;
        house.start(role).await;
    }
    assert_eq!(keep_booking(&house, 1).await, 2);
    let retry = Pace {
        retry: true,
        ..Pace::default()
    };
    migrate::run_files(house.platform.settings(), &after, retry, &|_| {})
        .await
        .unwrap();
    assert!(moved(&house, house.clinic()).await);
    assert_eq!(keep_booking(&house, 1).await, 2);
}

/// How a tenant's address answers.
async fn status(house: &House, tenant: &Tenant) -> u16 {
    let url = format!("{}/v1/products", house.endpoints.api);
    let asked = reqwest::Client::new()
        .get(url)
        .header("X-Tenant", &tenant.slug)
        .send()
        .await;
    asked.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_change_archive_and_erase_a_tenant_from_the_command_line() {
    let mut house = House::open().await;
    let clinic = house.clinic().clone();
    demo::play(&house.endpoints, &clinic, |_| {}).await.unwrap();
    let wish = shop::first_session(house.gym()).await;
    assert!(wish["session_id"].is_string());
    let slug = clinic.slug.as_str();
    let berth = async |arguments: &[&str]| -> Value {
        let printed = house.berth(arguments).await.unwrap();
        serde_json::from_str(&printed).unwrap()
    };

    let change = [
        "tenant", "update", "--slug", slug, "--color", "#123456", "--plan", "business", "--canary",
        "true",
    ];
    let shown = berth(&change).await;
    assert_eq!(
        (&shown["color"], &shown["plan"], &shown["canary"]),
        (&json!("#123456"), &json!("business"), &json!(true))
    );
    let refused = house
        .berth(&["tenant", "update", "--slug", slug, "--color", "blue"])
        .await
        .unwrap_err();
    assert!(refused.contains("`blue` is no colour"), "{refused}");
    let listed = house.berth(&["tenant", "list"]).await.unwrap();
    assert_eq!(listed.lines().count(), 4, "{listed}");

    let id = shown["id"].as_str().unwrap();
    let folder = house.store().join(id);
    assert!(
        folder.read_dir().unwrap().next().is_some(),
        "no receipt was kept"
    );
    let schema = house.schema(&clinic).await;
    let refused = house
        .berth(&["tenant", "delete", "--slug", slug, "--confirm", slug])
        .await
        .unwrap_err();
    assert!(refused.contains("archive it first"), "{refused}");
    assert_eq!(
        berth(&["tenant", "archive", "--slug", slug]).await["archived"],
        true
    );
    let began = Instant::now();
    while status(&house, &clinic).await != 404 {
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "an archived tenant is served"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let refused = house
        .berth(&["tenant", "delete", "--slug", slug, "--confirm", "another"])
        .await;
    assert!(refused.unwrap_err().contains("--confirm"));
    berth(&["tenant", "delete", "--slug", slug, "--confirm", slug]).await;
    house.start(Role::Provisioner).await;
    let certificate = async |house: &House| {
        house
            .berth(&["tenant", "certificate", "--slug", slug])
            .await
    };
    let began = Instant::now();
    let certificate = loop {
        match certificate(&house).await {
            Ok(printed) => break serde_json::from_str::<Value>(&printed).unwrap(),
            Err(error) => assert!(began.elapsed() < Duration::from_secs(30), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(certificate["tenant_id"], id);
    assert!(
        certificate["tables"]["booking"].as_i64().unwrap() >= 1,
        "{certificate}"
    );
    assert!(certificate["files"].as_u64().unwrap() >= 1, "{certificate}");
    assert!(!folder.exists(), "files are left");
    let left: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = $1)
              + (SELECT count(*) FROM pg_roles WHERE rolname = $1)
              + (SELECT count(*) FROM platform.tenant WHERE slug = $2)",
    )
    .bind(&schema)
    .bind(slug)
    .fetch_one(house.platform.admin_pool())
    .await
    .unwrap();
    assert_eq!(left, 0);
    // Its neighbour never noticed.
    demo::play(&house.endpoints, house.gym(), |_| {})
        .await
        .unwrap();
    let gym = Client::sign_in(house.gym(), &house.gym().customer)
        .await
        .unwrap();
    gym.get("/v1/products").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_exported_and_restored_from_the_command_line_and_then_books_again() {
    let house = House::open().await;
    let gym = house.gym();
    demo::play(&house.endpoints, gym, |_| {}).await.unwrap();
    let berth = async |arguments: &[&str]| -> Value {
        let printed = house.berth(arguments).await.unwrap();
        serde_json::from_str(&printed).unwrap()
    };
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("export");
    let folder = folder.to_str().unwrap();
    let slug = gym.slug.as_str();
    let told = berth(&["tenant", "export", "--slug", slug, "--to", folder]).await;
    assert!(told["files"].as_u64().unwrap() >= 1, "{told}");
    let bookings = house.count(gym, "SELECT count(*) FROM booking").await;

    let served = house
        .berth(&["tenant", "restore", "--from", folder, "--into", slug])
        .await;
    assert!(served.unwrap_err().contains("suspend it first"));
    let suspend = ["tenant", "suspend", "--slug", slug, "--reason", "restore"];
    assert_eq!(berth(&suspend).await["suspended"], true);
    house.sql(gym, "DELETE FROM session_claim").await;
    let restored = berth(&["tenant", "restore", "--from", folder, "--into", slug]).await;
    assert_eq!(restored["held"], true);
    assert_eq!(status(&house, gym).await, 404);
    assert_eq!(
        berth(&["tenant", "release", "--slug", slug]).await["released"],
        true
    );
    assert_eq!(
        house.count(gym, "SELECT count(*) FROM booking").await,
        bookings
    );
    let began = Instant::now();
    while status(&house, gym).await != 200 {
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "it is not served again"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    demo::play(&house.endpoints, gym, |_| {}).await.unwrap();

    // A copy has what the original has.
    let copy = ["tenant", "restore", "--from", folder, "--slug", "gym-copy"];
    let copied = berth(&copy).await;
    assert_eq!(copied["rows"], told["rows"]);
}
