use berth_access::Role;
use berth_events::user::Deleted;
use berth_kernel::{Kind, Problem, UserId};
use sqlx::{AssertSqlSafe, Row as _};

use crate::{House, PASSWORD, code, sessions::session_of};

#[tokio::test]
async fn a_deleted_account_says_nothing_of_its_person_and_opens_nothing() {
    let house = House::open().await;
    let account = house.register("ada@example.org").await;
    let signed_in = house.sign_in("ada@example.org").await;
    let ctx = house.holder(&signed_in);
    house.users.delete_account(&ctx).await.unwrap();

    assert!(!house.is_live(session_of(&ctx)).await);
    assert_eq!(code(house.users.profile(&ctx).await), "NOT_FOUND");
    assert_eq!(code(house.users.delete_account(&ctx).await), "NOT_FOUND");
    assert_eq!(
        code(house.try_sign_in("ada@example.org", PASSWORD).await),
        "CREDENTIALS_INVALID"
    );
    let refreshed = house
        .users
        .refresh(&house.stranger(), signed_in.refresh_token.expose())
        .await;
    assert_eq!(code(refreshed), "REFRESH_TOKEN_INVALID");

    let kept = everything_kept(&house, account.id).await;
    for word in ["ada", "Ada", "Lovelace", "argon2", "tests/1"] {
        assert!(!kept.contains(word), "{word} is still in {kept}");
    }
    let told = house.platform.events(account.id.uuid()).await;
    assert_eq!(told.len(), 2);
    let deleted: Deleted = told[1].open().unwrap().unwrap();
    assert_eq!((deleted.user_id, deleted.version), (account.id, 2));
}

/// The account's row and its sessions' as text.
async fn everything_kept(house: &House, id: UserId) -> String {
    let role = house.alpha().role().to_owned();
    let sql = format!(
        "SELECT (SELECT a::text FROM {role}.account a WHERE id = $1) || \
           (SELECT string_agg(s::text, ' ') FROM {role}.login_session s WHERE account_id = $1)"
    );
    let pool = house.platform.admin_pool();
    sqlx::query(AssertSqlSafe(sql))
        .bind(id.uuid())
        .fetch_one(pool)
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn the_address_of_a_deleted_account_can_be_registered_anew() {
    let house = House::open().await;
    let first = house.register("ada@example.org").await;
    let ctx = house.holder(&house.sign_in("ada@example.org").await);
    house.users.delete_account(&ctx).await.unwrap();
    let second = house.register("ada@example.org").await;
    assert_ne!(first.id, second.id);
    let again = house.holder(&house.sign_in("ada@example.org").await);
    house.users.delete_account(&again).await.unwrap();
    house.staff("boss@example.org", Role::Admin).await;
    let admin = house.holder(&house.sign_in("boss@example.org").await);
    let listed = house.users.list(&admin, None, 10).await.unwrap().items;
    assert_eq!(listed.len(), 1, "the deleted are not listed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_administrator_stays_even_when_all_leave_at_once() {
    let house = House::open().await;
    let mut leaving = Vec::new();
    for number in 0..3 {
        let email = format!("boss{number}@example.org");
        house.staff(&email, Role::Admin).await;
        leaving.push(house.holder(&house.sign_in(&email).await));
    }
    let tries = leaving.iter().map(|ctx| house.users.delete_account(ctx));
    let results = futures::future::join_all(tries).await;
    let (left, stayed): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((left.len(), stayed.len()), (2, 1));
    let problem = Problem::from(stayed.into_iter().next().unwrap().unwrap_err());
    assert_eq!((problem.kind, problem.code), (Kind::Conflict, "LAST_ADMIN"));
}
