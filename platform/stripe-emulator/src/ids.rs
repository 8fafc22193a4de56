//! Identifiers and secrets in Stripe's shape: a prefix and random letters.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `pi_` → `pi_3PqL…`, 24 random characters.
pub(crate) fn fresh(prefix: &str) -> String {
    with_length(prefix, 24)
}

/// As [`fresh`] with a chosen number of random characters.
pub(crate) fn with_length(prefix: &str, length: usize) -> String {
    let mut id = String::with_capacity(prefix.len() + length);
    id.push_str(prefix);
    for _ in 0..length {
        id.push(char::from(ALPHABET[rand::random_range(0..ALPHABET.len())]));
    }
    id
}
