use std::sync::atomic::Ordering;

use berth_kernel::BookingId;
use poem::http::StatusCode;

use crate::{House, admin};

#[tokio::test]
async fn who_holds_the_link_can_pay_the_booking() {
    let house = House::open().await;
    let booking = house.booked().await;
    let path = house.checkout_path(&booking);
    for host in ["alpha-clinic.localhost:8080", "localhost:8080"] {
        let page = house.browser(host).get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        for part in [
            "pk_test_portal",
            "pi_secret_of_the_intent",
            "€89.50",
            "Consultation",
        ] {
            assert!(page.body.contains(part), "no {part} in {}", page.body);
        }
        assert!(page.body.contains(&format!(
            "data-return=\"http://{host}/checkout/{}?token=",
            booking.id
        )));
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("script-src 'self' http://127.0.0.1:12111;"),
            "{policy}"
        );
        assert!(
            !page.body.contains("http-equiv=\"refresh\""),
            "would clear what is typed"
        );
    }
}

#[tokio::test]
async fn nobody_else_learns_anything() {
    let house = House::open().await;
    let booking = house.booked().await;
    let path = house.checkout_path(&booking);
    let (bare, token) = path.split_once("?token=").unwrap();
    let unknown = format!("/checkout/{}?token={token}", BookingId::new());
    let mut bodies = Vec::new();
    for (host, path) in [
        ("alpha-clinic.localhost", bare),
        ("alpha-clinic.localhost", &format!("{bare}?token=")),
        (
            "alpha-clinic.localhost",
            &format!("{bare}?token=alpha-clinic.AAAA"),
        ),
        ("alpha-clinic.localhost", &unknown),
        ("alpha-clinic.localhost", "/checkout/nothing"),
    ] {
        let page = house.browser(host).get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        let (before, rest) = page.body.split_once("nonce=\"").unwrap();
        bodies.push(format!("{before}{}", rest.split_once('"').unwrap().1));
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "the answers differ");
    let elsewhere = house.browser("beta-theatre.localhost").get(&path).await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_page_follows_the_booking_to_its_end() {
    let house = House::open().await;
    let booking = house.booked().await;
    let path = house.checkout_path(&booking);
    let browser = house.browser("alpha-clinic.localhost:8080");

    house.till.down.store(true, Ordering::SeqCst);
    let waiting = browser.get(&path).await;
    assert_eq!(waiting.status, StatusCode::OK);
    assert!(
        waiting.body.contains("http-equiv=\"refresh\""),
        "{}",
        waiting.body
    );
    house.till.down.store(false, Ordering::SeqCst);
    assert!(
        browser
            .get(&path)
            .await
            .body
            .contains("pi_secret_of_the_intent")
    );

    let back = format!("{path}&payment_intent=pi_1&redirect_status=succeeded");
    let checking = browser.get(&back).await.body;
    assert!(checking.contains("waiting for word") && checking.contains("http-equiv=\"refresh\""));
    assert!(
        !checking.contains("Your booking is confirmed"),
        "the address proves nothing"
    );

    let ctx = house.platform.context(&house.tenant().await, admin());
    house
        .bookings
        .confirm(&ctx, booking.id, None)
        .await
        .unwrap();
    let confirmed = browser.get(&back).await.body;
    assert!(
        confirmed.contains("Your booking is confirmed") && confirmed.contains(&booking.reference)
    );
    assert!(!confirmed.contains("http-equiv=\"refresh\"") && !confirmed.contains("<script"));

    house
        .bookings
        .cancel(&ctx, booking.id, None, None)
        .await
        .unwrap();
    assert!(
        browser
            .get(&path)
            .await
            .body
            .contains("This booking was cancelled")
    );
}
