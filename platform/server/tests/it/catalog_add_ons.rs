//! What can be had with a product: chosen, priced, and kept as it was agreed.

use berth_devkit::demo::Client;
use jiff::{ToSpan as _, Zoned};
use serde_json::{Value, json};

use crate::{
    backoffice::{in_berlin, refused, resource},
    house::House,
};

struct Spa {
    admin: Client,
    customer: Client,
    massage: String,
    oil: Value,
    towel: Value,
}

impl Spa {
    /// Massages at 50.00 with oil as one likes, and towels, of which everybody has one or two.
    async fn open(house: &House) -> Self {
        let tenant = house.clinic().clone();
        let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
        let customer = Client::sign_in(&tenant, &tenant.customer).await.unwrap();
        let ada = resource(&admin, "staff", "Ada").await;
        let product = json!({
            "kind": "appointment", "name": "Massage", "duration_min": 60, "payment_mode": "on_site",
            "resource_ids": [ada], "price": { "amount": 5000, "currency": "EUR" },
            "pricing": { "taxes": [{ "name": "VAT", "included_basis_points": 1900 }] },
        });
        let product = admin.post("/v1/products", &product).await.unwrap();
        let massage = product["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/products/{massage}/add-ons");
        let oil = json!({ "name": "Oil", "price_amount": 700 });
        let oil = admin.post(&path, &oil).await.unwrap();
        let towel =
            json!({ "name": "Towel", "price_amount": 200, "max_quantity": 2, "required": true });
        let towel = admin.post(&path, &towel).await.unwrap();
        Self {
            admin,
            customer,
            massage,
            oil,
            towel,
        }
    }

    fn wish(&self, hour: i8, add_ons: &[(&Value, i32)]) -> Value {
        let day = Zoned::now().date() + 30.days();
        let chosen = add_ons.iter();
        let chosen =
            chosen.map(|(one, quantity)| json!({ "add_on_id": one["id"], "quantity": quantity }));
        json!({
            "product_id": self.massage, "starts_at": in_berlin(day, hour, 0), "add_ons": chosen.collect::<Vec<_>>(),
        })
    }
}

fn lines(answer: &Value) -> Vec<(String, String, i64)> {
    let lines = answer["price_lines"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let line = |line: &Value| {
        let amount = line["amount"]["amount"].as_i64().unwrap();
        (text(&line["kind"]), text(&line["label"]), amount)
    };
    lines.map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_chosen_is_quoted_and_booked_as_lines_of_its_own() {
    let house = House::open().await;
    let spa = Spa::open(&house).await;
    let wish = spa.wish(10, &[(&spa.oil, 1), (&spa.towel, 2)]);
    let quote = spa.customer.post("/v1/quotes", &wish).await.unwrap();
    let owned =
        |(kind, label, amount): (&str, &str, i64)| (kind.to_owned(), label.to_owned(), amount);
    let expected = [
        ("base", "Massage", 5_000),
        ("add_on", "Oil", 700),
        ("add_on", "Towel", 400),
        ("tax_included", "VAT", 974),
    ];
    let expected = expected.map(owned);
    assert_eq!(lines(&quote), expected);
    assert_eq!(quote["price"]["amount"], 6_100);
    let booking = spa.customer.post("/v1/bookings", &wish).await.unwrap();
    assert_eq!(
        (lines(&booking), &booking["price"]),
        (expected.to_vec(), &quote["price"])
    );
    assert_eq!(booking["price_lines"][2]["count"], 2);

    // What becomes of the offer is nothing to who has booked.
    let towel = format!(
        "/v1/products/{}/add-ons/{}",
        spa.massage,
        spa.towel["id"].as_str().unwrap()
    );
    let dearer = json!({ "version": 1, "price_amount": 900, "name": "Bath towel" });
    let dearer = spa.admin.patch(&towel, &dearer).await.unwrap();
    assert_eq!(
        (&dearer["name"], &dearer["version"]),
        (&json!("Bath towel"), &json!(2))
    );
    let path = format!("/v1/bookings/{}", booking["id"].as_str().unwrap());
    assert_eq!(lines(&spa.customer.get(&path).await.unwrap()), expected);
    let quote = spa.customer.post("/v1/quotes", &wish).await.unwrap();
    assert_eq!(quote["price"]["amount"], 7_500);
    // It is moved as it is, though nobody says anew what is had.
    let day = Zoned::now().date() + 30.days();
    let later = json!({ "version": booking["version"], "starts_at": in_berlin(day, 12, 0) });
    let moved = spa
        .customer
        .post(&format!("{path}/reschedule"), &later)
        .await
        .unwrap();
    assert_eq!(lines(&moved), expected);
    house.agrees(house.clinic()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_had_is_refused_by_name() {
    let house = House::open().await;
    let spa = Spa::open(&house).await;
    let stranger = json!({ "id": spa.massage });
    for (chosen, code) in [
        (&[(&spa.towel, 1), (&stranger, 1)][..], "WRONG_ADD_ON"),
        (&[(&spa.towel, 1), (&spa.towel, 1)], "WRONG_ADD_ON"),
        (&[(&spa.towel, 3)], "ADD_ON_QUANTITY_OUT_OF_RANGE"),
        (&[(&spa.towel, 0)], "ADD_ON_QUANTITY_OUT_OF_RANGE"),
        (
            &[(&spa.towel, 1), (&spa.oil, -1)],
            "ADD_ON_QUANTITY_OUT_OF_RANGE",
        ),
        (&[(&spa.oil, 1)], "ADD_ON_REQUIRED"),
        (&[], "ADD_ON_REQUIRED"),
    ] {
        let wish = spa.wish(10, chosen);
        for path in ["/v1/bookings", "/v1/quotes"] {
            let answer = spa.customer.post(path, &wish).await;
            assert_eq!(refused(answer), (422, code.to_owned()), "{path} {wish}");
        }
        let check = spa
            .customer
            .post("/v1/availability/check", &wish)
            .await
            .unwrap();
        assert_eq!(check["reason"], code, "{check}");
    }
    let count = "SELECT count(*) FROM booking";
    assert_eq!(house.count(house.clinic(), count).await, 0);
    let start = spa.wish(10, &[]);
    let path = format!(
        "/v1/products/{}/explain?starts_at={}&add_on_id={}",
        spa.massage,
        start["starts_at"].as_str().unwrap(),
        spa.towel["id"].as_str().unwrap()
    );
    let why = spa.customer.get(&path).await.unwrap();
    assert_eq!(why["available"], true, "{why}");

    // What is not to be had any more is wanted of nobody.
    let towel = format!(
        "/v1/products/{}/add-ons/{}",
        spa.massage,
        spa.towel["id"].as_str().unwrap()
    );
    let off = json!({ "version": 1, "active": false });
    spa.admin.patch(&towel, &off).await.unwrap();
    assert_eq!(
        refused(spa.admin.patch(&towel, &off).await),
        (409, "VERSION_CONFLICT".to_owned())
    );
    let gone = spa.wish(10, &[(&spa.towel, 1)]);
    let gone = spa.customer.post("/v1/quotes", &gone).await;
    assert_eq!(refused(gone), (422, "WRONG_ADD_ON".to_owned()));
    spa.customer
        .post("/v1/bookings", &spa.wish(10, &[]))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sets_up_what_can_be_had_and_how() {
    let house = House::open().await;
    let spa = Spa::open(&house).await;
    let path = format!("/v1/products/{}/add-ons", spa.massage);
    let all = spa.customer.get(&path).await.unwrap();
    assert_eq!(all["items"], json!([spa.oil, spa.towel]));
    let mine = json!({ "name": "Mine", "price_amount": 0 });
    assert_eq!(refused(spa.customer.post(&path, &mine).await).0, 403);
    for (odd, code) in [
        (json!({ "name": "", "price_amount": 0 }), "INVALID_NAME"),
        (json!({ "name": "Odd", "price_amount": -1 }), "OUT_OF_RANGE"),
        (
            json!({ "name": "Odd", "price_amount": 1, "max_quantity": 0 }),
            "OUT_OF_RANGE",
        ),
        (
            json!({ "name": "Odd", "price_amount": 1, "max_quantity": 1001 }),
            "OUT_OF_RANGE",
        ),
    ] {
        let odd = spa.admin.post(&path, &odd).await;
        assert_eq!(refused(odd), (422, code.to_owned()));
    }
    let elsewhere = format!(
        "/v1/products/{}/add-ons/{}",
        house.clinic().product_ids[0],
        spa.oil["id"].as_str().unwrap()
    );
    let change = json!({ "version": 1, "name": "Stolen" });
    assert_eq!(refused(spa.admin.patch(&elsewhere, &change).await).0, 404);
}
