//! What a booking costs: rules, forms and taxes, quoted and booked.

use berth_devkit::demo::Client;
use jiff::ToSpan as _;
use serde_json::{Value, json};

use crate::{
    backoffice::{in_berlin, monday, refused, resource},
    caller::{Caller, Credential},
    house::House,
};
use reqwest::Method;

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

/// Rooms at 80.00 with a price for weekends, a discount for long stays, a fee and two taxes.
async fn rooms(admin: &Client) -> String {
    let pool = json!({ "name": "Double", "quantity": 3 });
    let pool = admin.post("/v1/pools", &pool).await.unwrap();
    let product = json!({
        "kind": "stay", "name": "Double room", "max_quantity": 3, "pool_id": pool["id"], "payment_mode": "on_site",
        "stay": { "check_in": "15:00:00", "check_out": "11:00:00" }, "price": { "amount": 8000, "currency": "EUR" },
        "pricing": {
            "rules": [
                { "name": "Weekend", "weekdays": [5, 6], "price_amount": 10000 },
                { "name": "A week", "min_units": 7, "basis_points": -1000 },
                { "name": "Cleaning", "fee_amount": 3000 },
                { "name": "Early", "min_lead_hours": 8760, "basis_points": -500 },
            ],
            "taxes": [
                { "name": "VAT", "included_basis_points": 700 },
                { "name": "City tax", "per_unit_amount": 250 },
            ],
        },
    });
    id(&admin.post("/v1/products", &product).await.unwrap())
}

fn amounts(answer: &Value) -> Vec<(String, i64)> {
    let lines = answer["price_lines"].as_array().unwrap().iter();
    lines
        .map(|line| {
            let name = line["rule"].as_str().or(line["label"].as_str()).unwrap();
            (name.to_owned(), line["amount"]["amount"].as_i64().unwrap())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_quoted_is_what_is_booked() {
    let house = House::open().await;
    let tenant = house.clinic().clone();
    let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
    let rooms = rooms(&admin).await;
    let monday = monday(1);
    let mut wish = json!({
        "product_id": rooms, "arrival": monday, "departure": monday + 7.days(), "quantity": 2,
        "customer": { "name": "Guest", "email": "guest@example.test" },
    });
    // Anybody may ask.
    let caller = Caller::to(&house, &tenant);
    let (_, quote) = caller
        .call(&Method::POST, "/quotes", Some(&wish), &Credential::Nothing)
        .await;
    let expected = [
        ("Double room", 80_000),
        ("Weekend", 40_000),
        ("A week", -12_000),
        ("Cleaning", 3_000),
        ("VAT", 7_262),
        ("City tax", 3_500),
    ];
    let expected = expected.map(|(name, amount)| (name.to_owned(), amount));
    assert_eq!(amounts(&quote), expected);
    assert_eq!(quote["price"]["amount"], 114_500);
    let booked = admin.post("/v1/bookings", &wish).await.unwrap();
    assert_eq!(booked["price"], quote["price"]);
    assert_eq!(booked["price_lines"], quote["price_lines"]);

    // What it costs is said whether it is free or not, and what was agreed stays.
    admin.post("/v1/bookings", &wish).await.unwrap_err();
    let change = json!({ "version": 1, "price_amount": 9000, "pricing": {} });
    let path = format!("/v1/products/{rooms}");
    admin.patch(&path, &change).await.unwrap();
    let quote = admin.post("/v1/quotes", &wish).await.unwrap();
    assert_eq!(quote["price"]["amount"], 126_000);
    let kept = admin
        .get(&format!("/v1/bookings/{}", id(&booked)))
        .await
        .unwrap();
    assert_eq!(kept["price_lines"], booked["price_lines"]);

    wish["departure"] = json!(monday);
    let answer = refused(admin.post("/v1/quotes", &wish).await);
    assert_eq!(answer, (422, "END_BEFORE_START".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn nights_are_shown_with_what_they_cost() {
    let house = House::open().await;
    let tenant = house.clinic().clone();
    let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
    let rooms = rooms(&admin).await;
    let thursday = monday(1) + 3.days();
    let path = format!(
        "/v1/products/{rooms}/nights?from={thursday}&to={}",
        thursday + 3.days()
    );
    let nights = admin.get(&path).await.unwrap();
    let nights = nights["nights"].as_array().unwrap().iter();
    let prices: Vec<_> = nights
        .map(|night| night["price"]["amount"].clone())
        .collect();
    assert_eq!(prices, [8_000, 10_000, 10_000, 8_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn places_are_of_the_forms_a_product_has() {
    let house = House::open().await;
    let tenant = house.clinic().clone();
    let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
    let guide = resource(&admin, "staff", "Ada").await;
    let tour = json!({
        "kind": "appointment", "name": "Tour", "duration_min": 60, "max_quantity": 8, "payment_mode": "on_site",
        "resource_ids": [guide], "price": { "amount": 2000, "currency": "EUR" },
    });
    let tour = id(&admin.post("/v1/products", &tour).await.unwrap());
    let forms = format!("/v1/products/{tour}/variants");
    let child = json!({ "name": "Children", "price_amount": 500 });
    let child = id(&admin.post(&forms, &child).await.unwrap());
    let adult = json!({ "name": "Adults", "price_amount": 1800 });
    let adult = id(&admin.post(&forms, &adult).await.unwrap());
    let at = in_berlin(monday(1), 10, 0);
    let wish = |variants: Value| {
        json!({
            "product_id": tour, "starts_at": at, "variants": variants,
            "customer": { "name": "Guest", "email": "guest@example.test" },
        })
    };
    let of = |form: &str, quantity: i32| json!({ "variant_id": form, "quantity": quantity });
    for (variants, code) in [
        (json!([of(&tour, 1)]), "WRONG_VARIANT"),
        (json!([of(&child, 0)]), "QUANTITY_OUT_OF_RANGE"),
        (json!([of(&child, 2), of(&adult, -1)]), "QUANTITY_MISMATCH"),
        (json!([of(&child, 9)]), "QUANTITY_OUT_OF_RANGE"),
    ] {
        let answer = refused(admin.post("/v1/bookings", &wish(variants)).await);
        assert_eq!(answer, (422, code.to_owned()));
    }
    let family = wish(json!([of(&adult, 2), of(&child, 3)]));
    let booked = admin.post("/v1/bookings", &family).await.unwrap();
    assert_eq!(booked["quantity"], 5);
    assert_eq!(booked["price"]["amount"], 5_100);
    let expected = [("Adults", 3_600), ("Children", 1_500)];
    let expected = expected.map(|(name, amount)| (name.to_owned(), amount));
    assert_eq!(amounts(&booked), expected);

    // One that is no more offered cannot be booked; its price can be changed.
    let path = format!("{forms}/{child}");
    let edited = json!({ "active": false, "price_amount": 600 });
    let edited = admin.patch(&path, &edited).await.unwrap();
    assert_eq!(
        (&edited["active"], &edited["price"]["amount"]),
        (&json!(false), &json!(600))
    );
    let gone = refused(admin.post("/v1/quotes", &family).await);
    assert_eq!(gone, (422, "WRONG_VARIANT".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_never_hold_and_prices_nobody_can_pay_are_refused() {
    let house = House::open().await;
    let tenant = house.clinic().clone();
    let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
    let monday = monday(1);
    let product = |kind: &str, pricing: &Value| {
        json!({
            "kind": kind, "name": "Something", "duration_min": 60, "max_quantity": 5, "pricing": pricing,
            "price": { "amount": 100, "currency": "EUR" },
        })
    };
    let rule = |more: Value| {
        let mut rule = json!({ "name": "Rule", "amount": 100 });
        for (name, value) in more.as_object().unwrap() {
            rule[name] = value.clone();
        }
        json!({ "rules": [rule] })
    };
    let tax = |more: Value| json!({ "taxes": [more] });
    for (pricing, code) in [
        (
            rule(json!({ "from": monday, "to": monday - 1.day() })),
            "NEVER_HOLDS",
        ),
        (
            rule(json!({ "from": monday, "to": monday, "weekdays": [2] })),
            "NEVER_HOLDS",
        ),
        (
            rule(json!({ "starts": "10:00:00", "ends": "10:00:00" })),
            "NEVER_HOLDS",
        ),
        (rule(json!({ "min_quantity": 6 })), "NEVER_HOLDS"),
        (
            rule(json!({ "min_quantity": 3, "max_quantity": 2 })),
            "NEVER_HOLDS",
        ),
        (rule(json!({ "min_lead_hours": -1 })), "NEVER_HOLDS"),
        (rule(json!({ "weekdays": [0] })), "OUT_OF_RANGE"),
        (rule(json!({ "min_units": 2 })), "WRONG_KIND"),
        (rule(json!({ "starts": "10:00:00" })), "WRONG_SHAPE"),
        (rule(json!({ "fee_amount": 100 })), "WRONG_SHAPE"),
        (json!({ "rules": [{ "name": "Nothing" }] }), "WRONG_SHAPE"),
        (
            json!({ "rules": [{ "name": " ", "amount": 1 }] }),
            "INVALID_NAME",
        ),
        (
            json!({ "rules": [{ "name": "Less", "basis_points": -10_001 }] }),
            "OUT_OF_RANGE",
        ),
        (
            json!({ "rules": [{ "name": "Less", "price_amount": -1 }] }),
            "OUT_OF_RANGE",
        ),
        (
            json!({ "rules": vec![json!({ "name": "Rule", "amount": 100 }); 101] }),
            "TOO_MANY",
        ),
        (
            tax(json!({ "name": "VAT", "added_basis_points": 10_001 })),
            "OUT_OF_RANGE",
        ),
        (tax(json!({ "name": "VAT" })), "WRONG_SHAPE"),
        (
            tax(json!({ "name": "VAT", "per_unit_amount": -1 })),
            "OUT_OF_RANGE",
        ),
    ] {
        let answer = refused(
            admin
                .post("/v1/products", &product("session", &pricing))
                .await,
        );
        assert_eq!(answer, (422, code.to_owned()), "{pricing}");
    }
    // A change is held to the same.
    let made = admin
        .post("/v1/products", &product("session", &json!({})))
        .await
        .unwrap();
    let path = format!("/v1/products/{}", id(&made));
    let change = json!({ "version": 1, "pricing": rule(json!({ "weekdays": [8] })) });
    let answer = refused(admin.patch(&path, &change).await);
    assert_eq!(answer, (422, "OUT_OF_RANGE".to_owned()));
    let seats = json!({ "version": 1, "zone_prices": [] });
    let answer = refused(admin.patch(&path, &seats).await);
    assert_eq!(answer, (422, "WRONG_KIND".to_owned()));
}
