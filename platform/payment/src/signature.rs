//! Stripe's webhook signature: `t=…,v1=…`, HMAC-SHA-256 over `{t}.{body}`.
//! Source: Stripe's documentation, "Verify webhook signatures manually".

use berth_kernel::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

/// How far the signature's time may be from ours, in seconds.
const TOLERANCE: u64 = 300;

/// The webhook is not to be believed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    /// No header, or not of its form.
    #[error("the signature header is missing or malformed")]
    Malformed,
    /// Signed too long ago, or in the future.
    #[error("the signature is not of now")]
    Stale,
    /// Not signed with one of our secrets.
    #[error("the signature does not match")]
    Mismatch,
}

/// Checks that one of `secrets` signed `body` about `now`. Compares in constant time.
///
/// # Errors
/// [`SignatureError`].
pub(crate) fn verify(
    header: &str,
    body: &[u8],
    secrets: &[&Secret],
    now: Timestamp,
) -> Result<(), SignatureError> {
    let mut time = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) => time = value.parse::<i64>().ok(),
            Some(("v1", value)) => signatures.extend(hex::decode(value).ok()),
            _ => {}
        }
    }
    let time = time.ok_or(SignatureError::Malformed)?;
    if signatures.is_empty() {
        return Err(SignatureError::Malformed);
    }
    if now.as_second().abs_diff(time) > TOLERANCE {
        return Err(SignatureError::Stale);
    }
    let good = secrets.iter().any(|secret| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(time.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        signatures
            .iter()
            .any(|signature| mac.clone().verify_slice(signature).is_ok())
    });
    if good {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(secret: &str, time: i64, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{time}.{body}").as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    #[test]
    fn either_secret_and_any_of_several_signatures_will_do() {
        let (old, new) = (Secret::new("old"), Secret::new("new"));
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let good = sign("old", 1_800_000_000, "{}");
        let header = format!("t=1800000000,v1={},v1={good},v0=ff", "00".repeat(32));
        assert_eq!(verify(&header, b"{}", &[&new, &old], now), Ok(()));
        assert_eq!(
            verify(&header, b"{}", &[&new], now),
            Err(SignatureError::Mismatch)
        );
        assert_eq!(
            verify(&header, b"{ }", &[&new, &old], now),
            Err(SignatureError::Mismatch)
        );
    }

    #[test]
    fn an_old_signature_or_a_broken_header_is_refused() {
        let secret = Secret::new("s");
        let now = Timestamp::from_second(1_800_000_301).unwrap();
        let header = format!("t=1800000000,v1={}", sign("s", 1_800_000_000, "{}"));
        assert_eq!(
            verify(&header, b"{}", &[&secret], now),
            Err(SignatureError::Stale)
        );
        for far in [i64::MIN, i64::MAX] {
            let header = format!("t={far},v1=00");
            assert_eq!(
                verify(&header, b"{}", &[&secret], now),
                Err(SignatureError::Stale)
            );
        }
        for header in ["", "t=x,v1=00", "v1=00", "t=1", "t=1,v1=zz"] {
            assert_eq!(
                verify(header, b"{}", &[&secret], now),
                Err(SignatureError::Malformed)
            );
        }
    }
}
