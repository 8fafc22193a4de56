//! What happens around every request: its id, its log line, its metrics, its size limit.

use std::time::{Duration, Instant};

use berth_kernel::{Cause, Kind, Problem};
use poem::{
    Body, Endpoint, IntoResponse as _, Request, Response, Result,
    error::ReadBodyError,
    http::{HeaderName, HeaderValue, Method},
};
use poem_openapi::OperationId;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::refuse;

/// The header that carries a request's id, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Most bytes of a body.
const MAX_BODY: usize = 1 << 20;
/// The same where pictures are uploaded.
const MAX_PICTURE: usize = 10 << 20;
/// How long a body may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// A request's id: its correlation id from here to the last mail.
#[derive(Clone, Copy, Debug)]
struct RequestId(Uuid);

/// Why what follows from `request` happens.
#[must_use]
pub fn cause(request: &Request) -> Cause {
    let id = request
        .extensions()
        .get::<RequestId>()
        .map_or_else(Uuid::now_v7, |id| id.0);
    Cause {
        correlation_id: id,
        causation_id: None,
        trace_parent: berth_telemetry::trace::parent(),
    }
}

/// Wraps an endpoint that renders its own errors.
pub struct Observed<E>(pub E);

impl<E: Endpoint<Output = Response>> Endpoint for Observed<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let started = Instant::now();
        let id = incoming_id(&request).unwrap_or_else(Uuid::now_v7);
        request.extensions_mut().insert(RequestId(id));
        let method = request.method().clone();
        let path = shown(request.uri().path());
        let span = tracing::info_span!(
            "request",
            correlation_id = %id,
            method = method.as_str(),
            path,
            tenant_id = tracing::field::Empty,
        );
        let parent = request
            .headers()
            .get("traceparent")
            .and_then(|value| value.to_str().ok());
        berth_telemetry::trace::follow(&span, parent);
        async {
            let mut response = match bound_body(&mut request).await {
                Ok(()) => self
                    .0
                    .call(request)
                    .await
                    .unwrap_or_else(poem::Error::into_response),
                Err(problem) => refuse(problem).into_response(),
            };
            record(&method, &path, &response, started.elapsed());
            if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
                response.headers_mut().insert(REQUEST_ID, value);
            }
            response.headers_mut().insert(
                "x-content-type-options",
                HeaderValue::from_static("nosniff"),
            );
            Ok(response)
        }
        .instrument(span)
        .await
    }
}

/// A path as logs may know it: without what is secret in the address of a calendar's feed.
fn shown(path: &str) -> String {
    const SECRET_BELOW: &str = "/calendars/";
    match path.split_once(SECRET_BELOW) {
        Some((before, _)) => format!("{before}{SECRET_BELOW}[redacted]"),
        None => path.to_owned(),
    }
}

/// A client's own id is taken on if it is a UUID; anything else could be made to lie in logs.
fn incoming_id(request: &Request) -> Option<Uuid> {
    request
        .headers()
        .get(&REQUEST_ID)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Most bytes of a body for this path.
fn most(path: &str) -> usize {
    match path.contains("/v1/products/") && path.ends_with("/images") {
        true => MAX_PICTURE,
        false => MAX_BODY,
    }
}

/// Reads the body, up to a limit in bytes and time.
async fn bound_body(request: &mut Request) -> Result<(), Problem> {
    if matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    ) {
        return Ok(());
    }
    let most = most(request.uri().path());
    let reading = request.take_body().into_bytes_limit(most);
    match tokio::time::timeout(BODY_WITHIN, reading).await {
        Ok(Ok(bytes)) => {
            request.set_body(Body::from_bytes(bytes));
            Ok(())
        }
        Ok(Err(ReadBodyError::PayloadTooLarge)) => Err(Problem::new(
            Kind::TooLarge,
            "BODY_TOO_LARGE",
            format!("The body may have {} MiB at most.", most >> 20),
        )),
        Ok(Err(_)) => Err(Problem::new(
            Kind::Malformed,
            "BODY_UNREADABLE",
            "The body broke off.",
        )),
        Err(_) => Err(Problem::new(
            Kind::Malformed,
            "BODY_TOO_SLOW",
            "The body did not arrive in time.",
        )),
    }
}

fn record(method: &Method, path: &str, response: &Response, took: Duration) {
    let status = response.status().as_u16();
    // Labelled by operation, not by path: paths hold ids, and there are many of those.
    let operation = response
        .data::<OperationId>()
        .map_or("other", |operation| operation.0);
    let labels = [
        ("operation", operation.to_owned()),
        ("status", status.to_string()),
    ];
    metrics::histogram!("berth_http_request_seconds", &labels).record(took.as_secs_f64());
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(operation, status, took_ms, "{method} {path} {status}");
}
