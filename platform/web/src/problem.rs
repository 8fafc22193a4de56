//! Problems as HTTP answers: RFC 9457 bodies with our stable codes.

use std::any::Any;

use berth_kernel::{Kind, Problem};
use berth_telemetry::panics::Panicked;
use poem::{Endpoint, EndpointExt as _, IntoResponse, Response, http::StatusCode};
use poem_openapi::{
    ApiResponse, Object,
    payload::{Json, Payload},
    registry::{MetaSchemaRef, Registry},
    types::Type,
};

/// One field that is wrong.
#[derive(Debug, Object)]
pub struct FieldProblem {
    /// Path of the field, as in `customer.email`.
    pub field: String,
    /// Stable code of what is wrong with it.
    pub code: String,
    /// A sentence for people.
    pub detail: String,
}

/// Why a request was refused (RFC 9457, `application/problem+json`).
#[derive(Debug, Object)]
#[oai(rename = "Problem")]
pub struct ProblemBody {
    /// The HTTP status again.
    pub status: u16,
    /// A short name of the sort of problem.
    pub title: String,
    /// A stable code for programs, as in `BOOKING_CONFLICT`.
    pub code: String,
    /// A sentence for people.
    pub detail: String,
    /// The fields at fault.
    #[oai(default, skip_serializing_if_is_empty)]
    pub errors: Vec<FieldProblem>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// What could be done instead; of a conflict, what is free nearby.
    #[oai(skip_serializing_if_is_none)]
    pub alternatives: Option<serde_json::Value>,
}

/// A [`ProblemBody`] under its own content type.
#[derive(Debug)]
pub struct ProblemJson(pub ProblemBody);

impl Payload for ProblemJson {
    const CONTENT_TYPE: &'static str = "application/problem+json";

    fn schema_ref() -> MetaSchemaRef {
        ProblemBody::schema_ref()
    }

    fn register(registry: &mut Registry) {
        ProblemBody::register(registry);
    }
}

impl IntoResponse for ProblemJson {
    fn into_response(self) -> Response {
        Json(self.0)
            .into_response()
            .set_content_type(Self::CONTENT_TYPE)
    }
}

/// The answer to a request whose handling panicked.
#[must_use]
pub fn panicked(panic: Box<dyn Any + Send>) -> Response {
    refuse(Problem::internal(Panicked::from(panic))).into_response()
}

/// The answers an operation may give when it refuses.
#[derive(Debug, ApiResponse)]
pub enum Refusal {
    /// The request cannot be understood.
    #[oai(status = 400)]
    Malformed(ProblemJson),
    /// More than is taken in one request.
    #[oai(status = 413)]
    TooLarge(ProblemJson),
    /// Nobody known asks.
    #[oai(status = 401)]
    Unauthenticated(ProblemJson),
    /// The asker may not.
    #[oai(status = 403)]
    Forbidden(ProblemJson),
    /// No such thing, or none the asker may see.
    #[oai(status = 404)]
    NotFound(ProblemJson),
    /// The thing's present state does not allow it.
    #[oai(status = 409)]
    Conflict(ProblemJson),
    /// Understood, but against a rule.
    #[oai(status = 422)]
    Invalid(ProblemJson),
    /// Too often.
    #[oai(status = 429)]
    TooMany(
        ProblemJson,
        /// Seconds to wait.
        #[oai(header = "Retry-After")]
        u32,
    ),
    /// A fault of ours.
    #[oai(status = 500)]
    Internal(ProblemJson),
    /// A part we depend on is down.
    #[oai(status = 503)]
    Unavailable(
        ProblemJson,
        /// Seconds to wait.
        #[oai(header = "Retry-After")]
        u32,
    ),
}

/// Turns a module's error into an answer. What went wrong beneath is logged here, once, and not
/// shown.
pub fn refuse(error: impl Into<Problem>) -> Refusal {
    let problem = error.into();
    if let Some(source) = &problem.source {
        let source: &dyn std::error::Error = &**source;
        match problem.kind {
            Kind::Internal => tracing::error!(
                error = berth_kernel::chain(source),
                code = problem.code,
                "request failed: {source}"
            ),
            _ => tracing::warn!(
                error = berth_kernel::chain(source),
                code = problem.code,
                "request refused: {source}"
            ),
        }
    }
    let wait = problem.retry_after.unwrap_or(1);
    let kind = problem.kind;
    let body = ProblemJson(body(problem));
    match kind {
        Kind::Malformed => Refusal::Malformed(body),
        Kind::TooLarge => Refusal::TooLarge(body),
        Kind::Unauthenticated => Refusal::Unauthenticated(body),
        Kind::Forbidden => Refusal::Forbidden(body),
        Kind::NotFound => Refusal::NotFound(body),
        Kind::Conflict => Refusal::Conflict(body),
        Kind::Invalid => Refusal::Invalid(body),
        Kind::TooMany => Refusal::TooMany(body, wait),
        Kind::Unavailable => Refusal::Unavailable(body, wait),
        Kind::Internal => Refusal::Internal(body),
    }
}

fn body(problem: Problem) -> ProblemBody {
    let status = status(problem.kind);
    let field = |error: berth_kernel::FieldError| FieldProblem {
        field: error.field,
        code: error.code.to_owned(),
        detail: error.detail,
    };
    ProblemBody {
        status: status.as_u16(),
        title: status.canonical_reason().unwrap_or("Problem").to_owned(),
        code: problem.code.to_owned(),
        retryable: problem.retryable(),
        detail: problem.detail,
        errors: problem.errors.into_iter().map(field).collect(),
        alternatives: problem.alternatives,
    }
}

const fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Renders whatever the framework refuses by itself (a body it cannot parse, an unknown route, a
/// missing token) as a problem too.
pub fn render_errors<E: Endpoint + 'static>(endpoint: E) -> impl Endpoint<Output = Response> {
    endpoint.catch_all_error(|error: poem::Error| async move {
        if error.is_from_response() {
            error.into_response()
        } else {
            of_framework(&error).into_response()
        }
    })
}

fn of_framework(error: &poem::Error) -> Response {
    let status = error.status();
    let problem = match status {
        StatusCode::UNAUTHORIZED => Problem::new(
            Kind::Unauthenticated,
            "UNAUTHENTICATED",
            "Please sign in first.",
        ),
        StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => {
            let problem = Problem::new(
                Kind::Malformed,
                "METHOD_NOT_ALLOWED",
                "Not with this method.",
            );
            let mut response = ProblemJson(ProblemBody {
                status: 405,
                ..body(problem)
            })
            .into_response();
            response.set_status(status);
            return response;
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(
            Kind::Malformed,
            "UNSUPPORTED_MEDIA_TYPE",
            "The body must be application/json.",
        ),
        other if other.is_client_error() => {
            Problem::new(Kind::Malformed, "MALFORMED_REQUEST", error.to_string())
        }
        _ => {
            tracing::error!(
                error = berth_kernel::chain(&error),
                "request failed: {error}"
            );
            Problem::new(
                Kind::Internal,
                "INTERNAL",
                "Something went wrong on our side.",
            )
        }
    };
    refuse(problem).into_response()
}
