//! Appointments that take several at once: a dentist, an assistant and a room.

use berth_devkit::{Tenant, demo::Client};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    backoffice::{refused, resource},
    house::House,
};

/// Who tries to book the same start at once.
const CROWD: usize = 12;

/// A treatment of an hour that takes one of two dentists, the only assistant, and one of two rooms,
/// which are then cleaned for half an hour.
struct Practice {
    tenant: Tenant,
    admin: Client,
    product: String,
    dentists: [String; 2],
    assistant: String,
    rooms: [String; 2],
}

impl Practice {
    async fn open(house: &House) -> Self {
        let tenant = house.clinic().clone();
        let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
        let made = async |kind: &str, name: &str| resource(&admin, kind, name).await;
        let dentists = [made("staff", "Ada").await, made("staff", "Ben").await];
        let assistant = made("staff", "Cleo").await;
        let rooms = [made("room", "Blue").await, made("room", "Red").await];
        let product = json!({
            "kind": "appointment", "name": "Root treatment", "duration_min": 60,
            "price": { "amount": 0, "currency": "EUR" }, "payment_mode": "on_site",
            "requirements": [
                { "role": "dentist", "resource_ids": dentists },
                { "role": "assistant", "resource_ids": [assistant] },
                { "role": "room", "resource_ids": rooms, "buffer_after_min": 30 },
            ],
        });
        let product = admin.post("/v1/products", &product).await.unwrap();
        Self {
            product: product["id"].as_str().unwrap().to_owned(),
            tenant,
            admin,
            dentists,
            assistant,
            rooms,
        }
    }

    /// What is free on the day after tomorrow.
    async fn slots(&self) -> Vec<Value> {
        let day = jiff::Zoned::now().date() + jiff::Span::new().days(2);
        let path = format!("/v1/products/{}/slots?from={day}&to={day}", self.product);
        let slots = self.admin.get(&path).await.unwrap();
        slots["slots"].as_array().unwrap().clone()
    }

    /// Whether a start is offered, and how many could be served then.
    async fn free_at(&self, start: &str) -> i64 {
        let slots = self.slots().await;
        let slot = slots.iter().find(|slot| slot["starts_at"] == start);
        slot.map_or(0, |slot| slot["free"].as_i64().unwrap())
    }

    fn wish(&self, start: &str) -> Value {
        json!({ "product_id": self.product, "starts_at": start })
    }

    /// All that a booking takes.
    fn taken(&self, booking: &Value) -> Vec<String> {
        let others = booking["other_resource_ids"].as_array().unwrap();
        let all = [&booking["resource_id"]].into_iter().chain(others);
        all.map(|id| id.as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_are_taken_at_once_or_none() {
    let house = House::open().await;
    let practice = Practice::open(&house).await;
    let slots = practice.slots().await;
    // The assistant is the only one, so that one could be served at a time.
    assert_eq!(slots.len(), 6, "{slots:?}");
    assert!(slots.iter().all(|slot| slot["free"] == 1), "{slots:?}");
    assert_eq!(slots[0]["resource_ids"].as_array().unwrap().len(), 5);
    let start = |index: usize| slots[index]["starts_at"].as_str().unwrap();

    let mut crowd = Vec::new();
    for index in 0..CROWD {
        let email = format!("patient-{index}@example.test");
        crowd.push(house.customer(&practice.tenant, &email).await);
    }
    let wish = practice.wish(start(1));
    let tries = crowd.iter().map(|one| one.post("/v1/bookings", &wish));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(tries).await.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for one in lost {
        assert_eq!(refused(one), (409, "BOOKING_CONFLICT".to_owned()));
    }
    let booking = won.into_iter().next().unwrap().unwrap();
    let taken = practice.taken(&booking);
    assert!(practice.dentists.contains(&taken[0]), "{booking}");
    assert_eq!(taken[1], practice.assistant, "{booking}");
    assert!(practice.rooms.contains(&taken[2]), "{booking}");
    let held = "SELECT count(*) FROM claim WHERE state IN ('held', 'confirmed')";
    assert_eq!(house.count(&practice.tenant, held).await, 3);

    // An hour later dentist and assistant are free, and of the rooms the one that is not cleaned.
    assert_eq!(practice.free_at(start(1)).await, 0);
    assert_eq!(practice.free_at(start(2)).await, 1);
    let wish = for_guest(&practice, start(2));
    let next = practice.admin.post("/v1/bookings", &wish).await.unwrap();
    assert_ne!(
        practice.taken(&next)[2],
        taken[2],
        "the room is being cleaned"
    );
    // So they are an hour before.
    assert_eq!(practice.free_at(start(0)).await, 1);

    // Whoever owns the booking finds it under each of those it takes.
    for id in &taken {
        let path = format!("/v1/bookings?provider_id={id}");
        let listed = practice.admin.get(&path).await.unwrap();
        let items = listed["items"].as_array().unwrap();
        assert!(items.iter().any(|one| one["id"] == booking["id"]), "{id}");
    }

    // It moves with those who had it, where they can.
    let path = format!(
        "/v1/bookings/{}/reschedule",
        booking["id"].as_str().unwrap()
    );
    let to = json!({ "version": booking["version"], "starts_at": start(4) });
    let moved = practice.admin.post(&path, &to).await.unwrap();
    assert_eq!(practice.taken(&moved), taken);
    assert_eq!(practice.free_at(start(1)).await, 1);
    assert_eq!(practice.free_at(start(4)).await, 0);
    let to = json!({ "version": moved["version"], "starts_at": start(2) });
    let lost = refused(practice.admin.post(&path, &to).await);
    assert_eq!(lost, (409, "BOOKING_CONFLICT".to_owned()));

    // Cancelled, it gives all of them back.
    let path = format!("/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
    let version = json!({ "version": moved["version"] });
    practice.admin.post(&path, &version).await.unwrap();
    assert_eq!(practice.free_at(start(4)).await, 1);
    assert_eq!(house.count(&practice.tenant, held).await, 3);
}

/// A booking that staff make for somebody without an account.
fn for_guest(practice: &Practice, start: &str) -> Value {
    let mut wish = practice.wish(start);
    wish["customer"] = json!({ "name": "Nils Holm", "email": "nils@example.test" });
    wish
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_asked_for_is_among_them_and_what_can_never_be_is_refused() {
    let house = House::open().await;
    let practice = Practice::open(&house).await;
    let slots = practice.slots().await;
    let start = slots[0]["starts_at"].as_str().unwrap();
    let mut wish = for_guest(&practice, start);
    wish["resource_id"] = json!(practice.rooms[1]);
    let booking = practice.admin.post("/v1/bookings", &wish).await.unwrap();
    assert_eq!(practice.taken(&booking)[2], practice.rooms[1]);
    // The asked-for room is being cleaned then; the other is not.
    let mut wish = for_guest(&practice, slots[1]["starts_at"].as_str().unwrap());
    wish["resource_id"] = json!(practice.rooms[1]);
    let lost = refused(practice.admin.post("/v1/bookings", &wish).await);
    assert_eq!(lost, (409, "BOOKING_CONFLICT".to_owned()));
    let mut asked = practice.wish(slots[1]["starts_at"].as_str().unwrap());
    asked["resource_id"] = json!(practice.rooms[1]);
    let checked = practice
        .admin
        .post("/v1/availability/check", &asked)
        .await
        .unwrap();
    assert_eq!(checked["available"], false, "{checked}");
    wish["resource_id"] = json!(practice.rooms[0]);
    practice.admin.post("/v1/bookings", &wish).await.unwrap();

    let path = format!("/v1/products/{}", practice.product);
    let product = practice.admin.get(&path).await.unwrap();
    assert_eq!(product["requirements"][2]["buffer_after_min"], 30);
    assert_eq!(product["requirements"][0]["quantity"], 1);
    let edit = async |requirements: Value| {
        let change = json!({ "version": product["version"], "requirements": requirements });
        practice.admin.patch(&path, &change).await
    };
    let three = json!([{ "role": "dentist", "quantity": 3, "resource_ids": practice.dentists }]);
    let unknown = json!([{ "role": "dentist", "resource_ids": [practice.product] }]);
    let twice = json!([
        { "role": "dentist", "resource_ids": practice.dentists },
        { "role": "assistant", "resource_ids": practice.dentists, "buffer_before_min": 5 },
    ]);
    for (requirements, code) in [
        (three, "TOO_FEW_RESOURCES"),
        (unknown, "UNKNOWN_REFERENCE"),
        (twice, "BUFFERS_DIFFER"),
        (
            json!([{ "role": "", "resource_ids": practice.rooms }]),
            "INVALID_NAME",
        ),
    ] {
        assert_eq!(refused(edit(requirements).await), (422, code.to_owned()));
    }
    let both = json!({
        "version": product["version"], "resource_ids": practice.rooms,
        "requirements": [{ "role": "room", "resource_ids": practice.rooms }],
    });
    let both = refused(practice.admin.patch(&path, &both).await);
    assert_eq!(both, (422, "GIVEN_TWICE".to_owned()));
    // Nothing of it was kept, and bookings made are as they were.
    let after = practice.admin.get(&path).await.unwrap();
    assert_eq!(after["requirements"], product["requirements"]);
    assert_eq!(after["version"], product["version"]);
    let changed = edit(json!([{ "role": "room", "resource_ids": practice.rooms }])).await;
    assert_eq!(
        changed.unwrap()["requirements"].as_array().unwrap().len(),
        1
    );
    let path = format!("/v1/bookings/{}", booking["id"].as_str().unwrap());
    let kept = practice.admin.get(&path).await.unwrap();
    assert_eq!(practice.taken(&kept), practice.taken(&booking));
}
