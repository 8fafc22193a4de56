//! Refusals and failures in a form every surface can show.
//!
//! Each module has an error enum of its own; at the edge of the module it becomes a [`Problem`]:
//! a kind (what sort of answer), a stable code (for programs), a sentence (for people). The web
//! layer renders it as RFC 9457; the portal shows the sentence; a consumer decides by the kind
//! whether to try again.

use std::{error::Error, fmt};

use serde::Serialize;

/// The whole chain of an error's sources on one line, for a table or a log.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// What sort of refusal this is; each surface maps it once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The request cannot be understood.
    Malformed,
    /// The request is larger than is taken.
    TooLarge,
    /// Nobody has been proven to be asking.
    Unauthenticated,
    /// The asker may not do this.
    Forbidden,
    /// No such thing, or none the asker may see.
    NotFound,
    /// The thing's present state does not allow it.
    Conflict,
    /// Understood, but against a rule.
    Invalid,
    /// Too many requests.
    TooMany,
    /// A part outside is down; later may work.
    Unavailable,
    /// A fault of ours.
    Internal,
}

/// One field that is wrong.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct FieldError {
    /// Path of the field, as in `customer.email`.
    pub field: String,
    /// Stable code of what is wrong with it.
    pub code: &'static str,
    /// A sentence for people.
    pub detail: String,
}

impl FieldError {
    /// `field` is wrong in the way `code` names.
    pub fn new(field: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            code,
            detail: detail.into(),
        }
    }
}

/// A refusal or failure, ready to be shown.
#[derive(Debug)]
pub struct Problem {
    /// The sort of refusal.
    pub kind: Kind,
    /// Stable, upper-case code; part of the API.
    pub code: &'static str,
    /// A sentence for people, without internals.
    pub detail: String,
    /// The fields at fault, if it is about fields.
    pub errors: Vec<FieldError>,
    /// What else could be done, in the shape the operation documents.
    pub alternatives: Option<serde_json::Value>,
    /// Seconds after which another try makes sense.
    pub retry_after: Option<u32>,
    /// What went wrong beneath; logged, never shown.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl Problem {
    /// A problem of `kind` with its code and sentence.
    pub fn new(kind: Kind, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            alternatives: None,
            retry_after: None,
            source: None,
        }
    }

    /// No such thing, or none the asker may see: the same answer for both.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Kind::NotFound, "NOT_FOUND", "There is no such thing here.")
    }

    /// One field is against a rule.
    pub fn field(field: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self::fields(vec![FieldError::new(field, code, detail)])
    }

    /// Fields are against rules: one gives the problem its code and sentence, several are listed under
    /// one.
    #[must_use]
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let (code, detail) = match errors.as_slice() {
            [only] => (only.code, only.detail.clone()),
            _ => (
                "FIELDS_INVALID",
                "Several fields are wrong; see `errors`.".to_owned(),
            ),
        };
        Self {
            errors,
            ..Self::new(Kind::Invalid, code, detail)
        }
    }

    /// A fault of ours; the asker learns only that.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(
                Kind::Internal,
                "INTERNAL",
                "Something went wrong on our side.",
            )
        }
    }

    /// A part we depend on does not answer.
    pub fn unavailable(
        code: &'static str,
        detail: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            retry_after: Some(2),
            source: Some(source.into()),
            ..Self::new(Kind::Unavailable, code, detail)
        }
    }

    /// The same problem with what could be done instead.
    #[must_use]
    pub fn with_alternatives(mut self, alternatives: serde_json::Value) -> Self {
        self.alternatives = Some(alternatives);
        self
    }

    /// Whether the same request may succeed later without change.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        self.retry_after.is_some()
            || matches!(
                self.kind,
                Kind::TooMany | Kind::Unavailable | Kind::Internal
            )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| &**source as &(dyn Error + 'static))
    }
}
