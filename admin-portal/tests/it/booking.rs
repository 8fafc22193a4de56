use berth_access::Role;
use berth_booking::Status;
use jiff::SignedDuration;
use poem::http::StatusCode;

use crate::{House, admin};

#[tokio::test]
async fn a_booking_is_listed_shown_and_confirmed() {
    let house = House::open().await;
    let booking = house.booked().await;
    let browser = house.admin().await;
    let path = format!("/portal/bookings/{}", booking.id);
    for list in [
        "/portal",
        "/portal/bookings",
        "/portal/bookings?status=PENDING",
        "/portal/bookings?order=start",
    ] {
        let page = browser.get(list).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(
            !page.body.contains("<script"),
            "a name is run as code on {list}"
        );
        assert_eq!(page.body.contains(&path), list != "/portal", "{list}");
    }
    assert!(
        !browser
            .get("/portal/bookings?status=CONFIRMED")
            .await
            .body
            .contains(&path)
    );
    let page = browser.get(&path).await;
    assert!(
        page.body.contains("Tue 2 Mar 2027, 10:00–10:45"),
        "{}",
        page.body
    );
    assert!(page.body.contains("Europe/Berlin (UTC+01:00)"));
    assert!(page.body.contains("€89.50") && page.body.contains(&booking.reference));

    let done = browser.submit(&path, &format!("{path}/confirm"), &[]).await;
    assert_eq!(done.location(), format!("{path}?done=confirmed"));
    assert!(
        browser
            .get(done.location())
            .await
            .body
            .contains("The booking is confirmed.")
    );
    assert!(browser.get("/portal").await.body.contains(&path));
    let again = browser.submit(&path, &format!("{path}/confirm"), &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_form_without_the_sessions_token_changes_nothing() {
    let house = House::open().await;
    let booking = house.booked().await;
    let browser = house.admin().await;
    let other = house.sign_in(&house.alpha(), "boss@example.org").await;
    let foreign = other.get("/portal").await.hidden("csrf");
    let path = format!("/portal/bookings/{}", booking.id);
    for step in ["confirm", "cancel", "complete", "no-show"] {
        for token in ["", "0", foreign.as_str()] {
            let page = browser
                .post(
                    &format!("{path}/{step}"),
                    &[("csrf", token), ("version", "1")],
                )
                .await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{step} with {token:?}");
        }
        let page = browser
            .post(&format!("{path}/{step}"), &[("version", "1")])
            .await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{step} without any");
        let page = browser.get(&format!("{path}/{step}")).await;
        assert_ne!(page.status, StatusCode::SEE_OTHER, "{step} by GET");
    }
    let ctx = house.platform.context(&house.alpha(), admin());
    assert_eq!(house.bookings.get(&ctx, booking.id).await.unwrap(), booking);
}

#[tokio::test]
async fn cancelling_asks_first_and_only_cancels_what_was_seen() {
    let house = House::open().await;
    let booking = house.booked().await;
    let browser = house.admin().await;
    let path = format!("/portal/bookings/{}", booking.id);
    let cancel = format!("{path}/cancel");
    let asked = browser.get(&cancel).await;
    assert!(asked.body.contains("Nothing was paid online"));
    let version = asked.hidden("version");
    browser.submit(&path, &format!("{path}/confirm"), &[]).await;
    let stale = browser
        .submit(&cancel, &cancel, &[("version", &version)])
        .await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    let version = browser.get(&cancel).await.hidden("version");
    let done = browser
        .submit(&cancel, &cancel, &[("version", &version)])
        .await;
    assert_eq!(done.location(), format!("{path}?done=cancelled"));
    assert_eq!(
        browser.get(&cancel).await.location(),
        path,
        "there is nothing left to cancel"
    );
}

#[tokio::test]
async fn a_booking_is_concluded_once_its_time_has_come() {
    let house = House::open().await;
    let booking = house.booked().await;
    let browser = house.admin().await;
    let path = format!("/portal/bookings/{}", booking.id);
    browser.submit(&path, &format!("{path}/confirm"), &[]).await;
    assert!(!browser.get(&path).await.body.contains("no-show"));
    house
        .platform
        .clock()
        .advance(SignedDuration::from_hours(26));
    let browser = house.sign_in(&house.alpha(), "boss@example.org").await;
    assert!(browser.get(&path).await.body.contains("no-show"));
    browser.submit(&path, &format!("{path}/no-show"), &[]).await;
    let ctx = house.platform.context(&house.alpha(), admin());
    assert_eq!(
        house.bookings.get(&ctx, booking.id).await.unwrap().status,
        Status::NoShow
    );
}

#[tokio::test]
async fn staff_see_bookings_but_not_the_account() {
    let house = House::open().await;
    house
        .hire(&house.alpha(), "desk@example.org", Role::Staff)
        .await;
    let browser = house.sign_in(&house.alpha(), "desk@example.org").await;
    assert_eq!(browser.get("/portal/bookings").await.status, StatusCode::OK);
    let overview = browser.get("/portal").await;
    assert_eq!(overview.status, StatusCode::OK);
    assert!(!overview.body.contains("/portal/payouts"));
    for path in [
        "/portal/payouts",
        "/portal/payouts/return",
        "/portal/payouts/refresh",
    ] {
        assert_eq!(
            browser.get(path).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    let csrf = overview.hidden("csrf");
    let page = browser
        .post("/portal/payouts/connect", &[("csrf", &csrf)])
        .await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn another_businesss_booking_is_not_there() {
    let house = House::open().await;
    let booking = house.booked().await;
    let beta = house.platform.beta();
    house.hire(&beta, "boss@example.org", Role::Admin).await;
    let browser = house.sign_in(&beta, "boss@example.org").await;
    let path = format!("/portal/bookings/{}", booking.id);
    assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND);
    let csrf = browser.get("/portal").await.hidden("csrf");
    let form = [("csrf", csrf.as_str()), ("version", "1")];
    for step in ["confirm", "cancel", "complete"] {
        let page = browser.post(&format!("{path}/{step}"), &form).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{step}");
    }
}
