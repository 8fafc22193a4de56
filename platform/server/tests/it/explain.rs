//! Why a time cannot be booked, as anybody may ask.

use berth_devkit::demo::Client;
use jiff::{ToSpan as _, Zoned};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    backoffice::{in_berlin, resource},
    caller::{Caller, Credential},
    house::House,
};

#[tokio::test(flavor = "multi_thread")]
async fn anybody_is_told_what_is_in_the_way() {
    let house = House::open().await;
    let tenant = house.clinic().clone();
    let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
    let ada = resource(&admin, "staff", "Ada").await;
    let bob = resource(&admin, "staff", "Bob").await;
    let product = json!({
        "kind": "appointment", "name": "Massage", "duration_min": 60, "payment_mode": "on_site",
        "resource_ids": [ada, bob], "price": { "amount": 5000, "currency": "EUR" },
    });
    let product = admin.post("/v1/products", &product).await.unwrap();
    let product = product["id"].as_str().unwrap();
    let day = Zoned::now().date() + 30.days();
    let (ten, eleven, night) = (
        in_berlin(day, 10, 0),
        in_berlin(day, 11, 0),
        in_berlin(day, 22, 0),
    );

    let caller = Caller::to(&house, &tenant);
    let explain = async |asked: &str| -> Value {
        let path = format!("/products/{product}/explain?{asked}");
        let (status, answer) = caller
            .call(&Method::GET, &path, None, &Credential::Nothing)
            .await;
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let free = explain(&format!("starts_at={ten}")).await;
    assert_eq!(free, json!({ "available": true, "reasons": [] }));

    let wish = json!({
        "product_id": product, "starts_at": ten, "resource_id": ada,
        "customer": { "name": "Guest", "email": "guest@example.test" },
    });
    admin.post("/v1/bookings", &wish).await.unwrap();
    let free = explain(&format!("starts_at={ten}")).await;
    assert_eq!(free["available"], true, "Bob is free");
    let taken = explain(&format!("starts_at={ten}&resource_id={ada}")).await;
    let taken = &taken["reasons"][0];
    assert_eq!(taken["code"], "TAKEN");
    assert_eq!(
        (&taken["resource_id"], &taken["from"], &taken["to"]),
        (&json!(ada), &json!(ten), &json!(eleven))
    );

    let several = explain(&format!("starts_at={night}&quantity=3")).await;
    let reasons = several["reasons"].as_array().unwrap().iter();
    let codes: Vec<&str> = reasons.map(|one| one["code"].as_str().unwrap()).collect();
    assert_eq!(
        codes,
        [
            "QUANTITY_OUT_OF_RANGE",
            "NOT_SCHEDULED",
            "NOT_SCHEDULED",
            "NOT_SCHEDULED"
        ]
    );
    let stranger = explain(&format!("starts_at={ten}&variant_id={product}")).await;
    assert_eq!(stranger["reasons"][0]["code"], "WRONG_VARIANT");
    let seat = explain(&format!("starts_at={ten}&seat_id=4")).await;
    assert_eq!(seat["reasons"][0]["code"], "WRONG_SEAT");

    // What is checked is what is explained.
    let check = json!({ "product_id": product, "starts_at": night });
    let (_, check) = caller
        .call(
            &Method::POST,
            "/availability/check",
            Some(&check),
            &Credential::Nothing,
        )
        .await;
    assert_eq!(check["reason"], "NOT_SCHEDULED");

    let unknown = format!("/products/{ada}/explain?starts_at={ten}");
    let (status, _) = caller
        .call(&Method::GET, &unknown, None, &Credential::Nothing)
        .await;
    assert_eq!(status, 404);
    let shapeless = format!("/products/{product}/explain");
    let (status, answer) = caller
        .call(&Method::GET, &shapeless, None, &Credential::Nothing)
        .await;
    assert_eq!(
        (status.as_u16(), &answer["code"]),
        (422, &json!("WRONG_SHAPE")),
        "{answer}"
    );
}
