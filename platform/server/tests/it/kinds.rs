//! A demo tenant of each kind of business offers something that can be booked.

use berth_devkit::demo::{self, Cast, Client};
use jiff::{ToSpan as _, Zoned};
use serde_json::{Value, json};

use crate::house::House;

/// What a visitor is shown first, turned into a wish.
async fn first_wish(client: &Client, product: &Value) -> Value {
    let id = product["id"].as_str().unwrap();
    let today = Zoned::now().date();
    let (from, to) = (today + 1.day(), today + 14.days());
    let customer = json!({ "name": "Guest", "email": "guest@example.test" });
    let wish = |when: Value| {
        let mut wish = json!({ "product_id": id, "quantity": 1, "customer": customer });
        for (name, value) in when.as_object().unwrap() {
            wish[name] = value.clone();
        }
        wish
    };
    match product["kind"].as_str().unwrap() {
        "stay" => {
            let path = format!("/v1/products/{id}/nights?from={from}&to={to}");
            let nights = client.get(&path).await.unwrap();
            let free = nights["nights"].as_array().unwrap();
            let free = free.iter().find(|night| night["arrival"] == true).unwrap();
            let arrival: jiff::civil::Date = free["day"].as_str().unwrap().parse().unwrap();
            wish(json!({ "arrival": arrival, "departure": arrival + 1.day() }))
        }
        "course" => {
            let (from, to) = (from.to_string(), (to + 30.days()).to_string());
            let path =
                format!("/v1/products/{id}/session-groups?from={from}T00:00:00Z&to={to}T00:00:00Z");
            let groups = client.get(&path).await.unwrap();
            wish(json!({ "session_group_id": groups["items"][0]["id"] }))
        }
        kind => {
            let path = format!("/v1/products/{id}/slots?from={from}&to={to}");
            let slots = client.get(&path).await.unwrap();
            let slot = &slots["slots"][0];
            match kind {
                "session" => wish(json!({ "session_id": slot["session_id"] })),
                "rental" => {
                    wish(json!({ "starts_at": slot["starts_at"], "ends_at": slot["ends_at"] }))
                }
                _ => wish(json!({ "starts_at": slot["starts_at"] })),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_business_of_each_kind_is_seeded_and_books() {
    let house = House::open().await;
    let seeder = house.seeder();
    let seed = || demo::seed(&house.endpoints, &seeder, Cast::AllKinds);
    let tenants = seed().await.unwrap();
    assert_eq!(tenants.len(), 8);
    let mut kinds = Vec::new();
    for tenant in &tenants {
        let client = Client::sign_in(tenant, &tenant.customer).await.unwrap();
        let path = format!("/v1/products/{}", tenant.product_ids[0]);
        let product = client.get(&path).await.unwrap();
        let wish = first_wish(&client, &product).await;
        let booking = client.post("/v1/bookings", &wish).await.unwrap();
        let paid_later = product["payment_mode"] == "online";
        let expected = if paid_later { "PENDING" } else { "CONFIRMED" };
        assert_eq!(booking["status"], expected, "{}: {booking}", tenant.slug);
        kinds.push(product["kind"].as_str().unwrap().to_owned());
        house.agrees(tenant).await;
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "appointment",
            "course",
            "rental",
            "session",
            "stay",
            "table"
        ]
    );
    // Whatever is there is found again, and nothing is made twice.
    let again = seed().await.unwrap();
    for (tenant, again) in tenants.iter().zip(&again) {
        assert_eq!(tenant.product_ids, again.product_ids, "{}", tenant.slug);
        let made = "SELECT count(*) FROM product";
        assert_eq!(house.count(again, made).await, 1, "{}", tenant.slug);
        let put_together = "SELECT count(*) FROM combination";
        assert!(house.count(again, put_together).await <= 1);
        let groups = "SELECT count(*) FROM session_group";
        assert!(house.count(again, groups).await <= 1);
    }
}
