use berth_access::{Actor, Context, Role};
use berth_kernel::SessionTokenId;
use berth_user::SessionKind;
use jiff::SignedDuration;

use crate::{House, code};

/// The session a request comes from.
pub fn session_of(ctx: &Context) -> SessionTokenId {
    match &ctx.actor {
        Actor::User { session, .. } => *session,
        other => panic!("{other} has no session"),
    }
}

#[tokio::test]
async fn a_person_sees_their_own_devices_and_which_one_asks() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    house.register("bob@example.org").await;
    house.sign_in("bob@example.org").await;
    let old = house.holder(&house.sign_in("ada@example.org").await);
    house.pass(SignedDuration::from_secs(60));
    let new = house.holder(&house.sign_in("ada@example.org").await);
    let sessions = house.users.sessions(&new).await.unwrap();
    let seen: Vec<_> = sessions
        .iter()
        .map(|session| (session.id, session.current))
        .collect();
    assert_eq!(seen, [(session_of(&new), true), (session_of(&old), false)]);
    assert_eq!(
        (sessions[0].kind, sessions[0].user_agent.as_str()),
        (SessionKind::Api, "tests/1")
    );
    assert_eq!(
        code(house.users.sessions(&house.stranger()).await),
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn signing_out_ends_this_device_and_no_other() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    let here = house.sign_in("ada@example.org").await;
    let there = house.sign_in("ada@example.org").await;
    let ctx = house.holder(&here);
    house.users.sign_out(&ctx).await.unwrap();
    house.users.sign_out(&ctx).await.unwrap();
    assert!(
        !house
            .users
            .session_live(&ctx.tenant, session_of(&ctx))
            .await
            .unwrap()
    );
    let gone = house
        .users
        .refresh(&house.stranger(), here.refresh_token.expose())
        .await;
    assert_eq!(code(gone), "REFRESH_TOKEN_INVALID");
    house
        .users
        .refresh(&house.stranger(), there.refresh_token.expose())
        .await
        .unwrap();
    assert_eq!(
        house
            .users
            .sessions(&house.holder(&there))
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_device_can_be_signed_out_from_another_by_its_owner_alone() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    house.register("bob@example.org").await;
    house.staff("boss@example.org", Role::Admin).await;
    let lost = session_of(&house.holder(&house.sign_in("ada@example.org").await));
    for stranger in ["bob@example.org", "boss@example.org"] {
        let ctx = house.holder(&house.sign_in(stranger).await);
        assert_eq!(code(house.users.end_session(&ctx, lost).await), "NOT_FOUND");
    }
    assert!(
        house
            .users
            .session_live(&house.alpha(), lost)
            .await
            .unwrap()
    );
    let ada = house.holder(&house.sign_in("ada@example.org").await);
    house.users.end_session(&ada, lost).await.unwrap();
    assert!(
        !house
            .users
            .session_live(&house.alpha(), lost)
            .await
            .unwrap()
    );
    assert_eq!(code(house.users.end_session(&ada, lost).await), "NOT_FOUND");
    assert_eq!(
        code(house.users.end_session(&ada, SessionTokenId::new()).await),
        "NOT_FOUND"
    );
}
