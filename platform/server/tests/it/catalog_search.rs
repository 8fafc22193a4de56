//! Products found by their words, tags, kinds and places in the tree.

use berth_devkit::demo::Client;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    backoffice::refused,
    caller::{Caller, Credential},
    house::House,
};

async fn product(admin: &Client, name: &str, more: Value) -> Value {
    let mut product = json!({
        "kind": "session", "name": name, "duration_min": 60, "price": { "amount": 0, "currency": "EUR" },
    });
    for (field, value) in more.as_object().unwrap() {
        product[field] = value.clone();
    }
    admin.post("/v1/products", &product).await.unwrap()
}

struct Shop {
    house: House,
    admin: Client,
    caller: Caller,
    body: Value,
}

impl Shop {
    /// A business that writes English, with a tree of two levels.
    async fn open() -> Self {
        let house = House::open().await;
        let tenant = house.clinic().clone();
        let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
        let care = json!({ "name": "Care" });
        let care = admin.post("/v1/categories", &care).await.unwrap();
        let body = json!({ "name": "Body", "parent_id": care["id"] });
        let body = admin.post("/v1/categories", &body).await.unwrap();
        let of_body = |more: Value| {
            let mut all = json!({ "category_id": body["id"] });
            for (field, value) in more.as_object().unwrap() {
                all[field] = value.clone();
            }
            all
        };
        let quiet = of_body(json!({ "tags": ["Quiet", "oil", "oil"], "slug": "thai-massage" }));
        product(&admin, "Thai massage", quiet).await;
        let described =
            of_body(json!({ "description": "Before or after massages.", "tags": ["oil"] }));
        product(&admin, "Sauna", described).await;
        product(&admin, "Crème brûlée for beginners", json!({})).await;
        let off = json!({ "kind": "appointment", "tags": ["quiet"], "category_id": care["id"] });
        let off = product(&admin, "Secret massage", off).await;
        let off = format!("/v1/products/{}", off["id"].as_str().unwrap());
        let change = json!({ "version": 1, "active": false });
        admin.patch(&off, &change).await.unwrap();
        let caller = Caller::to(&house, &tenant);
        Self {
            house,
            admin,
            caller,
            body,
        }
    }

    async fn ask(&self, query: &str) -> (u16, Value) {
        let path = format!("/products?{query}");
        let nobody = Credential::Nothing;
        let (status, answer) = self.caller.call(&Method::GET, &path, None, &nobody).await;
        (status.as_u16(), answer)
    }

    /// Names of what anybody finds.
    async fn names(&self, query: &str) -> Vec<String> {
        let (status, page) = self.ask(query).await;
        assert_eq!(status, 200, "{query}: {page}");
        names(&page)
    }
}

fn names(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_found_in_any_form_and_the_best_comes_first() {
    let shop = Shop::open().await;
    let none: [&str; 0] = [];
    for (words, expected) in [
        ("massage", &["Thai massage", "Sauna"][..]),
        // Another form, without the accents, in other letters, in part, and not quite right.
        ("massages", &["Thai massage", "Sauna"]),
        ("creme+BRULEE", &["Crème brûlée for beginners"]),
        ("beginner", &["Crème brûlée for beginners"]),
        ("saun", &["Sauna"]),
        ("thai+masage", &["Thai massage"]),
        ("thai+sauna+creme", &none),
        ("quiet", &["Thai massage"]),
        ("100%25", &none),
        ("%26+%7C+!", &none),
    ] {
        assert_eq!(shop.names(&format!("q={words}")).await, expected, "{words}");
    }
    // Staff also find what is not offered.
    let all = shop.admin.get("/v1/products?q=massage").await.unwrap();
    assert_eq!(names(&all).len(), 3, "{all}");
    let (status, long) = shop.ask(&format!("q={}", "x".repeat(201))).await;
    assert_eq!((status, &long["code"]), (422, &json!("TOO_LONG")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_can_be_narrowed_down() {
    let shop = Shop::open().await;
    let categories = shop.admin.get("/v1/categories").await.unwrap();
    let care = categories["items"].as_array().unwrap().iter();
    let care = care.clone().find(|one| one["name"] == "Care").unwrap();
    let (care, body) = (
        care["id"].as_str().unwrap(),
        shop.body["id"].as_str().unwrap(),
    );
    let both = ["Thai massage", "Sauna"];
    for (query, expected) in [
        (format!("category_id={care}"), &both[..]),
        (format!("category_id={body}&tag=oil"), &both),
        (
            format!("q=massage&category_id={care}&tag=oil&tag=QUIET"),
            &both[..1],
        ),
        ("q=massage&tag=loud".to_owned(), &[]),
        ("kind=appointment&q=massage".to_owned(), &[]),
        ("slug=thai-massage".to_owned(), &both[..1]),
        ("slug=thai".to_owned(), &[]),
        (
            format!(
                "q=massage&category_id={}",
                shop.house.clinic().product_ids[0]
            ),
            &[],
        ),
    ] {
        assert_eq!(shop.names(&query).await, expected, "{query}");
    }
    let (status, odd) = shop.ask("kind=holiday").await;
    assert_eq!(status, 400, "{odd}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_is_shown_page_by_page() {
    let shop = Shop::open().await;
    for number in 0..7 {
        let description = "yoga ".repeat(number + 1);
        product(
            &shop.admin,
            &format!("Class {}", number % 3),
            json!({ "description": description }),
        )
        .await;
    }
    let whole = shop.names("q=yoga").await;
    assert_eq!(whole.len(), 7);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let (_, page) = shop.ask(&format!("q=yoga&limit=2{cursor}")).await;
        paged.extend(names(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, whole);
    // A cursor of one list is none of the other.
    let (status, answer) = shop.ask(&cursor[1..]).await;
    assert_eq!((status, &answer["code"]), (400, &json!("CURSOR_INVALID")));
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_unique_and_what_is_shown_can_be_changed() {
    let shop = Shop::open().await;
    let page = shop
        .admin
        .get("/v1/products?slug=thai-massage")
        .await
        .unwrap();
    let thai = &page["items"][0];
    assert_eq!(thai["tags"], json!(["oil", "quiet"]));
    let path = format!("/v1/products/{}", thai["id"].as_str().unwrap());
    let change = json!({ "version": 1, "meta_title": "Massage", "meta_description": "Thai.", "tags": ["new"] });
    let changed = shop.admin.patch(&path, &change).await.unwrap();
    assert_eq!(
        (&changed["slug"], &changed["meta_title"], &changed["tags"]),
        (&json!("thai-massage"), &json!("Massage"), &json!(["new"]))
    );
    let other = json!({
        "kind": "session", "name": "Other", "duration_min": 60, "slug": "thai-massage",
        "price": { "amount": 0, "currency": "EUR" },
    });
    let taken = shop.admin.post("/v1/products", &other).await;
    assert_eq!(refused(taken), (409, "SLUG_TAKEN".to_owned()));
    for (field, odd, code) in [
        ("slug", json!("Not a slug"), "INVALID_SLUG"),
        ("tags", json!(["two words"]), "INVALID_TAG"),
        ("meta_title", json!(""), "WRONG_LENGTH"),
        ("meta_description", json!("x".repeat(501)), "WRONG_LENGTH"),
    ] {
        let change = json!({ "version": 2, field: odd });
        let odd = shop.admin.patch(&path, &change).await;
        assert_eq!(refused(odd), (422, code.to_owned()), "{field}");
    }
    let none = json!({ "version": 2, "slug": null, "meta_title": null });
    let none = shop.admin.patch(&path, &none).await.unwrap();
    assert_eq!((none.get("slug"), none.get("meta_title")), (None, None));
    assert_eq!(none["meta_description"], "Thai.");
    shop.admin.post("/v1/products", &other).await.unwrap();
    // Another business has addresses of its own.
    let gym = shop.house.gym();
    let there = Client::sign_in(gym, &gym.admin).await.unwrap();
    let mut dollars = other;
    dollars["price"]["currency"] = json!("USD");
    there.post("/v1/products", &dollars).await.unwrap();
}
