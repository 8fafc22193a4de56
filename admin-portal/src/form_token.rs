//! What tells a form of ours from one that another site made the browser send.

use rand::RngExt as _;
use subtle::ConstantTimeEq as _;

/// Whether a form carries the token it should; both are compared to the end.
pub(crate) fn matches(sent: &str, expected: &str) -> bool {
    !expected.is_empty() && bool::from(sent.as_bytes().ct_eq(expected.as_bytes()))
}

/// 128 random bits as text: for a nonce, or a token of a form nobody is signed in for.
pub(crate) fn random() -> String {
    hex::encode(rand::rng().random::<[u8; 16]>())
}

/// Whether the text has the form [`random`] gives.
pub(crate) fn is_random(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_token_matches() {
        let token = random();
        assert!(matches(&token, &token));
        for wrong in [
            "",
            &token[1..],
            &format!("{token}0"),
            &random(),
            &token.to_uppercase().replace('0', "1"),
        ] {
            assert!(!matches(wrong, &token), "{wrong}");
        }
        assert!(
            !matches("", ""),
            "a token that is missing on both sides proves nothing"
        );
    }

    #[test]
    fn random_text_is_never_the_same_and_known_by_its_form() {
        assert_ne!(random(), random());
        assert!(is_random(&random()));
        assert!(!is_random("") && !is_random(&"Z".repeat(32)) && !is_random(&"a".repeat(33)));
    }
}
