//! Hosts of tenants' own: claimed, proven by DNS, served, and no more when the proof is gone.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use berth_devkit::{Tenant, demo::Client};
use hickory_proto::{
    op::{Message, ResponseCode},
    rr::{RData, Record, rdata::TXT},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::UdpSocket;

use crate::house::House;

/// A DNS server that knows some TXT records and nothing else.
struct Zone {
    at: SocketAddr,
    texts: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Zone {
    async fn open() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = socket.local_addr().unwrap();
        let texts: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
        let known = Arc::clone(&texts);
        tokio::spawn(async move {
            let mut buffer = [0; 1_500];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                let Ok(question) = Message::from_vec(&buffer[..length]) else {
                    continue;
                };
                let answer = answer(&question, &known.lock().unwrap());
                socket
                    .send_to(&answer.to_vec().unwrap(), from)
                    .await
                    .unwrap();
            }
        });
        Self { at, texts }
    }

    fn set(&self, name: &str, text: &str) {
        self.texts
            .lock()
            .unwrap()
            .insert(name.to_owned(), text.to_owned());
    }

    fn clear(&self) {
        self.texts.lock().unwrap().clear();
    }
}

fn answer(question: &Message, texts: &BTreeMap<String, String>) -> Message {
    let asked = question.queries[0].clone();
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    let name = asked.name().to_utf8().trim_end_matches('.').to_lowercase();
    match texts.get(&name) {
        Some(text) => {
            let data = RData::TXT(TXT::new(vec![text.clone()]));
            answer
                .answers
                .push(Record::from_rdata(asked.name().clone(), 1, data));
        }
        None => answer.metadata.response_code = ResponseCode::NXDomain,
    }
    answer.queries.push(asked);
    answer
}

/// How the public's port answers at a host.
async fn status_at(house: &House, host: &str, path: &str) -> (StatusCode, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}{path}", house.endpoints.api);
    let answer = client.get(url).header("Host", host).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap_or_default())
}

/// What a proxy is told that asks for a certificate.
async fn asked(house: &House, host: &str) -> StatusCode {
    let operators = house.endpoints.metrics.trim_end_matches("/metrics");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client
        .get(format!("{operators}/tls/ask?domain={host}"))
        .send()
        .await;
    answer.unwrap().status()
}

async fn until(house: &House, host: &str, expected: StatusCode) {
    let began = Instant::now();
    while status_at(house, host, "/v1/products").await.0 != expected {
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "{host} is not {expected} in time"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn admin(tenant: &Tenant) -> Client {
    Client::sign_in(tenant, &tenant.admin).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_served_once_it_is_proven_and_only_for_the_one_who_proved_it() {
    let zone = Zone::open().await;
    let house = House::with(&[("BERTH_DNS_SERVER", &zone.at.to_string())]).await;
    let (clinic, gym) = (house.clinic(), house.gym());
    let (owner, rival) = (admin(clinic).await, admin(gym).await);
    let host = "book.riverside.example";
    // Asked before it is anybody's, and remembered so.
    assert_eq!(
        status_at(&house, host, "/v1/products").await.0,
        StatusCode::NOT_FOUND
    );
    let claim = json!({ "host": "Book.Riverside.Example." });
    let claimed = owner.post("/v1/domains", &claim).await.unwrap();
    assert_eq!(
        (&claimed["host"], &claimed["state"]),
        (&json!(host), &json!("pending"))
    );
    let id = claimed["id"].as_str().unwrap();
    let verify = format!("/v1/domains/{id}/verify");
    let looked = owner.post(&verify, &json!({})).await.unwrap();
    assert_eq!(looked["state"], "pending");
    assert!(
        looked["last_error"]
            .as_str()
            .unwrap()
            .contains("no TXT record"),
        "{looked}"
    );

    // Another may claim it too, and prove nothing with the first one's record.
    let other = rival
        .post("/v1/domains", &json!({ "host": host }))
        .await
        .unwrap();
    assert_ne!(other["token"], claimed["token"]);
    zone.set(
        claimed["record"].as_str().unwrap(),
        claimed["token"].as_str().unwrap(),
    );
    let other_verify = format!("/v1/domains/{}/verify", other["id"].as_str().unwrap());
    assert_eq!(
        rival.post(&other_verify, &json!({})).await.unwrap()["state"],
        "pending"
    );
    assert_eq!(asked(&house, host).await, StatusCode::NOT_FOUND);
    assert_eq!(
        owner.post(&verify, &json!({})).await.unwrap()["state"],
        "verified"
    );
    until(&house, host, StatusCode::OK).await;
    assert_eq!(asked(&house, host).await, StatusCode::OK);
    let (_, products) = status_at(&house, host, "/v1/products").await;
    assert_eq!(
        products["items"][0]["id"],
        json!(clinic.product_ids[0]),
        "{products}"
    );
    // The portal shows the same business there.
    let page = reqwest::Client::builder().no_proxy().build().unwrap();
    let page = page
        .get(format!("{}/portal/sign-in", house.endpoints.api))
        .header("Host", host);
    let page = page.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Riverside"), "{page}");

    let taken = rival
        .post("/v1/domains", &json!({ "host": host }))
        .await
        .unwrap_err();
    assert!(format!("{taken:#}").contains("HOST_"), "{taken:#}");
    zone.set(
        other["record"].as_str().unwrap(),
        other["token"].as_str().unwrap(),
    );
    let proven_twice = rival.post(&other_verify, &json!({})).await.unwrap();
    assert_eq!(proven_twice["state"], "pending");
    assert!(
        proven_twice["last_error"]
            .as_str()
            .unwrap()
            .contains("another business"),
        "{proven_twice}"
    );
    // No header leads to another business here, and a key of another is worth nothing.
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1/products", house.endpoints.api);
    let named = client
        .get(&url)
        .header("Host", host)
        .header("X-Tenant", &gym.slug);
    let named: Value = named.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        named["items"][0]["id"],
        json!(clinic.product_ids[0]),
        "{named}"
    );
    for (key, expected) in [
        (&clinic.api_key, StatusCode::OK),
        (&gym.api_key, StatusCode::UNAUTHORIZED),
    ] {
        let answer = client
            .get(&url)
            .header("Host", host)
            .header("X-Api-Key", key)
            .send()
            .await;
        assert_eq!(answer.unwrap().status(), expected);
    }

    // The proof is gone: it is served on for some days, and then no more.
    zone.clear();
    assert_eq!(
        owner.post(&verify, &json!({})).await.unwrap()["state"],
        "failing"
    );
    assert_eq!(
        status_at(&house, host, "/v1/products").await.0,
        StatusCode::OK
    );
    sqlx::query("UPDATE platform.domain SET since = since - interval '8 days' WHERE id = $1::uuid")
        .bind(id)
        .execute(house.platform.admin_pool())
        .await
        .unwrap();
    assert_eq!(
        owner.post(&verify, &json!({})).await.unwrap()["state"],
        "pending"
    );
    until(&house, host, StatusCode::NOT_FOUND).await;
    assert_eq!(asked(&house, host).await, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_host_or_is_not_ones_own_is_refused() {
    let house = House::open().await;
    let owner = admin(house.clinic()).await;
    for wrong in [
        "localhost",
        "evil.localhost",
        "no_underscores.example",
        "-x.example",
        "10.0.0.1",
        "example",
        "exa mple.com",
        "http://example.com",
        "example.com/path",
        "täst.example",
        "a..example",
        "*.example.com",
    ] {
        let refused = owner.post("/v1/domains", &json!({ "host": wrong })).await;
        let refused = format!("{:#}", refused.expect_err(wrong));
        assert!(refused.contains("HOST_"), "{wrong}: {refused}");
    }
    for (host, expected) in [
        ("riverside-clinic.localhost", StatusCode::OK),
        ("localhost", StatusCode::OK),
        ("nobody-here.localhost", StatusCode::NOT_FOUND),
        ("example.com", StatusCode::NOT_FOUND),
        ("127.0.0.1", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(asked(&house, host).await, expected, "{host}");
    }
}
