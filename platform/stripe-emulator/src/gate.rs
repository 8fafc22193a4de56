//! What every request to an emulated API passes: the faults in front of it and
//! the log behind it.

use std::future::Future;

use jiff::Timestamp;
use poem::{Response, http::StatusCode};
use serde_json::json;

use crate::{
    core::Core,
    error::{ApiError, ErrorKind},
    faults::{Fault, Kind, Probe},
    log::Logged,
};

/// A request as faults and log see it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) account: Option<String>,
    pub(crate) idempotency_key: Option<String>,
}

impl Seen {
    pub(crate) fn probe(&self) -> Probe<'_> {
        Probe {
            method: &self.method,
            path: &self.path,
            account: self.account.as_deref(),
            event_type: None,
        }
    }
}

/// Answers a request, unless a fault in front of the API comes between.
pub(crate) async fn pass(
    core: &Core,
    seen: &Seen,
    answer: impl Future<Output = Response>,
) -> Response {
    let fault = core.faults.take(Kind::FRONT, &seen.probe());
    let answered = match fault.as_ref().is_none_or(Fault::commits) {
        true => Some(answer.await),
        false => None,
    };
    let kind = fault.map(|fault| fault.kind);
    let response = match kind {
        Some(Kind::RateLimit) => too_many(&seen.path),
        Some(Kind::Html502) => bad_gateway(),
        Some(Kind::Timeout) => {
            core.log.push(logged(seen, None, kind));
            core.stopped().await;
            return StatusCode::SERVICE_UNAVAILABLE.into();
        }
        _ => answered.unwrap_or_default(),
    };
    core.log
        .push(logged(seen, Some(response.status().as_u16()), kind));
    response
}

fn logged(seen: &Seen, status: Option<u16>, fault: Option<Kind>) -> Logged {
    Logged {
        at_ms: Timestamp::now().as_millisecond(),
        method: seen.method.clone(),
        path: seen.path.clone(),
        account: seen.account.clone(),
        idempotency_key: seen.idempotency_key.clone(),
        status,
        fault,
    }
}

fn too_many(path: &str) -> Response {
    let body = if path.starts_with("/v1") {
        let message = "Too many requests hit the API too quickly. We recommend an exponential \
                       backoff of your requests.";
        ApiError::new(429, ErrorKind::RateLimit, message)
            .code("rate_limit")
            .body()
    } else {
        json!({ "code": 40100, "message": "Requests made too frequently.", "data": {} })
    };
    Response::builder()
        .status(StatusCode::TOO_MANY_REQUESTS)
        .content_type("application/json")
        .body(body.to_string())
}

fn bad_gateway() -> Response {
    Response::builder()
        .status(StatusCode::BAD_GATEWAY)
        .content_type("text/html")
        .body(
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
         <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n\
         </body>\r\n</html>\r\n",
        )
}
