//! What is wrong is told, with a code that stays the same, and nothing is written. Never is it the
//! server that breaks.

use reqwest::{Body, Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    caller::{Caller, Credential},
    document::{in_days, operations},
    house::House,
};

/// A refusal's status and code.
type Refusal = (u16, &'static str);

#[tokio::test(flavor = "multi_thread")]
async fn bodies_against_the_rules_are_refused_by_name_and_write_nothing() {
    let house = House::open().await;
    let (clinic, gym) = (house.clinic(), house.gym());
    let caller = Caller::to(&house, clinic);
    let admin = caller.token(&clinic.admin).await;
    let customer = caller.token(&clinic.customer).await;
    let (key, nobody) = (Credential::Key(clinic.api_key.clone()), Credential::Nothing);
    let (product, class) = (&clinic.product_ids[0], &gym.product_ids[0]);
    let nowhere = "00000000-0000-7000-8000-000000000000";
    let soon = in_days(7);
    let booking = |more: Value| merged(json!({ "product_id": product, "starts_at": soon }), more);
    let euros = json!({ "amount": 100, "currency": "EUR" });
    let offer = |more: Value| {
        let offer =
            json!({ "kind": "session", "name": "Talk", "duration_min": 60, "price": euros });
        merged(offer, more)
    };
    let price = |amount: Value, currency: &str| {
        offer(json!({ "price": { "amount": amount, "currency": currency } }))
    };
    let account = |more: Value| {
        let account =
            json!({ "email": "new@example.test", "password": "a-long-enough-one", "name": "N" });
        merged(account, more)
    };
    let path = format!(
        "/products/{product}/slots?from={}&to={}",
        &soon[..10],
        &in_days(9)[..10]
    );
    let (_, slots) = caller.call(&Method::GET, &path, None, &customer).await;
    let free = &slots["slots"][0]["starts_at"];
    let before = rows(&house).await;
    let cases: Vec<(&str, &Credential, Value, Refusal)> = vec![
        (
            "/bookings",
            &customer,
            booking(json!({ "product_id": nowhere })),
            (422, "UNKNOWN_PRODUCT"),
        ),
        (
            "/bookings",
            &customer,
            booking(json!({ "product_id": class })),
            (422, "UNKNOWN_PRODUCT"),
        ),
        (
            "/bookings",
            &customer,
            booking(json!({ "starts_at": "2020-01-06T09:00:00Z" })),
            (422, "IN_THE_PAST"),
        ),
        (
            "/bookings",
            &customer,
            booking(json!({ "starts_at": "9999-12-30T09:00:00Z" })),
            (400, "MALFORMED_REQUEST"),
        ),
        (
            "/bookings",
            &customer,
            booking(json!({ "starts_at": "2199-12-30T09:00:00Z" })),
            (422, "TOO_FAR_AHEAD"),
        ),
        (
            "/bookings",
            &customer,
            booking(json!({ "starts_at": "2026-13-45T09:00:00Z" })),
            (400, "MALFORMED_REQUEST"),
        ),
        (
            "/bookings",
            &customer,
            booking(json!({ "starts_at": null })),
            (422, "WRONG_SHAPE"),
        ),
        (
            "/bookings",
            &customer,
            booking(json!({ "quantity": 0 })),
            (422, "QUANTITY_OUT_OF_RANGE"),
        ),
        (
            "/bookings",
            &customer,
            booking(json!({ "quantity": -3 })),
            (422, "QUANTITY_OUT_OF_RANGE"),
        ),
        (
            "/bookings",
            &customer,
            booking(json!({ "quantity": i32::MAX })),
            (422, "QUANTITY_OUT_OF_RANGE"),
        ),
        (
            "/bookings",
            &customer,
            booking(json!({ "quantity": i64::MAX })),
            (400, "MALFORMED_REQUEST"),
        ),
        (
            "/bookings",
            &customer,
            booking(json!({ "price": 1 })),
            (400, "MALFORMED_REQUEST"),
        ),
        (
            "/bookings",
            &customer,
            booking(json!({ "notes": "x".repeat(2_001) })),
            (422, "TOO_LONG"),
        ),
        (
            "/bookings",
            &customer,
            booking(json!({ "starts_at": free, "notes": "a\u{0}b" })),
            (400, "CHARACTER_INVALID"),
        ),
        (
            "/bookings",
            &admin,
            booking(json!({})),
            (422, "NOT_SCHEDULED"),
        ),
        (
            "/bookings",
            &key,
            booking(json!({})),
            (422, "CUSTOMER_REQUIRED"),
        ),
        (
            "/bookings",
            &nobody,
            booking(json!({})),
            (401, "UNAUTHENTICATED"),
        ),
        ("/products", &customer, offer(json!({})), (403, "FORBIDDEN")),
        (
            "/products",
            &admin,
            price(json!(100), "USD"),
            (422, "CURRENCY_MISMATCH"),
        ),
        (
            "/products",
            &admin,
            price(json!(100), "EURO"),
            (400, "MALFORMED_REQUEST"),
        ),
        (
            "/products",
            &admin,
            price(json!(-1), "EUR"),
            (422, "OUT_OF_RANGE"),
        ),
        (
            "/products",
            &admin,
            price(json!(i64::MAX), "EUR"),
            (422, "OUT_OF_RANGE"),
        ),
        (
            "/products",
            &admin,
            price(json!(1.5), "EUR"),
            (400, "MALFORMED_REQUEST"),
        ),
        (
            "/products",
            &admin,
            offer(json!({ "duration_min": 0 })),
            (422, "OUT_OF_RANGE"),
        ),
        (
            "/products",
            &admin,
            offer(json!({ "timezone": "Mars/Olympus" })),
            (422, "UNKNOWN_TIMEZONE"),
        ),
        (
            "/users",
            &nobody,
            account(json!({ "email": "nobody" })),
            (422, "EMAIL_INVALID"),
        ),
        (
            "/users",
            &nobody,
            account(json!({ "password": "short" })),
            (422, "PASSWORD_LENGTH"),
        ),
        (
            "/users",
            &nobody,
            account(json!({ "email": clinic.customer.email })),
            (409, "EMAIL_TAKEN"),
        ),
        (
            "/payments",
            &customer,
            json!({ "booking_id": nowhere }),
            (404, "NOT_FOUND"),
        ),
    ];
    let mut wrong = Vec::new();
    for (path, credential, body, (status, code)) in cases {
        let (got, answer) = caller
            .call(&Method::POST, path, Some(&body), credential)
            .await;
        if got.as_u16() != status || answer["code"] != code {
            wrong.push(format!(
                "{path} {body}\n  wanted {status} {code}, got {got} {answer}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rows(&house).await, before, "something was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_none_are_refused_by_name() {
    let house = House::open().await;
    let clinic = house.clinic();
    let caller = Caller::to(&house, clinic);
    let customer = caller.token(&clinic.customer).await;
    let deep = "[".repeat(100_000);
    // One byte too many: of more the server would not read the rest, and a client that is still
    // sending may not hear the answer.
    let large = "x".repeat((1 << 20) + 1);
    let post = async |body: &str, headers: &[(&str, &str)]| {
        let body = Some(Body::from(body.to_owned()));
        caller
            .send(&Method::POST, "/bookings", body, headers, &customer)
            .await
    };
    let booking =
        json!({ "product_id": clinic.product_ids[0], "starts_at": in_days(7) }).to_string();
    let long = "k".repeat(300);
    let long = [("Idempotency-Key", long.as_str())];
    let mut answers = Vec::new();
    for (body, headers) in [
        ("{", &[][..]),
        ("", &[]),
        ("null", &[]),
        ("[]", &[]),
        ("\u{feff}{}", &[]),
        (&deep, &[]),
        (&large, &[]),
        (&booking, &long),
        (&booking, &[("Idempotency-Key", "")]),
    ] {
        let (status, answer) = post(body, headers).await;
        answers.push((
            status.as_u16(),
            answer["code"].as_str().unwrap_or("none").to_owned(),
        ));
    }
    let get = async |caller: &Caller, path: &str| {
        let (status, answer) = caller.call(&Method::GET, path, None, &customer).await;
        (
            status.as_u16(),
            answer["code"].as_str().unwrap_or("none").to_owned(),
        )
    };
    for path in [
        "/nothing",
        "/bookings/not-an-id",
        "/bookings/%00",
        "/bookings?limit=0",
        "/bookings?limit=101",
        "/bookings?cursor=%7B%7D",
        "/bookings?status=LOST",
        "/bookings?cursor=-1c000000000000.00000000000070008000000000000000",
        "/bookings?from=-005000-01-01T00:00:00Z",
    ] {
        answers.push(get(&caller, path).await);
    }
    let slots = |from: &str, to: &str| {
        let product = &clinic.product_ids[0];
        format!("/products/{product}/slots?from={from}&to={to}")
    };
    for (from, to) in [
        ("9999-12-30", "9999-12-31"),
        ("-005000-01-01", "-005000-01-02"),
    ] {
        answers.push(get(&caller, &slots(from, to)).await);
    }
    // The ends of what is taken are far from where anything breaks.
    for (from, to) in [("2199-12-30", "2199-12-31"), ("1900-01-01", "1900-01-02")] {
        assert_eq!(get(&caller, &slots(from, to)).await.0, 200);
    }
    answers.push(get(&Caller::named(&house, "nobody-here"), "/products").await);
    answers.push(
        get(
            &Caller::named(&house, "a'; DROP SCHEMA platform; --"),
            "/products",
        )
        .await,
    );
    let malformed = || (400, "MALFORMED_REQUEST".to_owned());
    let said = |status: u16, code: &str| (status, code.to_owned());
    let expected = vec![
        malformed(),
        malformed(),
        malformed(),
        malformed(),
        malformed(),
        malformed(),
        said(413, "BODY_TOO_LARGE"),
        said(400, "IDEMPOTENCY_KEY_INVALID"),
        said(400, "IDEMPOTENCY_KEY_INVALID"),
        said(404, "NOT_FOUND"),
        malformed(),
        malformed(),
        said(422, "OUT_OF_RANGE"),
        said(422, "OUT_OF_RANGE"),
        said(400, "CURSOR_INVALID"),
        malformed(),
        said(400, "CURSOR_INVALID"),
        malformed(),
        malformed(),
        malformed(),
        said(404, "TENANT_UNKNOWN"),
        said(404, "TENANT_UNKNOWN"),
    ];
    assert_eq!(answers, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_an_exception_is_refused_and_a_closed_day_is_not() {
    let house = House::open().await;
    let clinic = house.clinic();
    let caller = Caller::to(&house, clinic);
    let admin = caller.token(&clinic.admin).await;
    let (_, staff) = caller.call(&Method::GET, "/resources", None, &admin).await;
    let path = format!(
        "/resources/{}/schedule",
        staff["items"][0]["id"].as_str().unwrap()
    );
    let day = &in_days(7)[..10];
    for (exception, expected) in [
        (json!({ "day": day, "starts": "09:00:00" }), 422),
        (json!({ "day": day, "ends": "09:00:00" }), 422),
        (json!({ "day": day }), 200),
        (
            json!({ "day": day, "starts": "09:00:00", "ends": "10:00:00" }),
            200,
        ),
    ] {
        let body = json!({ "schedule": [], "exceptions": [exception] });
        let (status, answer) = caller.call(&Method::PUT, &path, Some(&body), &admin).await;
        assert_eq!(status.as_u16(), expected, "{body}: {answer}");
    }
}

/// Every field, however deep, and every parameter of every operation, given what no client should
/// send.
#[tokio::test(flavor = "multi_thread")]
async fn no_value_of_any_field_breaks_the_server() {
    let house = House::open().await;
    let gym = house.gym();
    let caller = Caller::to(&house, gym);
    let admin = caller.token(&gym.admin).await;
    let odd = [
        json!(null),
        json!(""),
        json!("\u{0}"),
        json!("a\u{0}b@example.test"),
        json!("\u{202e}\u{1f600}"),
        json!("x".repeat(100_000)),
        json!("0001-01-01T00:00:00Z"),
        json!("-262143-01-01T00:00:00Z"),
        json!("9999-12-31T23:59:59Z"),
        json!("-005000-01-01T00:00:00Z"),
        json!("2199-12-31T23:59:59Z"),
        json!("1900-01-01"),
        json!("'; DROP TABLE booking; --"),
        json!(-1),
        json!(0),
        json!(i32::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e308),
        json!(true),
        json!([]),
        json!([null]),
        json!({}),
        json!({ "amount": i64::MAX, "currency": "XXX" }),
    ];
    let mut broken = Vec::new();
    let mut tried = 0;
    for operation in operations(&house).await {
        // Signing the asker out would make the rest of the walk a walk of refusals.
        let ends = operation.path == "/sessions/current" || operation.path == "/users/me";
        if ends && operation.method == Method::DELETE {
            continue;
        }
        let path = operation.path.replace("{id}", &gym.product_ids[0]);
        let mut check = |what: String, (status, answer): (StatusCode, Value)| {
            tried += 1;
            if status.is_server_error() {
                broken.push(format!(
                    "{} {path} with {what}: {status} {answer}",
                    operation.method
                ));
            }
        };
        for field in &operation.fields {
            for value in &odd {
                let body = field.with(value.clone());
                let answer = caller
                    .call(&operation.method, &path, Some(&body), &admin)
                    .await;
                let what = format!("{} = {:.60}", field.pointer(), value.to_string());
                check(what, answer);
            }
        }
        for parameter in &operation.parameters {
            let (bare, query) = path.split_once('?').unwrap_or((&path, ""));
            let others: Vec<&str> = query
                .split('&')
                .filter(|pair| !pair.is_empty() && !pair.starts_with(&format!("{parameter}=")))
                .collect();
            for value in [
                "",
                "%00",
                "-1",
                "99999999999999999999",
                "9999-12-31",
                "-005000-01-01",
                "2199-12-31",
                "1900-01-01T00:00:00Z",
                "%F0%9F%98%80",
                "%FF",
            ] {
                let odd = format!("{parameter}={value}");
                let all = [others.clone(), vec![odd.as_str()]].concat().join("&");
                let answer = caller
                    .call(
                        &operation.method,
                        &format!("{bare}?{all}"),
                        operation.body.as_ref(),
                        &admin,
                    )
                    .await;
                check(odd, answer);
            }
        }
    }
    assert!(tried > 1_000, "{tried} requests");
    assert!(
        broken.is_empty(),
        "{} of {tried}:\n{}",
        broken.len(),
        broken.join("\n")
    );
}

fn merged(mut value: Value, more: Value) -> Value {
    for (name, field) in more.as_object().unwrap() {
        value[name] = field.clone();
    }
    value
}

/// How much is in the tables that could be written to.
async fn rows(house: &House) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in [
        "booking",
        "claim",
        "payment",
        "product",
        "account",
        "idempotency",
    ] {
        let query = format!("SELECT count(*) FROM {table}");
        counts.push(house.count(house.clinic(), &query).await);
    }
    counts
}
