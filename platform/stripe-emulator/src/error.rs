//! Stripe's error envelope.

use serde_json::{Map, Value, json};

/// The `type` of an error, as Stripe's clients switch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    Api,
    Card,
    Idempotency,
    InvalidRequest,
    RateLimit,
}

impl ErrorKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api_error",
            Self::Card => "card_error",
            Self::Idempotency => "idempotency_error",
            Self::InvalidRequest => "invalid_request_error",
            Self::RateLimit => "rate_limit_error",
        }
    }
}

/// A refused request: HTTP status and the `error` object of the body.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    kind: ErrorKind,
    code: Option<&'static str>,
    message: String,
    /// Kept under the idempotency key and replayed with it.
    replayed: bool,
    extra: Map<String, Value>,
}

impl ApiError {
    pub(crate) fn new(status: u16, kind: ErrorKind, message: impl Into<String>) -> Self {
        let replayed = !matches!(status, 401 | 403 | 409 | 429);
        Self {
            status,
            kind,
            code: None,
            message: message.into(),
            replayed,
            extra: Map::new(),
        }
    }

    /// A request that Stripe understood and refuses (400).
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(400, ErrorKind::InvalidRequest, message)
    }

    /// A parameter that fails validation; not kept under an idempotency key,
    /// because nothing was executed.
    pub(crate) fn parameter(code: &'static str, path: &str, message: impl Into<String>) -> Self {
        let mut error = Self::refused(message).code(code).param(path);
        error.replayed = false;
        error
    }

    /// An object that the account does not have.
    pub(crate) fn missing(object: &str, id: &str, param: &str) -> Self {
        Self::new(
            404,
            ErrorKind::InvalidRequest,
            format!("No such {object}: '{id}'"),
        )
        .code("resource_missing")
        .param(param)
    }

    /// A key or an account that may not do this.
    pub(crate) fn forbidden(status: u16, message: impl Into<String>) -> Self {
        Self::new(status, ErrorKind::InvalidRequest, message)
    }

    /// A failure on the provider's side (500).
    pub(crate) fn internal() -> Self {
        Self::new(
            500,
            ErrorKind::Api,
            "An unknown error occurred while processing the request.",
        )
    }

    pub(crate) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Names the parameter, given as `card.number`.
    pub(crate) fn param(self, path: &str) -> Self {
        self.with("param", crate::params::bracketed(path))
    }

    /// Adds a field beside `message`, such as `decline_code` or `payment_intent`.
    pub(crate) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(field.to_owned(), value.into());
        self
    }

    /// Whether the answer is kept under the request's idempotency key.
    pub(crate) fn is_replayed(&self) -> bool {
        self.replayed
    }

    /// The response body.
    pub(crate) fn body(&self) -> Value {
        let mut error = self.extra.clone();
        error.insert("type".into(), self.kind.as_str().into());
        error.insert("message".into(), self.message.clone().into());
        if let Some(code) = self.code {
            error.insert("code".into(), code.into());
            error.insert(
                "doc_url".into(),
                format!(
                    "https://stripe.com/docs/error-codes/{}",
                    code.replace('_', "-")
                )
                .into(),
            );
        }
        json!({ "error": error })
    }
}
