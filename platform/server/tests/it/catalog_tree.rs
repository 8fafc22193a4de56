//! The category tree: grown, moved about and cut back, by several at once.

use berth_devkit::demo::Client;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    backoffice::refused,
    caller::{Caller, Credential},
    house::House,
};
use reqwest::Method;

async fn node(admin: &Client, name: &str, parent: Option<&Value>) -> Value {
    let node = json!({ "name": name, "parent_id": parent });
    admin.post("/v1/categories", &node).await.unwrap()
}

fn path(node: &Value) -> String {
    format!("/v1/categories/{}", node["id"].as_str().unwrap())
}

/// Moves a node as it was last seen below another, or to the top.
async fn move_to(admin: &Client, node: &Value, parent: &Value) -> anyhow::Result<Value> {
    let change = json!({ "version": node["version"], "parent_id": parent });
    admin.patch(&path(node), &change).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_renamed_moved_and_put_in_order() {
    let house = House::open().await;
    let tenant = house.clinic().clone();
    let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
    let care = node(&admin, "Care", None).await;
    let hair = node(&admin, "Hair", Some(&care["id"])).await;
    let skin = node(&admin, "Skin", Some(&care["id"])).await;

    let change = json!({ "version": 1, "name": " Faces ", "position": 7 });
    let faces = admin.patch(&path(&skin), &change).await.unwrap();
    let expected = json!({
        "id": skin["id"], "parent_id": care["id"], "name": "Faces", "position": 7, "version": 2,
    });
    assert_eq!(faces, expected);
    let late = admin.patch(&path(&skin), &change).await;
    assert_eq!(refused(late), (409, "VERSION_CONFLICT".to_owned()));
    let top = move_to(&admin, &faces, &Value::Null).await.unwrap();
    assert_eq!(top.get("parent_id"), None, "{top}");
    // What is not said stays.
    let change = json!({ "version": 1, "position": 3 });
    let hair = admin.patch(&path(&hair), &change).await.unwrap();
    assert_eq!(hair["parent_id"], care["id"]);

    let caller = Caller::to(&house, &tenant);
    let (_, all) = caller
        .call(&Method::GET, "/categories", None, &Credential::Nothing)
        .await;
    let names = all["items"].as_array().unwrap().iter();
    let names: Vec<&str> = names.map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Care", "Hair", "Faces"]);
    let one = path(&hair);
    let (status, one) = caller
        .call(&Method::GET, &one[3..], None, &Credential::Nothing)
        .await;
    assert_eq!((status.as_u16(), &one), (200, &hair));
    let customer = Client::sign_in(&tenant, &tenant.customer).await.unwrap();
    let forbidden = customer.delete(&path(&hair)).await;
    assert_eq!(refused(forbidden).0, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_has_no_circles_and_an_end() {
    let house = House::open().await;
    let tenant = house.clinic().clone();
    let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
    let mut line = vec![node(&admin, "1", None).await];
    for level in 2..=8 {
        let above = line.last().unwrap()["id"].clone();
        line.push(node(&admin, &level.to_string(), Some(&above)).await);
    }
    let deeper = json!({ "name": "9", "parent_id": line[7]["id"] });
    let deeper = admin.post("/v1/categories", &deeper).await;
    assert_eq!(refused(deeper), (422, "TOO_DEEP".to_owned()));
    for below in [&line[0], &line[1], &line[5]] {
        let circle = move_to(&admin, &line[0], &below["id"]).await;
        assert_eq!(refused(circle), (422, "CATEGORY_CYCLE".to_owned()));
    }
    // A node brings along what is below it.
    let root = node(&admin, "Root", None).await;
    let higher = move_to(&admin, &line[0], &root["id"]).await;
    assert_eq!(refused(higher), (422, "TOO_DEEP".to_owned()));
    let fine = move_to(&admin, &line[1], &root["id"]).await.unwrap();
    assert_eq!(fine["parent_id"], root["id"]);
    let nowhere = json!("00000000-0000-7000-8000-000000000000");
    let nowhere = move_to(&admin, &root, &nowhere).await;
    assert_eq!(refused(nowhere), (422, "UNKNOWN_REFERENCE".to_owned()));
    let odd = json!({ "name": "Odd", "position": -1 });
    let odd = admin.post("/v1/categories", &odd).await;
    assert_eq!(refused(odd), (422, "OUT_OF_RANGE".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_moves_at_once_make_no_circle() {
    let house = House::open().await;
    let tenant = house.clinic().clone();
    let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
    for round in 0..10 {
        let one = node(&admin, &format!("One {round}"), None).await;
        let two = node(&admin, &format!("Two {round}"), None).await;
        let moves = [(&one, &two), (&two, &one)];
        let moves = moves.map(|(node, below)| move_to(&admin, node, &below["id"]));
        let moved = join_all(moves).await;
        let (done, not): (Vec<_>, Vec<_>) = moved.into_iter().partition(Result::is_ok);
        assert_eq!((done.len(), not.len()), (1, 1));
        for not in not {
            assert_eq!(refused(not), (422, "CATEGORY_CYCLE".to_owned()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_empty_is_removed() {
    let house = House::open().await;
    let tenant = house.clinic().clone();
    let admin = Client::sign_in(&tenant, &tenant.admin).await.unwrap();
    let above = node(&admin, "Above", None).await;
    let below = node(&admin, "Below", Some(&above["id"])).await;
    let product = json!({
        "kind": "session", "name": "Talk", "duration_min": 60, "category_id": below["id"],
        "price": { "amount": 0, "currency": "EUR" },
    });
    let product = admin.post("/v1/products", &product).await.unwrap();
    for full in [&above, &below] {
        let kept = admin.delete(&path(full)).await;
        assert_eq!(refused(kept), (409, "NOT_EMPTY".to_owned()));
    }
    let product = format!("/v1/products/{}", product["id"].as_str().unwrap());
    let out = json!({ "version": 1, "category_id": null });
    let out = admin.patch(&product, &out).await.unwrap();
    assert_eq!(out.get("category_id"), None, "{out}");
    for empty in [&below, &above] {
        admin.delete(&path(empty)).await.unwrap();
        let gone = admin.get(&path(empty)).await;
        assert_eq!(refused(gone).0, 404);
        let gone = admin.delete(&path(empty)).await;
        assert_eq!(refused(gone).0, 404);
    }
    let gone = json!({ "version": 2, "category_id": below["id"] });
    let gone = admin.patch(&product, &gone).await;
    assert_eq!(refused(gone), (422, "UNKNOWN_REFERENCE".to_owned()));
}
