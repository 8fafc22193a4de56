//! What still works while something is away.

use std::time::Duration;

use berth_devkit::{
    demo,
    environment::{self, Role},
    ports,
};
use reqwest::{Method, StatusCode};

use crate::{
    caller::{Caller, Credential},
    house::House,
};

async fn status(url: &str) -> u16 {
    reqwest::get(url).await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_everything_works_and_signing_in_is_still_limited() {
    // A port on which nobody listens.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let house = House::with(&[("REDIS_URL", &url), ("BERTH_LIMITS", "on")]).await;
    let gym = house.gym();
    demo::play(&house.endpoints, gym, |_| {}).await.unwrap();
    let caller = Caller::to(&house, gym);
    let wrong = serde_json::json!({ "email": gym.customer.email, "password": "not-this-one" });
    let mut refused = 0;
    for _ in 0..12 {
        let (status, _) = caller
            .call(
                &Method::POST,
                "/sessions",
                Some(&wrong),
                &Credential::Nothing,
            )
            .await;
        match status {
            StatusCode::UNAUTHORIZED => {}
            StatusCode::TOO_MANY_REQUESTS => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(refused >= 2, "{refused} of 12 tries were refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_says_whether_it_lives_and_whether_it_is_ready() {
    let mut house = House::open().await;
    let api = house.endpoints.api.clone();
    for path in ["livez", "readyz"] {
        assert_eq!(status(&format!("{api}/{path}")).await, 200, "{path}");
    }
    // A database that is not migrated as far as the program is none to serve from.
    let gym = house.gym().clone();
    let kept = "CREATE TABLE platform.kept AS SELECT * FROM platform.schema_migration;
                DELETE FROM platform.schema_migration";
    house.sql(&gym, kept).await;
    assert_eq!(status(&format!("{api}/livez")).await, 200);
    assert_eq!(status(&format!("{api}/readyz")).await, 503);
    let back = "INSERT INTO platform.schema_migration SELECT * FROM platform.kept";
    house.sql(&gym, back).await;
    assert_eq!(status(&format!("{api}/readyz")).await, 200);
    house.stop(Role::Serve).await;
    assert!(reqwest::get(format!("{api}/livez")).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_business_has_its_own_page_of_the_api() {
    let house = House::open().await;
    let asked = async |tenant: Option<&str>, path: &str| {
        let mut request = reqwest::Client::new().get(format!("{}{path}", house.endpoints.api));
        if let Some(tenant) = tenant {
            request = request.header("X-Tenant", tenant);
        }
        request.send().await.unwrap().text().await.unwrap()
    };
    for path in ["/v1/openapi.json", "/v1/docs"] {
        for (tenant, title) in [
            (Some("pulse-gym"), "Pulse Gym: booking API"),
            (Some("riverside-clinic"), "Riverside Clinic: booking API"),
            (Some("nobody-here"), "Berth booking API"),
            (None, "Berth booking API"),
        ] {
            let answer = asked(tenant, path).await;
            assert!(answer.contains(title), "{path} of {tenant:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_have_its_port_says_so_and_ends() {
    let house = House::open().await;
    let seeder = house.seeder();
    let metrics = ports::reserve().unwrap();
    let second = tokio::process::Command::new(&seeder.program)
        .arg(Role::Serve.name())
        .envs(environment::of_role(&seeder.environment, metrics.port()).unwrap())
        .kill_on_drop(true)
        .output();
    let second = tokio::time::timeout(Duration::from_secs(30), second);
    let second = second.await.expect("it ends by itself").unwrap();
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success(), "{said}");
    assert!(said.contains("BERTH_HTTP_ADDR"), "{said}");
}
