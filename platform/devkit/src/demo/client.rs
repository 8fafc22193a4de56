//! The API as a tenant's customer or administrator calls it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Method, Url};
use serde_json::Value;

use crate::endpoints::{SignIn, Tenant};

/// A refusal of the API.
#[derive(Debug, thiserror::Error)]
#[error("{method} {path} answered {status} {code}: {detail}")]
pub struct ApiError {
    /// The request's method.
    pub method: Method,
    /// The request's path.
    pub path: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code of the problem.
    pub code: String,
    /// The sentence of the problem.
    pub detail: String,
    /// The whole body.
    pub body: Value,
}

/// A caller of one tenant's API.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    key: Option<String>,
}

impl Client {
    /// A caller nobody knows yet.
    ///
    /// # Errors
    /// The tenant's address is none.
    pub fn new(tenant: &Tenant) -> anyhow::Result<Self> {
        let url: Url = tenant.api.parse().context("the tenant's API is no URL")?;
        let host = url.host_str().context("the tenant's API has no host")?;
        let port = url.port_or_known_default().unwrap_or(80);
        // `*.localhost` is this machine, whatever its resolver says.
        let here = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        let http = http()
            .resolve(host, here)
            .build()
            .context("making an HTTP client")?;
        Ok(Self {
            http,
            base: tenant.api.clone(),
            token: None,
            key: None,
        })
    }

    /// The same, with an API key.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// The same, signed in.
    ///
    /// # Errors
    /// The sign-in was refused.
    pub async fn sign_in(tenant: &Tenant, who: &SignIn) -> anyhow::Result<Self> {
        let client = Self::new(tenant)?;
        let body = serde_json::json!({ "email": who.email, "password": who.password });
        let answer = client.post("/v1/sessions", &body).await?;
        let token = answer["access_token"]
            .as_str()
            .context("no access token in the answer")?;
        Ok(Self {
            token: Some(token.to_owned()),
            ..client
        })
    }

    /// GET, as JSON.
    ///
    /// # Errors
    /// [`ApiError`], or what the network says.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, None, None).await
    }

    /// POST, as JSON.
    ///
    /// # Errors
    /// [`ApiError`], or what the network says.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, Some(body), None).await
    }

    /// POST under an idempotency key.
    ///
    /// # Errors
    /// [`ApiError`], or what the network says.
    pub async fn post_once(&self, path: &str, body: &Value, key: &str) -> anyhow::Result<Value> {
        self.call(Method::POST, path, Some(body), Some(key)).await
    }

    /// PUT, as JSON.
    ///
    /// # Errors
    /// [`ApiError`], or what the network says.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::PUT, path, Some(body), None).await
    }

    /// PATCH, as JSON.
    ///
    /// # Errors
    /// [`ApiError`], or what the network says.
    pub async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::PATCH, path, Some(body), None).await
    }

    /// DELETE.
    ///
    /// # Errors
    /// [`ApiError`], or what the network says.
    pub async fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::DELETE, path, None, None).await
    }

    /// Fetches bytes from a path of the tenant, or from a whole address on its host.
    ///
    /// # Errors
    /// Any status but 200, or what the network says.
    pub async fn bytes(&self, address: &str) -> anyhow::Result<Vec<u8>> {
        let url = if address.starts_with('/') {
            format!("{}{address}", self.base)
        } else {
            address.into()
        };
        let mut request = self.http.get(&url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?;
        if !answer.status().is_success() {
            bail!("GET {url} answered {}", answer.status());
        }
        Ok(answer.bytes().await?.to_vec())
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> anyhow::Result<Value> {
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = &self.key {
            request = request.header("X-Api-Key", key);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request
            .send()
            .await
            .with_context(|| format!("{method} {path}"))?;
        let status = answer.status();
        let text = answer.text().await?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if status.is_success() {
            return Ok(body);
        }
        let word = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let (code, detail) = (word("code"), word("detail"));
        Err(ApiError {
            method,
            path: path.to_owned(),
            status: status.as_u16(),
            code,
            detail,
            body,
        }
        .into())
    }
}

/// A client with the limits that all of the demo's calls have.
pub(super) fn http() -> reqwest::ClientBuilder {
    // An error means that another client installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(Duration::from_secs(20))
        .no_proxy()
}
