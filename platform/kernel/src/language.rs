//! Language tags.

/// Whether `text` has the shape of a language tag of BCP 47: `de`, `pt-BR`, `zh-Hant-TW`.
#[must_use]
pub fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let shaped = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    matches!(language.len(), 2 | 3)
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(shaped)
        && text.len() <= 35
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_from_other_text() {
        for tag in ["de", "pt-BR", "zh-Hant-TW", "gsw", "de-1996"] {
            assert!(is_language_tag(tag), "{tag}");
        }
        for text in [
            "",
            "d",
            "deutsch",
            "de_DE",
            "de-",
            "de-\u{fc}",
            "a-b",
            "<b>",
        ] {
            assert!(!is_language_tag(text), "{text}");
        }
        assert!(!is_language_tag(&"de-aaaaaaaa".repeat(5)));
    }
}
