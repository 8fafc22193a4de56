use std::time::{Duration, Instant};

use berth_access::{Actor, Role};
use berth_kernel::{Kind, Problem, Secret};
use jiff::SignedDuration;

use crate::{House, PASSWORD, code};

#[tokio::test]
async fn the_right_password_opens_a_session_whose_token_names_its_holder() {
    let house = House::open().await;
    let account = house.register("ada@example.org").await;
    let signed_in = house
        .try_sign_in(" ADA@example.org", PASSWORD)
        .await
        .unwrap();
    assert_eq!(
        (signed_in.account.clone(), signed_in.expires_in_s),
        (account.clone(), 600)
    );
    let refresh = signed_in.refresh_token.expose();
    assert!(
        refresh.starts_with("rt_") && refresh.len() == 67,
        "wrong form"
    );
    let ctx = house.holder(&signed_in);
    let Actor::User {
        id,
        role,
        session,
        person,
    } = &ctx.actor
    else {
        panic!("the token names no user")
    };
    assert_eq!((*id, *role), (account.id, Role::Customer));
    assert_eq!(
        (person.name.as_str(), person.email.as_str()),
        ("Ada Lovelace", "ada@example.org")
    );
    assert!(house.is_live(*session).await);
}

#[tokio::test]
async fn unknown_wrong_and_disabled_are_answered_alike() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    let disabled = house.register("bob@example.org").await;
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "UPDATE {}.account SET status = 'disabled' WHERE id = $1",
        house.alpha().role()
    )))
    .bind(disabled.id.uuid())
    .execute(house.platform.admin_pool())
    .await
    .unwrap();
    let tries = [
        ("nobody@example.org", PASSWORD),
        ("ada@example.org", "incorrect horse battery"),
        ("ada@example.org", ""),
        ("bob@example.org", PASSWORD),
        ("no address at all", PASSWORD),
    ];
    for (email, password) in tries {
        let problem = Problem::from(house.try_sign_in(email, password).await.unwrap_err());
        assert_eq!(
            (problem.kind, problem.code),
            (Kind::Unauthenticated, "CREDENTIALS_INVALID")
        );
        assert_eq!(
            problem.detail, "The e-mail address or the password is wrong.",
            "for {email}"
        );
    }
}

/// Time is compared as the best of several tries on each side, taken in turn: other load on the
/// machine can only raise it, and raises both.
#[tokio::test]
async fn an_unknown_address_takes_as_long_as_a_wrong_password() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    let time = async |email: &str| {
        let began = Instant::now();
        assert!(
            house
                .try_sign_in(email, "incorrect horse battery")
                .await
                .is_err()
        );
        began.elapsed()
    };
    let (mut known, mut unknown) = (Duration::MAX, Duration::MAX);
    for _ in 0..7 {
        known = known.min(time("ada@example.org").await);
        unknown = unknown.min(time("nobody@example.org").await);
    }
    let (low, high) = (known.min(unknown), known.max(unknown));
    assert!(
        high < low * 3,
        "known {known:?}, unknown {unknown:?}: one of them skipped the hash"
    );
}

#[tokio::test]
async fn an_account_opens_nothing_at_another_tenant() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    let beta = house.stranger_at(&house.platform.beta());
    let elsewhere = house
        .users
        .sign_in(&beta, "ada@example.org", &Secret::new(PASSWORD), "")
        .await;
    assert_eq!(code(elsewhere), "CREDENTIALS_INVALID");
    let signed_in = house.sign_in("ada@example.org").await;
    let token = signed_in.access_token.expose();
    assert!(
        house
            .tokens
            .check(token, beta.tenant.id, house.platform.clock())
            .is_err()
    );
    assert_eq!(
        code(
            house
                .users
                .refresh(&beta, signed_in.refresh_token.expose())
                .await
        ),
        "REFRESH_TOKEN_INVALID"
    );
    house
        .users
        .refresh(&house.stranger(), signed_in.refresh_token.expose())
        .await
        .unwrap();
}

#[tokio::test]
async fn long_past_sessions_are_forgotten_at_the_next_sign_in() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    house.sign_in("ada@example.org").await;
    house.pass(SignedDuration::from_hours(59 * 24));
    house.sign_in("ada@example.org").await;
    assert_eq!(kept(&house).await, 2);
    house.pass(SignedDuration::from_hours(2 * 24));
    house.sign_in("ada@example.org").await;
    assert_eq!(kept(&house).await, 2);
}

async fn kept(house: &House) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM {}.login_session",
        house.alpha().role()
    );
    let pool = house.platform.admin_pool();
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_one(pool)
        .await
        .unwrap()
}
