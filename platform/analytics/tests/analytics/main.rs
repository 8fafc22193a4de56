//! Each happening is counted once, and purchases are told on once.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails the test it helps"
)]

use berth_analytics::Reactions;
use berth_events::{
    analytics::Tracked,
    booking::{Attribution, Booking, Created, Customer, Updated},
    payment::{Payment, Succeeded},
};
use berth_kernel::{BookingId, Cause, Currency, Envelope, Event, Money, PaymentId, ProductId};
use berth_messaging::{Consumer as _, Failure, Work};
use berth_testkit::TestPlatform;
use sqlx::AssertSqlSafe;

fn booking(pixel_event_id: Option<&str>) -> Booking {
    Booking {
        booking_id: BookingId::new(),
        version: 1,
        reference: "K7QF-3M2P".into(),
        product_id: ProductId::new(),
        product_name: "Yoga".into(),
        customer_id: None,
        customer: Customer {
            name: "Ann".into(),
            email: " Ann@Example.com".into(),
            locale: "en".into(),
        },
        starts_at: "2027-07-14T08:00:00Z".parse().unwrap(),
        ends_at: "2027-07-14T08:45:00Z".parse().unwrap(),
        timezone: "Europe/Berlin".into(),
        quantity: 1,
        price: Money::new(4_905, Currency::EUR),
        expires_at: None,
        attribution: Attribution {
            pixel_event_id: pixel_event_id.map(str::to_owned),
            ttclid: Some("E.C.P.abc".into()),
            ..Attribution::default()
        },
    }
}

fn succeeded(booking: Booking) -> Succeeded {
    let payment = Payment {
        payment_id: PaymentId::new(),
        version: 2,
        amount: booking.price,
        provider_ref: None,
        booking,
    };
    Succeeded {
        payment,
        method: None,
    }
}

fn wrapped<E: Event>(platform: &TestPlatform, event: &E) -> Envelope {
    Envelope::wrap(
        event,
        platform.alpha().id,
        platform.clock().now(),
        &Cause::fresh(),
    )
    .unwrap()
}

async fn handle(platform: &TestPlatform, event: &Envelope) -> Result<(), Failure> {
    let tenancy = platform.tenancy().clone();
    let work = Work::for_test(platform.alpha(), event.clone(), "analytics", tenancy);
    Reactions::new(platform.clock().clone())
        .handle(&work)
        .await
        .map(|_| ())
}

/// Names and ids of what was counted, in order.
async fn counted(platform: &TestPlatform) -> Vec<(String, String)> {
    let role = platform.alpha().role().to_owned();
    let sql = format!("SELECT name, pixel_event_id FROM {role}.tracked_event ORDER BY id");
    sqlx::query_as(AssertSqlSafe(sql))
        .fetch_all(platform.admin_pool())
        .await
        .unwrap()
}

async fn told(platform: &TestPlatform) -> Vec<Tracked> {
    let sql = "SELECT envelope FROM platform.outbox WHERE event_type = 'analytics.event.tracked'
               ORDER BY seq";
    let texts: Vec<String> = sqlx::query_scalar(sql)
        .fetch_all(platform.admin_pool())
        .await
        .unwrap();
    let open = |text: &String| {
        serde_json::from_str::<Envelope>(text)
            .unwrap()
            .open()
            .unwrap()
    };
    texts.iter().filter_map(open).collect()
}

#[tokio::test]
async fn a_payment_handled_twice_is_one_purchase_told_once() {
    let platform = TestPlatform::start().await;
    let paid = succeeded(booking(Some("px-42")));
    let event = wrapped(&platform, &paid);
    handle(&platform, &event).await.unwrap();
    handle(&platform, &event).await.unwrap();

    assert_eq!(
        counted(&platform).await,
        [("Purchase".to_owned(), "px-42".to_owned())]
    );
    let told = told(&platform).await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].version, &*told[0].name), (1, "Purchase"));
    assert_eq!(told[0].pixel_event_id, "px-42");
    assert_eq!(told[0].value, paid.payment.amount);
    assert_eq!(told[0].happened_at, event.timestamp);
    assert_eq!(told[0].booking_id, paid.payment.booking.booking_id);
    assert_eq!(told[0].attribution, paid.payment.booking.attribution);
    let hash = "71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476";
    assert_eq!(told[0].email_sha256, hash);
}

#[tokio::test]
async fn a_purchase_without_a_pixel_gets_an_id_of_its_booking() {
    let platform = TestPlatform::start().await;
    for pixel in [None, Some("")] {
        let paid = succeeded(booking(pixel));
        handle(&platform, &wrapped(&platform, &paid)).await.unwrap();
        let told = told(&platform).await;
        let id = paid.payment.booking.booking_id;
        assert_eq!(
            told.last().unwrap().pixel_event_id,
            format!("purchase-{id}")
        );
    }
}

#[tokio::test]
async fn a_booking_is_counted_and_not_told() {
    let platform = TestPlatform::start().await;
    let created = Created {
        booking: booking(Some("px-42")),
        approved: false,
    };
    let event = wrapped(&platform, &created);
    handle(&platform, &event).await.unwrap();
    handle(&platform, &event).await.unwrap();
    let id = format!("initiatecheckout-{}", created.booking.booking_id);
    assert_eq!(
        counted(&platform).await,
        [("InitiateCheckout".to_owned(), id)]
    );
    assert!(told(&platform).await.is_empty());
}

#[tokio::test]
async fn other_events_only_pass_by() {
    let platform = TestPlatform::start().await;
    let updated = Updated {
        booking: booking(None),
        change: "edited".into(),
    };
    handle(&platform, &wrapped(&platform, &updated))
        .await
        .unwrap();
    assert!(counted(&platform).await.is_empty());
}
