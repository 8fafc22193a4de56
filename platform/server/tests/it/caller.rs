//! Any request to one tenant, with any proof.

use berth_devkit::{SignIn, Tenant};
use reqwest::{Body, Method, StatusCode};
use serde_json::{Value, json};

use crate::house::House;

/// What a request proves itself with.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    Nothing,
    Token(String),
    Key(String),
}

/// Sends requests to one tenant.
pub(crate) struct Caller {
    http: reqwest::Client,
    api: String,
    slug: String,
}

impl Caller {
    pub(crate) fn to(house: &House, tenant: &Tenant) -> Self {
        Self::named(house, &tenant.slug)
    }

    /// To whatever is called `slug`.
    pub(crate) fn named(house: &House, slug: &str) -> Self {
        Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            api: house.endpoints.api.clone(),
            slug: slug.to_owned(),
        }
    }

    /// Sends JSON, or nothing, to a path below `/v1`.
    pub(crate) async fn call(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        credential: &Credential,
    ) -> (StatusCode, Value) {
        let body = body.map(|body| Body::from(body.to_string()));
        self.send(method, path, body, &[], credential).await
    }

    /// Sends any bytes and headers.
    pub(crate) async fn send(
        &self,
        method: &Method,
        path: &str,
        body: Option<Body>,
        headers: &[(&str, &str)],
        credential: &Credential,
    ) -> (StatusCode, Value) {
        let url = format!("{}/v1{path}", self.api);
        let mut request = self
            .http
            .request(method.clone(), url)
            .header("X-Tenant", &self.slug);
        request = match credential {
            Credential::Nothing => request,
            Credential::Token(token) => request.bearer_auth(token),
            Credential::Key(key) => request.header("X-Api-Key", key),
        };
        if let Some(body) = body {
            request = request
                .header("Content-Type", "application/json")
                .body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    /// The access token of somebody of this tenant.
    pub(crate) async fn token(&self, who: &SignIn) -> Credential {
        let body = json!({ "email": who.email, "password": who.password });
        let nobody = Credential::Nothing;
        let (status, answer) = self
            .call(&Method::POST, "/sessions", Some(&body), &nobody)
            .await;
        assert!(status.is_success(), "{status}");
        Credential::Token(answer["access_token"].as_str().unwrap().to_owned())
    }
}
