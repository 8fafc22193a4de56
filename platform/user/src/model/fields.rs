//! The forms fields are kept in.

use berth_kernel::{FieldError, is_language_tag};

const EMAIL_CHARS: usize = 254;
const LOCAL_PART_CHARS: usize = 64;
const LABEL_CHARS: usize = 63;
const NAME_CHARS: usize = 200;
const USER_AGENT_CHARS: usize = 300;

fn wrong(field: &str, code: &'static str, detail: &str) -> FieldError {
    FieldError::new(field, code, detail)
}

/// The address trimmed and lower-cased, if mail can be sent to it: RFC 5321's form without quoted
/// local parts, literal addresses and letters beyond ASCII, and never under `.invalid`.
///
/// # Errors
/// `EMAIL_INVALID`.
pub fn canonical_email(text: &str) -> Result<String, FieldError> {
    let email = text.trim().to_ascii_lowercase();
    let shaped = email.len() <= EMAIL_CHARS
        && email.rsplit_once('@').is_some_and(|(local, domain)| {
            is_local_part(local) && is_domain(domain) && !domain.ends_with(".invalid")
        });
    if shaped {
        Ok(email)
    } else {
        Err(wrong(
            "email",
            "EMAIL_INVALID",
            "This is no e-mail address we can write to.",
        ))
    }
}

fn is_local_part(text: &str) -> bool {
    text.len() <= LOCAL_PART_CHARS
        && text
            .split('.')
            .all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_byte))
}

/// RFC 5322's `atext`.
const fn is_atom_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'/'
                | b'='
                | b'?'
                | b'^'
                | b'_'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
                | b'~'
        )
}

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=LABEL_CHARS).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.contains('.') && text.split('.').all(label)
}

/// The name trimmed, without line breaks and other control characters.
pub(super) fn canonical_name(text: &str) -> Result<String, FieldError> {
    let name = text.trim();
    let length = name.chars().count();
    if (1..=NAME_CHARS).contains(&length) && !name.chars().any(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err(wrong(
            "name",
            "NAME_INVALID",
            "A name has 1 to 200 characters on one line.",
        ))
    }
}

/// The number's digits, 6 to 15 of them (E.164's most), with `+` if it began so.
pub(super) fn canonical_phone(text: &str) -> Result<String, FieldError> {
    let mut kept = String::new();
    let mut digits = 0;
    for c in text.trim().chars() {
        match c {
            '0'..='9' => {
                digits += 1;
                kept.push(c);
            }
            '+' if kept.is_empty() => kept.push(c),
            ' ' | '-' | '/' | '.' | '(' | ')' => {}
            _ => digits = usize::MAX / 2,
        }
    }
    if (6..=15).contains(&digits) {
        Ok(kept)
    } else {
        Err(wrong(
            "phone",
            "PHONE_INVALID",
            "A telephone number has 6 to 15 digits.",
        ))
    }
}

/// A language tag of BCP 47's shape: `de`, `pt-BR`, `zh-Hant-TW`.
pub(super) fn canonical_locale(text: &str) -> Result<String, FieldError> {
    if is_language_tag(text.trim()) {
        Ok(text.trim().to_owned())
    } else {
        Err(wrong(
            "locale",
            "LOCALE_INVALID",
            "This is no language tag such as `de` or `pt-BR`.",
        ))
    }
}

/// What a browser says it is, cut and on one line: it is shown to its owner, never trusted.
pub(crate) fn canonical_user_agent(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(USER_AGENT_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_mail_can_reach_are_taken_and_lower_cased() {
        for good in [
            "a@b.co",
            "o'hara+gym@mail.example-host.org",
            "x_y.z@1.xn--bcher-kva.example",
        ] {
            assert_eq!(canonical_email(good).unwrap(), good);
        }
        assert_eq!(
            canonical_email("  ADA@EXAMPLE.org ").unwrap(),
            "ada@example.org"
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(65));
        let longer = format!("a@{}.org", format!("{}.", "b".repeat(60)).repeat(5));
        for bad in [
            "",
            "@",
            "a@",
            "@b.co",
            "ab.co",
            "a@localhost",
            ".a@b.co",
            "a.@b.co",
            "a..b@c.co",
            "a b@c.co",
            "\"a\"@b.co",
            "a@[127.0.0.1]",
            "a@-b.co",
            "a@b-.co",
            "a@b..co",
            "a@b.co.",
            "a\r\nbcc:x@y.zz@b.co",
            "é@b.co",
            "a@é.co",
            "a@b.invalid",
            "a,b@c.co",
            "<a@b.co>",
            long.as_str(),
            longer.as_str(),
        ] {
            assert!(canonical_email(bad).is_err(), "{bad:?} was let through");
        }
    }

    #[test]
    fn names_of_every_script_are_taken_and_line_breaks_are_not() {
        for good in [
            "Ada",
            "Нина Симоновић",
            "李小龍",
            "عُمَر الخيّام",
            &"x".repeat(200),
        ] {
            assert_eq!(canonical_name(good).unwrap(), good);
        }
        for bad in ["", "  ", "a\nb", "a\0b", &"x".repeat(201)] {
            assert!(canonical_name(bad).is_err(), "{bad:?} was let through");
        }
    }

    #[test]
    fn telephone_numbers_lose_their_ornaments() {
        assert_eq!(
            canonical_phone("+1 (212) 555-0100").unwrap(),
            "+12125550100"
        );
        assert_eq!(canonical_phone("030/1234567").unwrap(), "0301234567");
        for bad in [
            "",
            "12345",
            "1234567890123456",
            "1+234567",
            "123456x",
            "+",
            "１２３４５６７",
        ] {
            assert!(canonical_phone(bad).is_err(), "{bad:?} was let through");
        }
    }

    #[test]
    fn language_tags_have_their_shape() {
        for good in ["de", "pt-BR", "zh-Hant-TW", "gsw"] {
            assert_eq!(canonical_locale(good).unwrap(), good);
        }
        for bad in ["", "d", "german", "de_DE", "de-", "de-<script>", "12"] {
            assert!(canonical_locale(bad).is_err(), "{bad:?} was let through");
        }
    }
}
