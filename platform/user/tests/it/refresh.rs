use berth_user::SignedIn;
use futures::future::join_all;
use jiff::SignedDuration;

use crate::{House, code, sessions::session_of};

const INVALID: &str = "REFRESH_TOKEN_INVALID";

async fn refresh(house: &House, token: &SignedIn) -> Result<SignedIn, berth_user::Error> {
    house
        .users
        .refresh(&house.stranger(), token.refresh_token.expose())
        .await
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_for_new_ones_of_the_same_session() {
    let house = House::open().await;
    let account = house.register("ada@example.org").await;
    let first = house.sign_in("ada@example.org").await;
    house.pass(SignedDuration::from_mins(9));
    let second = refresh(&house, &first).await.unwrap();
    assert_eq!(second.account, account);
    assert!(second.refresh_token != first.refresh_token);
    assert!(second.access_token != first.access_token);
    assert_eq!(
        session_of(&house.holder(&first)),
        session_of(&house.holder(&second))
    );
    house.pass(SignedDuration::from_mins(9));
    refresh(&house, &second).await.unwrap();
}

#[tokio::test]
async fn what_is_no_token_of_ours_opens_nothing() {
    let house = House::open().await;
    for text in ["", "rt_", &format!("rt_{}", "0".repeat(64)), "' OR 1=1 --"] {
        assert_eq!(
            code(house.users.refresh(&house.stranger(), text).await),
            INVALID
        );
    }
}

#[tokio::test]
async fn an_old_token_that_comes_again_ends_the_session_for_everyone() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    let other_device = house.sign_in("ada@example.org").await;
    let stolen = house.sign_in("ada@example.org").await;
    let session = session_of(&house.holder(&stolen));
    let second = refresh(&house, &stolen).await.unwrap();
    house.pass(SignedDuration::from_secs(11));
    let third = refresh(&house, &second).await.unwrap();
    assert!(house.is_live(session).await);
    // Two generations old: not the last one, and known all the same.
    assert_eq!(code(refresh(&house, &stolen).await), INVALID);
    assert!(!house.is_live(session).await);
    assert_eq!(code(refresh(&house, &third).await), INVALID);
    assert_eq!(code(refresh(&house, &second).await), INVALID);
    refresh(&house, &other_device).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refreshing_twice_at_once_ends_nothing() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    let first = house.sign_in("ada@example.org").await;
    let both = join_all((0..8).map(|_| refresh(&house, &first))).await;
    let mut tokens: Vec<_> = both.into_iter().map(Result::unwrap).collect();
    let session = session_of(&house.holder(&first));
    assert!(house.is_live(session).await);
    // Whichever answer the app keeps goes on.
    house.pass(SignedDuration::from_mins(9));
    let kept = tokens.pop().unwrap();
    let next = refresh(&house, &kept).await.unwrap();
    house.pass(SignedDuration::from_secs(9));
    refresh(&house, &next).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_was_lost_can_be_asked_for_again() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    let first = house.sign_in("ada@example.org").await;
    let _lost = refresh(&house, &first).await.unwrap();
    house.pass(SignedDuration::from_secs(10));
    let repeated = refresh(&house, &first).await.unwrap();
    house.pass(SignedDuration::from_mins(9));
    refresh(&house, &repeated).await.unwrap();
}

#[tokio::test]
async fn the_two_ends_of_a_copied_chain_cannot_both_go_on() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    let first = house.sign_in("ada@example.org").await;
    let owner = refresh(&house, &first).await.unwrap();
    let thief = refresh(&house, &first).await.unwrap();
    house.pass(SignedDuration::from_mins(9));
    refresh(&house, &owner).await.unwrap();
    house.pass(SignedDuration::from_secs(11));
    assert_eq!(code(refresh(&house, &thief).await), INVALID);
    let session = session_of(&house.holder(&owner));
    assert!(!house.is_live(session).await);
}

#[tokio::test]
async fn a_session_ends_unused_after_30_days_and_used_after_90() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    let unused = house.sign_in("ada@example.org").await;
    let mut used = house.sign_in("ada@example.org").await;
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    for _ in 0..3 {
        house.pass(days(29));
        used = refresh(&house, &used).await.unwrap();
    }
    assert_eq!(code(refresh(&house, &unused).await), INVALID);
    house.pass(days(2));
    used = refresh(&house, &used).await.unwrap();
    house.pass(days(1));
    assert_eq!(code(refresh(&house, &used).await), INVALID);
}

#[tokio::test]
async fn only_a_hash_of_the_token_is_kept() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    let signed_in = house.sign_in("ada@example.org").await;
    let random = signed_in
        .refresh_token
        .expose()
        .trim_start_matches("rt_")
        .to_owned();
    let sql = format!(
        "SELECT encode(token_hash, 'hex') FROM {}.refresh_token",
        house.alpha().role()
    );
    let kept: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_all(house.platform.admin_pool())
        .await
        .unwrap();
    assert_eq!(kept.len(), 1);
    assert_ne!(kept[0], random);
}
