//! How products are found: tags, names in addresses, what search engines show, and what is searched for.

use berth_kernel::CategoryId;
use serde::{Deserialize, Serialize};

use super::ProductKind;
use crate::Error;

/// Tags of one thing.
const MOST_TAGS: usize = 20;

/// Characters of a tag.
const LONGEST_TAG: usize = 40;

/// Characters that are searched for at once.
const LONGEST_WORDS: usize = 200;

/// A product's name in addresses, and what search engines show of it.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Listing {
    /// Its name in addresses: lower-case letters, digits and single hyphens between them; unique in a
    /// tenant.
    pub slug: Option<String>,
    /// Title of its page, 1 to 200 characters.
    pub meta_title: Option<String>,
    /// What is shown below the title, 1 to 500 characters.
    pub meta_description: Option<String>,
}

/// What may be changed of a listing; `None` leaves it, `Some(None)` takes it away.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct ListingChange {
    /// Its name in addresses.
    pub slug: Option<Option<String>>,
    /// Title of its page.
    pub meta_title: Option<Option<String>>,
    /// What is shown below the title.
    pub meta_description: Option<Option<String>>,
}

impl Listing {
    /// The listing with a change made to it.
    #[must_use]
    pub(crate) fn changed(self, change: &ListingChange) -> Self {
        let take = |change: &Option<Option<String>>, old| change.clone().unwrap_or(old);
        Self {
            slug: take(&change.slug, self.slug),
            meta_title: take(&change.meta_title, self.meta_title),
            meta_description: take(&change.meta_description, self.meta_description),
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.slug.as_deref().is_some_and(|slug| !is_slug(slug)) {
            let detail =
                "Lower-case letters a to z, digits and single hyphens between them, at most 100.";
            return Err(Error::invalid("slug", "INVALID_SLUG", detail));
        }
        check_meta("meta_title", self.meta_title.as_deref(), 200)?;
        check_meta("meta_description", self.meta_description.as_deref(), 500)
    }
}

fn is_slug(slug: &str) -> bool {
    let signs = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit())
    };
    slug.len() <= 100 && slug.split('-').all(signs)
}

fn check_meta(field: &'static str, text: Option<&str>, most: usize) -> Result<(), Error> {
    let long = |text: &str| !(1..=most).contains(&text.chars().count());
    if text.is_some_and(long) {
        let detail = format!("Must have 1 to {most} characters.");
        return Err(Error::invalid(field, "WRONG_LENGTH", detail));
    }
    Ok(())
}

/// Tags as they are kept: in lower case, in their order, each once.
pub(crate) fn tags(given: &[String]) -> Result<Vec<String>, Error> {
    let mut tags: Vec<String> = given.iter().map(|tag| tag.trim().to_lowercase()).collect();
    tags.sort_unstable();
    tags.dedup();
    if tags.len() > MOST_TAGS {
        let detail = format!("At most {MOST_TAGS}.");
        return Err(Error::invalid("tags", "TOO_MANY", detail));
    }
    let sign = |sign: char| sign.is_alphanumeric() || matches!(sign, '-' | '_');
    let odd =
        |tag: &String| !(1..=LONGEST_TAG).contains(&tag.chars().count()) || !tag.chars().all(sign);
    if tags.iter().any(odd) {
        let detail = format!("Letters, digits, - and _, 1 to {LONGEST_TAG} of them each.");
        return Err(Error::invalid("tags", "INVALID_TAG", detail));
    }
    Ok(tags)
}

/// Which products are listed; all of what is said holds for each.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct ProductFilter {
    /// In this category or below it.
    pub category_id: Option<CategoryId>,
    /// With all of these tags.
    pub tags: Vec<String>,
    /// Of this kind.
    pub kind: Option<ProductKind>,
    /// The one with this name in addresses.
    pub slug: Option<String>,
}

/// Refuses more words than anybody looks for.
pub(crate) fn check_words(words: &str) -> Result<(), Error> {
    if words.chars().count() > LONGEST_WORDS {
        let detail = format!("At most {LONGEST_WORDS} characters.");
        return Err(Error::invalid("q", "TOO_LONG", detail));
    }
    Ok(())
}

/// The language of a BCP 47 tag as Postgres calls it; `simple`, which knows no stems, where it has none.
pub(crate) fn language(locale: &str) -> &'static str {
    let end = locale.find(['-', '_']).unwrap_or(locale.len());
    match locale[..end].to_ascii_lowercase().as_str() {
        "ca" => "catalan",
        "da" => "danish",
        "de" => "german",
        "el" => "greek",
        "en" => "english",
        "es" => "spanish",
        "eu" => "basque",
        "fi" => "finnish",
        "fr" => "french",
        "ga" => "irish",
        "hu" => "hungarian",
        "id" => "indonesian",
        "it" => "italian",
        "lt" => "lithuanian",
        "nb" | "nn" | "no" => "norwegian",
        "nl" => "dutch",
        "pt" => "portuguese",
        "ro" => "romanian",
        "ru" => "russian",
        "sr" => "serbian",
        "sv" => "swedish",
        "tr" => "turkish",
        _ => "simple",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn tags_are_kept_in_one_form() {
        let kept = tags(&owned(&[" Warm ", "cold", "COLD", "größe_2"])).unwrap();
        assert_eq!(kept, ["cold", "größe_2", "warm"]);
        for odd in ["", "two words", "a,b", &"x".repeat(41)] {
            assert!(tags(&owned(&[odd])).is_err(), "{odd}");
        }
        let many: Vec<String> = (0..21).map(|n| n.to_string()).collect();
        assert!(tags(&many).is_err());
    }

    #[test]
    fn slugs_are_fit_for_addresses() {
        for fine in ["a", "yoga-101", "2-hours-of-tea"] {
            assert!(is_slug(fine), "{fine}");
        }
        for odd in ["", "-a", "a-", "a--b", "Yoga", "tea time", "thé", "a/b"] {
            assert!(!is_slug(odd), "{odd}");
        }
        assert!(!is_slug(&"a".repeat(101)));
    }

    #[test]
    fn a_language_is_known_by_the_beginning_of_its_tag() {
        assert_eq!(language("de-CH"), "german");
        assert_eq!(language("EN"), "english");
        assert_eq!(language("ja"), "simple");
        assert_eq!(language(""), "simple");
    }
}
