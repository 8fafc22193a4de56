//! Opaque tokens: 256 bits from the operating system, kept only as their SHA-256.

use berth_kernel::{Secret, TenantId};
use rand::{TryRng as _, rngs::SysRng};
use sha2::{Digest as _, Sha256};

use crate::Error;

const RANDOM_BYTES: usize = 32;
const REFRESH_PREFIX: &str = "rt_";

/// A token just made, and what is kept of it.
pub(crate) struct Minted {
    pub(crate) token: Secret,
    pub(crate) hash: [u8; 32],
}

/// `rt_` and 64 hexadecimal digits.
pub(crate) fn mint_refresh() -> Result<Minted, Error> {
    mint(REFRESH_PREFIX)
}

/// `{tenant id}.` and 64 hexadecimal digits: the cookie alone says whose portal it opens.
pub(crate) fn mint_portal(tenant: TenantId) -> Result<Minted, Error> {
    mint(&format!("{tenant}."))
}

fn mint(prefix: &str) -> Result<Minted, Error> {
    let mut bytes = [0_u8; RANDOM_BYTES];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|_| Error::Randomness)?;
    let token = format!("{prefix}{}", hex::encode(bytes));
    Ok(Minted {
        hash: hash(&token),
        token: Secret::new(token),
    })
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The hash to look a refresh token up by, if the text has a refresh token's form.
pub(crate) fn refresh_hash(token: &str) -> Option<[u8; 32]> {
    is_random_part(token.strip_prefix(REFRESH_PREFIX)?).then(|| hash(token))
}

/// The hash to look a portal token up by, if the text has its form and names `tenant`.
pub(crate) fn portal_hash(token: &str, tenant: TenantId) -> Option<[u8; 32]> {
    let (named, random) = token.split_once('.')?;
    (named == tenant.to_string() && is_random_part(random)).then(|| hash(token))
}

/// What forms of the session with `token` carry. Derived, so that nothing more has to be kept;
/// it says nothing about the token.
pub(crate) fn csrf(token: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(b"form of ");
    digest.update(token.as_bytes());
    hex::encode(digest.finalize())
}

fn is_random_part(text: &str) -> bool {
    text.len() == 2 * RANDOM_BYTES
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_again_by_their_hash_and_never_the_same_twice() {
        let (one, two) = (mint_refresh().unwrap(), mint_refresh().unwrap());
        assert_eq!(refresh_hash(one.token.expose()), Some(one.hash));
        assert_ne!(one.hash, two.hash);
        let tenant = TenantId::new();
        let portal = mint_portal(tenant).unwrap();
        assert_eq!(
            portal_hash(portal.token.expose(), tenant),
            Some(portal.hash)
        );
        assert_eq!(portal_hash(portal.token.expose(), TenantId::new()), None);
    }

    #[test]
    fn text_of_another_form_is_no_token() {
        for bad in [
            "",
            "rt_",
            "rt_zz",
            "hello",
            &format!("rt_{}", "A".repeat(64)),
        ] {
            assert_eq!(refresh_hash(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_form_token_belongs_to_one_session_and_is_not_what_is_stored() {
        let minted = mint_portal(TenantId::new()).unwrap();
        let form = csrf(minted.token.expose());
        assert_eq!(form, csrf(minted.token.expose()));
        assert_ne!(form, csrf("another"));
        assert_ne!(form, hex::encode(minted.hash));
    }
}
