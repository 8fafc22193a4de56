use poem::http::StatusCode;

use crate::House;

#[tokio::test]
async fn every_page_says_how_it_may_be_used() {
    let house = House::open().await;
    let browser = house.admin().await;
    for path in [
        "/portal",
        "/portal/bookings",
        "/portal/payouts",
        "/portal/nowhere",
        "/checkout/nothing",
    ] {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy").to_owned();
        for part in [
            "default-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_ne!(page.header("referrer-policy"), "", "{path}");
        assert_eq!(
            page.header("strict-transport-security"),
            "",
            "{path}: not over plain HTTP"
        );
        let (_, nonce) = policy.split_once("'nonce-").unwrap();
        let nonce = nonce.split_once('\'').unwrap().0;
        assert!(
            page.body.contains(&format!("<style nonce=\"{nonce}\">")),
            "{path}"
        );
    }
    let policy = browser
        .get("/portal/payouts")
        .await
        .header("content-security-policy")
        .to_owned();
    assert!(
        policy.contains("form-action 'self' http://127.0.0.1:12111"),
        "{policy}"
    );
    let again = browser
        .get("/portal/payouts")
        .await
        .header("content-security-policy")
        .to_owned();
    assert_ne!(policy, again, "a nonce is used once");
}

#[tokio::test]
async fn secure_cookies_are_bound_to_their_host() {
    let house = House::with(true, false).await;
    let browser = house.admin().await;
    assert!(
        browser.cookie().starts_with("__Host-berth_session="),
        "{}",
        browser.cookie()
    );
    assert_eq!(
        browser
            .get("/portal")
            .await
            .header("strict-transport-security"),
        "max-age=31536000"
    );
}

#[tokio::test]
async fn static_files_are_kept_for_good_under_a_name_that_changes_with_them() {
    let house = House::open().await;
    let browser = house.browser("localhost");
    let page = browser.get("/portal/sign-in").await.body;
    let (_, rest) = page.split_once("rel=\"stylesheet\" href=\"").unwrap();
    let path = rest.split_once('"').unwrap().0;
    let style = browser.get(path).await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(
        style.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert!(style.body.contains("--brand"));
    assert_eq!(
        browser.get("/portal/static/portal.0000.css").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn what_is_not_there_says_so_in_the_portals_own_page() {
    let house = House::open().await;
    let browser = house.admin().await;
    for path in [
        "/portal/nowhere",
        "/portal/bookings/nothing",
        "/portal/bookings/01990000-0000-7000-8000-000000000001",
        "/portal/payments/01990000-0000-7000-8000-000000000001",
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.body.contains("Not found"), "{path}: {}", page.body);
    }
}
