//! Pictures of products, from a file that is uploaded to files that anybody may keep.

use berth_devkit::{Tenant, demo::Client};
use reqwest::{Body, Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    caller::{Caller, Credential},
    house::House,
};

/// A thousand by six hundred pixels.
const BANDS: &[u8] = include_bytes!("data/bands.png");

struct Gallery<'a> {
    caller: Caller,
    admin: Credential,
    product: &'a str,
}

impl<'a> Gallery<'a> {
    async fn of(house: &House, tenant: &'a Tenant) -> Self {
        let caller = Caller::to(house, tenant);
        Self {
            admin: caller.token(&tenant.admin).await,
            product: &tenant.product_ids[0],
            caller,
        }
    }

    async fn add(&self, file: &[u8], alt: &str, key: Option<&str>) -> (StatusCode, Value) {
        let path = format!("/products/{}/images?alt={alt}", self.product);
        let body = Some(Body::from(file.to_vec()));
        let key: Vec<_> = key
            .map(|key| ("Idempotency-Key", key))
            .into_iter()
            .collect();
        self.caller
            .send(&Method::POST, &path, body, &key, &self.admin)
            .await
    }

    /// The ids of the product's pictures as everybody sees them.
    async fn shown(&self) -> Vec<Value> {
        let path = format!("/products/{}", self.product);
        let nobody = Credential::Nothing;
        let (_, product) = self.caller.call(&Method::GET, &path, None, &nobody).await;
        let images = product["images"].as_array().cloned().unwrap_or_default();
        images.iter().map(|image| image["id"].clone()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_shown_in_sizes_and_order_and_only_where_it_belongs() {
    let house = House::open().await;
    let (clinic, gym) = (house.clinic(), house.gym());
    let gallery = Gallery::of(&house, clinic).await;
    let (status, first) = gallery
        .add(BANDS, "The%20waiting%20room", Some("one"))
        .await;
    assert_eq!(status, StatusCode::OK, "{first}");
    let widths = first["files"].as_array().unwrap().iter();
    let widths: Vec<_> = widths
        .map(|file| (&file["width"], &file["height"]))
        .collect();
    let expected = [(320, 192), (800, 480), (1_000, 600)].map(|(w, h)| (json!(w), json!(h)));
    assert_eq!(
        widths,
        expected.iter().map(|(w, h)| (w, h)).collect::<Vec<_>>()
    );
    let again = gallery
        .add(BANDS, "The%20waiting%20room", Some("one"))
        .await;
    assert_eq!(again, (StatusCode::OK, first.clone()), "the same key");
    let (_, second) = gallery.add(BANDS, "", None).await;
    assert_eq!(
        gallery.shown().await,
        [first["id"].clone(), second["id"].clone()]
    );

    // For everybody, and for good.
    let path = first["files"][1]["path"].as_str().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |tenant: &Tenant, path: &str| {
        let url = format!("{}{path}", house.endpoints.api);
        let request = http.get(url).header("X-Tenant", &tenant.slug);
        request.send().await.unwrap()
    };
    let answer = get(clinic, path).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/jpeg");
    assert!(header("cache-control").contains("immutable"));
    assert!(header("content-disposition").starts_with("attachment"));
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(&bytes[..3], [0xFF, 0xD8, 0xFF]);
    // Nobody else has it, nor sizes that are not kept, nor what lies elsewhere.
    assert_eq!(get(gym, path).await.status(), StatusCode::NOT_FOUND);
    for other in [
        "801.jpg",
        "800.png",
        "800",
        "../800.jpg",
        "800.jpg%2F..",
        "x.jpg",
    ] {
        let path = format!("{}{other}", path.trim_end_matches("800.jpg"));
        assert_eq!(
            get(clinic, &path).await.status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }

    let one = |image: &Value| {
        let image = image["id"].as_str().unwrap();
        format!("/products/{}/images/{image}", gallery.product)
    };
    let (caller, admin) = (&gallery.caller, &gallery.admin);
    let to_front = json!({ "position": 0, "alt": "Front" });
    let moved = caller
        .call(&Method::PATCH, &one(&second), Some(&to_front), admin)
        .await;
    assert_eq!(moved.1["items"][0]["alt"], "Front");
    assert_eq!(
        gallery.shown().await,
        [second["id"].clone(), first["id"].clone()]
    );
    let customer = caller.token(&clinic.customer).await;
    let (status, _) = caller
        .call(&Method::DELETE, &one(&first), None, &customer)
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let other = Gallery::of(&house, gym).await;
    let theirs = other
        .caller
        .call(&Method::DELETE, &one(&first), None, &other.admin)
        .await;
    assert_eq!(theirs.0, StatusCode::NOT_FOUND);
    let (status, _) = caller
        .call(&Method::DELETE, &one(&second), None, admin)
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(gallery.shown().await, [first["id"].clone()]);
    let gone = second["files"][0]["path"].as_str().unwrap();
    assert_eq!(get(clinic, gone).await.status(), StatusCode::NOT_FOUND);
    let admin = Client::sign_in(clinic, &clinic.admin).await.unwrap();
    let all = admin.get("/v1/products?limit=100").await.unwrap();
    assert_eq!(all.to_string().matches("/v1/images/").count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_picture_is_refused_and_nothing_is_kept() {
    let house = House::open().await;
    let gallery = Gallery::of(&house, house.clinic()).await;
    let mut large = BANDS.to_vec();
    large.resize(10 * 1024 * 1024 + 1, 0);
    let long = "a".repeat(301);
    for (file, alt, expected) in [
        (&b"<html>"[..], "", (422, "NOT_A_PICTURE")),
        (&BANDS[..BANDS.len() / 2], "", (422, "PICTURE_DAMAGED")),
        (&large, "", (413, "BODY_TOO_LARGE")),
        (BANDS, &*long, (422, "ALT_INVALID")),
    ] {
        let (status, answer) = gallery.add(file, alt, None).await;
        let code = answer["code"].as_str().unwrap();
        assert_eq!((status.as_u16(), code), expected, "{answer}");
    }
    assert!(gallery.shown().await.is_empty());
    let nowhere = Gallery {
        product: "00000000-0000-7000-8000-000000000000",
        ..gallery
    };
    assert_eq!(nowhere.add(BANDS, "", None).await.0, StatusCode::NOT_FOUND);
}
