//! What went wrong with a call, sorted by the one question that matters: was it done?

use std::{error::Error as _, fmt};

use berth_payment::provider::ProviderError;
use miniserde::{Deserialize, json};
use reqwest::StatusCode;
use stripe_client_core::StripeClientErr;

/// A [`ProviderError`] that the library's requests can return.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) ProviderError);

impl Failure {
    /// Refused before anything was sent.
    pub(crate) fn refused(code: &str, message: impl Into<String>) -> Self {
        Self(ProviderError::Refused {
            code: code.into(),
            message: message.into(),
        })
    }

    pub(crate) fn unknown(what: impl Into<String>) -> Self {
        Self(ProviderError::Indeterminate(what.into()))
    }

    /// The connection failed, or ended before the whole answer was there.
    pub(crate) fn transport(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        if error.is_builder() {
            Self::refused("request_invalid", text)
        } else if error.is_connect() {
            // Name resolution, TCP or TLS failed: no byte of the request left this machine.
            Self(ProviderError::Unavailable(text))
        } else {
            Self::unknown(text)
        }
    }

    /// The API answered with `status`, which is no success.
    pub(crate) fn answer(status: StatusCode, request_id: &str, body: &[u8]) -> Self {
        let envelope = Envelope::read(body);
        let said = envelope
            .as_ref()
            .map_or("no error of the API", |error| error.sentence());
        let text = format!("{status} ({request_id}): {said}");
        match status.as_u16() {
            429 => Self(ProviderError::Unavailable(text)),
            // 409: the first call under this key is still running. 424: something behind Stripe
            // failed. Neither says what became of the call.
            409 | 424 => Self::unknown(text),
            // It is the platform's own key that is not let in: nothing is said of the call, which
            // waits until an operator has seen to the key.
            401 if envelope.is_some() => Self(ProviderError::Unavailable(text)),
            // The same, unless it is the account that lets the platform in no more.
            403 if envelope
                .as_ref()
                .is_some_and(|error| !error.is_of_account()) =>
            {
                Self(ProviderError::Unavailable(text))
            }
            400..=499 => envelope.map_or_else(|| Self::unknown(text), Envelope::refusal),
            _ => Self::unknown(text),
        }
    }
}

impl StripeClientErr for Failure {
    fn deserialize_err(reason: impl fmt::Display) -> Self {
        Self::unknown(format!("the answer cannot be read: {reason}"))
    }
}

impl From<Failure> for ProviderError {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

/// `{"error": {…}}`, as every refusal of the API is wrapped.
#[derive(Deserialize)]
struct Body {
    error: Envelope,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    code: Option<String>,
    decline_code: Option<String>,
    message: Option<String>,
}

impl Envelope {
    fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        json::from_str::<Body>(text).ok().map(|body| body.error)
    }

    fn sentence(&self) -> &str {
        self.message.as_deref().unwrap_or(&self.kind)
    }

    /// Whether the connected account is what is wrong: it is gone, or has cut the platform off.
    fn is_of_account(&self) -> bool {
        self.code.as_deref() == Some("account_invalid")
    }

    /// The most telling code: a decline's own reason, the error's code, else its type.
    fn refusal(self) -> Failure {
        let message = self.sentence().to_owned();
        let code = self.decline_code.or(self.code).unwrap_or(self.kind);
        Failure(ProviderError::Refused { code, message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(status: u16, body: &str) -> ProviderError {
        Failure::answer(
            StatusCode::from_u16(status).unwrap(),
            "req_1",
            body.as_bytes(),
        )
        .0
    }

    fn code(body: &str) -> String {
        match sorted(402, body) {
            ProviderError::Refused { code, .. } => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_refusal_carries_the_most_telling_code() {
        assert_eq!(
            code(
                r#"{"error":{"type":"card_error","code":"card_declined",
                "decline_code":"insufficient_funds","message":"Your card has insufficient funds."}}"#
            ),
            "insufficient_funds"
        );
        let coded = r#"{"error":{"type":"invalid_request_error","code":"resource_missing"}}"#;
        assert_eq!(code(coded), "resource_missing");
        assert_eq!(
            code(r#"{"error":{"type":"idempotency_error","message":"Keys …"}}"#),
            "idempotency_error"
        );
    }

    #[test]
    fn only_an_error_of_the_api_refuses() {
        for (status, body) in [
            (400, "Bad Request"),
            (401, ""),
            (403, "<html>a proxy's own page</html>"),
            (404, "<html>not here</html>"),
            (
                409,
                r#"{"error":{"type":"idempotency_error","message":"in flight"}}"#,
            ),
            (424, r#"{"error":{"type":"api_error"}}"#),
            (500, r#"{"error":{"type":"api_error"}}"#),
            (502, "<html>Bad Gateway</html>"),
            (302, ""),
        ] {
            let sorted = sorted(status, body);
            assert!(
                matches!(sorted, ProviderError::Indeterminate(_)),
                "{status}: {sorted:?}"
            );
        }
    }

    #[test]
    fn a_key_that_is_not_let_in_refuses_nothing_for_good() {
        let key =
            r#"{"error":{"type":"invalid_request_error","message":"Invalid API Key provided"}}"#;
        let right = r#"{"error":{"type":"invalid_request_error","code":"secret_key_required"}}"#;
        for (status, body) in [(401, key), (403, right)] {
            let sorted = sorted(status, body);
            assert!(
                matches!(sorted, ProviderError::Unavailable(_)),
                "{status}: {sorted:?}"
            );
        }
        let gone = r#"{"error":{"type":"invalid_request_error","code":"account_invalid"}}"#;
        let sorted = sorted(403, gone);
        assert!(
            matches!(&sorted, ProviderError::Refused { code, .. } if code == "account_invalid"),
            "{sorted:?}"
        );
    }

    #[test]
    fn too_many_requests_were_certainly_not_done() {
        let body = r#"{"error":{"type":"rate_limit_error","code":"rate_limit","message":"slow"}}"#;
        assert!(
            matches!(sorted(429, body), ProviderError::Unavailable(text) if text.contains("slow"))
        );
    }
}
