//! Where the pages are, what they trust, and the checks before the server starts.

use berth_kernel::Secret;
use serde::Deserialize;
use url::{Origin, Url};

use crate::{Links, dress::Policies};

/// Where Stripe's own script comes from.
const STRIPE_JS: &str = "https://js.stripe.com";

/// How the portal and the payment page are set up.
#[derive(Clone, Debug, Deserialize)]
pub struct PortalSettings {
    /// Where the platform's own host is reached: scheme, host and port, nothing more. Businesses
    /// answer at `{slug}.` before the host.
    pub public_url: String,
    /// Where the browser loads Stripe.js from.
    #[serde(default = "default_stripe_js_url")]
    pub stripe_js_url: String,
    /// Where the API is that the script calls and whose pages businesses are sent to, if it is an
    /// emulator; none for Stripe itself.
    #[serde(default)]
    pub stripe_api_url: Option<String>,
    /// Whether cookies are for HTTPS alone; off is for development.
    #[serde(default = "yes")]
    pub secure_cookies: bool,
    /// Whether businesses sign themselves up.
    #[serde(default = "yes")]
    pub sign_up: bool,
    /// Signs links to payment pages and sign-ups; at least 24 characters, the same on all servers.
    pub link_secret: Secret,
}

fn default_stripe_js_url() -> String {
    format!("{STRIPE_JS}/v3/")
}

const fn yes() -> bool {
    true
}

/// The settings cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SettingsError {
    /// The text is no address of the form wanted.
    #[error("`{0}` is no http or https URL of the form wanted here")]
    Address(String),
    /// The secret can be guessed.
    #[error("the secret that signs payment links must have at least 24 characters")]
    WeakLinkSecret,
    /// Cookies could be read on the way.
    #[error("secure_cookies cannot be off where the public URL is https")]
    InsecureCookies,
    /// Customers' cards would be typed into somebody else's script.
    #[error("a live Stripe key goes with {STRIPE_JS} alone")]
    LiveKeyElsewhere,
}

/// What follows from settings that passed every check.
pub(crate) struct Checked {
    pub(crate) links: Links,
    pub(crate) policies: Policies,
}

impl PortalSettings {
    pub(crate) fn check(&self, publishable_key: &str) -> Result<Checked, SettingsError> {
        let script = web_url(&self.stripe_js_url)?.origin();
        let api = self
            .stripe_api_url
            .as_deref()
            .map(web_url)
            .transpose()?
            .map(|url| url.origin());
        let stripes_own = script.ascii_serialization() == STRIPE_JS && api.is_none();
        if publishable_key.starts_with("pk_live_") && !stripes_own {
            return Err(SettingsError::LiveKeyElsewhere);
        }
        if self.public_url.starts_with("https:") && !self.secure_cookies {
            return Err(SettingsError::InsecureCookies);
        }
        let links = Links::new(&self.public_url, &self.link_secret)?;
        let policies = Policies::new(&script, api.as_ref(), self.secure_cookies);
        Ok(Checked { links, policies })
    }
}

/// An http or https URL with a host.
pub(crate) fn web_url(text: &str) -> Result<Url, SettingsError> {
    let url = Url::parse(text).map_err(|_| SettingsError::Address(text.to_owned()))?;
    let fits =
        matches!(url.scheme(), "http" | "https") && matches!(url.origin(), Origin::Tuple(..));
    if fits {
        Ok(url)
    } else {
        Err(SettingsError::Address(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> PortalSettings {
        PortalSettings {
            public_url: "http://localhost:8080".into(),
            stripe_js_url: "http://127.0.0.1:12111/v3/".into(),
            stripe_api_url: Some("http://127.0.0.1:12111".into()),
            secure_cookies: false,
            sign_up: true,
            link_secret: Secret::new("0123456789abcdef0123456789abcdef"),
        }
    }

    fn refused(settings: &PortalSettings, key: &str) -> Option<SettingsError> {
        settings.check(key).err()
    }

    #[test]
    fn settings_for_development_pass_with_a_test_key_alone() {
        assert_eq!(refused(&settings(), "pk_test_a"), None);
        assert_eq!(
            refused(&settings(), "pk_live_a"),
            Some(SettingsError::LiveKeyElsewhere)
        );
        let stripe = PortalSettings {
            stripe_js_url: default_stripe_js_url(),
            stripe_api_url: None,
            ..settings()
        };
        assert_eq!(refused(&stripe, "pk_live_a"), None);
        let beside = PortalSettings {
            stripe_js_url: "https://js.stripe.com.example/".into(),
            ..stripe
        };
        assert_eq!(
            refused(&beside, "pk_live_a"),
            Some(SettingsError::LiveKeyElsewhere)
        );
    }

    #[test]
    fn weak_settings_are_refused() {
        let weak = PortalSettings {
            link_secret: Secret::new("change-me"),
            ..settings()
        };
        assert_eq!(
            refused(&weak, "pk_test_a"),
            Some(SettingsError::WeakLinkSecret)
        );
        let plain = PortalSettings {
            public_url: "https://book.example".into(),
            ..settings()
        };
        assert_eq!(
            refused(&plain, "pk_test_a"),
            Some(SettingsError::InsecureCookies)
        );
        for url in [
            "",
            "localhost:8080",
            "ftp://x",
            "http://x/portal",
            "http://u:p@x",
            "http://x?a",
        ] {
            let settings = PortalSettings {
                public_url: url.into(),
                ..settings()
            };
            assert!(
                matches!(
                    refused(&settings, "pk_test_a"),
                    Some(SettingsError::Address(_))
                ),
                "{url}"
            );
        }
    }
}
