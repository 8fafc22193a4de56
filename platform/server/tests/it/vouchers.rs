//! Codes for which a booking costs less.

use berth_devkit::{Tenant, demo::Client};
use futures::future::join_all;
use jiff::ToSpan as _;
use serde_json::{Value, json};

use crate::{
    backoffice::{in_berlin, monday, refused, resource},
    house::House,
};

/// A salon where a cut costs 50.00, paid there.
struct Salon {
    tenant: Tenant,
    admin: Client,
    cut: String,
}

impl Salon {
    async fn open(house: &House) -> Self {
        let tenant = house.clinic().clone();
        let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
        let mut who = Vec::new();
        for name in ["Ada", "Bob", "Cem", "Dai", "Eva", "Fay", "Gil", "Hal"] {
            who.push(resource(&admin, "staff", name).await);
        }
        let cut = json!({
            "kind": "appointment", "name": "Cut", "duration_min": 60, "step_min": 60, "payment_mode": "on_site",
            "price": { "amount": 5000, "currency": "EUR" }, "resource_ids": who,
            "pricing": { "taxes": [{ "name": "Tax", "added_basis_points": 1000 }] },
        });
        let cut = admin.post("/v1/products", &cut).await.unwrap();
        Self {
            tenant,
            admin,
            cut: cut["id"].as_str().unwrap().to_owned(),
        }
    }

    async fn voucher(&self, particulars: Value) -> Value {
        let mut voucher = json!({ "label": "A gift", "basis_points": 1000 });
        for (name, value) in particulars.as_object().unwrap() {
            voucher[name] = value.clone();
        }
        if particulars.get("amount").is_some() {
            voucher.as_object_mut().unwrap().remove("basis_points");
        }
        self.admin.post("/v1/vouchers", &voucher).await.unwrap()
    }

    fn wish(&self, hour: i8, code: &str) -> Value {
        json!({ "product_id": self.cut, "starts_at": in_berlin(monday(2) + 1.day(), hour, 0), "voucher": code })
    }

    async fn used(&self, voucher: &Value) -> i64 {
        let path = format!("/v1/vouchers/{}", voucher["id"].as_str().unwrap());
        self.admin.get(&path).await.unwrap()["used"]
            .as_i64()
            .unwrap()
    }
}

fn path(booking: &Value, step: &str) -> String {
    format!("/v1/bookings/{}/{step}", booking["id"].as_str().unwrap())
}

/// What the voucher's line and all of it come to.
fn less(priced: &Value) -> (i64, i64) {
    let mut lines = priced["price_lines"].as_array().unwrap().iter();
    let line = lines.find(|line| line["kind"] == "voucher").unwrap();
    let amount = |of: &Value| of["amount"].as_i64().unwrap();
    (amount(&line["amount"]), amount(&priced["price"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voucher_takes_off_what_it_says_and_is_used_as_often_as_it_may() {
    let house = House::open().await;
    let salon = Salon::open(&house).await;
    let summer = salon
        .voucher(json!({ "code": "summer-26", "max_uses": 2, "max_per_customer": 1 }))
        .await;
    assert_eq!(summer["code"], "SUMMER-26");
    let customer = house.customer(&salon.tenant, "keen@example.test").await;
    let wish = salon.wish(9, " Summer-26 ");
    // A tenth of 50.00, and the tax on what is left.
    let quote = customer.post("/v1/quotes", &wish).await.unwrap();
    assert_eq!(less(&quote), (-500, 4_950));
    let booked = customer.post("/v1/bookings", &wish).await.unwrap();
    assert_eq!(less(&booked), (-500, 4_950));
    assert_eq!(salon.used(&summer).await, 1);

    let used_up = (422, "VOUCHER_USED_UP".to_owned());
    let again = salon.wish(10, "SUMMER-26");
    assert_eq!(
        refused(customer.post("/v1/bookings", &again).await),
        used_up
    );
    // Another address is no other customer, and a stranger does not hear who has used it.
    let mut masked = again.clone();
    masked["customer"] = json!({ "name": "Keen", "email": "other@example.test" });
    assert_eq!(
        refused(customer.post("/v1/bookings", &masked).await),
        used_up
    );
    let mut guessed = again.clone();
    guessed["customer"] = json!({ "name": "Keen", "email": "keen@example.test" });
    let stranger = Client::new(&salon.tenant).unwrap();
    assert_eq!(
        less(&stranger.post("/v1/quotes", &guessed).await.unwrap()),
        (-500, 4_950)
    );
    let friend = house.customer(&salon.tenant, "friend@example.test").await;
    friend.post("/v1/bookings", &again).await.unwrap();
    let third = house.customer(&salon.tenant, "third@example.test").await;
    assert_eq!(refused(third.post("/v1/bookings", &again).await), used_up);

    // What is called off frees it, and does not take it back from whoever has it by then.
    customer
        .post(&path(&booked, "cancel"), &json!({}))
        .await
        .unwrap();
    assert_eq!(salon.used(&summer).await, 1);
    third.post("/v1/bookings", &again).await.unwrap();
    let back = customer.post(&path(&booked, "reinstate"), &json!({})).await;
    assert_eq!(refused(back), used_up);
    let edit = json!({ "version": summer["version"], "max_uses": null });
    let at = format!("/v1/vouchers/{}", summer["id"].as_str().unwrap());
    let wider = salon.admin.patch(&at, &edit).await.unwrap();
    assert!(wider["max_uses"].is_null());
    customer
        .post(&path(&booked, "reinstate"), &json!({}))
        .await
        .unwrap();
    assert_eq!(salon.used(&summer).await, 3);
    house.agrees(&salon.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_as_many_use_it_as_may() {
    let house = House::open().await;
    let salon = Salon::open(&house).await;
    let voucher = salon
        .voucher(json!({ "code": "RUSH", "amount": 6_000, "max_uses": 3 }))
        .await;
    let mut crowd = Vec::new();
    for index in 0..8 {
        crowd.push(
            house
                .customer(&salon.tenant, &format!("racer-{index}@example.test"))
                .await,
        );
    }
    let wish = salon.wish(9, "rush");
    let answers = join_all(
        crowd
            .iter()
            .map(|client| client.post("/v1/bookings", &wish)),
    )
    .await;
    let mut winners = 0;
    for answer in answers {
        match answer {
            Ok(booking) => {
                // It takes no more than all of it.
                assert_eq!(less(&booking), (-5_000, 0));
                winners += 1;
            }
            Err(error) => {
                let refusal = refused(Err(error));
                assert_eq!(refusal, (422, "VOUCHER_USED_UP".to_owned()));
            }
        }
    }
    assert_eq!((winners, salon.used(&voucher).await), (3, 3));
    house.agrees(&salon.tenant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voucher_holds_for_what_it_is_for_and_for_nothing_else() {
    let house = House::open().await;
    let salon = Salon::open(&house).await;
    let customer = house.customer(&salon.tenant, "keen@example.test").await;
    let wrong = (422, "WRONG_VOUCHER".to_owned());
    for (code, particulars, refusal) in [
        (
            "OTHER",
            json!({ "product_ids": [salon.tenant.product_ids[0]] }),
            &wrong,
        ),
        (
            "OVER",
            json!({ "valid_until": "2020-01-01T00:00:00Z" }),
            &wrong,
        ),
        (
            "EARLY",
            json!({ "valid_from": "2100-01-01T00:00:00Z" }),
            &wrong,
        ),
        (
            "DEAR",
            json!({ "least_amount": 5_001 }),
            &(422, "VOUCHER_PRICE_TOO_LOW".to_owned()),
        ),
    ] {
        let mut voucher = particulars;
        voucher["code"] = json!(code);
        salon.voucher(voucher).await;
        let wish = salon.wish(9, code);
        for path in ["/v1/quotes", "/v1/bookings"] {
            assert_eq!(
                refused(customer.post(path, &wish).await),
                *refusal,
                "{code}"
            );
        }
    }
    let nobodys = salon.wish(9, "no such code!");
    assert_eq!(
        refused(customer.post("/v1/bookings", &nobodys).await),
        wrong
    );
    let off = salon.voucher(json!({ "code": "OFF" })).await;
    let at = format!("/v1/vouchers/{}", off["id"].as_str().unwrap());
    let edit = json!({ "version": 1, "active": false });
    salon.admin.patch(&at, &edit).await.unwrap();
    let stale = salon.admin.patch(&at, &edit).await;
    assert_eq!(refused(stale), (409, "VERSION_CONFLICT".to_owned()));
    let wish = salon.wish(9, "OFF");
    assert_eq!(refused(customer.post("/v1/bookings", &wish).await), wrong);

    // Where there is nothing to take off it is not used.
    let gratis = json!({
        "kind": "session", "name": "Open day", "duration_min": 60, "price": { "amount": 0, "currency": "EUR" },
    });
    let gratis = salon.admin.post("/v1/products", &gratis).await.unwrap();
    let path = format!("/v1/products/{}/sessions", gratis["id"].as_str().unwrap());
    let day = json!({ "starts_at": in_berlin(monday(2), 9, 0), "capacity": 5 });
    let day = salon.admin.post(&path, &day).await.unwrap();
    let idle = salon
        .voucher(json!({ "code": "IDLE", "max_uses": 1 }))
        .await;
    let wish = json!({ "product_id": gratis["id"], "session_id": day["id"], "voucher": "IDLE" });
    for _ in 0..2 {
        customer.post("/v1/bookings", &wish).await.unwrap();
    }
    assert_eq!(salon.used(&idle).await, 0);

    // Codes are the business's own to know, and another's are nothing here.
    assert_eq!(refused(customer.get("/v1/vouchers").await).0, 403);
    assert_eq!(refused(customer.get(&at).await).0, 403);
    let boss = Client::sign_in(house.gym(), &house.gym().admin)
        .await
        .unwrap();
    assert_eq!(refused(boss.get(&at).await).0, 404);
    let theirs = json!({ "code": "DEAR", "label": "Ours", "amount": 100 });
    boss.post("/v1/vouchers", &theirs).await.unwrap();
    let again = json!({ "code": "dear", "label": "Again", "amount": 1 });
    let twice = salon.admin.post("/v1/vouchers", &again);
    assert_eq!(refused(twice.await), (409, "CODE_TAKEN".to_owned()));
    for wrong in [
        json!({ "code": "x", "label": "A", "amount": 1 }),
        json!({ "code": "ABC", "label": "", "amount": 1 }),
        json!({ "code": "ABC", "label": "A", "amount": 0 }),
        json!({ "code": "ABC", "label": "A", "basis_points": 10_001 }),
        json!({ "code": "ABC", "label": "A", "basis_points": 1, "amount": 1 }),
        json!({ "code": "ABC", "label": "A", "amount": 1, "max_uses": 0 }),
        json!({ "code": "ABC", "label": "A", "amount": 1, "valid_from": "2027-01-02T00:00:00Z",
                "valid_until": "2027-01-01T00:00:00Z" }),
    ] {
        let refusal = refused(salon.admin.post("/v1/vouchers", &wrong).await);
        assert_eq!(refusal.0, 422, "{wrong}");
    }
    let listed = salon.admin.get("/v1/vouchers?limit=2").await.unwrap();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert!(listed["next_cursor"].is_string());
}
