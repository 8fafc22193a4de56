//! What can be chosen where a business says what it is.

use berth_kernel::Currency;

/// A line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) word: String,
    pub(crate) chosen: bool,
}

impl Choice {
    pub(crate) fn new(value: &str, word: &str, chosen: &str) -> Self {
        Self {
            value: value.to_owned(),
            word: word.to_owned(),
            chosen: value == chosen,
        }
    }
}

/// Lines under one heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) choices: Vec<Choice>,
}

/// The kinds of business, as people call them.
const KINDS: [(&str, &str); 8] = [
    ("clinic", "Clinic or practice"),
    ("consultant", "Consulting and services"),
    ("gym", "Gym or studio"),
    ("hotel", "Hotel or guest house"),
    ("rental", "Rental and tours"),
    ("restaurant", "Restaurant"),
    ("school", "School and courses"),
    ("theatre", "Theatre and events"),
];

/// Languages by their own names.
const LANGUAGES: [(&str, &str); 12] = [
    ("cs", "Čeština"),
    ("da", "Dansk"),
    ("de", "Deutsch"),
    ("en", "English"),
    ("es", "Español"),
    ("fr", "Français"),
    ("it", "Italiano"),
    ("nl", "Nederlands"),
    ("nb", "Norsk bokmål"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("sv", "Svenska"),
];

pub(crate) fn kinds(chosen: &str) -> Vec<Choice> {
    let kinds = KINDS.iter();
    kinds
        .map(|(value, word)| Choice::new(value, word, chosen))
        .collect()
}

/// The languages, and the one a business has already if it is another.
pub(crate) fn languages(chosen: &str) -> Vec<Choice> {
    let mut choices: Vec<Choice> = LANGUAGES
        .iter()
        .map(|(value, word)| Choice::new(value, word, chosen))
        .collect();
    if !chosen.is_empty() && !choices.iter().any(|choice| choice.chosen) {
        choices.insert(0, Choice::new(chosen, chosen, chosen));
    }
    choices
}

pub(crate) fn currencies(chosen: &str) -> Vec<Choice> {
    Currency::all()
        .map(|currency| Choice::new(currency.code(), currency.code(), chosen))
        .collect()
}

/// The zones of the IANA database that stand for places, by continent or ocean, and the one a
/// business has already if it is another.
pub(crate) fn zones(chosen: &str) -> Vec<Group> {
    let mut names: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .filter(|name| name.contains('/') && !name.starts_with("Etc/"))
        .collect();
    names.sort();
    names.dedup();
    let mut groups: Vec<Group> = Vec::new();
    for name in names {
        let Some((region, place)) = name.split_once('/') else {
            continue;
        };
        let choice = Choice::new(&name, &place.replace('_', " "), chosen);
        match groups.last_mut() {
            Some(group) if group.name == region => group.choices.push(choice),
            _ => groups.push(Group {
                name: region.to_owned(),
                choices: vec![choice],
            }),
        }
    }
    let mut choices = groups.iter().flat_map(|group| &group.choices);
    if !chosen.is_empty() && !choices.any(|choice| choice.chosen) {
        let other = Group {
            name: "Other".to_owned(),
            choices: vec![Choice::new(chosen, chosen, chosen)],
        };
        groups.insert(0, other);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_that_is_offered_is_one_and_stands_once() {
        let zones = zones("Europe/Berlin");
        let all: Vec<&Choice> = zones.iter().flat_map(|group| &group.choices).collect();
        assert!(all.len() > 300, "{}", all.len());
        for choice in &all {
            assert!(
                jiff::tz::TimeZone::get(&choice.value).is_ok(),
                "{}",
                choice.value
            );
        }
        assert_eq!(all.iter().filter(|choice| choice.chosen).count(), 1);
        let mut regions: Vec<&str> = zones.iter().map(|group| &*group.name).collect();
        regions.dedup();
        assert_eq!(regions.len(), zones.len());
    }

    #[test]
    fn a_zone_of_its_own_stays_chosen() {
        let chosen = zones("Etc/UTC");
        assert_eq!(chosen[0].choices[0].value, "Etc/UTC");
        assert!(chosen[0].choices[0].chosen);
        assert!(!zones("").iter().any(|group| group.name == "Other"));
    }

    #[test]
    fn a_language_of_its_own_stays_chosen() {
        let chosen = |tag| {
            languages(tag)
                .into_iter()
                .filter(|choice| choice.chosen)
                .map(|choice| choice.value)
                .collect::<Vec<_>>()
        };
        assert_eq!(chosen("en-US"), ["en-US"]);
        assert_eq!(chosen("de"), ["de"]);
    }
}
