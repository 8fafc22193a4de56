use berth_kernel::Secret;

use crate::{House, PASSWORD, code, sessions::session_of};

const NEW: &str = "staple correct horse";

#[tokio::test]
async fn a_new_password_replaces_the_old_and_signs_out_every_other_device() {
    let house = House::open().await;
    let account = house.register("ada@example.org").await;
    let other = house.sign_in("ada@example.org").await;
    let here = house.sign_in("ada@example.org").await;
    let ctx = house.holder(&here);
    house
        .users
        .change_password(&ctx, &Secret::new(PASSWORD), &Secret::new(NEW))
        .await
        .unwrap();
    let other_session = session_of(&house.holder(&other));
    assert!(!house.is_live(other_session).await);
    assert!(house.is_live(session_of(&ctx)).await);
    let gone = house
        .users
        .refresh(&house.stranger(), other.refresh_token.expose())
        .await;
    assert_eq!(code(gone), "REFRESH_TOKEN_INVALID");
    house
        .users
        .refresh(&house.stranger(), here.refresh_token.expose())
        .await
        .unwrap();
    assert_eq!(
        code(house.try_sign_in("ada@example.org", PASSWORD).await),
        "CREDENTIALS_INVALID"
    );
    house.try_sign_in("ada@example.org", NEW).await.unwrap();
    // No profile was changed, so there is nothing to tell and no version to raise.
    assert_eq!(
        house.users.profile(&ctx).await.unwrap().version,
        account.version
    );
    assert_eq!(house.platform.events(account.id.uuid()).await.len(), 1);
}

#[tokio::test]
async fn a_password_is_not_replaced_without_the_present_one_or_by_a_poor_one() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    let ctx = house.holder(&house.sign_in("ada@example.org").await);
    let change = async |old: &str, new: &str| {
        code(
            house
                .users
                .change_password(&ctx, &Secret::new(old), &Secret::new(new))
                .await,
        )
    };
    assert_eq!(change("incorrect horse", NEW).await, "PASSWORD_WRONG");
    assert_eq!(change(PASSWORD, "short").await, "PASSWORD_LENGTH");
    assert_eq!(
        change(PASSWORD, "ada@example.org").await,
        "PASSWORD_OWN_NAME"
    );
    house.sign_in("ada@example.org").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_at_the_same_moment_does_not_outlive_the_password_it_used() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    let ctx = house.holder(&house.sign_in("ada@example.org").await);
    let mut old = PASSWORD.to_owned();
    for round in 0..6 {
        let new = format!("{NEW} {round}");
        let (old_secret, new_secret) = (Secret::new(old.as_str()), Secret::new(new.as_str()));
        let (changed, raced) = tokio::join!(
            house.users.change_password(&ctx, &old_secret, &new_secret),
            house.try_sign_in("ada@example.org", &old),
        );
        changed.unwrap();
        if let Ok(raced) = raced {
            let session = session_of(&house.holder(&raced));
            assert!(!house.is_live(session).await);
        }
        old = new;
    }
}
