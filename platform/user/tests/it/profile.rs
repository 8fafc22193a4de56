use berth_events::user::Updated;
use berth_kernel::{Kind, Problem};
use berth_user::ProfileChange;
use futures::future::join_all;

use crate::{House, code};

fn rename(name: &str, version: i64) -> ProfileChange {
    ProfileChange {
        name: Some(name.into()),
        version,
        ..ProfileChange::default()
    }
}

#[tokio::test]
async fn a_change_raises_the_version_by_one_and_is_told() {
    let house = House::open().await;
    let account = house.register("ada@example.org").await;
    let ctx = house.holder(&house.sign_in("ada@example.org").await);
    assert_eq!(house.users.profile(&ctx).await.unwrap(), account);
    let changed = house
        .users
        .update_profile(&ctx, rename("Countess", 1))
        .await
        .unwrap();
    assert_eq!((changed.name.as_str(), changed.version), ("Countess", 2));
    assert_eq!(house.users.profile(&ctx).await.unwrap(), changed);
    let phone = ProfileChange {
        phone: Some("+49 30 123456".into()),
        version: 2,
        ..Default::default()
    };
    house.users.update_profile(&ctx, phone).await.unwrap();
    let told = house.platform.events(account.id.uuid()).await;
    let versions: Vec<_> = told
        .iter()
        .map(|event| event.metadata.entity_version)
        .collect();
    assert_eq!(versions, [1, 2, 3]);
    let updated: Updated = told[1].open().unwrap().unwrap();
    assert_eq!(
        (updated.user.name.as_str(), updated.user.version),
        ("Countess", 2)
    );
}

#[tokio::test]
async fn a_change_of_a_stale_version_is_refused_and_one_of_nothing_is_not_told() {
    let house = House::open().await;
    let account = house.register("ada@example.org").await;
    let ctx = house.holder(&house.sign_in("ada@example.org").await);
    house
        .users
        .update_profile(&ctx, rename("Countess", 1))
        .await
        .unwrap();
    let stale = house
        .users
        .update_profile(&ctx, rename("Baroness", 1))
        .await;
    let problem = Problem::from(stale.unwrap_err());
    assert_eq!(
        (problem.kind, problem.code),
        (Kind::Conflict, "VERSION_CONFLICT")
    );
    let same = house
        .users
        .update_profile(&ctx, rename("Countess", 2))
        .await
        .unwrap();
    assert_eq!(same.version, 2);
    assert_eq!(
        code(house.users.update_profile(&ctx, rename("\n", 2)).await),
        "NAME_INVALID"
    );
    assert_eq!(house.platform.events(account.id.uuid()).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_changes_at_once_one_wins_each_version_and_no_version_is_missing() {
    let house = House::open().await;
    let account = house.register("ada@example.org").await;
    let ctx = house.holder(&house.sign_in("ada@example.org").await);
    for version in 1..=3 {
        let names: Vec<_> = (0..8).map(|n| format!("Name {version}.{n}")).collect();
        let tries = names
            .iter()
            .map(|name| house.users.update_profile(&ctx, rename(name, version)));
        let won = join_all(tries)
            .await
            .into_iter()
            .filter(Result::is_ok)
            .count();
        assert_eq!(won, 1);
    }
    let told = house.platform.events(account.id.uuid()).await;
    let versions: Vec<_> = told
        .iter()
        .map(|event| event.metadata.entity_version)
        .collect();
    assert_eq!(versions, [1, 2, 3, 4]);
}

#[tokio::test]
async fn an_account_is_seen_by_its_owner_at_its_tenant_only() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    let ctx = house.holder(&house.sign_in("ada@example.org").await);
    let elsewhere = house
        .platform
        .context(&house.platform.beta(), ctx.actor.clone());
    assert_eq!(code(house.users.profile(&elsewhere).await), "NOT_FOUND");
    assert_eq!(
        code(house.users.update_profile(&elsewhere, rename("X", 1)).await),
        "NOT_FOUND"
    );
    assert_eq!(
        code(house.users.profile(&house.stranger()).await),
        "UNAUTHENTICATED"
    );
}
