//! Who asks: secret keys for everything, publishable keys for the payer's own
//! payment, and the connected account that a request is about.

use base64::prelude::{BASE64_STANDARD, Engine};
use poem::http::HeaderMap;

use crate::{
    error::ApiError,
    params::Params,
    world::{Owner, World},
};

/// The kind of key that a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Secret,
    Publishable,
}

/// Reads the key from `Authorization` (bearer, or the user of basic) or from
/// the form, where Stripe.js puts it.
pub(crate) fn key(headers: &HeaderMap, params: &Params) -> Result<Key, ApiError> {
    let header = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    let key = match header.and_then(|value| value.split_once(' ')) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim().to_owned(),
        Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => basic_user(pair.trim()),
        _ => params.owned("key").unwrap_or_default(),
    };
    if key.is_empty() {
        return Err(ApiError::forbidden(
            401,
            "You did not provide an API key. You need to provide your API key in the \
             Authorization header, using Bearer auth.",
        ));
    }
    if key.starts_with("sk_test_") || key.starts_with("rk_test_") {
        Ok(Key::Secret)
    } else if key.starts_with("pk_test_") {
        Ok(Key::Publishable)
    } else {
        let shown: String = key.chars().take(8).collect();
        Err(
            ApiError::forbidden(401, format!("Invalid API Key provided: {shown}***"))
                .code("api_key_invalid"),
        )
    }
}

/// Refuses a publishable key where only the secret one will do.
pub(crate) fn secret_required() -> ApiError {
    ApiError::forbidden(
        403,
        "This API call cannot be made with a publishable API key. Please use a secret API key.",
    )
    .code("secret_key_required")
}

/// The account a request is about: header, or the form field of Stripe.js.
pub(crate) fn owner(
    world: &World,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Owner, ApiError> {
    let named = headers
        .get("stripe-account")
        .and_then(|value| value.to_str().ok())
        .or_else(|| params.text("_stripe_account"));
    match named {
        None => Ok(Owner::Platform),
        Some(id) if id == crate::model::PLATFORM => Ok(Owner::Platform),
        Some(id) if world.accounts.get(id).is_some() => Ok(Owner::Connected(id.to_owned())),
        Some(id) => Err(ApiError::forbidden(
            403,
            format!(
                "The provided key does not have access to account '{id}' (or that account does \
                 not exist). Application access may have been revoked."
            ),
        )
        .code("account_invalid")),
    }
}

/// The user name in the base64 text of basic authentication.
fn basic_user(pair: &str) -> String {
    let bytes = BASE64_STANDARD.decode(pair).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.split(':').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn key_of(header: &str) -> Result<Key, ApiError> {
        let mut headers = HeaderMap::new();
        headers.insert(
            "authorization",
            HeaderValue::from_str(header).expect("a header"),
        );
        key(&headers, &Params::default())
    }

    #[test]
    fn bearer_and_basic_carry_the_key() {
        assert_eq!(key_of("Bearer sk_test_x").ok(), Some(Key::Secret));
        // "sk_test_abc:" and "pk_test_1:"
        assert_eq!(key_of("Basic c2tfdGVzdF9hYmM6").ok(), Some(Key::Secret));
        assert_eq!(
            key_of("Basic cGtfdGVzdF8xOg==").ok(),
            Some(Key::Publishable)
        );
    }

    #[test]
    fn live_and_foreign_keys_are_refused() {
        for header in ["Bearer sk_live_x", "Bearer hello", "Basic !!!", "Digest x"] {
            assert_eq!(
                key_of(header).err().map(|error| error.status),
                Some(401),
                "{header}"
            );
        }
    }
}
