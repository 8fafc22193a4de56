//! HTTP to Stripe over one pool of kept-alive connections.
//!
//! The library's own client opens a connection for each call, has no timeout and cannot pin the
//! API version; its requests are typed and generated, and stay.

use std::time::Instant;

use bytes::Bytes;
use reqwest::{
    Client, Method, RequestBuilder, Response,
    header::{AUTHORIZATION, CONTENT_TYPE},
    redirect,
};
use stripe_client_core::{
    ConfigOverride, CustomizedStripeRequest, IdempotencyKey, RequestBuilder as Call,
    RequestStrategy, StripeClient, StripeMethod, VERSION,
};

use crate::{
    failure::Failure,
    settings::{Checked, SettingsError},
};

/// The way to Stripe. Makes each call once.
pub(crate) struct Transport {
    http: Client,
    settings: Checked,
}

/// Whose call it is, and under which key.
#[derive(Clone, Copy)]
pub(crate) struct Sender<'a> {
    /// The connected account; none speaks for the platform.
    pub(crate) account: Option<&'a str>,
    /// Present on changes.
    pub(crate) idempotency_key: Option<&'a str>,
}

impl Transport {
    pub(crate) fn new(settings: Checked) -> Result<Self, SettingsError> {
        // The process may have chosen one already; then that one serves.
        let _already_chosen = rustls::crypto::ring::default_provider().install_default();
        let mut http = Client::builder()
            .user_agent(concat!("berth/", env!("CARGO_PKG_VERSION")))
            .timeout(settings.timeout)
            .connect_timeout(settings.timeout)
            .redirect(redirect::Policy::none());
        if settings.loopback {
            http = http.no_proxy();
        }
        let http = http.build().map_err(SettingsError::Client)?;
        Ok(Self { http, settings })
    }

    /// Whether real money moves.
    pub(crate) const fn live(&self) -> bool {
        self.settings.live
    }

    /// Makes one call and reads the few fields `T` names.
    pub(crate) async fn ask<T>(&self, call: Call, sender: Sender<'_>) -> Result<T, Failure>
    where
        T: miniserde::Deserialize,
    {
        let mut request = call.customize::<T>();
        if let Some(account) = sender.account {
            request = request.account_id(account.into());
        }
        let strategy = match sender.idempotency_key {
            None => RequestStrategy::Once,
            Some(key) => {
                RequestStrategy::Idempotent(IdempotencyKey::new(key).map_err(|error| {
                    Failure::refused("idempotency_key_invalid", error.to_string())
                })?)
            }
        };
        request.request_strategy(strategy).send(self).await
    }

    fn request(&self, call: Call, config: &ConfigOverride) -> RequestBuilder {
        let mut url = format!("{}/v1{}", self.settings.base, call.path);
        if let Some(query) = call.query.filter(|query| !query.is_empty()) {
            url = format!("{url}?{query}");
        }
        let mut request = self
            .http
            .request(method(call.method), url)
            .header(AUTHORIZATION, self.settings.authorization.clone())
            .header("Stripe-Version", VERSION.as_str());
        if let Some(account) = &config.account_id {
            request = request.header("Stripe-Account", account.as_str());
        }
        if let Some(RequestStrategy::Idempotent(key)) = &config.request_strategy {
            request = request.header("Idempotency-Key", key.as_str());
        }
        if let Some(timeout) = config.timeout {
            request = request.timeout(timeout);
        }
        match call.body {
            Some(body) => request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(body),
            None => request,
        }
    }
}

impl StripeClient for Transport {
    type Err = Failure;

    async fn execute(&self, request: CustomizedStripeRequest) -> Result<Bytes, Failure> {
        let (call, config) = request.into_pieces();
        let (verb, path) = (method(call.method), call.path.clone());
        let account = config.account_id.as_ref().map(|id| id.as_str().to_owned());
        let begun = Instant::now();
        let response = self
            .request(call, &config)
            .send()
            .await
            .map_err(Failure::transport)?;
        let (status, request_id) = (response.status(), request_id(&response));
        tracing::info!(
            method = %verb,
            path,
            account,
            status = status.as_u16(),
            request_id,
            elapsed_ms = begun.elapsed().as_millis(),
            "stripe answered {status} to request {request_id}"
        );
        let body = response.bytes().await.map_err(Failure::transport)?;
        if status.is_success() {
            Ok(body)
        } else {
            Err(Failure::answer(status, &request_id, &body))
        }
    }
}

const fn method(method: StripeMethod) -> Method {
    match method {
        StripeMethod::Get => Method::GET,
        StripeMethod::Post => Method::POST,
        StripeMethod::Delete => Method::DELETE,
    }
}

/// By which Stripe's support finds the call.
fn request_id(response: &Response) -> String {
    let id = response
        .headers()
        .get("Request-Id")
        .and_then(|id| id.to_str().ok());
    id.unwrap_or("no request id").to_owned()
}

/// One of Stripe's ids, safe as a part of a path and as a header.
///
/// # Errors
/// Refused if `text` is none, without a call.
pub(crate) fn id(text: &str) -> Result<&str, Failure> {
    if !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        Ok(text)
    } else {
        Err(Failure::refused(
            "id_invalid",
            format!("{text:?} is no id of Stripe's"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_to_no_other_path() {
        assert_eq!(id("pi_3Q").unwrap(), "pi_3Q");
        for text in ["", "../accounts", "pi_1/cancel", "pi_1?x", "pi 1", "pi_1\n"] {
            assert!(id(text).is_err(), "{text:?}");
        }
    }
}
