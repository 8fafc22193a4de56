//! What whoever books says besides who they are: answers to the product's questions, and who takes part.

use std::collections::BTreeMap;

use berth_catalog::{Product, Question, QuestionKind};
use berth_kernel::FieldError;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::customer::plausible_email;

/// Longest answer in words, in characters.
const LONGEST: usize = 2_000;

/// Answers as they are given, by the questions' keys; of a form its values: words, numbers, yes or no.
pub type Given = BTreeMap<String, Value>;

/// Somebody who is to take part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewParticipant {
    /// Name, 1 to 200 characters.
    pub name: String,
    /// Address, if it is known.
    pub email: Option<String>,
    /// Answers to what is asked of participants.
    pub answers: Given,
}

/// What is said of a booking.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Answers to what is asked of who books, in the order of the questions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// Who takes part, no more than there are places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<Participant>,
}

/// An answer, with the question as it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What it is called.
    pub key: String,
    /// The question.
    pub label: String,
    /// Words, a number, or yes or no; a day is written `2027-03-01`.
    pub value: Value,
}

/// Somebody who takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Name.
    pub name: String,
    /// Address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Answers to what is asked of participants, in the order of the questions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
}

impl Details {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.participants.is_empty()
    }

    /// The answers as they were given.
    #[must_use]
    pub fn given(&self) -> Given {
        given(&self.answers)
    }

    /// Who takes part, as they were named.
    #[must_use]
    pub fn named(&self) -> Vec<NewParticipant> {
        let named = self.participants.iter().map(|one| NewParticipant {
            name: one.name.clone(),
            email: one.email.clone(),
            answers: given(&one.answers),
        });
        named.collect()
    }

    /// Reads what is said of so many places of a product.
    ///
    /// # Errors
    /// All that is wrong or missing, by its field.
    pub fn read(
        product: &Product,
        quantity: i32,
        answers: &Given,
        participants: &[NewParticipant],
    ) -> Result<Self, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let (each, once): (Vec<&Question>, Vec<&Question>) = product
            .questions
            .iter()
            .partition(|question| question.of_participants);
        let answers = answered(&once, answers, "answers", &mut wrong);
        let places = usize::try_from(quantity).unwrap_or(0);
        // Who is there is not known where nobody has to be named.
        let missing = product.names_required && participants.len() < places;
        if participants.len() > places || missing {
            let detail = match missing {
                true => "Name somebody for each place.",
                false => "There are fewer places than participants.",
            };
            let code = "PARTICIPANTS_MISMATCH";
            wrong.push(FieldError::new("participants", code, detail));
        }
        let participants = participants.iter().take(places).enumerate();
        let participants = participants
            .map(|(n, one)| participant(&each, one, &format!("participants.{n}"), &mut wrong))
            .collect();
        match wrong.is_empty() {
            true => Ok(Self {
                answers,
                participants,
            }),
            false => Err(wrong),
        }
    }
}

fn given(answers: &[Answer]) -> Given {
    let pairs = answers
        .iter()
        .map(|answer| (answer.key.clone(), answer.value.clone()));
    pairs.collect()
}

fn participant(
    questions: &[&Question],
    new: &NewParticipant,
    field: &str,
    wrong: &mut Vec<FieldError>,
) -> Participant {
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > 200 {
        let detail = "Must have 1 to 200 characters.";
        wrong.push(FieldError::new(
            format!("{field}.name"),
            "INVALID_NAME",
            detail,
        ));
    }
    let email = new.email.as_ref().map(|email| email.trim().to_lowercase());
    if email
        .as_deref()
        .is_some_and(|email| !plausible_email(email))
    {
        let detail = "Must be an e-mail address.";
        wrong.push(FieldError::new(
            format!("{field}.email"),
            "INVALID_EMAIL",
            detail,
        ));
    }
    Participant {
        name: name.to_owned(),
        email,
        answers: answered(questions, &new.answers, &format!("{field}.answers"), wrong),
    }
}

/// What was answered, in the order of the questions; what is wrong with it goes to `wrong`.
fn answered(
    questions: &[&Question],
    given: &Given,
    field: &str,
    wrong: &mut Vec<FieldError>,
) -> Vec<Answer> {
    let known = |key: &String| questions.iter().any(|question| question.key == *key);
    if let Some(key) = given.keys().find(|key| !known(key)) {
        let key: String = key.chars().take(40).collect();
        let detail = "There is no such question.";
        wrong.push(FieldError::new(
            format!("{field}.{key}"),
            "ANSWER_UNKNOWN",
            detail,
        ));
    }
    let mut answers = Vec::new();
    for question in questions {
        let field = || format!("{field}.{}", question.key);
        match given.get(&question.key).filter(|value| !value.is_null()) {
            None if question.required => {
                let detail = format!("Answer: {}", question.label);
                wrong.push(FieldError::new(field(), "ANSWER_REQUIRED", detail));
            }
            None => {}
            Some(value) => match understood(question, value) {
                Ok(value) => answers.push(Answer {
                    key: question.key.clone(),
                    label: question.label.clone(),
                    value,
                }),
                Err(detail) => wrong.push(FieldError::new(field(), "ANSWER_INVALID", detail)),
            },
        }
    }
    answers
}

/// The answer as it is kept, if it is one.
fn understood(question: &Question, value: &Value) -> Result<Value, String> {
    let words = value.as_str().map(str::trim);
    match (question.kind, value) {
        (QuestionKind::Text, _) => words
            .filter(|words| !words.is_empty() && words.chars().count() <= LONGEST)
            .map(Value::from)
            .ok_or_else(|| format!("Must be words, 1 to {LONGEST} characters.")),
        (QuestionKind::Number, Value::Number(_)) | (QuestionKind::YesNo, Value::Bool(_)) => {
            Ok(value.clone())
        }
        (QuestionKind::Number, _) => Err("Must be a number.".to_owned()),
        (QuestionKind::YesNo, _) => Err("Must be `true` or `false`.".to_owned()),
        (QuestionKind::Choice, _) => words
            .filter(|words| question.choices.iter().any(|choice| choice == words))
            .map(Value::from)
            .ok_or_else(|| format!("Must be one of: {}.", question.choices.join(", "))),
        (QuestionKind::Date, _) => words
            .and_then(|words| words.parse::<Date>().ok())
            .map(|day| Value::from(day.to_string()))
            .ok_or_else(|| "Must be a day, as in `2027-03-01`.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::schedule::tests::offering;

    fn question(key: &str, kind: QuestionKind, of_participants: bool) -> Question {
        Question {
            key: key.to_owned(),
            label: format!("{key}?"),
            kind,
            required: false,
            choices: vec!["S".to_owned(), "M".to_owned()],
            of_participants,
        }
    }

    fn given_as(answers: &Value) -> Given {
        serde_json::from_value(answers.clone()).unwrap()
    }

    /// Codes and fields of what is wrong; nothing if nothing is.
    fn wrong(product: &Product, answers: &Value, people: &[NewParticipant]) -> Vec<String> {
        match Details::read(product, 2, &given_as(answers), people) {
            Ok(_) => Vec::new(),
            Err(wrong) => wrong
                .iter()
                .map(|one| format!("{} {}", one.field, one.code))
                .collect(),
        }
    }

    #[test]
    fn answers_are_what_was_asked_for() {
        use QuestionKind::{Choice, Date, Number, Text, YesNo};
        for (kind, good, kept, bad) in [
            (
                Text,
                json!(" nuts "),
                json!("nuts"),
                json!(["", 1, true, {}]),
            ),
            (Number, json!(4.5), json!(4.5), json!(["4", false])),
            (YesNo, json!(false), json!(false), json!(["yes", 0])),
            (Choice, json!("M"), json!("M"), json!(["L", "", 1])),
            (
                Date,
                json!("2027-03-01"),
                json!("2027-03-01"),
                json!(["1.3.2027", "2027-02-30", 1]),
            ),
        ] {
            let mut product = offering("Europe/Berlin", &[]).product;
            product.questions = vec![question("it", kind, false)];
            let read = Details::read(&product, 1, &given_as(&json!({ "it": good })), &[]).unwrap();
            assert_eq!(read.answers[0].value, kept, "{kind:?}");
            for bad in bad.as_array().unwrap() {
                let found = wrong(&product, &json!({ "it": bad }), &[]);
                assert_eq!(found, ["answers.it ANSWER_INVALID"], "{kind:?} {bad}");
            }
        }
    }

    #[test]
    fn what_has_to_be_said_is_said_for_each_who_takes_part() {
        let mut product = offering("Europe/Berlin", &[]).product;
        product.names_required = true;
        product.questions = vec![
            question("shoes", QuestionKind::Number, true),
            question("level", QuestionKind::Text, false),
        ];
        for question in &mut product.questions {
            question.required = true;
        }
        let person = |name: &str, answers: Value| NewParticipant {
            name: name.to_owned(),
            email: Some("Ada@example.test".to_owned()),
            answers: given_as(&answers),
        };
        let two = [
            person("Ada", json!({ "shoes": 38 })),
            person("Bo", json!({ "shoes": 44 })),
        ];
        let all = json!({ "level": "none" });
        let read = Details::read(&product, 2, &given_as(&all), &two).unwrap();
        assert_eq!(
            read.participants[0].email.as_deref(),
            Some("ada@example.test")
        );
        assert_eq!(read.participants[1].answers[0].value, json!(44));
        assert_eq!(
            wrong(&product, &json!({ "shoes": 38 }), &two[..1]),
            [
                "answers.shoes ANSWER_UNKNOWN",
                "answers.level ANSWER_REQUIRED",
                "participants PARTICIPANTS_MISMATCH"
            ]
        );
        let nameless = [person(" ", json!({ "shoes": 38 })), person("Bo", json!({}))];
        assert_eq!(
            wrong(&product, &all, &nameless),
            [
                "participants.0.name INVALID_NAME",
                "participants.1.answers.shoes ANSWER_REQUIRED"
            ]
        );
    }
}
