use std::time::Duration;

use berth_access::{Actor, Context, Role};
use berth_kernel::SessionTokenId;
use berth_user::{SessionKind, SignedIn, Users};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

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
    assert!(!house.is_live(session_of(&ctx)).await);
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
    assert!(house.is_live(lost).await);
    let ada = house.holder(&house.sign_in("ada@example.org").await);
    house.users.end_session(&ada, lost).await.unwrap();
    assert!(!house.is_live(lost).await);
    assert_eq!(code(house.users.end_session(&ada, lost).await), "NOT_FOUND");
    assert_eq!(
        code(house.users.end_session(&ada, SessionTokenId::new()).await),
        "NOT_FOUND"
    );
}

#[tokio::test]
async fn a_session_ended_in_one_process_is_refused_in_the_others() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    let earlier = house.sign_in("ada@example.org").await;
    let later = house.sign_in("ada@example.org").await;
    house.users.sign_out(&house.holder(&earlier)).await.unwrap();

    let tokens = house.platform.tokens();
    let other = Users::new(house.platform.tenancy().clone(), tokens.clone());
    let stop = CancellationToken::new();
    let following = tokio::spawn({
        let stop = stop.clone();
        async move { other.follow_revocations(stop).await }
    });
    let refused = async |signed_in: &SignedIn| {
        let (tenant, clock) = (house.alpha(), house.platform.clock());
        let token = signed_in.access_token.expose();
        while tokens.check(token, tenant.id, clock).is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // What ended before it listened, and what ends while it does.
    refused(&earlier).await;
    let (tenant, clock) = (house.alpha(), house.platform.clock());
    let token = later.access_token.expose();
    assert!(tokens.check(token, tenant.id, clock).is_ok());
    house.users.sign_out(&house.holder(&later)).await.unwrap();
    refused(&later).await;

    // The channel breaks, and is taken up again with what was missed.
    let third = house.sign_in("ada@example.org").await;
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    let killed = sqlx::query(kill)
        .fetch_all(house.platform.admin_pool())
        .await
        .unwrap();
    assert_eq!(killed.len(), 1);
    house.users.sign_out(&house.holder(&third)).await.unwrap();
    refused(&third).await;
    stop.cancel();
    following.await.unwrap();
}
