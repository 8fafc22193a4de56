//! Programs of two releases on one fleet of which half has moved. The next release is
//! `examples/next_release.rs`.

use std::time::{Duration, Instant};

use berth_devkit::{Tenant, demo, environment::Role};
use berth_tenancy::migrate::TenantFiles;
use serde_json::Value;

use crate::house::House;

/// Books and pays at both tenants, and reads what is free, at the server of one release.
async fn book(house: &House, next: bool) {
    for tenant in [house.clinic(), house.gym()] {
        let tenant = match next {
            true => house.at_next(tenant),
            false => tenant.clone(),
        };
        demo::play(&house.endpoints, &tenant, |_| {}).await.unwrap();
    }
}

/// How far the registry and the schema's node say that the tenant is.
async fn version(house: &House, slug: &str) -> i64 {
    let (registry, schema): (i64, i64) = sqlx::query_as(
        "SELECT t.schema_version, s.version FROM platform.tenant t
         JOIN platform.tenant_schema s ON s.role = t.role WHERE t.slug = $1",
    )
    .bind(slug)
    .fetch_one(house.platform.admin_pool())
    .await
    .unwrap();
    assert_eq!(registry, schema);
    schema
}

/// Waits until the next release's worker has noted the channel of all of the tenant's bookings.
async fn noted(house: &House, tenant: &Tenant) {
    let began = Instant::now();
    let open = "SELECT count(*) FROM booking WHERE channel IS NULL";
    while house.count(tenant, open).await > 0 {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "the next release's worker does not use its own column"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How `berth tenant create` makes one more.
fn create(slug: &str) -> Vec<&str> {
    let mut arguments = vec![
        "tenant", "create", "--slug", slug, "--name", slug, "--kind", "gym",
    ];
    arguments.extend(["--timezone", "Europe/Berlin", "--currency", "EUR"]);
    arguments.extend(["--admin-email", "maya@gym.example", "--admin-name", "Maya"]);
    arguments.extend(["--admin-password", "correct-horse-battery"]);
    arguments
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_of_both_releases_serve_a_fleet_of_which_half_has_moved() {
    let mut house = House::open().await;
    let this = TenantFiles::of_this_release().latest();
    let (clinic, gym) = (house.clinic().clone(), house.gym().clone());
    house.start(Role::Provisioner).await;

    // The next release begins to move the fleet; at the clinic something is in its way.
    house.sql(&clinic, "CREATE TABLE channel (mine int)").await;
    let stopped = house.next_berth(&["migrate"]).await.unwrap_err();
    assert!(stopped.contains("1 tenants are in quarantine"), "{stopped}");
    let half = async |house: &House| {
        let versions = (
            version(house, &clinic.slug).await,
            version(house, &gym.slug).await,
        );
        assert_eq!(versions, (this, this + 1));
    };

    // The programs that were there before, alone.
    half(&house).await;
    book(&house, false).await;
    // Those of both, side by side: each server, and whichever worker and relay comes first.
    for role in [Role::Serve, Role::Worker, Role::Relay, Role::Provisioner] {
        house.start_next(role).await;
    }
    half(&house).await;
    book(&house, true).await;
    book(&house, false).await;
    noted(&house, &gym).await;
    // Each makes tenants the way it knows, for a fleet that has both.
    house.berth(&create("made-before")).await.unwrap();
    house.next_berth(&create("made-after")).await.unwrap();
    let made = version(&house, "made-before").await;
    assert!(made == this || made == this + 1, "{made}");
    assert_eq!(version(&house, "made-after").await, this + 1);
    // Those of the next release, alone.
    for role in [Role::Serve, Role::Worker, Role::Relay, Role::Provisioner] {
        house.stop(role).await;
    }
    house.start_next(Role::Serve).await;
    half(&house).await;
    book(&house, false).await;
    noted(&house, &gym).await;

    // And the other half follows, while they run.
    house.sql(&clinic, "DROP TABLE channel").await;
    house.next_berth(&["migrate", "--retry"]).await.unwrap();
    for slug in [&clinic.slug, &gym.slug, "made-before", "made-after"] {
        assert_eq!(version(&house, slug).await, this + 1);
    }
    noted(&house, &clinic).await;
    book(&house, false).await;
    let compared = house.next_berth(&["drift"]).await.unwrap();
    assert!(
        compared.starts_with("6 tenants compared, 0 differ"),
        "{compared}"
    );
    assert!(house.next_is_well(), "a program of the next release ended");
    // The way back to the release before is a start of its programs.
    for role in [Role::Serve, Role::Worker, Role::Relay, Role::Provisioner] {
        house.stop_next(role).await;
        house.start(role).await;
    }
    book(&house, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_of_the_release_before_neither_undoes_nor_moves_what_has_moved() {
    let house = House::open().await;
    let this = TenantFiles::of_this_release().latest();
    house.next_berth(&["migrate"]).await.unwrap();
    let slug = house.gym().slug.as_str();
    house.berth(&["migrate"]).await.unwrap();
    assert_eq!(version(&house, slug).await, this + 1);
    // What it does not know all of is not its to judge, or to take out and put back.
    let compared = house.berth(&["drift"]).await.unwrap();
    assert!(compared.starts_with("0 tenants compared"), "{compared}");
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("export");
    let folder = folder.to_str().unwrap();
    let export = ["tenant", "export", "--slug", slug, "--to", folder];
    let told = house.next_berth(&export).await.unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["schema_version"], this + 1);
    let copy = ["tenant", "restore", "--from", folder, "--slug", "gym-copy"];
    let refused = house.berth(&copy).await.unwrap_err();
    assert!(refused.contains("does not know yet"), "{refused}");
    house.next_berth(&copy).await.unwrap();
    assert_eq!(version(&house, "gym-copy").await, this + 1);
}
