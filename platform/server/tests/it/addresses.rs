//! The ways to name a tenant, all to the same one; and none past the wall to another.

use reqwest::StatusCode;
use serde_json::Value;

use crate::house::House;

/// Asks at the product's port, under a host, with headers.
async fn ask(
    house: &House,
    host: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let port = house.endpoints.api.rsplit_once(':').unwrap().1;
    let mut request = client
        .get(format!("http://127.0.0.1:{port}{path}"))
        .header("Host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    (status, answer.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_name_a_tenant_leads_to_it_and_the_path_to_its_api_alone() {
    let house = House::open().await;
    let (clinic, gym) = (house.clinic(), house.gym());
    let (slug, other) = (clinic.slug.as_str(), gym.slug.as_str());
    let below = format!("{slug}.localhost");
    let in_path = |slug: &str, rest: &str| format!("/t/{slug}/v1/{rest}");
    let (status, expected) = ask(&house, &below, "/v1/products", &[]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(expected["items"][0]["id"], clinic.product_ids[0].as_str());
    let key = clinic.api_key.as_str();
    for (host, path, headers) in [
        (
            "localhost",
            "/v1/products".to_owned(),
            vec![("X-Tenant", slug)],
        ),
        (
            "localhost",
            "/v1/products".to_owned(),
            vec![("X-Api-Key", key)],
        ),
        ("localhost", in_path(slug, "products"), vec![]),
        (
            "localhost",
            in_path(&slug.to_uppercase(), "products"),
            vec![],
        ),
        ("127.0.0.1", in_path(slug, "products?limit=20"), vec![]),
        (
            "localhost",
            in_path(slug, "products"),
            vec![("X-Api-Key", key)],
        ),
        // The path is nearer than the header.
        (
            "localhost",
            in_path(slug, "products"),
            vec![("X-Tenant", other)],
        ),
    ] {
        let answer = ask(&house, host, &path, &headers).await;
        assert_eq!(
            answer,
            (StatusCode::OK, expected.clone()),
            "{host}{path} {headers:?}"
        );
    }
    let product = format!("products/{}", gym.product_ids[0]);
    for (host, path, headers, status) in [
        // At a tenant's own address no path leads to another.
        (&*below, in_path(other, "products"), vec![], 404),
        ("localhost", in_path("no-such-gym", "products"), vec![], 404),
        ("localhost", in_path("", "products"), vec![], 404),
        (
            "localhost",
            format!("/t/{slug}/portal/sign-in"),
            vec![],
            404,
        ),
        (
            "localhost",
            format!("/t/{slug}/webhooks/stripe"),
            vec![],
            404,
        ),
        (
            "localhost",
            format!("/t/{slug}/t/{other}/v1/products"),
            vec![],
            404,
        ),
        ("localhost", in_path(slug, &product), vec![], 404),
        (
            "localhost",
            in_path(other, "products"),
            vec![("X-Api-Key", key)],
            401,
        ),
    ] {
        let (answered, body) = ask(&house, host, &path, &headers).await;
        assert_eq!(
            answered.as_u16(),
            status,
            "{host}{path} {headers:?}: {body}"
        );
    }
    // A suspended tenant is not there by its path either.
    let suspend = ["tenant", "suspend", "--slug", slug, "--reason", "test"];
    house.berth(&suspend).await.unwrap();
    let began = std::time::Instant::now();
    while ask(&house, "localhost", &in_path(slug, "products"), &[])
        .await
        .0
        != 404
    {
        assert!(began.elapsed().as_secs() < 3, "it is still served");
    }
}
