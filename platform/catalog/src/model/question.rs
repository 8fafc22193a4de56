//! What is asked of whoever books.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::Error;

/// Most questions of a product.
const MOST: usize = 30;
/// Most answers there are to choose from.
const MOST_CHOICES: usize = 50;

/// Something that is asked of whoever books.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Question {
    /// What its answer is called: a lower-case letter, then letters, digits and underscores, 40 at most.
    pub key: String,
    /// The question, 1 to 300 characters.
    pub label: String,
    /// What an answer is like.
    pub kind: QuestionKind,
    /// Whether nobody books without an answer.
    #[serde(default)]
    pub required: bool,
    /// What there is to choose from, of [`QuestionKind::Choice`]: 2 to 50 different ones of 1 to 200 characters.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Whether it is asked of each participant, and not once for the booking.
    #[serde(default)]
    pub of_participants: bool,
}

/// What an answer is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// Words, 1 to 2,000 characters.
    Text,
    /// A number.
    Number,
    /// Yes or no.
    YesNo,
    /// One of some.
    Choice,
    /// A day.
    Date,
}

/// Refuses questions that cannot be asked.
pub(crate) fn check(questions: &[Question]) -> Result<(), Error> {
    let refuse = |code, detail: &str| Err(Error::invalid("questions", code, detail));
    if questions.len() > MOST {
        return refuse("TOO_MANY", "At most 30 questions.");
    }
    let mut keys = HashSet::new();
    for question in questions {
        if !is_key(&question.key) || !keys.insert(&question.key) {
            let detail = "Each has a `key` of its own: a lower-case letter, then letters, digits and underscores, \
                          at most 40.";
            return refuse("KEY_INVALID", detail);
        }
        if !is_line(&question.label, 300) {
            return refuse("LABEL_INVALID", "A `label` has 1 to 300 characters.");
        }
        let choices: HashSet<&String> = question.choices.iter().collect();
        let several = (2..=MOST_CHOICES).contains(&choices.len())
            && choices.len() == question.choices.len()
            && choices.iter().all(|choice| is_line(choice, 200));
        let fits = match question.kind {
            QuestionKind::Choice => several,
            _ => choices.is_empty(),
        };
        if !fits {
            let detail = "A choice has 2 to 50 different `choices` of 1 to 200 characters, and nothing else has any.";
            return refuse("CHOICES_INVALID", detail);
        }
    }
    Ok(())
}

fn is_key(key: &str) -> bool {
    key.len() <= 40
        && key.starts_with(|first: char| first.is_ascii_lowercase())
        && key
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_line(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(key: &str, kind: QuestionKind, choices: &[&str]) -> Question {
        Question {
            key: key.to_owned(),
            label: "Which?".to_owned(),
            kind,
            required: true,
            choices: choices.iter().map(|&choice| choice.to_owned()).collect(),
            of_participants: false,
        }
    }

    #[test]
    fn questions_that_cannot_be_asked_are_refused() {
        let text = |key| question(key, QuestionKind::Text, &[]);
        assert!(check(&[text("allergies"), text("a_2")]).is_ok());
        let choice = |choices: &[&str]| check(&[question("size", QuestionKind::Choice, choices)]);
        assert!(choice(&["S", "M"]).is_ok());
        for wrong in [&[] as &[&str], &["S"], &["S", "S"], &["S", " "]] {
            assert!(choice(wrong).is_err(), "{wrong:?}");
        }
        let long = "a".repeat(41);
        for wrong in ["", "A", "1a", "a-b", "ä", &long] {
            assert!(check(&[text(wrong)]).is_err(), "{wrong}");
        }
        assert!(check(&[text("a"), text("a")]).is_err());
        assert!(check(&[question("a", QuestionKind::Text, &["x", "y"])]).is_err());
        assert!(check(&vec![text("a"); 31]).is_err());
    }
}
