use std::{sync::PoisonError, time::Duration};

use berth_access::Role;
use berth_kernel::Cause;
use berth_messaging::rounds::Rounds;
use berth_payment::{Payment, PaymentStatus};
use poem::http::StatusCode;

use crate::{Browser, House, Page, admin};

/// A payment that was made.
pub(crate) async fn paid(house: &House) -> Payment {
    let booking = house.booked().await;
    let tenant = house.tenant().await;
    // Payments are asked about when their turn has come by the database's clock.
    let payments = house.payments_at("2020-01-01T00:00:00Z");
    let asked = payments
        .ensure(&tenant, &booking.told(), &Cause::fresh())
        .await
        .unwrap();
    house.till.pay();
    let tenancy = house.platform.tenancy().clone();
    let mut rounds = Rounds::new(tenancy, Duration::from_secs(1));
    payments.reconcile_once(&mut rounds).await.unwrap();
    let ctx = house.platform.context(&tenant, admin());
    let (payment, _) = payments.get(&ctx, asked.id).await.unwrap();
    assert_eq!(payment.status, PaymentStatus::Succeeded);
    payment
}

fn made(house: &House) -> usize {
    house
        .till
        .refunds
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .len()
}

async fn give(browser: &Browser<'_>, path: &str, amount: &str, reason: &str) -> Page {
    let once = browser.get(path).await.hidden("once");
    let form = [
        ("once", once.as_str()),
        ("amount", amount),
        ("reason", reason),
    ];
    browser.submit(path, &format!("{path}/refund"), &form).await
}

#[tokio::test]
async fn money_is_given_back_in_parts_and_never_more_than_was_paid() {
    let house = House::open().await;
    let payment = paid(&house).await;
    let browser = house.admin().await;
    let path = format!("/portal/payments/{}", payment.id);
    assert!(browser.get("/portal/payments").await.body.contains(&path));
    let page = browser.get(&path).await;
    assert!(page.body.contains("Visa •••• 4242") && page.body.contains("value=\"89.50\""));

    let done = give(&browser, &path, "20,5", "Started <i>late</i>").await;
    assert_eq!(done.location(), format!("{path}?done=refunded"));
    let page = browser.get(&path).await;
    assert!(
        page.body.contains("€20.50") && page.body.contains("value=\"69.00\""),
        "{}",
        page.body
    );
    assert!(!page.body.contains("<i>late"));

    let over = give(&browser, &path, "69.01", "Too much").await;
    assert_eq!(over.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(over.body.contains("That much is not left"), "{}", over.body);
    for (amount, reason) in [("", "why"), ("x", "why"), ("0", "why"), ("1", " ")] {
        let page = give(&browser, &path, amount, reason).await;
        assert_eq!(
            page.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{amount:?} {reason:?}"
        );
    }
    assert_eq!(made(&house), 1);
    give(&browser, &path, "69", "The rest").await;
    assert!(
        !browser.get(&path).await.body.contains("name=\"once\""),
        "nothing is left"
    );
}

#[tokio::test]
async fn the_same_form_sent_twice_is_one_refund() {
    let house = House::open().await;
    let payment = paid(&house).await;
    let browser = house.admin().await;
    let path = format!("/portal/payments/{}", payment.id);
    let page = browser.get(&path).await;
    let (csrf, once) = (page.hidden("csrf"), page.hidden("once"));
    let form = [
        ("csrf", csrf.as_str()),
        ("once", &once),
        ("amount", "10"),
        ("reason", "Twice"),
    ];
    for _ in 0..2 {
        let done = browser.post(&format!("{path}/refund"), &form).await;
        assert_eq!(done.location(), format!("{path}?done=refunded"));
    }
    assert_eq!(made(&house), 1);
}

#[tokio::test]
async fn staff_see_payments_and_give_nothing_back() {
    let house = House::open().await;
    let payment = paid(&house).await;
    house
        .hire(&house.alpha(), "desk@example.org", Role::Staff)
        .await;
    let browser = house.sign_in(&house.alpha(), "desk@example.org").await;
    let path = format!("/portal/payments/{}", payment.id);
    let page = browser.get(&path).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.body.contains("name=\"once\""));
    let once = "0".repeat(32);
    let form = [
        ("once", once.as_str()),
        ("amount", "10"),
        ("reason", "By hand"),
    ];
    let refused = browser
        .submit(&path, &format!("{path}/refund"), &form)
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(made(&house), 0);
}
