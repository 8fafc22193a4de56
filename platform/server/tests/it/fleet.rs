//! Tenants as operators have them: changed, put to rest, erased, taken out and put back.

use std::time::{Duration, Instant};

use berth_devkit::{
    Tenant,
    demo::{self, Client},
    environment::Role,
};
use serde_json::{Value, json};

use crate::{house::House, shop};

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
    let keys = berth(&["tenant", "api-keys", "--slug", slug]).await;
    let key = keys[0]["id"].as_str().unwrap();
    let revoke = ["tenant", "revoke-api-key", "--slug", slug, "--key", key];
    assert_eq!(berth(&revoke).await["revoked"], true);
    let keys = berth(&["tenant", "api-keys", "--slug", slug]).await;
    assert!(keys[0]["revoked_at"].is_string(), "{keys}");
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
    let trail = house.berth(&["tenant", "audit", "--slug", slug]).await;
    let trail: Value = serde_json::from_str(&trail.unwrap()).unwrap();
    let steps: Vec<_> = trail.as_array().unwrap().iter().collect();
    assert_eq!(steps[0]["action"], "tenant.deleted");
    assert!(
        steps
            .iter()
            .any(|step| step["action"] == "tenant.api_key.revoked")
    );
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
