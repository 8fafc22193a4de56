//! What a tenant may be called in addresses.

use berth_kernel::FieldError;

/// Names that would be mistaken for the platform's own.
const RESERVED: &[&str] = &[
    "account",
    "accounts",
    "admin",
    "administrator",
    "api",
    "app",
    "apps",
    "assets",
    "auth",
    "autodiscover",
    "berth",
    "billing",
    "blog",
    "cdn",
    "checkout",
    "console",
    "dashboard",
    "demo",
    "dev",
    "docs",
    "email",
    "files",
    "ftp",
    "health",
    "help",
    "host",
    "imap",
    "internal",
    "legal",
    "localhost",
    "login",
    "mail",
    "metrics",
    "operator",
    "pay",
    "payment",
    "payments",
    "payouts",
    "platform",
    "pop",
    "portal",
    "postmaster",
    "privacy",
    "root",
    "secure",
    "security",
    "shop",
    "signin",
    "signup",
    "smtp",
    "sso",
    "staging",
    "static",
    "status",
    "store",
    "support",
    "system",
    "test",
    "webhook",
    "webhooks",
    "webmaster",
    "wpad",
    "www",
];

/// The name with signs that look alike made one, after the prototypes of Unicode's UTS 39: `m` looks like `rn`, `w`
/// like `vv`, `1` like `l`, `0` like `o`. Taken apart and not put together, so that it does not matter where in
/// `vvv` one sees the `w`.
pub(super) fn likeness(slug: &str) -> String {
    slug.replace('m', "rn")
        .replace('w', "vv")
        .replace('1', "l")
        .replace('0', "o")
}

/// Whether a tenant can be called that: 3 to 40 of `a-z`, `0-9` and `-`, beginning with a letter, not
/// ending with `-`, and nothing that reads like one of the platform's own names.
///
/// # Errors
/// `SLUG_INVALID`, `SLUG_RESERVED`.
pub(super) fn check(slug: &str) -> Result<(), FieldError> {
    let bytes = slug.as_bytes();
    let shaped = (3..=40).contains(&bytes.len())
        && bytes[0].is_ascii_lowercase()
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
        && !slug.ends_with('-')
        // `xn--` begins what other scripts are written with.
        && !slug.contains("--");
    if !shaped {
        let detail = format!(
            "`{slug}` cannot be a name in addresses: 3 to 40 of a-z, 0-9 and single hyphens, beginning \
             with a letter."
        );
        return Err(FieldError::new("slug", "SLUG_INVALID", detail));
    }
    // Here `1` stands for `i` too: `adm1n`.
    let read_as = [likeness(slug), likeness(&slug.replace('1', "i"))];
    if RESERVED
        .iter()
        .any(|name| read_as.contains(&likeness(name)))
    {
        let detail = format!("`{slug}` is one of the platform's own names.");
        return Err(FieldError::new("slug", "SLUG_RESERVED", detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mislead_or_break_addresses_are_refused() {
        for slug in [
            "", "ab", "-abc", "abc-", "ABC", "a_b_c", "1abc", "api", "portal", "gym.x", "xn--abc",
            "rnail", "adm1n", "bi11ing", "adrnin", "vvww", "1ogin", "supp0rt", "gуm",
        ] {
            assert!(check(slug).is_err(), "{slug} was let through");
        }
        for slug in ["pulse-gym", "room-101", "modern-art", "abc"] {
            assert!(check(slug).is_ok(), "{slug} was refused");
        }
    }

    #[test]
    fn names_that_look_alike_have_one_likeness() {
        assert_eq!(likeness("modem-100"), likeness("modern-1oo"));
        assert_eq!(likeness("wave"), likeness("vvave"));
        assert_eq!(likeness("vw-cars"), likeness("wv-cars"));
        assert_ne!(likeness("pulse-gym"), likeness("pulse-gyn"));
    }
}
