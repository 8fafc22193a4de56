//! Requests and answers of the API as they are on the wire.

use poem::{
    Request, Response,
    http::{HeaderMap, Method, StatusCode},
};

use super::idempotency::Saved;
use crate::{error::ApiError, ids, world::API_VERSION};

/// A request as it came in.
pub(crate) struct Incoming {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// Query and body.
    pub(crate) texts: [String; 2],
    pub(crate) request_id: String,
}

/// An answer on its way out.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// The request that this is the remembered answer of.
    original: Option<String>,
}

impl Reply {
    pub(crate) fn done(object: &serde_json::Value) -> Self {
        Self {
            status: 200,
            body: object.to_string(),
            original: None,
        }
    }

    pub(crate) fn refused(error: &ApiError) -> Self {
        Self {
            status: error.status,
            body: error.body().to_string(),
            original: None,
        }
    }

    pub(crate) fn remembered(saved: &Saved) -> Self {
        let original = Some(saved.request_id.clone());
        Self {
            status: saved.status,
            body: saved.body.clone(),
            original,
        }
    }
}

impl Incoming {
    /// Reads a request to its end.
    pub(crate) async fn read(mut request: Request) -> poem::Result<Self> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let body = request.take_body().into_string().await?;
        Ok(Self {
            method: request.method().clone(),
            path: request.uri().path().trim_end_matches('/').to_owned(),
            headers: request.headers().clone(),
            texts: [query, body],
            request_id: ids::with_length("req_", 14),
        })
    }

    /// A header that is there and not empty.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?.to_str().ok()?;
        (!value.is_empty()).then(|| value.to_owned())
    }

    pub(crate) fn response(&self, reply: Reply) -> Response {
        let version = self.header("stripe-version");
        let mut response = Response::builder()
            .status(StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
            .content_type("application/json")
            .header("request-id", &self.request_id)
            .header("stripe-version", version.as_deref().unwrap_or(API_VERSION))
            .header("access-control-allow-origin", "*")
            .header(
                "access-control-expose-headers",
                "Request-Id, Stripe-Should-Retry",
            );
        for name in ["idempotency-key", "stripe-account"] {
            if let Some(value) = self.header(name) {
                response = response.header(name, value);
            }
        }
        if let Some(original) = &reply.original {
            response = response
                .header("idempotent-replayed", "true")
                .header("original-request", original);
        }
        if reply.status == 409 {
            response = response.header("stripe-should-retry", "true");
        }
        response.body(reply.body)
    }
}

/// Lets a page of another origin ask; the key decides what it gets.
pub(crate) fn preflight(request: &Request) -> Response {
    let asked = request.header("access-control-request-headers");
    Response::builder()
        .status(StatusCode::NO_CONTENT)
        .header("access-control-allow-origin", "*")
        .header("access-control-allow-methods", "GET, POST, DELETE")
        .header(
            "access-control-allow-headers",
            asked.unwrap_or("authorization, content-type"),
        )
        .header("access-control-max-age", "300")
        .finish()
}
