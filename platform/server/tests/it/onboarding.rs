//! From nobody to a business that takes bookings: by itself, in a browser; by an operator who is killed
//! in the middle.

use std::time::{Duration, Instant};

use berth_devkit::{environment::Role, mailbox::Filter};
use reqwest::StatusCode;
use serde_json::Value;

use crate::{browser::Browser, house::House};

/// The link in the mail that goes to `address`.
async fn mailed_link(house: &House, address: &str) -> String {
    let began = Instant::now();
    loop {
        let filter = Filter {
            to: Some(address.to_owned()),
            ..Filter::default()
        };
        if let Some(mail) = house.mailbox.messages(&filter).first() {
            let mail = house.mailbox.message(&mail.id).unwrap().unwrap();
            let text = mail.text.unwrap();
            let link = text.lines().find(|line| line.starts_with("http")).unwrap();
            return link.trim().to_owned();
        }
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "no mail to {address}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_business_signs_itself_up_in_a_browser() {
    let mut house = House::open().await;
    house.start(Role::Provisioner).await;
    let browser = Browser::open().await;
    browser
        .goto(&format!("{}/sign-in", house.endpoints.portal))
        .await;
    browser.click("Sign your business up").await;
    browser.fill("email", "maya@surf.example").await;
    browser.click("Send me the link").await;
    browser.see("Look into your mail").await;

    browser
        .goto(&mailed_link(&house, "maya@surf.example").await)
        .await;
    browser.fill("name", "Gamma Surf").await;
    browser.fill("slug", "admin").await;
    browser.choose("kind", "rental").await;
    browser.choose("timezone", "Atlantic/Canary").await;
    browser.fill("admin_name", "Maya Santana").await;
    browser.fill("password", "correct-horse-battery").await;
    browser.click("Open the business").await;
    browser.see("one of the platform's own names").await;
    browser.fill("slug", "gamma-surf").await;
    browser.fill("password", "correct-horse-battery").await;
    // The first schema may just be being made.
    let began = Instant::now();
    browser.click("Open the business").await;
    while browser.shows("please try again in a moment").await {
        assert!(began.elapsed() < Duration::from_secs(20), "none is ready");
        browser.fill("password", "correct-horse-battery").await;
        browser.click("Open the business").await;
    }
    browser.see("Gamma Surf is open").await;
    browser.click("Go to the portal").await;

    browser.see("Sign in to set it up").await;
    browser.fill("email", "maya@surf.example").await;
    browser.fill("password", "correct-horse-battery").await;
    browser.click("Sign in").await;
    browser.see("First steps").await;
    browser.click("Brand and legal data").await;
    browser.fill("address", "Calle 1, Corralejo").await;
    browser.click("Save").await;
    browser.see("Saved.").await;
    browser.click("Overview").await;
    browser.see("Say who you are (done)").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_killed_in_the_middle_leaves_nothing_half_done_and_repeats_himself() {
    let mut house = House::open().await;
    // Nobody else is to go on with what is left.
    house.stop(Role::Worker).await;
    let house = house;
    let arguments = [
        "tenant",
        "create",
        "--slug",
        "gamma-surf",
        "--name",
        "Gamma Surf",
        "--kind",
        "rental",
        "--timezone",
        "Atlantic/Canary",
        "--currency",
        "EUR",
        "--admin-email",
        "maya@surf.example",
        "--admin-name",
        "Maya",
        "--admin-password",
        "correct-horse-battery",
    ];
    let asked = async || {
        let url = format!("{}/v1/products", house.endpoints.api);
        let request = reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .get(url);
        let answer = request.header("X-Tenant", "gamma-surf").send().await;
        answer.unwrap().status()
    };
    // What it writes to, in the order it does: the schema's list, the registry, the founder; from the
    // outbox on there is a tenant, and a worker might go on with it.
    for table in [
        "platform.tenant_schema",
        "platform.tenant",
        "platform.audit",
        "platform.founder",
        "platform.api_key",
        "platform.outbox",
    ] {
        house.berth_killed_at(&arguments, table).await.unwrap();
        let status = asked().await;
        assert!(
            status == StatusCode::NOT_FOUND,
            "killed at {table}, half of it is served: {status}"
        );
        let (schemas, tenants): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname ~ '^t_[a-z0-9]{12}$'),
                    (SELECT count(*) FROM platform.tenant)",
        )
        .fetch_one(house.platform.admin_pool())
        .await
        .unwrap();
        assert_eq!(schemas, tenants, "killed at {table}, a schema is nobody's");
    }
    let made = house.berth(&arguments).await.unwrap();
    let made: Value = serde_json::from_str(&made).unwrap();
    assert!(made["api_key"].as_str().unwrap().starts_with("bk_"));
    assert_eq!(asked().await, StatusCode::OK);
    let admins: Vec<String> = {
        let schema: String =
            sqlx::query_scalar("SELECT role FROM platform.tenant WHERE slug = 'gamma-surf'")
                .fetch_one(house.platform.admin_pool())
                .await
                .unwrap();
        let sql = format!("SELECT id::text FROM {schema}.account");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_all(house.platform.admin_pool())
            .await
            .unwrap()
    };
    assert_eq!(admins, [made["admin_id"].as_str().unwrap()]);
}
