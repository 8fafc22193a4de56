//! A database that was used before: by an earlier start that was interrupted, or by another
//! checkout with other secrets.

use berth_devkit::{
    demo,
    services::{PostgresOptions, PrivatePostgres},
};
use berth_kernel::Secret;
use berth_tenancy::{
    DatabaseSettings, Error,
    migrate::{self, Pace},
};

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn what_an_interrupted_start_left_is_gone_on_with() {
    let house = House::open().await;
    let (clinic, gym) = (house.clinic(), house.gym());
    // The clinic's administrator was never made, the gym misses most of what it offers.
    let nobody = "UPDATE account SET email = 'nobody@example.test' WHERE role = 'admin'";
    house.sql(clinic, nobody).await;
    let nothing = "DELETE FROM session; DELETE FROM idempotency";
    house.sql(gym, nothing).await;
    let mut forgotten = house.endpoints.clone();
    forgotten.tenants.clear();

    let tenants = demo::seed(&forgotten, &house.seeder(), demo::Cast::Few)
        .await
        .unwrap();
    for (now, before) in tenants.iter().zip(&house.endpoints.tenants) {
        assert_eq!(now.product_ids, before.product_ids);
        assert_eq!(now.host, before.host);
        assert_ne!(now.api_key, before.api_key, "a key is shown once");
        demo::play(&house.endpoints, now, |_| {}).await.unwrap();
    }
    // Nothing is left to be done: the same again, with the same keys.
    forgotten.tenants.clone_from(&tenants);
    let again = demo::seed(&forgotten, &house.seeder(), demo::Cast::Few)
        .await
        .unwrap();
    assert_eq!(again, tenants);
    assert_eq!(house.count(gym, "SELECT count(*) FROM session").await, 14);
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_made_with_another_secret_are_told_of_and_can_be_renewed() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("postgres");
    let postgres = PrivatePostgres::start(&place, PostgresOptions::default());
    let postgres = postgres.await.unwrap();
    let url = postgres.ensure_database("berth").await.unwrap();
    // Everybody but the owner has to say a password.
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    let (file, owner): (String, String) =
        sqlx::query_as("SELECT current_setting('hba_file'), current_user::text")
            .fetch_one(&pool)
            .await
            .unwrap();
    let here = "127.0.0.1/32";
    let rules = format!("host all {owner} {here} trust\nhost all all {here} scram-sha-256\n");
    std::fs::write(&file, rules).unwrap();
    let reload = sqlx::query("SELECT pg_reload_conf()").execute(&pool);
    reload.await.unwrap();

    let with = |secret: &str| {
        let mut settings = DatabaseSettings::for_url(&url, Secret::new(secret));
        settings.buckets = 2;
        settings
    };
    let (one, other) = (with("one secret"), with("another secret"));
    let run = async |settings| migrate::run(settings, Pace::default(), &|_| {}).await;
    run(&one).await.unwrap();
    let refused = run(&other).await;
    assert!(matches!(refused, Err(Error::OtherSecret)), "{refused:?}");
    migrate::renew_logins(&other).await.unwrap();
    run(&other).await.unwrap();
    let refused = run(&one).await;
    assert!(matches!(refused, Err(Error::OtherSecret)), "{refused:?}");
}
