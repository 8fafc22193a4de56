//! Why a handler stops before it has an answer, and the page that says so.

use berth_kernel::{Kind, Problem};
use poem::{
    error::ResponseError,
    http::{Method, StatusCode},
};

/// A handler stops.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// Nobody is signed in; where to go.
    #[error("nobody is signed in")]
    SignIn(String),
    /// A form without its session's token.
    #[error("the form does not carry the session's token")]
    Forged,
    /// What a use case said.
    #[error(transparent)]
    Refused(Problem),
}

impl<E: Into<Problem>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl ResponseError for Stop {
    fn status(&self) -> StatusCode {
        match self {
            Self::SignIn(_) => StatusCode::SEE_OTHER,
            Self::Forged => StatusCode::FORBIDDEN,
            Self::Refused(problem) => status(problem.kind),
        }
    }
}

/// A template that fails is a fault of ours; its golden test would have shown it.
pub(crate) fn unrendered(error: askama::Error) -> Stop {
    Problem::internal(error).into()
}

pub(crate) const fn status(kind: Kind) -> StatusCode {
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

/// What the page for a refusal says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    pub(crate) detail: String,
    /// Seconds after which another try makes sense.
    pub(crate) retry_after: Option<u32>,
}

/// Words for whatever a handler, an extractor or the router ended with. What went wrong beneath is
/// logged here, once.
pub(crate) fn words(error: &poem::Error, method: &Method) -> Words {
    let said = |status, title, detail: &str| Words {
        status,
        title,
        detail: detail.to_owned(),
        retry_after: None,
    };
    match error.downcast_ref::<Stop>() {
        Some(Stop::Refused(problem)) => of_problem(problem),
        Some(Stop::Forged) => said(
            StatusCode::FORBIDDEN,
            "This form has expired",
            "Nothing was changed. Go back, reload the page and send the form again.",
        ),
        _ => match error.status() {
            // The router and the path's types: an address that leads nowhere.
            StatusCode::NOT_FOUND => of_problem(&Problem::not_found()),
            StatusCode::BAD_REQUEST if matches!(*method, Method::GET | Method::HEAD) => {
                of_problem(&Problem::not_found())
            }
            StatusCode::METHOD_NOT_ALLOWED => said(
                StatusCode::METHOD_NOT_ALLOWED,
                "Not found",
                "There is no such page here.",
            ),
            status if status.is_client_error() => said(
                status,
                "This cannot be understood",
                "Go back, check what you entered and try again.",
            ),
            _ => {
                tracing::error!(error = berth_kernel::chain(&error), "page failed: {error}");
                of_problem(&Problem::new(
                    Kind::Internal,
                    "INTERNAL",
                    "Something went wrong on our side.",
                ))
            }
        },
    }
}

/// Words for a problem.
pub(crate) fn of_problem(problem: &Problem) -> Words {
    if let Some(source) = &problem.source {
        let (source, code) = (&**source as &dyn std::error::Error, problem.code);
        match problem.kind {
            Kind::Internal => tracing::error!(
                error = berth_kernel::chain(source),
                code,
                "page failed: {source}"
            ),
            _ => tracing::warn!(
                error = berth_kernel::chain(source),
                code,
                "page refused: {source}"
            ),
        }
    }
    let title = match problem.kind {
        Kind::NotFound => "Not found",
        Kind::Forbidden | Kind::Unauthenticated => "You may not see this",
        Kind::Conflict => "This is not possible now",
        Kind::Malformed | Kind::TooLarge | Kind::Invalid => "Something does not fit",
        Kind::TooMany => "A moment, please",
        Kind::Unavailable => "Briefly out of reach",
        Kind::Internal => "Something went wrong",
    };
    Words {
        status: status(problem.kind),
        title,
        detail: problem.detail.clone(),
        retry_after: problem.retry_after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_ours_is_not_shown() {
        let stop: Stop = Problem::internal("password of the database").into();
        let words = words(&poem::Error::from(stop), &Method::GET);
        assert_eq!(words.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(words.detail, "Something went wrong on our side.");
    }

    #[test]
    fn an_address_that_leads_nowhere_is_not_found_whatever_the_reason() {
        let router = poem::Error::from(poem::error::NotFoundError);
        let id = poem::Error::from_status(StatusCode::BAD_REQUEST);
        let hidden = poem::Error::from(Stop::from(Problem::not_found()));
        let all = [router, id, hidden].map(|error| words(&error, &Method::GET));
        assert_eq!(all[0], all[1]);
        assert_eq!(all[1], all[2]);
    }
}
