use berth_access::Role;
use berth_kernel::{Cause, Secret};
use berth_user::{Error, PortalSession, PortalUser};
use jiff::SignedDuration;

use crate::{House, PASSWORD, code};

async fn enter(house: &House, email: &str) -> Result<PortalSession, Error> {
    let (tenant, clock, cause) = (house.alpha(), house.platform.clock(), Cause::fresh());
    let password = Secret::new(PASSWORD);
    house
        .users
        .portal_sign_in(&tenant, email, &password, "browser", clock, &cause)
        .await
}

async fn show(house: &House, token: &str) -> Option<PortalUser> {
    let clock = house.platform.clock();
    house
        .users
        .portal_session(&house.alpha(), token, clock)
        .await
        .unwrap()
}

#[tokio::test]
async fn staff_and_admins_enter_the_portal_and_customers_do_not() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    house.staff("desk@example.org", Role::Staff).await;
    house.staff("boss@example.org", Role::Admin).await;
    assert_eq!(
        code(enter(&house, "ada@example.org").await),
        "CREDENTIALS_INVALID"
    );
    assert_eq!(
        code(enter(&house, "nobody@example.org").await),
        "CREDENTIALS_INVALID"
    );
    for (email, role) in [
        ("desk@example.org", Role::Staff),
        ("boss@example.org", Role::Admin),
    ] {
        let session = enter(&house, email).await.unwrap();
        let user = show(&house, session.token.expose()).await.unwrap();
        assert_eq!(
            (user.account.email.as_str(), user.account.role),
            (email, role)
        );
        assert_eq!(user.csrf, session.csrf);
    }
}

#[tokio::test]
async fn a_cookie_names_its_tenant_and_opens_no_other() {
    let house = House::open().await;
    house.staff("boss@example.org", Role::Admin).await;
    let session = enter(&house, "boss@example.org").await.unwrap();
    let token = session.token.expose();
    let (tenant, random) = token.split_once('.').unwrap();
    assert_eq!(
        (tenant.to_owned(), random.len()),
        (house.alpha().id.to_string(), 64)
    );
    let beta = house.platform.beta();
    let clock = house.platform.clock();
    assert!(
        house
            .users
            .portal_session(&beta, token, clock)
            .await
            .unwrap()
            .is_none()
    );
    let renamed = format!("{}.{random}", beta.id);
    assert!(
        house
            .users
            .portal_session(&beta, &renamed, clock)
            .await
            .unwrap()
            .is_none()
    );
    for forged in ["", ".", random, &format!("{tenant}.{}", "0".repeat(64))] {
        assert!(
            show(&house, forged).await.is_none(),
            "{forged} opens the portal"
        );
    }
}

#[tokio::test]
async fn a_session_ends_after_30_idle_minutes() {
    let house = House::open().await;
    house.staff("boss@example.org", Role::Admin).await;
    let session = enter(&house, "boss@example.org").await.unwrap();
    let token = session.token.expose();
    house.pass(SignedDuration::from_mins(29));
    assert!(show(&house, token).await.is_some());
    house.pass(SignedDuration::from_mins(29));
    assert!(show(&house, token).await.is_some(), "its use was not noted");
    house.pass(SignedDuration::from_mins(30));
    assert!(show(&house, token).await.is_none());
}

#[tokio::test]
async fn a_session_in_use_ends_after_12_hours() {
    let house = House::open().await;
    house.staff("boss@example.org", Role::Admin).await;
    let session = enter(&house, "boss@example.org").await.unwrap();
    let end = house
        .platform
        .clock()
        .now()
        .saturating_add(SignedDuration::from_hours(12))
        .unwrap();
    assert_eq!(session.expires_at, end);
    for _ in 0..47 {
        house.pass(SignedDuration::from_mins(15));
        assert!(show(&house, session.token.expose()).await.is_some());
    }
    house.pass(SignedDuration::from_mins(15));
    assert!(show(&house, session.token.expose()).await.is_none());
}

#[tokio::test]
async fn signing_out_ends_the_session_at_once_and_each_sign_in_is_a_new_one() {
    let house = House::open().await;
    house.staff("boss@example.org", Role::Admin).await;
    let one = enter(&house, "boss@example.org").await.unwrap();
    let two = enter(&house, "boss@example.org").await.unwrap();
    assert!(one.token != two.token);
    assert_ne!(one.csrf, two.csrf);
    let user = show(&house, one.token.expose()).await.unwrap();
    let clock = house.platform.clock();
    for _ in 0..2 {
        house
            .users
            .portal_sign_out(&house.alpha(), user.session, clock)
            .await
            .unwrap();
    }
    assert!(show(&house, one.token.expose()).await.is_none());
    assert!(show(&house, two.token.expose()).await.is_some());
}

#[tokio::test]
async fn who_is_no_longer_staff_is_out_at_the_next_page() {
    let house = House::open().await;
    for (email, change) in [
        ("one@example.org", "role = 'customer'"),
        ("two@example.org", "status = 'disabled'"),
    ] {
        let account = house.staff(email, Role::Staff).await;
        let session = enter(&house, email).await.unwrap();
        assert!(show(&house, session.token.expose()).await.is_some());
        let sql = format!(
            "UPDATE {}.account SET {change} WHERE id = $1",
            house.alpha().role()
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(account.id.uuid())
            .execute(house.platform.admin_pool())
            .await
            .unwrap();
        assert!(
            show(&house, session.token.expose()).await.is_none(),
            "after {change}"
        );
    }
}

#[tokio::test]
async fn a_new_password_ends_the_portal_sessions_too() {
    let house = House::open().await;
    house.staff("boss@example.org", Role::Admin).await;
    let session = enter(&house, "boss@example.org").await.unwrap();
    let ctx = house.holder(&house.sign_in("boss@example.org").await);
    let new = Secret::new("staple correct horse");
    house
        .users
        .change_password(&ctx, &Secret::new(PASSWORD), &new)
        .await
        .unwrap();
    assert!(show(&house, session.token.expose()).await.is_none());
}
