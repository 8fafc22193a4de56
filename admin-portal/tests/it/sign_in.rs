use berth_access::Role;
use jiff::SignedDuration;
use poem::http::StatusCode;

use crate::{House, PASSWORD};

const PAGES: [&str; 10] = [
    "/portal",
    "/portal/bookings",
    "/portal/bookings/01990000-0000-7000-8000-000000000001",
    "/portal/bookings/01990000-0000-7000-8000-000000000001/cancel",
    "/portal/payments",
    "/portal/payments/01990000-0000-7000-8000-000000000001",
    "/portal/payouts",
    "/portal/payouts/return",
    "/portal/payouts/refresh",
    "/portal/business",
];

const FORMS: [&str; 8] = [
    "/portal/sign-out",
    "/portal/bookings/01990000-0000-7000-8000-000000000001/confirm",
    "/portal/bookings/01990000-0000-7000-8000-000000000001/cancel",
    "/portal/bookings/01990000-0000-7000-8000-000000000001/no-show",
    "/portal/payments/01990000-0000-7000-8000-000000000001/refund",
    "/portal/payouts/connect",
    "/portal/payouts/check",
    "/portal/business",
];

#[tokio::test]
async fn nobody_sees_a_page_without_signing_in_and_comes_back_to_it_afterwards() {
    let house = House::open().await;
    let browser = house.browser("alpha-clinic.localhost:8080");
    for path in PAGES {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}");
        assert!(
            page.location().starts_with("/portal/sign-in"),
            "{path}: {}",
            page.location()
        );
    }
    for path in FORMS {
        let page = browser.post(path, &[("csrf", "")]).await;
        assert_eq!(
            (page.status, page.location()),
            (StatusCode::SEE_OTHER, "/portal/sign-in"),
            "{path}"
        );
    }
    house
        .hire(&house.alpha(), "boss@example.org", Role::Admin)
        .await;
    let asked = browser
        .get("/portal/bookings?status=PENDING")
        .await
        .location()
        .to_owned();
    let next = browser.get(&asked).await.hidden("next");
    let form = [
        ("email", "boss@example.org"),
        ("password", PASSWORD),
        ("next", next.as_str()),
    ];
    let entered = browser.sign_in(&form).await;
    assert_eq!(entered.location(), "/portal/bookings?status=PENDING");
    assert_eq!(browser.get(entered.location()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn whatever_is_wrong_the_answer_is_the_same() {
    let house = House::open().await;
    house
        .hire(&house.alpha(), "boss@example.org", Role::Admin)
        .await;
    let mut bodies = Vec::new();
    for (business, email, password) in [
        ("alpha-clinic", "boss@example.org", "wrong horse battery"),
        ("alpha-clinic", "nobody@example.org", PASSWORD),
        ("beta-theatre", "boss@example.org", PASSWORD),
        ("no-such-business", "boss@example.org", PASSWORD),
        ("%&/\"", "boss@example.org", PASSWORD),
    ] {
        let browser = house.browser("localhost:8080");
        let form = [
            ("business", business),
            ("email", email),
            ("password", password),
        ];
        let page = browser.sign_in(&form).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{business} {email}");
        assert!(!browser.cookie().contains("berth_session"));
        let (_, alert) = page.body.split_once("role=\"alert\"").unwrap();
        bodies.push(alert.split_once("</p>").unwrap().0.to_owned());
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

#[tokio::test]
async fn the_platforms_host_serves_every_business_and_each_session_its_own() {
    let house = House::open().await;
    house
        .hire(&house.alpha(), "boss@example.org", Role::Admin)
        .await;
    house
        .hire(&house.platform.beta(), "boss@example.org", Role::Admin)
        .await;
    for (business, name) in [
        ("alpha-clinic", house.alpha()),
        ("Beta-Theatre ", house.platform.beta()),
    ] {
        let browser = house.browser("localhost:8080");
        let form = [
            ("business", business),
            ("email", "boss@example.org"),
            ("password", PASSWORD),
        ];
        assert_eq!(browser.sign_in(&form).await.location(), "/portal");
        let page = browser.get("/portal").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains(&name.name));
    }
}

#[tokio::test]
async fn another_businesss_session_counts_as_none() {
    let house = House::open().await;
    let browser = house.admin().await;
    assert_eq!(browser.get("/portal").await.status, StatusCode::OK);
    let cookie = browser.cookie();
    let elsewhere = house
        .client
        .get("/portal")
        .header("host", "beta-theatre.localhost")
        .header("cookie", &cookie);
    let response = elsewhere.send().await;
    response.assert_status(StatusCode::SEE_OTHER);
    response.assert_header("location", "/portal/sign-in");
    let (_, token) = cookie.split_once("berth_session=").unwrap();
    let (_, secret) = token.split_once('.').unwrap();
    let renamed = format!("berth_session={}.{secret}", house.platform.beta().id);
    for host in [
        "beta-theatre.localhost",
        "alpha-clinic.localhost",
        "localhost",
    ] {
        let request = house
            .client
            .get("/portal")
            .header("host", host)
            .header("cookie", &renamed);
        request.send().await.assert_status(StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn signing_out_and_time_end_the_session() {
    let house = House::open().await;
    let browser = house.admin().await;
    let cookie = browser.cookie();
    let left = browser.submit("/portal", "/portal/sign-out", &[]).await;
    assert_eq!(left.location(), "/portal/sign-in?done=signed_out");
    assert_eq!(browser.cookie(), "");
    let request = house
        .client
        .get("/portal")
        .header("host", &browser.host)
        .header("cookie", &cookie);
    request.send().await.assert_status(StatusCode::SEE_OTHER);

    let browser = house.sign_in(&house.alpha(), "boss@example.org").await;
    assert_ne!(browser.cookie(), cookie, "each sign-in is a new session");
    house
        .platform
        .clock()
        .advance(SignedDuration::from_mins(31));
    assert_eq!(browser.get("/portal").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_sign_in_another_site_sends_is_not_taken() {
    let house = House::open().await;
    house
        .hire(&house.alpha(), "boss@example.org", Role::Admin)
        .await;
    let browser = house.browser("alpha-clinic.localhost:8080");
    let credentials = [("email", "boss@example.org"), ("password", PASSWORD)];
    let page = browser.post("/portal/sign-in", &credentials).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    browser.get("/portal/sign-in").await;
    let [email, password] = credentials;
    let page = browser
        .post(
            "/portal/sign-in",
            &[email, password, ("csrf", &"0".repeat(32))],
        )
        .await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(!browser.cookie().contains("berth_session"));
}

#[tokio::test]
async fn after_too_many_tries_one_has_to_wait() {
    let house = House::with(false, true).await;
    let browser = house.browser("localhost:8080");
    let form = [
        ("business", "no-such-business"),
        ("email", "a@example.org"),
        ("password", PASSWORD),
    ];
    let mut refused = None;
    for _ in 0..20 {
        let page = browser.sign_in(&form).await;
        if page.status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(page);
            break;
        }
    }
    let refused = refused.expect("twenty tries in a row are let through");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
    let other = [
        ("business", "alpha-clinic"),
        ("email", "a@example.org"),
        ("password", PASSWORD),
    ];
    assert_eq!(
        browser.sign_in(&other).await.status,
        StatusCode::UNAUTHORIZED,
        "counted by business"
    );
}

#[tokio::test]
async fn an_address_of_no_business_is_not_found() {
    let house = House::open().await;
    let page = house
        .browser("nobody.localhost:8080")
        .get("/portal/sign-in")
        .await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}
