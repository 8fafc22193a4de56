//! No tenant reaches another: every operation of the API's own document, and every page of the
//! portal, is tried with the other tenant's tokens, keys, cookies and ids. An operation added later
//! is tried too, or fails here for want of an id to try.

use std::collections::BTreeMap;

use berth_devkit::{
    Tenant,
    demo::{self, Client},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    caller::{Caller, Credential},
    document::{in_days, operations},
    house::House,
};

/// Ids of what `tenant` has, by the collection they are found in.
async fn ids(tenant: &Tenant) -> BTreeMap<&'static str, String> {
    let admin = Client::sign_in(tenant, &tenant.admin).await.unwrap();
    let mut ids = BTreeMap::new();
    for collection in [
        "bookings",
        "payments",
        "receipts",
        "products",
        "resources",
        "sessions",
        "domains",
    ] {
        let query = match (collection, ids.get("bookings")) {
            ("receipts", Some(booking)) => format!("?booking_id={booking}"),
            _ => String::new(),
        };
        let list = admin
            .get(&format!("/v1/{collection}{query}"))
            .await
            .unwrap();
        if let Some(id) = list["items"][0]["id"].as_str() {
            ids.insert(collection, id.to_owned());
        }
    }
    if let Some(resource) = ids.get("resources").cloned() {
        let path = format!("/v1/resources/{resource}/blocks");
        let block = json!({ "starts_at": in_days(300), "ends_at": in_days(301) });
        // There is one already when it is asked for a second time.
        let made = admin.post(&path, &block).await;
        let made = made.map(|block| block["id"].as_str().unwrap().to_owned());
        ids.insert("blocks", made.unwrap_or_default());
        let path = format!("/v1/resources/{resource}/external-calendars");
        let calendar = json!({ "name": "Private", "url": "https://calendar.example/a.ics" });
        let calendar = admin.post(&path, &calendar).await.unwrap();
        let calendar = calendar["id"].as_str().unwrap().to_owned();
        ids.insert("external-calendars", calendar);
        let path = format!("/v1/resources/{resource}/calendar-feed");
        let feed = admin.put(&path, &json!({})).await.unwrap();
        let (_, token) = feed["url"].as_str().unwrap().rsplit_once('/').unwrap();
        ids.insert("calendars", token.to_owned());
    }
    // Whose owner sees one, `images.rs` looks at.
    ids.insert("images", uuid::Uuid::now_v7().to_string());
    let category = json!({ "name": "Rooms" });
    let category = admin.post("/v1/categories", &category).await.unwrap();
    ids.insert("categories", category["id"].as_str().unwrap().to_owned());
    let holidays = admin.get("/v1/holidays").await.unwrap();
    let holiday = match holidays["items"].get(0) {
        Some(holiday) => holiday.clone(),
        None => {
            let holiday = json!({ "day": &in_days(250)[..10], "name": "Inventory" });
            admin.post("/v1/holidays", &holiday).await.unwrap()
        }
    };
    ids.insert("holidays", holiday["id"].as_str().unwrap().to_owned());
    let code = uuid::Uuid::new_v4().simple().to_string();
    let voucher = json!({ "code": code, "label": "A gift", "amount": 100 });
    let voucher = admin.post("/v1/vouchers", &voucher).await.unwrap();
    ids.insert("vouchers", voucher["id"].as_str().unwrap().to_owned());
    let location = json!({ "name": "Branch" });
    let location = admin.post("/v1/locations", &location).await.unwrap();
    ids.insert("locations", location["id"].as_str().unwrap().to_owned());
    let pool = json!({ "name": "Rooms", "quantity": 2 });
    let pool = admin.post("/v1/pools", &pool).await.unwrap();
    ids.insert("pools", pool["id"].as_str().unwrap().to_owned());
    let mut tables = Vec::new();
    for name in ["1", "2"] {
        let table = json!({ "kind": "table", "name": name, "party": { "min": 1, "max": 2 } });
        let table = admin.post("/v1/resources", &table).await.unwrap();
        tables.push(table["id"].clone());
    }
    ids.insert("tables", tables[0].as_str().unwrap().to_owned());
    let both = json!({ "resource_ids": tables, "party": { "min": 3, "max": 4 } });
    let both = admin.post("/v1/combinations", &both).await.unwrap();
    ids.insert("combinations", both["id"].as_str().unwrap().to_owned());
    let hall = json!({ "name": "Hall", "sections": [
        { "name": "Stalls", "rows": [{ "name": "A", "zone": "stalls", "numbers": ["1", "2"] }] },
    ] });
    let hall = admin.post("/v1/seat-maps", &hall).await.unwrap();
    ids.insert("seat-maps", hall["id"].as_str().unwrap().to_owned());
    let products = admin.get("/v1/products").await.unwrap();
    let currency = &products["items"][0]["price"]["currency"];
    for (kind, collection, below) in [
        ("session", "sessions of products", "sessions"),
        ("course", "session-groups", "session-groups"),
    ] {
        let price = json!({ "amount": 0, "currency": currency });
        let product = json!({ "kind": kind, "name": "Walk", "duration_min": 60, "price": price, "payment_mode": "on_site" });
        let product = admin.post("/v1/products", &product).await.unwrap();
        let path = format!("/v1/products/{}/{below}", product["id"].as_str().unwrap());
        let dated = match kind {
            "session" => json!({ "starts_at": in_days(200), "capacity": 3 }),
            _ => json!({ "name": "Evenings", "starts": [in_days(200)], "capacity": 3 }),
        };
        let made = admin.post(&path, &dated).await.unwrap();
        ids.insert(collection, made["id"].as_str().unwrap().to_owned());
        if kind == "session" {
            let full = json!({ "starts_at": in_days(201), "capacity": 1 });
            let full = admin.post(&path, &full).await.unwrap();
            ids.insert("waitlist", waiting(&admin, &product, &full).await);
        }
        let path = format!("/v1/products/{}/variants", product["id"].as_str().unwrap());
        let form = json!({ "name": "Children", "price_amount": 0 });
        let form = admin.post(&path, &form).await.unwrap();
        ids.insert("variants", form["id"].as_str().unwrap().to_owned());
        let path = format!("/v1/products/{}/add-ons", product["id"].as_str().unwrap());
        let towel = json!({ "name": "Towel", "price_amount": 0 });
        let towel = admin.post(&path, &towel).await.unwrap();
        ids.insert("add-ons", towel["id"].as_str().unwrap().to_owned());
    }
    ids
}

/// Books the only place of a session, and has somebody wait for it; the id of that.
async fn waiting(admin: &Client, product: &Value, session: &Value) -> String {
    let mut wish = json!({ "product_id": product["id"], "session_id": session["id"] });
    wish["customer"] = json!({ "name": "Guest", "email": "guest@example.test" });
    admin.post("/v1/bookings", &wish).await.unwrap();
    let entry = admin.post("/v1/waitlist", &wish).await.unwrap();
    entry["id"].as_str().unwrap().to_owned()
}

/// `path` with its ids filled in; `None` where it has none.
fn with_ids(path: &str, ids: &BTreeMap<&'static str, String>) -> Option<String> {
    let mut filled = path.to_owned();
    while let Some((before, rest)) = filled.split_once('{') {
        let (name, after) = rest.split_once('}').unwrap();
        if name == "file" {
            filled = format!("{before}320.jpg{after}");
            continue;
        }
        let collection = before.trim_end_matches('/').rsplit('/').next().unwrap();
        let collection = match collection {
            "sessions" if before.contains("/products/") => "sessions of products",
            other => other,
        };
        let id = ids
            .get(collection)
            .unwrap_or_else(|| panic!("{path}: nothing known in {collection}"));
        filled = format!("{before}{id}{after}");
    }
    (filled != path).then_some(filled)
}

async fn a_booking_each(house: &House) {
    for tenant in &house.endpoints.tenants {
        demo::play(&house.endpoints, tenant, |_| {}).await.unwrap();
        let admin = Client::sign_in(tenant, &tenant.admin).await.unwrap();
        let host = json!({ "host": format!("{}.example.com", tenant.slug) });
        admin.post("/v1/domains", &host).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_keys_of_another_tenant_are_worth_nothing() {
    let house = House::open().await;
    a_booking_each(&house).await;
    let (clinic, gym) = (house.clinic(), house.gym());
    let here = Caller::to(&house, clinic);
    let there = Caller::to(&house, gym);
    let own = ids(clinic).await;
    let foreign = [
        there.token(&gym.admin).await,
        there.token(&gym.customer).await,
        Credential::Key(gym.api_key.clone()),
    ];
    for operation in operations(&house).await {
        let path = &operation.path;
        let path = with_ids(path, &own).unwrap_or_else(|| path.clone());
        for credential in &foreign {
            let (status, answer) = here
                .call(
                    &operation.method,
                    &path,
                    operation.body.as_ref(),
                    credential,
                )
                .await;
            // Signing in and the like reads no credential: what is in the body decides.
            let public = matches!(path.as_str(), "/users" | "/sessions" | "/sessions/refresh")
                && operation.method == Method::POST;
            let turned_away =
                status == StatusCode::UNAUTHORIZED || public && status.is_client_error();
            assert!(
                turned_away,
                "{} {path} with {credential:?}: {status} {answer}",
                operation.method
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_another_tenant_do_not_exist() {
    let house = House::open().await;
    a_booking_each(&house).await;
    // The clinic is the one that has something of every kind.
    let (asker, owner) = (house.gym(), house.clinic());
    let foreign = ids(owner).await;
    let here = Caller::to(&house, asker);
    let there = Caller::to(&house, owner);
    let admin = here.token(&asker.admin).await;
    let key = Credential::Key(asker.api_key.clone());
    let customer = here.token(&asker.customer).await;
    let owner = there.token(&owner.admin).await;
    let (mut tried, mut wrong) = (0, Vec::new());
    for operation in operations(&house).await {
        let Some(path) = with_ids(&operation.path, &foreign) else {
            continue;
        };
        let called = format!("{} {path}", operation.method);
        let (status, answer) = here
            .call(&operation.method, &path, operation.body.as_ref(), &admin)
            .await;
        if status != StatusCode::NOT_FOUND {
            wrong.push(format!("{called}: {status} {answer}"));
        }
        for lesser in [&key, &customer] {
            let (status, answer) = here
                .call(&operation.method, &path, operation.body.as_ref(), lesser)
                .await;
            // Who may not do it at all hears that first.
            let refused = matches!(status, StatusCode::NOT_FOUND | StatusCode::FORBIDDEN);
            if !refused {
                wrong.push(format!("{called} by {lesser:?}: {status} {answer}"));
            }
        }
        if operation.method == Method::GET {
            let (status, answer) = there
                .call(&operation.method, &path, operation.body.as_ref(), &owner)
                .await;
            // Something it has not, such as nights, is refused by another name.
            let code = answer["code"].as_str().unwrap_or_default();
            let there_is = status == StatusCode::OK
                || path.starts_with("/images/")
                || matches!(code, "INVALID_PARAMETER" | "WRONG_KIND" | "WRONG_SHAPE");
            if !there_is {
                wrong.push(format!("{called} by its owner: {status} {answer}"));
            }
        }
        tried += 1;
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(tried > 20, "{tried} operations take an id");
}

/// Ids that are not in the path but in what is sent or asked for.
#[tokio::test(flavor = "multi_thread")]
async fn ids_of_another_tenant_in_bodies_and_filters_find_nothing() {
    let house = House::open().await;
    a_booking_each(&house).await;
    let (clinic, gym) = (house.clinic(), house.gym());
    let (own, foreign) = (ids(clinic).await, ids(gym).await);
    let here = Caller::to(&house, clinic);
    let admin = here.token(&clinic.admin).await;
    let session = demo_session(gym).await;
    let before = rows(&house, clinic).await;
    let start = in_days(7);
    let bodies = [
        (
            "/bookings",
            json!({ "product_id": foreign["products"], "starts_at": start }),
        ),
        (
            "/bookings",
            json!({ "product_id": own["products"], "session_id": session }),
        ),
        (
            "/bookings",
            json!({ "product_id": own["products"], "starts_at": start, "resource_id": foreign["products"] }),
        ),
        (
            "/bookings",
            json!({
                "product_id": own["products"], "starts_at": start,
                "add_ons": [{ "add_on_id": foreign["add-ons"], "quantity": 1 }],
            }),
        ),
        (
            "/availability/check",
            json!({ "product_id": foreign["products"], "starts_at": start }),
        ),
        (
            "/bookings",
            json!({ "product_id": own["products"], "session_group_id": foreign["session-groups"] }),
        ),
        (
            "/products",
            json!({
                "kind": "stay", "name": "Borrowed", "pool_id": foreign["pools"],
                "stay": { "check_in": "15:00:00", "check_out": "11:00:00" },
                "price": { "amount": 100, "currency": "EUR" },
            }),
        ),
        (
            "/products",
            json!({
                "kind": "rental", "name": "Borrowed", "pool_id": foreign["pools"], "duration_min": 60,
                "rental": { "max_units": 3 }, "price": { "amount": 100, "currency": "EUR" },
            }),
        ),
        (
            "/products",
            json!({
                "kind": "session", "name": "Borrowed", "duration_min": 60,
                "seating": { "seat_map_id": foreign["seat-maps"] }, "price": { "amount": 100, "currency": "EUR" },
            }),
        ),
        (
            "/quotes",
            json!({ "product_id": foreign["products"], "starts_at": in_days(2) }),
        ),
        (
            "/resources",
            json!({ "kind": "room", "name": "Borrowed", "pool_id": foreign["pools"] }),
        ),
        (
            "/resources",
            json!({ "kind": "room", "name": "Borrowed", "location_id": foreign["locations"] }),
        ),
        (
            "/categories",
            json!({ "name": "Borrowed", "parent_id": foreign["categories"] }),
        ),
        (
            "/combinations",
            json!({
                "resource_ids": [own["tables"], foreign["tables"]], "party": { "min": 1, "max": 4 },
            }),
        ),
        ("/payments", json!({ "booking_id": foreign["bookings"] })),
        (
            "/categories",
            json!({ "name": "Below", "parent_id": foreign["products"] }),
        ),
        (
            "/products",
            json!({
                "kind": "appointment", "name": "Borrowed", "duration_min": 30,
                "resource_ids": [foreign["products"]], "price": { "amount": 100, "currency": "EUR" },
            }),
        ),
    ];
    for (path, body) in bodies {
        let (status, answer) = here.call(&Method::POST, path, Some(&body), &admin).await;
        assert!(status.is_client_error(), "{path} {body}: {status} {answer}");
        let named = answer["code"].as_str().unwrap_or_default();
        assert!(
            named != "TOKEN_INVALID" && named != "FORBIDDEN",
            "{path} {body}: {answer}"
        );
    }
    for filter in [
        format!("/bookings?product_id={}", foreign["products"]),
        format!("/payments?booking_id={}", foreign["bookings"]),
        format!("/receipts?booking_id={}", foreign["bookings"]),
    ] {
        let (status, answer) = here.call(&Method::GET, &filter, None, &admin).await;
        assert_eq!(
            (status, &answer["items"]),
            (StatusCode::OK, &json!([])),
            "{filter}: {answer}"
        );
    }
    assert_eq!(rows(&house, clinic).await, before, "something was written");
}

async fn demo_session(gym: &Tenant) -> Value {
    crate::shop::first_session(gym).await["session_id"].clone()
}

/// How much is in the tables that the bodies above could write to.
async fn rows(house: &House, tenant: &Tenant) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in [
        "booking",
        "claim",
        "session_claim",
        "payment",
        "product",
        "category",
        "idempotency",
    ] {
        let query = format!("SELECT count(*) FROM {table}");
        counts.push(house.count(tenant, &query).await);
    }
    counts
}

/// The portal, with the cookie of one business's administrator.
#[tokio::test(flavor = "multi_thread")]
async fn portal_pages_of_another_tenant_are_out_of_reach() {
    let house = House::open().await;
    a_booking_each(&house).await;
    let (clinic, gym) = (house.clinic(), house.gym());
    let cookie = portal_cookie(&house, clinic).await;
    let (own, foreign) = (ids(clinic).await, ids(gym).await);
    let browser = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let open = async |tenant: &Tenant, method: Method, path: &str| {
        let url = format!("{}{path}", house.endpoints.api);
        let mut request = browser
            .request(method.clone(), url)
            .header("Host", &tenant.host)
            .header("Cookie", &cookie);
        if method == Method::POST {
            request = request.form(&[("csrf", "guessed")]);
        }
        request.send().await.unwrap()
    };
    let pages = |ids: &BTreeMap<&'static str, String>| {
        let (booking, payment) = (&ids["bookings"], &ids["payments"]);
        vec![
            (Method::GET, format!("/portal/bookings/{booking}")),
            (Method::GET, format!("/portal/bookings/{booking}/cancel")),
            (Method::GET, format!("/portal/payments/{payment}")),
            (Method::POST, format!("/portal/bookings/{booking}/cancel")),
            (Method::POST, format!("/portal/bookings/{booking}/complete")),
            (Method::POST, format!("/portal/bookings/{booking}/check-in")),
            (
                Method::POST,
                format!("/portal/bookings/{booking}/reinstate"),
            ),
            (Method::POST, format!("/portal/payments/{payment}/refund")),
            (Method::GET, "/portal".to_owned()),
            (Method::GET, "/portal/bookings".to_owned()),
            (Method::GET, "/portal/payments".to_owned()),
            (Method::GET, "/portal/payouts".to_owned()),
            (Method::POST, "/portal/payouts/connect".to_owned()),
            (Method::POST, "/portal/payouts/check".to_owned()),
            (Method::GET, "/portal/payouts/return".to_owned()),
            (Method::GET, "/portal/payouts/refresh".to_owned()),
        ]
    };
    // At the other's address the cookie stands for nobody.
    for (method, path) in pages(&foreign) {
        let answer = open(gym, method.clone(), &path).await;
        let location = answer
            .headers()
            .get("location")
            .map(|to| to.to_str().unwrap().to_owned());
        let sign_in = location
            .as_deref()
            .is_some_and(|to| to.contains("/portal/sign-in"));
        assert!(
            sign_in || answer.status() == StatusCode::UNAUTHORIZED,
            "{method} {path}: {} {location:?}",
            answer.status()
        );
    }
    // At home the other's ids are unknown; a form whose token was guessed is refused before that.
    for (method, path) in pages(&foreign).into_iter().take(6) {
        let answer = open(clinic, method.clone(), &path).await;
        let expected = if method == Method::GET {
            StatusCode::NOT_FOUND
        } else {
            StatusCode::FORBIDDEN
        };
        assert_eq!(answer.status(), expected, "{method} {path}");
    }
    for (method, path) in pages(&own)
        .into_iter()
        .filter(|(method, _)| *method == Method::GET)
        .take(3)
    {
        let answer = open(clinic, method.clone(), &path).await;
        assert_eq!(
            answer.status(),
            StatusCode::OK,
            "{method} {path}, one's own"
        );
    }
}

/// Signs in to the portal by its form; the cookies.
async fn portal_cookie(house: &House, tenant: &Tenant) -> String {
    let browser = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let url = format!("{}/portal/sign-in", house.endpoints.api);
    let form = browser
        .get(&url)
        .header("Host", &tenant.host)
        .send()
        .await
        .unwrap();
    let first = cookies(&form);
    let page = form.text().await.unwrap();
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
    let (csrf, _) = rest.split_once('"').unwrap();
    let who = [
        ("csrf", csrf),
        ("email", &tenant.admin.email),
        ("password", &tenant.admin.password),
    ];
    let request = browser
        .post(&url)
        .header("Host", &tenant.host)
        .header("Cookie", first);
    let answer = request.form(&who).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    cookies(&answer)
}

fn cookies(answer: &reqwest::Response) -> String {
    let set = answer.headers().get_all("set-cookie").iter();
    let pairs = set.map(|line| line.to_str().unwrap().split(';').next().unwrap().to_owned());
    pairs
        .filter(|pair| !pair.ends_with('='))
        .collect::<Vec<_>>()
        .join("; ")
}
