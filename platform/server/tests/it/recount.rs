//! Counting again what is taken: nothing is found where nothing is wrong, and whatever is wrong is.

use berth_devkit::demo::{self, Client};
use serde_json::json;

use crate::{document::in_days, house::House};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_does_not_agree_is_named() {
    let house = House::open().await;
    for tenant in [house.clinic(), house.gym()] {
        demo::play(&house.endpoints, tenant, |_| {}).await.unwrap();
    }
    let all = house.berth(&["recount"]).await.unwrap();
    assert!(all.ends_with("everything agrees\n"), "{all}");

    let clinic = house.clinic();
    let admin = Client::sign_in(clinic, &clinic.admin).await.unwrap();
    let resources = admin.get("/v1/resources").await.unwrap();
    let path = format!(
        "/v1/resources/{}/blocks",
        resources["items"][0]["id"].as_str().unwrap()
    );
    let block = json!({ "starts_at": in_days(300), "ends_at": in_days(301) });
    admin.post(&path, &block).await.unwrap();
    house.agrees(clinic).await;

    for (tenant, by_hand, mend, said) in [
        (
            house.gym(),
            "UPDATE session SET sold = sold + 1 WHERE sold > 0",
            "UPDATE session SET sold = sold - 1 WHERE sold > 0",
            "its bookings have",
        ),
        (
            house.gym(),
            "INSERT INTO bucket (pool_id, at, capacity, held, sold) VALUES ('00000000-0000-7000-8000-000000000001', '2027-01-01', 3, 0, 1)",
            "DELETE FROM bucket",
            "what takes it has 0 and 0",
        ),
        (
            clinic,
            "INSERT INTO bucket_claim (holder_id, holder, pool_id, from_at, to_at, buckets, quantity, state)
             SELECT id, 'block', '00000000-0000-7000-8000-000000000001', '2027-01-01', '2027-01-03', 2, 1, 'confirmed'
             FROM block",
            "DELETE FROM bucket_claim",
            "takes 2 buckets",
        ),
        (
            clinic,
            "UPDATE claim SET state = 'held' WHERE holder = 'booking' AND state = 'confirmed'",
            "UPDATE claim SET state = 'confirmed' WHERE holder = 'booking' AND state = 'held'",
            "is CONFIRMED and has 1 held and 0 certain of the 1 it takes",
        ),
        (
            clinic,
            "UPDATE claim SET state = 'released' WHERE holder = 'block'",
            "UPDATE claim SET state = 'confirmed' WHERE holder = 'block'",
            "has 0 of the 1 it takes",
        ),
        (
            clinic,
            "INSERT INTO claim (holder_id, holder, resource_id, starts_at, ends_at, state)
             SELECT '00000000-0000-7000-8000-000000000001', 'block', resource_id, starts_at - interval '1 year',
                    ends_at - interval '1 year', 'confirmed' FROM claim LIMIT 1",
            "DELETE FROM claim WHERE holder_id = '00000000-0000-7000-8000-000000000001'",
            "is of nobody",
        ),
    ] {
        house.sql(tenant, by_hand).await;
        let found = house.berth(&["recount"]).await.unwrap_err();
        assert!(
            found.contains("1 things do not agree") && found.contains(said),
            "{by_hand}: {found}"
        );
        house.sql(tenant, mend).await;
        house.agrees(tenant).await;
    }
}
