//! One number, one file and one event for each payment, whatever happens on the way.

use berth_events::{payment, receipt::Generated};
use berth_kernel::Clock;
use berth_messaging::Failure;
use futures::future::join_all;

use crate::stage::{Stage, paid};

#[tokio::test]
async fn a_payment_handled_twice_has_one_receipt() {
    let stage = Stage::set().await;
    let paid = paid("de", None);
    let event = stage.event(&paid);
    stage.handle(&event).await.unwrap();
    stage.handle(&event).await.unwrap();
    // The same payment, told of by another event.
    stage.handle(&stage.event(&paid)).await.unwrap();

    assert_eq!(stage.numbers().await, ["R-2027-000001"]);
    let told = told(&stage, &paid).await;
    assert_eq!(told.len(), 1);
    let generated = &told[0];
    assert_eq!(
        (generated.version, &*generated.number),
        (1, "R-2027-000001")
    );
    assert_eq!(generated.amount, paid.payment.amount);
    assert_eq!(generated.booking, paid.payment.booking);
    let pdf = std::fs::read(stage.file(&generated.path)).unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
}

#[tokio::test]
async fn ending_between_the_file_and_its_note_leaves_one_of_each() {
    let stage = Stage::set().await;
    let paid = paid("en", None);
    let event = stage.event(&paid);
    stage
        .alter("ADD CONSTRAINT no_note CHECK (stored_at IS NULL)")
        .await;
    stage.handle(&event).await.unwrap_err();
    assert!(told(&stage, &paid).await.is_empty());
    let place = stage.file("receipts/2027/R-2027-000001.pdf");
    let first = std::fs::read(&place).unwrap();
    stage.alter("DROP CONSTRAINT no_note").await;

    stage.handle(&event).await.unwrap();
    assert_eq!(stage.numbers().await, ["R-2027-000001"]);
    assert_eq!(told(&stage, &paid).await.len(), 1);
    assert!(
        std::fs::read(&place).unwrap() == first,
        "the second file is the first, byte for byte"
    );
}

#[tokio::test]
async fn an_object_store_that_is_down_is_waited_for() {
    let stage = Stage::set().await;
    let paid = paid("en", None);
    let event = stage.event(&paid);
    let failure = stage
        .handle_with(&stage.broken(), &event)
        .await
        .unwrap_err();
    assert!(matches!(failure, Failure::Unavailable(_)), "{failure}");
    assert!(told(&stage, &paid).await.is_empty());

    stage.handle(&event).await.unwrap();
    assert_eq!(stage.numbers().await, ["R-2027-000001"]);
    assert_eq!(told(&stage, &paid).await.len(), 1);
}

#[tokio::test]
async fn numbers_have_no_gaps_when_many_are_taken_and_some_come_to_nothing() {
    let stage = Stage::set().await;
    stage
        .alter("ADD CONSTRAINT unlucky CHECK (amount_minor <> 13)")
        .await;
    let events: Vec<_> = (0..12)
        .map(|place| {
            let mut paid = paid("en", None);
            if place % 4 == 0 {
                paid.payment.amount.amount = 13;
            }
            stage.event(&paid)
        })
        .collect();
    let outcomes = join_all(events.iter().map(|event| stage.handle(event))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 9);
    let wanted: Vec<String> = (1..=9).map(|place| format!("R-2027-{place:06}")).collect();
    assert_eq!(stage.numbers().await, wanted);
}

#[tokio::test]
async fn workers_racing_with_one_payment_give_it_one_number() {
    let stage = Stage::set().await;
    let paid = paid("en", None);
    let event = stage.event(&paid);
    let outcomes = join_all((0..6).map(|_| stage.handle(&event))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(stage.numbers().await, ["R-2027-000001"]);
    assert_eq!(told(&stage, &paid).await.len(), 1);
    stage
        .handle(&stage.event(&crate::stage::paid("en", None)))
        .await
        .unwrap();
    assert_eq!(stage.numbers().await.last().unwrap(), "R-2027-000002");
}

#[tokio::test]
async fn a_year_begins_when_it_does_where_the_tenant_is() {
    let mut stage = Stage::set().await;
    for (at, number) in [
        ("2027-12-31T22:59:59Z", "R-2027-000001"),
        ("2027-12-31T23:00:00Z", "R-2028-000001"),
        ("2028-01-02T00:00:00Z", "R-2028-000002"),
    ] {
        stage.clock = Clock::at(at.parse().unwrap());
        stage.handle(&stage.event(&paid("en", None))).await.unwrap();
        assert_eq!(stage.numbers().await.last().unwrap(), number);
    }
}

#[tokio::test]
async fn a_payment_that_did_not_succeed_has_no_receipt() {
    let stage = Stage::set().await;
    let failed = payment::Failed {
        payment: paid("en", None).payment,
        reason: "canceled".into(),
    };
    let tenant = stage.platform.alpha().id;
    let cause = berth_kernel::Cause::fresh();
    let event = berth_kernel::Envelope::wrap(&failed, tenant, stage.clock.now(), &cause).unwrap();
    stage.handle(&event).await.unwrap();
    assert!(stage.numbers().await.is_empty());
}

/// What was told of the payment's receipt.
async fn told(stage: &Stage, paid: &payment::Succeeded) -> Vec<Generated> {
    let envelopes: Vec<String> = sqlx::query_scalar(
        "SELECT envelope FROM platform.outbox WHERE event_type = 'receipt.receipt.generated'
         ORDER BY seq",
    )
    .fetch_all(stage.platform.admin_pool())
    .await
    .unwrap();
    envelopes
        .iter()
        .map(|text| serde_json::from_str::<berth_kernel::Envelope>(text).unwrap())
        .map(|envelope| envelope.open::<Generated>().unwrap().unwrap())
        .filter(|generated| generated.booking.booking_id == paid.payment.booking.booking_id)
        .collect()
}
