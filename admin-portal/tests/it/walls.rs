//! No business sees or touches another through the portal, on whichever of its pages: the walk is over
//! the router's own table.

use berth_access::Role;
use poem::http::StatusCode;

use crate::{House, admin, refunds::paid};

/// Pages that are nobody's: they show a business's name at most.
const OPEN: [&str; 3] = ["/portal/sign-in", "/portal/sign-up", "/portal/sign-up/:id"];

/// What the pages of the first business would say of its booking.
struct Theirs {
    booking: String,
    payment: String,
    signs: Vec<String>,
}

impl Theirs {
    /// The paths a route stands for, with the first business's ids in it.
    fn fill(&self, route: &str) -> Vec<String> {
        let id = match route {
            _ if !route.contains(':') => "",
            _ if route.starts_with("/portal/bookings/") => &self.booking,
            _ if route.starts_with("/portal/payments/") => &self.payment,
            "/portal/sign-up/:id" => &self.booking,
            other => panic!("{other} is new: say whose id it holds"),
        };
        let route = route.replace(":id", id);
        if !route.contains(":step") {
            return vec![route];
        }
        ["confirm", "complete", "no-show"]
            .map(|step| route.replace(":step", step))
            .to_vec()
    }

    fn shown(&self, body: &str) -> Option<&String> {
        self.signs.iter().find(|sign| body.contains(*sign))
    }
}

async fn theirs(house: &House) -> Theirs {
    let payment = paid(house).await;
    let booking = &payment.booking;
    Theirs {
        booking: booking.booking_id.to_string(),
        payment: payment.id.to_string(),
        signs: vec![
            booking.reference.clone(),
            booking.customer.email.clone(),
            booking.booking_id.to_string(),
            payment.id.to_string(),
            "Alpha Clinic".to_owned(),
            "Torstraße".to_owned(),
        ],
    }
}

/// The first business's booking and payment, as they are.
async fn state(house: &House, theirs: &Theirs) -> String {
    let tenant = house.tenant().await;
    let ctx = house.platform.context(&tenant, admin());
    let booking = house
        .bookings
        .get(&ctx, theirs.booking.parse().unwrap())
        .await
        .unwrap();
    let payment = house
        .payments
        .get(&ctx, theirs.payment.parse().unwrap())
        .await
        .unwrap();
    format!("{booking:?} {payment:?} {tenant:?}")
}

#[tokio::test]
async fn an_administrator_reaches_nothing_of_another_business_on_any_page() {
    let house = House::open().await;
    let theirs = theirs(&house).await;
    let beta = house.platform.beta();
    house.hire(&beta, "boss@example.org", Role::Admin).await;
    let browser = house.sign_in(&beta, "boss@example.org").await;
    let before = state(&house, &theirs).await;
    let csrf = browser.get("/portal").await.hidden("csrf");
    let mut walked = 0;
    for route in berth_admin_portal::paths() {
        // Ends the session the walk is made with.
        if route == "/portal/sign-out" {
            continue;
        }
        for path in theirs.fill(route) {
            // Whatever any of the forms wants.
            let form = [
                ("csrf", csrf.as_str()),
                ("version", "1"),
                ("once", "00112233445566778899aabbccddeeff"),
                ("amount", "1"),
                ("reason", "x"),
            ];
            for page in [browser.get(&path).await, browser.post(&path, &form).await] {
                walked += 1;
                assert_eq!(theirs.shown(&page.body), None, "{path} shows it");
                assert!(
                    !page.status.is_server_error()
                        || page.status == StatusCode::SERVICE_UNAVAILABLE,
                    "{path}: {}",
                    page.status
                );
                if route.contains(':') {
                    let hidden = matches!(
                        page.status,
                        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
                    );
                    assert!(hidden, "{path}: {}", page.status);
                }
            }
        }
    }
    assert!(walked >= 36, "only {walked} requests were made");
    assert_eq!(state(&house, &theirs).await, before);
    // The same ids open at home: the walk looked in the right places.
    let home = house.admin().await;
    for route in ["/portal/bookings/:id", "/portal/payments/:id"] {
        let path = theirs.fill(route).remove(0);
        let page = home.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(theirs.shown(&page.body).is_some(), "{path}");
    }
}

#[tokio::test]
async fn a_session_of_one_business_opens_no_page_at_anothers_host() {
    let house = House::open().await;
    let theirs = theirs(&house).await;
    let browser = house.admin().await;
    let csrf = browser.get("/portal").await.hidden("csrf");
    let moved = house.browser("beta-theatre.localhost:8080");
    moved.take_cookies(&browser);
    let before = state(&house, &theirs).await;
    for route in berth_admin_portal::paths() {
        for path in theirs.fill(route) {
            let form = [("csrf", csrf.as_str())];
            for page in [moved.get(&path).await, moved.post(&path, &form).await] {
                assert_eq!(theirs.shown(&page.body), None, "{path} shows it");
                let turned_away = page.status == StatusCode::METHOD_NOT_ALLOWED
                    || page.status == StatusCode::SEE_OTHER
                        && page.location().starts_with("/portal/sign-in");
                assert!(
                    turned_away || OPEN.contains(&route),
                    "{path}: {} {}",
                    page.status,
                    page.location()
                );
            }
        }
    }
    assert_eq!(state(&house, &theirs).await, before);
}
