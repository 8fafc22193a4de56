//! What operators do to tenants, killed with `kill -9` at each table it writes to: nothing half done is
//! ever served, and the next run finishes it.

use std::path::Path;

use berth_devkit::{
    Tenant,
    demo::{self, Client},
    environment::Role,
};
use berth_tenancy::migrate::TenantFiles;
use serde_json::Value;

use crate::{house::House, shop, wait::once};

/// How a tenant's address answers.
async fn status(house: &House, tenant: &Tenant) -> u16 {
    let url = format!("{}/v1/products", house.endpoints.api);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = http.get(url).header("X-Tenant", &tenant.slug).send().await;
    asked.unwrap().status().as_u16()
}

async fn number(house: &House, sql: &str) -> i64 {
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned()))
        .fetch_one(house.platform.admin_pool())
        .await
        .unwrap()
}

/// Schemas and roles that are no tenant's.
const STRAY: &str = "
    SELECT (SELECT count(*) FROM pg_namespace n WHERE nspname ~ '^t_[a-z0-9]{12}$'
            AND NOT EXISTS (SELECT FROM platform.tenant t WHERE t.role = n.nspname)
            AND NOT EXISTS (SELECT FROM platform.ready_schema r WHERE r.role = n.nspname))
         + (SELECT count(*) FROM platform.tenant_schema s
            WHERE NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = s.role))";

async fn parsed(house: &House, arguments: &[&str]) -> Value {
    let printed = house.berth(arguments).await.unwrap();
    serde_json::from_str(&printed).unwrap()
}

/// Books a place of the gym's first session without paying; the booking's id.
async fn book(house: &House) -> String {
    let gym = house.gym();
    let customer = Client::sign_in(gym, &gym.customer).await.unwrap();
    let wish = shop::first_session(gym).await;
    let booked = customer.post("/v1/bookings", &wish).await.unwrap();
    booked["id"].as_str().unwrap().to_owned()
}

async fn payments(house: &House, booking: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM payment WHERE booking_id = '{booking}'");
    house.count(house.gym(), &sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_is_repeated_and_what_was_told_since_the_export_is_not_heard() {
    let mut house = House::open().await;
    let slug = house.gym().slug.clone();
    demo::play(&house.endpoints, house.gym(), |_| {})
        .await
        .unwrap();
    house.stop(Role::Worker).await;
    let waiting = book(&house).await;
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("export");
    let folder = folder.to_str().unwrap();
    parsed(
        &house,
        &["tenant", "export", "--slug", &slug, "--to", folder],
    )
    .await;
    let given_up = book(&house).await;
    once("published", async || {
        number(
            &house,
            "SELECT count(*) FROM platform.outbox WHERE published_at IS NULL",
        )
        .await
            == 0
    })
    .await;
    let bookings = house
        .count(house.gym(), "SELECT count(*) FROM booking")
        .await;
    let suspend = ["tenant", "suspend", "--slug", &slug, "--reason", "restore"];
    parsed(&house, &suspend).await;

    let restore = ["tenant", "restore", "--from", folder, "--into", &slug];
    for table in [
        "platform.tenant",
        "platform.tenant_schema",
        "platform.outbox",
        "platform.booking_day",
        "platform.audit",
    ] {
        house.berth_killed_at(&restore, table).await.unwrap();
        once("rolled back", async || number(&house, STRAY).await == 0).await;
        assert_eq!(status(&house, house.gym()).await, 404, "killed at {table}");
        let now = house
            .count(house.gym(), "SELECT count(*) FROM booking")
            .await;
        assert_eq!(now, bookings, "killed at {table}");
        // Nobody serves what was to be put back, as if it had been.
        let release = house.berth(&["tenant", "release", "--slug", &slug]).await;
        let why = match table {
            "platform.tenant" => "is suspended",
            _ => "has not come to its end",
        };
        let refused = release.unwrap_err();
        assert!(refused.contains(why), "killed at {table}: {refused}");
    }
    parsed(&house, &restore).await;
    assert_eq!(number(&house, STRAY).await, 0);
    let there = format!("SELECT count(*) FROM booking WHERE id = '{given_up}'");
    assert_eq!(house.count(house.gym(), &there).await, 0);
    parsed(&house, &["tenant", "release", "--slug", &slug]).await;
    once("served", async || status(&house, house.gym()).await == 200).await;

    house.start(Role::Worker).await;
    // What was told before the export and not yet heard is heard now.
    once("paid for", async || payments(&house, &waiting).await == 1).await;
    // What was told after it is dropped: both came to the same queues.
    once("dropped", async || {
        let log = std::fs::read_to_string(house.log(Role::Worker)).unwrap();
        log.contains("was put back to before it; it is dropped")
    })
    .await;
    demo::play(&house.endpoints, house.gym(), |_| {})
        .await
        .unwrap();
    assert_eq!(payments(&house, &given_up).await, 0);
}

/// Files in a folder and below.
fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let each = entries.map(|entry| entry.unwrap().path());
    each.map(|path| if path.is_dir() { files(&path) } else { 1 })
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_as_a_new_tenant_is_repeated_and_never_half_there() {
    let house = House::open().await;
    let gym = house.gym().clone();
    demo::play(&house.endpoints, &gym, |_| {}).await.unwrap();
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("export");
    let folder = folder.to_str().unwrap();
    let export = ["tenant", "export", "--slug", &gym.slug, "--to", folder];
    // An export that was cut off is written anew into its folder.
    house
        .berth_killed_at(&export, "platform.audit")
        .await
        .unwrap();
    assert_eq!(files(Path::new(folder)), 1);
    let told = parsed(&house, &export).await;
    let before = files(&house.store());
    let copy = Tenant {
        slug: "gym-copy".to_owned(),
        ..gym.clone()
    };
    let restore = ["tenant", "restore", "--from", folder, "--slug", &copy.slug];
    let there = "SELECT count(*) FROM platform.tenant WHERE slug = 'gym-copy'";
    for table in [
        "platform.tenant_schema",
        "platform.tenant",
        "platform.audit",
        "platform.outbox",
    ] {
        house.berth_killed_at(&restore, table).await.unwrap();
        once("rolled back", async || number(&house, STRAY).await == 0).await;
        assert_eq!(number(&house, there).await, 0, "killed at {table}");
        assert_eq!(status(&house, &copy).await, 404, "killed at {table}");
    }
    let restored = parsed(&house, &restore).await;
    assert_eq!(restored["rows"], told["rows"]);
    // What the runs before it left is what this one wrote.
    let brought = files(&house.store()) - before;
    assert!(brought > 0);
    assert_eq!(restored["files"], brought);
    assert_eq!(
        status(&house, &copy).await,
        404,
        "served before its release"
    );
    parsed(&house, &["tenant", "release", "--slug", &copy.slug]).await;
    once("served", async || status(&house, &copy).await == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_is_gone_on_with() {
    let house = House::open().await;
    let latest = TenantFiles::of_this_release().latest();
    let fleet = [house.clinic(), house.gym()];
    let of_fleet = format!("t.slug IN ('{}', '{}')", fleet[0].slug, fleet[1].slug);
    // Version in the registry, version at the schema, and tables tell different stories.
    let torn = format!(
        "SELECT count(*) FROM platform.tenant t JOIN platform.tenant_schema s ON s.role = t.role
         WHERE {of_fleet} AND (t.schema_version <> s.version
            OR (s.version = {latest}) <> (to_regclass(t.role || '.conversion') IS NOT NULL))"
    );
    let behind = format!(
        "SELECT count(*) FROM platform.tenant t WHERE {of_fleet} AND t.schema_version < {latest}"
    );
    for table in ["platform.tenant_schema", "platform.tenant"] {
        // As the fleet was before the last file.
        for tenant in fleet {
            let back = format!(
                "DROP TABLE conversion, connection;
                 UPDATE platform.tenant_schema SET version = {0} WHERE role = current_schema();
                 UPDATE platform.tenant SET schema_version = {0} WHERE role = current_schema()",
                latest - 1
            );
            house.sql(tenant, &back).await;
        }
        house.berth_killed_at(&["migrate"], table).await.unwrap();
        // Where it was cut off the database may still be at it.
        once("whole", async || number(&house, &torn).await == 0).await;
        let two = tokio::join!(house.berth(&["migrate"]), house.berth(&["migrate"]));
        two.0.unwrap();
        two.1.unwrap();
        assert_eq!(number(&house, &torn).await, 0, "killed at {table}");
        assert_eq!(number(&house, &behind).await, 0, "killed at {table}");
    }
    for tenant in fleet {
        assert_eq!(status(&house, tenant).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_is_gone_on_with() {
    // It makes no schemas ahead: what it is killed at is the erasure's.
    let mut house = House::with(&[("BERTH_READY_SCHEMAS", "0")]).await;
    let gym = house.gym().clone();
    demo::play(&house.endpoints, &gym, |_| {}).await.unwrap();
    let slug = gym.slug.as_str();
    let rows = house.count(&gym, "SELECT count(*) FROM booking").await;
    let receipts = house.count(&gym, "SELECT count(*) FROM receipt").await;
    let told = format!(
        "SELECT count(*) FROM platform.outbox o JOIN platform.tenant t ON t.id = o.tenant_id
         WHERE t.slug = '{slug}'"
    );
    let told = number(&house, &told).await;
    assert!(receipts > 0 && told > 0);
    parsed(&house, &["tenant", "archive", "--slug", slug]).await;
    parsed(
        &house,
        &["tenant", "delete", "--slug", slug, "--confirm", slug],
    )
    .await;
    let certificate = ["tenant", "certificate", "--slug", slug];
    for table in [
        "platform.audit",
        "platform.tenant_schema",
        "platform.outbox",
        "platform.api_key",
        "platform.erased_tenant",
        "platform.tenant",
    ] {
        house
            .berth_killed_at(&["provisioner"], table)
            .await
            .unwrap();
        assert_eq!(status(&house, &gym).await, 404, "killed at {table}");
        house.berth(&certificate).await.unwrap_err();
    }
    house.start(Role::Provisioner).await;
    once("erased", async || house.berth(&certificate).await.is_ok()).await;
    let certificate = parsed(&house, &certificate).await;
    // Counted before the first of the runs that were killed took anything.
    assert_eq!(certificate["tables"]["booking"].as_i64(), Some(rows));
    assert_eq!(certificate["files"].as_i64(), Some(receipts));
    let events = certificate["shared"]["outbox"].as_i64();
    assert!(events >= Some(told), "{certificate} but {told} were told");
    assert_eq!(number(&house, STRAY).await, 0);
    demo::play(&house.endpoints, house.clinic(), |_| {})
        .await
        .unwrap();
}
