use std::sync::atomic::Ordering;

use poem::http::StatusCode;

use crate::House;

#[tokio::test]
async fn connecting_leads_to_the_provider_and_coming_back_proves_nothing() {
    let house = House::open().await;
    let browser = house.admin().await;
    assert!(
        browser
            .get("/portal/payouts")
            .await
            .body
            .contains("Connect Stripe")
    );
    let away = browser
        .submit("/portal/payouts", "/portal/payouts/connect", &[])
        .await;
    assert_eq!(away.status, StatusCode::SEE_OTHER);
    let back = "back=http://alpha-clinic.localhost:8080/portal/payouts/return";
    let again = "again=http://alpha-clinic.localhost:8080/portal/payouts/refresh";
    assert!(
        away.location().contains(back) && away.location().contains(again),
        "{}",
        away.location()
    );

    let returned = browser.get("/portal/payouts/return").await;
    let page = browser.get(returned.location()).await;
    assert!(page.body.contains("Almost there"), "{}", page.body);
    assert!(page.body.contains("A bank account for payouts"));

    house.till.complete.store(true, Ordering::SeqCst);
    let returned = browser.get("/portal/payouts/return").await;
    let page = browser.get(returned.location()).await;
    assert!(page.body.contains("You can take payments"), "{}", page.body);
}

#[tokio::test]
async fn a_used_link_is_followed_by_a_new_one_but_opens_no_account() {
    let house = House::open().await;
    let browser = house.admin().await;
    assert_eq!(
        browser.get("/portal/payouts/refresh").await.location(),
        "/portal/payouts"
    );
    assert_eq!(house.till.links.load(Ordering::SeqCst), 0);
    let first = browser
        .submit("/portal/payouts", "/portal/payouts/connect", &[])
        .await;
    let second = browser.get("/portal/payouts/refresh").await;
    assert_eq!(second.status, StatusCode::SEE_OTHER);
    assert_ne!(first.location(), second.location());
}

#[tokio::test]
async fn when_the_provider_is_down_the_page_says_so_and_shows_what_is_known() {
    let house = House::open().await;
    let browser = house.admin().await;
    browser
        .submit("/portal/payouts", "/portal/payouts/connect", &[])
        .await;
    house.till.down.store(true, Ordering::SeqCst);
    let away = browser
        .submit("/portal/payouts", "/portal/payouts/connect", &[])
        .await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_ne!(away.header("retry-after"), "");
    let returned = browser.get("/portal/payouts/return").await;
    let page = browser.get(returned.location()).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.body.contains("Stripe does not answer"),
        "{}",
        page.body
    );
}
