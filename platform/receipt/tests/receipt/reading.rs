//! Who sees which receipt.

use berth_access::{Actor, Context, Person, Role};
use berth_kernel::{ApiKeyId, SessionTokenId, UserId};
use berth_receipt::Error;

use crate::stage::{Stage, paid};

fn customer(id: UserId) -> Actor {
    Actor::User {
        id,
        role: Role::Customer,
        session: SessionTokenId::new(),
        person: Person {
            name: "Zoë".into(),
            email: "zoe@example.com".into(),
            locale: "en".into(),
        },
    }
}

fn alpha(stage: &Stage, actor: Actor) -> Context {
    stage.platform.context(&stage.platform.alpha(), actor)
}

#[tokio::test]
async fn a_customer_sees_own_receipts_and_the_tenant_sees_all() {
    let stage = Stage::set().await;
    let owner = UserId::new();
    let paid = paid("en", Some(owner));
    let booking = paid.payment.booking.booking_id;
    stage.handle(&stage.event(&paid)).await.unwrap();
    let stored = |path: &str| std::fs::read(stage.file(path)).unwrap();

    for actor in [customer(owner), Actor::ApiKey(ApiKeyId::new())] {
        let ctx = alpha(&stage, actor);
        let listed = stage
            .receipts
            .list_for_booking(&ctx, booking)
            .await
            .unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].customer_id, Some(owner));
        assert!(listed[0].stored_at.is_some());
        assert_eq!(
            stage.receipts.get(&ctx, listed[0].id).await.unwrap(),
            listed[0]
        );
        let pdf = stage.receipts.pdf(&ctx, listed[0].id).await.unwrap();
        assert!(pdf == stored(&listed[0].path));
    }
}

#[tokio::test]
async fn what_somebody_may_not_see_is_not_there() {
    let stage = Stage::set().await;
    let paid = paid("en", Some(UserId::new()));
    let booking = paid.payment.booking.booking_id;
    stage.handle(&stage.event(&paid)).await.unwrap();
    let service = alpha(&stage, Actor::ApiKey(ApiKeyId::new()));
    let id = stage
        .receipts
        .list_for_booking(&service, booking)
        .await
        .unwrap()[0]
        .id;

    let strangers = [
        alpha(&stage, customer(UserId::new())),
        stage
            .platform
            .context(&stage.platform.beta(), Actor::ApiKey(ApiKeyId::new())),
    ];
    for ctx in strangers {
        assert!(
            stage
                .receipts
                .list_for_booking(&ctx, booking)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(matches!(
            stage.receipts.get(&ctx, id).await,
            Err(Error::NotFound)
        ));
        assert!(matches!(
            stage.receipts.pdf(&ctx, id).await,
            Err(Error::NotFound)
        ));
    }
    let nobody = alpha(&stage, Actor::Anonymous);
    assert!(matches!(
        stage.receipts.get(&nobody, id).await,
        Err(Error::Denied(_))
    ));
}

#[tokio::test]
async fn a_lost_file_is_made_again_as_it_was() {
    let stage = Stage::set().await;
    let paid = paid("de", None);
    stage.handle(&stage.event(&paid)).await.unwrap();
    let ctx = alpha(&stage, Actor::ApiKey(ApiKeyId::new()));
    let booking = paid.payment.booking.booking_id;
    let receipt = stage
        .receipts
        .list_for_booking(&ctx, booking)
        .await
        .unwrap()
        .remove(0);
    let place = stage.file(&receipt.path);
    let before = std::fs::read(&place).unwrap();
    std::fs::remove_file(&place).unwrap();
    assert!(stage.receipts.pdf(&ctx, receipt.id).await.unwrap() == before);
}

#[tokio::test]
async fn a_receipt_whose_file_is_still_to_come_can_be_read() {
    let stage = Stage::set().await;
    let paid = paid("en", None);
    stage
        .handle_with(&stage.broken(), &stage.event(&paid))
        .await
        .unwrap_err();
    let ctx = alpha(&stage, Actor::ApiKey(ApiKeyId::new()));
    let booking = paid.payment.booking.booking_id;
    let receipt = stage
        .receipts
        .list_for_booking(&ctx, booking)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(receipt.stored_at, None);
    assert!(
        stage
            .receipts
            .pdf(&ctx, receipt.id)
            .await
            .unwrap()
            .starts_with(b"%PDF-")
    );
}
