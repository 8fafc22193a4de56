//! One conversion per purchase, whatever happens on the way.

use berth_integration::model::Status;
use berth_messaging::Failure;

use crate::stage::{Stage, TOKEN, purchase};

#[tokio::test]
async fn a_purchase_handled_twice_is_told_once() {
    let stage = Stage::set().await;
    stage.connect(TOKEN).await;
    let tracked = purchase();
    let event = stage.event(&tracked);
    stage.handle(&event).await.unwrap();
    stage.handle(&event).await.unwrap();
    // The same purchase, told of by another event.
    stage.handle(&stage.event(&tracked)).await.unwrap();

    let told = stage.told().await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["deliveries"], 1);
    assert_eq!(told[0]["event_source_id"], "C4PIXEL");
    assert_eq!(told[0]["event"], "CompletePayment");
    assert_eq!(told[0]["event_id"], "px-42");
    assert_eq!(told[0]["body"]["properties"]["value"], 49.05);
    assert_eq!(told[0]["body"]["user"]["ttclid"], "E.C.P.abc");
    let conversions = stage.conversions(tracked.booking_id).await;
    assert_eq!(conversions.len(), 1);
    assert_eq!(
        (conversions[0].status, &*conversions[0].pixel_event_id),
        (Status::Sent, "px-42")
    );
    assert!(conversions[0].provider_ref.is_some());
}

#[tokio::test]
async fn ending_between_the_call_and_its_note_counts_once() {
    let stage = Stage::set().await;
    stage.connect(TOKEN).await;
    let tracked = purchase();
    let event = stage.event(&tracked);
    stage
        .alter(
            "conversion",
            "ADD CONSTRAINT no_note CHECK (kind <> 'tiktok')",
        )
        .await;
    stage.handle(&event).await.unwrap_err();
    assert_eq!(stage.told().await.len(), 1, "TikTok has it already");
    stage.alter("conversion", "DROP CONSTRAINT no_note").await;

    stage.handle(&event).await.unwrap();
    let told = stage.told().await;
    assert_eq!(told.len(), 1, "TikTok knows it by its id");
    assert_eq!(told[0]["deliveries"], 2);
    assert_eq!(stage.conversions(tracked.booking_id).await.len(), 1);
}

#[tokio::test]
async fn what_passes_is_waited_for() {
    let stage = Stage::set().await;
    stage.connect(TOKEN).await;
    let tracked = purchase();
    let event = stage.event(&tracked);
    for kind in [
        "rate_limit",
        "html_502",
        "error_before_commit",
        "error_after_commit",
    ] {
        stage.fault(kind).await;
        let failure = stage.handle(&event).await.unwrap_err();
        assert!(
            matches!(failure, Failure::Unavailable(_)),
            "{kind}: {failure}"
        );
    }
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let failure = stage.handle_at(&url, &event).await.unwrap_err();
    assert!(matches!(failure, Failure::Unavailable(_)), "{failure}");
    assert!(stage.conversions(tracked.booking_id).await.is_empty());

    stage.handle(&event).await.unwrap();
    assert_eq!(stage.told().await.len(), 1);
    assert_eq!(stage.conversions(tracked.booking_id).await.len(), 1);
}

#[tokio::test]
async fn what_tiktok_refuses_for_good_is_noted_and_done_with() {
    let stage = Stage::set().await;
    stage.connect("a-token-that-was-revoked").await;
    let tracked = purchase();
    let event = stage.event(&tracked);
    stage.handle(&event).await.unwrap();
    assert!(stage.told().await.is_empty());
    let conversions = stage.conversions(tracked.booking_id).await;
    assert_eq!(conversions[0].status, Status::Refused);
    let words = conversions[0].last_error.as_ref().unwrap();
    assert!(words.starts_with("40105: "), "{words}");
    assert!(!words.contains("a-token-that-was-revoked"));

    stage.connect(TOKEN).await;
    stage.handle(&event).await.unwrap();
    assert_eq!(
        stage.conversions(tracked.booking_id).await.len(),
        1,
        "it is done with"
    );
    assert!(stage.told().await.is_empty());
}

#[tokio::test]
async fn a_tenant_without_a_pixel_tells_nobody() {
    let stage = Stage::set().await;
    let tracked = purchase();
    stage.handle(&stage.event(&tracked)).await.unwrap();
    stage.connect(TOKEN).await;
    stage.disable().await;
    stage.handle(&stage.event(&tracked)).await.unwrap();
    assert!(stage.told().await.is_empty());
    assert!(stage.conversions(tracked.booking_id).await.is_empty());
}

#[tokio::test]
async fn only_purchases_are_passed_on() {
    let stage = Stage::set().await;
    stage.connect(TOKEN).await;
    let mut tracked = purchase();
    tracked.name = "InitiateCheckout".into();
    stage.handle(&stage.event(&tracked)).await.unwrap();
    assert!(stage.told().await.is_empty());
}
