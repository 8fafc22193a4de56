//! What is asked of who books, as it is written and shown.

use poem_openapi::{Enum, Object};

/// Something that is asked of who books.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct Question {
    /// What its answer is called: a lower-case letter, then letters, digits and underscores, at most 40.
    pub key: String,
    /// The question, 1 to 300 characters.
    pub label: String,
    /// What an answer is like.
    pub kind: QuestionKind,
    /// Whether nobody books without an answer.
    #[oai(default)]
    pub required: bool,
    /// What there is to choose from, of a choice: 2 to 50 different ones of 1 to 200 characters.
    #[oai(default, skip_serializing_if_is_empty)]
    pub choices: Vec<String>,
    /// Whether it is asked of each participant, and not once for the booking.
    #[oai(default)]
    pub of_participants: bool,
}

/// What an answer is like.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
pub enum QuestionKind {
    /// Words, 1 to 2,000 characters.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    YesNo,
    /// One of `choices`.
    Choice,
    /// A day, `YYYY-MM-DD`.
    Date,
}

impl From<Question> for berth_catalog::Question {
    fn from(question: Question) -> Self {
        use berth_catalog::QuestionKind as Kind;
        Self {
            key: question.key,
            label: question.label,
            kind: match question.kind {
                QuestionKind::Text => Kind::Text,
                QuestionKind::Number => Kind::Number,
                QuestionKind::YesNo => Kind::YesNo,
                QuestionKind::Choice => Kind::Choice,
                QuestionKind::Date => Kind::Date,
            },
            required: question.required,
            choices: question.choices,
            of_participants: question.of_participants,
        }
    }
}

impl From<berth_catalog::Question> for Question {
    fn from(question: berth_catalog::Question) -> Self {
        use berth_catalog::QuestionKind as Kind;
        Self {
            key: question.key,
            label: question.label,
            kind: match question.kind {
                Kind::Text => QuestionKind::Text,
                Kind::Number => QuestionKind::Number,
                Kind::YesNo => QuestionKind::YesNo,
                Kind::Choice => QuestionKind::Choice,
                Kind::Date => QuestionKind::Date,
            },
            required: question.required,
            choices: question.choices,
            of_participants: question.of_participants,
        }
    }
}
