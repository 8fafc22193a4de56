//! What a business's own people set up through the API, and how it is refused.

use berth_devkit::demo::{ApiError, Client};
use serde_json::{Value, json};

/// Makes somebody or something that works from nine to three every day; the id.
pub(crate) async fn resource(admin: &Client, kind: &str, name: &str) -> String {
    resource_of(admin, kind, name, None).await
}

/// The same, one of a pool.
pub(crate) async fn resource_of(
    admin: &Client,
    kind: &str,
    name: &str,
    pool: Option<&Value>,
) -> String {
    let week: Vec<Value> = (1..=7)
        .map(|weekday| json!({ "weekday": weekday, "starts": "09:00:00", "ends": "15:00:00" }))
        .collect();
    let resource = json!({ "kind": kind, "name": name, "schedule": week, "pool_id": pool });
    let made = admin.post("/v1/resources", &resource).await.unwrap();
    made["id"].as_str().unwrap().to_owned()
}

/// Status and code of an answer that is a refusal.
pub(crate) fn refused(answer: anyhow::Result<Value>) -> (u16, String) {
    let error = answer.unwrap_err();
    let error = error
        .downcast_ref::<ApiError>()
        .expect("an answer of the API");
    (error.status, error.code.clone())
}
