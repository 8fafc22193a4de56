//! What a tenant's particulars must be like, beyond what the database's own rules look at; and those
//! rules, in words.

use berth_kernel::{FieldError, is_language_tag};

use super::{Change, NewTenant, slug};
use crate::Error;

/// Looks at everything that is known of a tenant to be, so that all that is wrong is said at once.
pub(crate) fn new_tenant(new: &NewTenant) -> Result<(), Error> {
    let (accent, logo, number) = (&new.accent_color, &new.logo_url, &new.tax_id);
    all([
        slug::check(&new.slug),
        kind(&new.kind),
        text("name", &new.name, 1, 200),
        text("legal_name", &new.legal_name, 1, 200),
        text("address", &new.address, 0, 1_000),
        color("color", &new.color),
        given(accent.as_deref(), accent_color),
        timezone(&new.timezone),
        locale(&new.locale),
        given(logo.as_deref(), logo_url),
        given(number.as_deref(), tax_id),
    ])
}

/// Looks at what is to become different.
pub(super) fn change(change: &Change) -> Result<(), Error> {
    all([
        given(change.slug.as_deref(), slug::check),
        given(change.name.as_deref(), |name| text("name", name, 1, 200)),
        given(change.legal_name.as_deref(), |name| {
            text("legal_name", name, 1, 200)
        }),
        given(change.address.as_deref(), |address| {
            text("address", address, 0, 1_000)
        }),
        given(change.tax_id.as_deref(), tax_id),
        given(change.color.as_deref(), |it| color("color", it)),
        given(change.accent_color.as_deref(), accent_color),
        given(change.logo_url.as_deref(), logo_url),
        given(change.timezone.as_deref(), timezone),
        given(change.locale.as_deref(), locale),
    ])
}

/// The rule, for what is said at all.
fn given(field: Option<&str>, rule: fn(&str) -> Result<(), FieldError>) -> Result<(), FieldError> {
    field.map_or(Ok(()), rule)
}

/// What the registry's own rules say of a row.
pub(crate) fn refused(written: Result<(), sqlx::Error>, slug: &str) -> Result<(), Error> {
    match written {
        Err(sqlx::Error::Database(error)) => match error.constraint() {
            // The id says of which export under which name a tenant was made: there is one.
            Some("tenant_slug_taken" | "tenant_slug_resembles" | "tenant_pkey") => {
                Err(Error::SlugTaken(slug.to_owned()))
            }
            Some("tenant_plan_known") => {
                let detail = "There is no such plan.";
                Err(Error::Fields(vec![FieldError::new(
                    "plan",
                    "PLAN_UNKNOWN",
                    detail,
                )]))
            }
            Some(rule) if error.is_check_violation() => {
                Err(Error::Invalid(format!("refused: {rule}")))
            }
            _ => Err(sqlx::Error::Database(error).into()),
        },
        other => Ok(other?),
    }
}

fn all(checks: impl IntoIterator<Item = Result<(), FieldError>>) -> Result<(), Error> {
    let wrong: Vec<FieldError> = checks.into_iter().filter_map(Result::err).collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Error::Fields(wrong))
    }
}

fn kind(kind: &str) -> Result<(), FieldError> {
    let shaped = (2..=40).contains(&kind.len())
        && kind.starts_with(|first: char| first.is_ascii_lowercase())
        && kind
            .bytes()
            .all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-'));
    if shaped {
        return Ok(());
    }
    let detail = format!("`{kind}` is no kind of business such as `clinic` or `car-rental`.");
    Err(FieldError::new("kind", "KIND_INVALID", detail))
}

fn text(field: &str, text: &str, least: usize, most: usize) -> Result<(), FieldError> {
    let printable = !text
        .chars()
        .any(|sign| sign.is_control() && !matches!(sign, '\n' | '\r' | '\t'));
    if (least..=most).contains(&text.chars().count()) && printable {
        return Ok(());
    }
    let detail = format!("Must have {least} to {most} characters.");
    Err(FieldError::new(field, "TEXT_INVALID", detail))
}

fn color(field: &str, color: &str) -> Result<(), FieldError> {
    let digits = color.strip_prefix('#').filter(|digits| digits.len() == 6);
    let hex = |digits: &str| {
        digits
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    if digits.is_some_and(hex) {
        return Ok(());
    }
    let detail = format!("`{color}` is no colour: `#rrggbb` in lower case.");
    Err(FieldError::new(field, "COLOR_INVALID", detail))
}

/// An empty one is none.
fn accent_color(accent: &str) -> Result<(), FieldError> {
    match accent {
        "" => Ok(()),
        accent => color("accent_color", accent),
    }
}

/// An empty one is none.
fn tax_id(number: &str) -> Result<(), FieldError> {
    text("tax_id", number, 0, 50)
}

/// An empty one removes the logo.
fn logo_url(address: &str) -> Result<(), FieldError> {
    let shaped = address.starts_with("https://")
        && address.chars().count() <= 2_000
        && address.bytes().all(|byte| byte.is_ascii_graphic());
    if shaped || address.is_empty() {
        return Ok(());
    }
    let detail = "Must be an address beginning with https://.";
    Err(FieldError::new("logo_url", "LOGO_URL_INVALID", detail))
}

fn timezone(timezone: &str) -> Result<(), FieldError> {
    if jiff::tz::TimeZone::get(timezone).is_ok() {
        return Ok(());
    }
    let detail = format!("`{timezone}` is no IANA time zone.");
    Err(FieldError::new("timezone", "TIMEZONE_UNKNOWN", detail))
}

fn locale(locale: &str) -> Result<(), FieldError> {
    if is_language_tag(locale) {
        return Ok(());
    }
    let detail = format!("`{locale}` is no language tag such as `de` or `pt-BR`.");
    Err(FieldError::new("locale", "LOCALE_INVALID", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_texts_and_colours_that_break_a_rule_are_refused() {
        for known in ["clinic", "car-rental", "day_spa"] {
            assert!(kind(known).is_ok(), "{known}");
        }
        for wrong in ["", "c", "Clinic", "ünicode", "-x", "a b"] {
            assert!(kind(wrong).is_err(), "{wrong}");
        }
        assert!(text("it", "Ä", 1, 1).is_ok());
        for wrong in ["", "ab", "\0", "\u{1b}"] {
            assert!(text("it", wrong, 1, 1).is_err(), "{wrong:?}");
        }
        assert!(color("it", "#00ff9a").is_ok() && accent_color("").is_ok());
        for wrong in ["red", "#00FF9A", "#00ff9", "00ff9a1", "#00ff9ä"] {
            assert!(
                color("it", wrong).is_err() && accent_color(wrong).is_err(),
                "{wrong}"
            );
        }
        assert!(logo_url("https://cdn.example/a.png").is_ok() && logo_url("").is_ok());
        for wrong in [
            "http://cdn.example/a.png",
            "https://a b",
            "javascript:alert(1)",
        ] {
            assert!(logo_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn zones_and_languages_that_are_none_are_refused() {
        assert!(timezone("Europe/Berlin").is_ok());
        assert!(timezone("Mars/Olympus").is_err());
        assert!(locale("pt-BR").is_ok());
        assert!(locale("en_US").is_err());
    }

    #[test]
    fn all_that_is_wrong_with_a_change_is_said_at_once() {
        let wrong = Change {
            slug: Some("api".into()),
            name: Some(String::new()),
            tax_id: Some("1".repeat(51)),
            timezone: Some("Mars/Olympus".into()),
            ..Change::default()
        };
        let Err(Error::Fields(fields)) = change(&wrong) else {
            panic!("it was let through")
        };
        let fields: Vec<&str> = fields.iter().map(|wrong| &*wrong.field).collect();
        assert_eq!(fields, ["slug", "name", "tax_id", "timezone"]);
    }
}
