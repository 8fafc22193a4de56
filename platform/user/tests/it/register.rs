use berth_access::Role;
use berth_events::user::Created;
use berth_kernel::{Cause, Kind, Problem, Secret};
use berth_tenancy::{IdempotencyKey, idempotency};
use berth_user::{Error, NewAccount};
use futures::future::join_all;

use crate::{House, code, new};

#[tokio::test]
async fn a_new_account_is_a_customer_and_is_told_once() {
    let house = House::open().await;
    let account = house.register("Ada@Example.org").await;
    assert_eq!(account.email, "ada@example.org");
    assert_eq!((account.role, account.version), (Role::Customer, 1));
    assert_eq!(account.locale, house.alpha().locale);
    let told = house.platform.events(account.id.uuid()).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].tenant_id, house.alpha().id);
    assert_eq!(told[0].metadata.entity_version, 1);
    let created: Created = told[0].open().unwrap().unwrap();
    assert_eq!(created.user.user_id, account.id);
    assert_eq!(
        (created.user.email.as_str(), created.user.role.as_str()),
        ("ada@example.org", "customer")
    );
}

#[tokio::test]
async fn an_address_has_one_account_at_a_tenant_whatever_its_case() {
    let house = House::open().await;
    house.register("ada@example.org").await;
    let again = house
        .users
        .register(&house.stranger(), new("ADA@example.org"), None)
        .await;
    let problem = Problem::from(again.unwrap_err());
    assert_eq!(
        (problem.kind, problem.code),
        (Kind::Conflict, "EMAIL_TAKEN")
    );
    let elsewhere = house.stranger_at(&house.platform.beta());
    house
        .users
        .register(&elsewhere, new("ada@example.org"), None)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_registrations_of_one_address_exactly_one_wins() {
    let house = House::open().await;
    let ctx = house.stranger();
    let tries =
        join_all((0..64).map(|_| house.users.register(&ctx, new("ada@example.org"), None))).await;
    let (won, lost): (Vec<_>, Vec<_>) = tries.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 63));
    for lost in lost {
        assert!(matches!(lost, Err(Error::EmailTaken)), "{lost:?}");
    }
    let account = won.into_iter().next().unwrap().unwrap();
    assert_eq!(house.platform.events(account.id.uuid()).await.len(), 1);
    let told: i64 =
        sqlx::query_scalar("SELECT count(*) FROM platform.outbox WHERE event_type LIKE 'user.%'")
            .fetch_one(house.platform.admin_pool())
            .await
            .unwrap();
    assert_eq!(told, 1, "who lost was told of all the same");
}

#[tokio::test]
async fn wrong_fields_are_listed_and_nothing_is_written() {
    let house = House::open().await;
    let wrong = NewAccount {
        password: Secret::new("short"),
        ..new("nowhere")
    };
    let problem = Problem::from(
        house
            .users
            .register(&house.stranger(), wrong, None)
            .await
            .unwrap_err(),
    );
    let fields: Vec<_> = problem
        .errors
        .iter()
        .map(|error| error.field.as_str())
        .collect();
    assert_eq!(
        (problem.kind, problem.code),
        (Kind::Invalid, "FIELDS_INVALID")
    );
    assert_eq!(fields, ["email", "password"]);
    let common = NewAccount {
        password: Secret::new("Password123"),
        ..new("ada@example.org")
    };
    assert_eq!(
        code(house.users.register(&house.stranger(), common, None).await),
        "PASSWORD_COMMON"
    );
    house.register("ada@example.org").await;
}

#[tokio::test]
async fn people_of_the_tenant_are_staff_or_admin() {
    let house = House::open().await;
    let admin = house.staff("boss@example.org", Role::Admin).await;
    assert_eq!(admin.role, Role::Admin);
    assert_eq!(house.platform.events(admin.id.uuid()).await.len(), 1);
    for role in [Role::Anonymous, Role::Customer, Role::Service] {
        let (tenant, clock) = (house.alpha(), house.platform.clock());
        let refused = house
            .users
            .create_staff(&tenant, new("x@example.org"), role, clock, &Cause::fresh())
            .await;
        assert_eq!(code(refused), "ROLE_INVALID");
    }
}

#[tokio::test]
async fn only_who_may_sees_the_list_and_it_pages_through_everyone_once() {
    let house = House::open().await;
    house.staff("boss@example.org", Role::Admin).await;
    for number in 0..6 {
        house
            .register(&format!("customer{number}@example.org"))
            .await;
    }
    let customer = house.holder(&house.sign_in("customer0@example.org").await);
    assert_eq!(
        code(house.users.list(&customer, None, 10).await),
        "FORBIDDEN"
    );
    assert_eq!(
        code(house.users.list(&house.stranger(), None, 10).await),
        "UNAUTHENTICATED"
    );
    let admin = house.holder(&house.sign_in("boss@example.org").await);
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = house.users.list(&admin, cursor, 3).await.unwrap();
        assert!(page.items.len() <= 3);
        seen.extend(page.items.into_iter().map(|account| account.email));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (7, 7));
    assert_eq!(
        seen.last().map(String::as_str),
        Some("boss@example.org"),
        "newest first"
    );
}

#[tokio::test]
async fn a_registration_repeated_under_its_key_gets_the_account_it_made() {
    let house = House::open().await;
    let ctx = house.stranger();
    let key = |hash: u8| IdempotencyKey {
        principal: ctx.actor.to_string(),
        route: "POST /v1/users",
        key: "k1".into(),
        request_hash: [hash; 32],
    };
    let register = async |email: &str, key: IdempotencyKey| {
        house.users.register(&ctx, new(email), Some(&key)).await
    };
    let first = register("ada@example.org", key(1)).await.unwrap();
    let again = register("ada@example.org", key(1)).await.unwrap();
    assert_eq!(again, first);
    let other = register("bob@example.org", key(2)).await;
    assert_eq!(code(other), "IDEMPOTENCY_MISMATCH");

    // Answers are kept for 30 days.
    let mut tx = house
        .platform
        .tenancy()
        .begin(&house.alpha())
        .await
        .unwrap();
    for (age, gone) in [("29 days", 0), ("2 days", 1)] {
        sqlx::query("UPDATE idempotency SET created_at = created_at - $1::text::interval")
            .bind(age)
            .execute(tx.conn())
            .await
            .unwrap();
        assert_eq!(idempotency::forget_old(&mut tx).await.unwrap(), gone);
    }
}
