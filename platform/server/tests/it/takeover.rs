//! A database that was used before: by an earlier start that was interrupted, or by another
//! checkout with other secrets.

use std::path::Path;

use berth_devkit::{
    demo,
    services::{PostgresOptions, PrivatePostgres},
};
use sqlx::PgPool;

use crate::house::{BERTH, House};

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

/// A cluster in which nobody has been, with an empty database; everybody but its owner has to say a
/// password.
async fn empty_cluster(place: &Path) -> (PrivatePostgres, String, PgPool) {
    let postgres = PrivatePostgres::start(place, PostgresOptions::default());
    let postgres = postgres.await.unwrap();
    let url = postgres.ensure_database("berth").await.unwrap();
    let pool = PgPool::connect(&url).await.unwrap();
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
    (postgres, url, pool)
}

/// `berth` with these arguments on a database, as it is run by hand; what it printed of errors if it failed.
async fn berth(url: &str, secret: &str, arguments: &[&str]) -> Result<(), String> {
    let run = tokio::process::Command::new(BERTH)
        .args(arguments)
        .env_clear()
        .envs([("DATABASE_URL", url), ("BERTH_BUCKET_SECRET", secret)])
        .env("BERTH_DATABASE_BUCKETS", "2")
        .output()
        .await
        .unwrap();
    match run.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8(run.stderr).unwrap()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_cluster_is_made_ready_by_one_command_and_logins_of_another_secret_are_renewed() {
    let directory = tempfile::tempdir().unwrap();
    let (_postgres, url, pool) = empty_cluster(&directory.path().join("postgres")).await;
    let (one, other) = (
        "one secret of thirty-two letters!",
        "another of thirty-two letters, too",
    );
    let noted = async || -> Vec<String> {
        let noted = "SELECT detail::text FROM platform.audit WHERE action = 'fleet.logins.renewed'";
        sqlx::query_scalar(noted).fetch_all(&pool).await.unwrap()
    };
    // As `./dev up` does, also the first time.
    berth(&url, one, &["migrate", "--renew-logins"])
        .await
        .unwrap();
    assert!(noted().await.is_empty(), "nothing was to be renewed");
    let refused = berth(&url, other, &["migrate"]).await.unwrap_err();
    assert!(refused.contains("secret"), "{refused}");
    berth(&url, other, &["migrate", "--renew-logins"])
        .await
        .unwrap();
    assert_eq!(noted().await, [r#"{"logins": 3}"#]);
    berth(&url, one, &["migrate"]).await.unwrap_err();
    pool.close().await;
}
