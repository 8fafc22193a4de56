//! What the adapter is told at start, and the check that a live key meets Stripe alone.

use std::time::Duration;

use berth_kernel::Secret;
use reqwest::Url;
use serde::Deserialize;

/// Stripe's own API.
const STRIPE: &str = "https://api.stripe.com";

/// How to reach Stripe.
#[derive(Clone, Debug, Deserialize)]
pub struct StripeSettings {
    /// The platform's secret or restricted key: `sk_test_…`, `sk_live_…`, `rk_live_…`.
    pub secret_key: Secret,
    /// The API's base; anything but Stripe's own is for test keys only.
    #[serde(default = "default_api_url")]
    pub api_url: String,
    /// Seconds one call may take, connecting included.
    #[serde(default = "default_timeout_seconds")]
    pub timeout_seconds: u64,
    /// Whether a refund gives the platform's share back to the tenant, in proportion.
    #[serde(default)]
    pub refund_application_fee: bool,
}

fn default_api_url() -> String {
    STRIPE.into()
}

const fn default_timeout_seconds() -> u64 {
    10
}

/// The settings cannot be used; the process must not start with them.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The key is missing, or is no secret key.
    #[error("the Stripe key must begin with sk_test_, rk_test_, sk_live_ or rk_live_")]
    Key,
    /// The base is no HTTP address.
    #[error("the Stripe address `{0}` is no http or https URL without path and query")]
    Address(String),
    /// A live key would be shown to somebody who is not Stripe.
    #[error("a live Stripe key goes to {STRIPE} only, not to `{0}`")]
    LiveKeyElsewhere(String),
    /// A call that may take no time cannot be made.
    #[error("the Stripe timeout must be at least one second")]
    Timeout,
    /// TLS cannot be set up, for want of root certificates perhaps.
    #[error("no HTTP client for Stripe can be made")]
    Client(#[source] reqwest::Error),
}

/// Settings that passed every check.
pub(crate) struct Checked {
    pub(crate) authorization: reqwest::header::HeaderValue,
    /// Without a slash at its end.
    pub(crate) base: String,
    pub(crate) loopback: bool,
    pub(crate) timeout: Duration,
    pub(crate) live: bool,
}

impl StripeSettings {
    /// Stripe's own API with `secret_key`, and every default.
    pub fn new(secret_key: impl Into<String>) -> Self {
        Self {
            secret_key: Secret::new(secret_key),
            api_url: default_api_url(),
            timeout_seconds: default_timeout_seconds(),
            refund_application_fee: false,
        }
    }

    pub(crate) fn check(&self) -> Result<Checked, SettingsError> {
        // Exposed to become the `Authorization` header, which is marked sensitive.
        let key = self.secret_key.expose();
        let live = key.starts_with("sk_live_") || key.starts_with("rk_live_");
        let test = key.starts_with("sk_test_") || key.starts_with("rk_test_");
        if !(live || test) || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(SettingsError::Key);
        }
        let mut authorization: reqwest::header::HeaderValue = format!("Bearer {key}")
            .parse()
            .map_err(|_| SettingsError::Key)?;
        authorization.set_sensitive(true);
        if self.timeout_seconds == 0 {
            return Err(SettingsError::Timeout);
        }
        let url = self.address()?;
        let origin = url.origin().ascii_serialization();
        if live && origin != STRIPE {
            return Err(SettingsError::LiveKeyElsewhere(self.api_url.clone()));
        }
        Ok(Checked {
            authorization,
            loopback: matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")),
            base: origin,
            timeout: Duration::from_secs(self.timeout_seconds),
            live,
        })
    }

    fn address(&self) -> Result<Url, SettingsError> {
        let wrong = || SettingsError::Address(self.api_url.clone());
        let url = Url::parse(&self.api_url).map_err(|_| wrong())?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        if plain { Ok(url) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, url: &str) -> Result<Checked, SettingsError> {
        StripeSettings {
            api_url: url.into(),
            ..StripeSettings::new(key)
        }
        .check()
    }

    #[test]
    fn a_live_key_is_shown_to_stripe_alone() {
        for key in ["sk_live_a1", "rk_live_a1"] {
            assert!(check(key, "https://api.stripe.com").is_ok_and(|checked| checked.live));
            assert!(check(key, "https://api.stripe.com/").is_ok());
            for elsewhere in [
                "http://api.stripe.com",
                "https://api.stripe.com:8443",
                "https://api.stripe.com.example.net",
                "http://127.0.0.1:12111",
            ] {
                let refused = check(key, elsewhere);
                assert!(
                    matches!(refused, Err(SettingsError::LiveKeyElsewhere(_))),
                    "{key} {elsewhere}"
                );
            }
        }
    }

    #[test]
    fn a_test_key_may_go_elsewhere() {
        let checked = check("sk_test_a1", "http://127.0.0.1:12111/").unwrap();
        assert_eq!(checked.base, "http://127.0.0.1:12111");
        assert!(checked.loopback && !checked.live);
    }

    #[test]
    fn what_is_no_secret_key_or_no_address_is_refused() {
        for key in ["", "pk_test_a1", "sk_test_a1\n", "sk_test_a b", "whsec_1"] {
            assert!(
                matches!(check(key, STRIPE), Err(SettingsError::Key)),
                "{key:?}"
            );
        }
        for url in [
            "",
            "api.stripe.com",
            "ftp://x",
            "https://u:p@x",
            "https://x/v1",
            "https://x?a",
        ] {
            assert!(
                matches!(check("sk_test_a1", url), Err(SettingsError::Address(_))),
                "{url:?}"
            );
        }
    }

    #[test]
    fn settings_print_no_key() {
        assert!(!format!("{:?}", StripeSettings::new("sk_test_abc123")).contains("abc123"));
    }
}
