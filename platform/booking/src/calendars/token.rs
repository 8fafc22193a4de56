//! What is secret in a feed's address: 256 bits from the operating system, kept only as their SHA-256.

use berth_kernel::{Problem, Secret};
use rand::{TryRng as _, rngs::SysRng};
use sha2::{Digest as _, Sha256};

use crate::Error;

const RANDOM_BYTES: usize = 32;

/// A token just made, and what is kept of it.
pub(crate) struct Minted {
    pub(crate) token: Secret,
    pub(crate) hash: [u8; 32],
}

/// 64 hexadecimal digits.
pub(crate) fn mint() -> Result<Minted, Error> {
    let mut bytes = [0_u8; RANDOM_BYTES];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Error::Denied(Problem::internal(error)))?;
    let token = hex::encode(bytes);
    Ok(Minted {
        hash: Sha256::digest(token.as_bytes()).into(),
        token: Secret::new(token),
    })
}

/// The hash to look a feed up by, if the text is of a token's form; it may have the ending that some programs
/// want to see.
pub(crate) fn hash_of(text: &str) -> Option<[u8; 32]> {
    let token = text.strip_suffix(".ics").unwrap_or(text);
    let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (token.len() == 2 * RANDOM_BYTES && token.bytes().all(digit))
        .then(|| Sha256::digest(token.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_again_by_its_hash_and_never_the_same_twice() {
        let (one, two) = (mint().unwrap(), mint().unwrap());
        assert_eq!(hash_of(one.token.expose()), Some(one.hash));
        let named = format!("{}.ics", one.token.expose());
        assert_eq!(hash_of(&named), Some(one.hash));
        assert_ne!(one.hash, two.hash);
        for bad in ["", ".ics", "a.ics", &"A".repeat(64), &"a".repeat(65)] {
            assert_eq!(hash_of(bad), None, "{bad}");
        }
    }
}
