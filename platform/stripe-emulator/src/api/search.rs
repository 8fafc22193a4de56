//! `/v1/payment_intents/search`: Stripe's query language over intents. Results
//! are there at once; Stripe's own may lag by a minute.

use serde_json::{Value, json};

use super::{call::Answer, list};
use crate::{
    error::ApiError,
    model::intent::Intent,
    params::Params,
    shelf::{Object, Shelf},
};

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equals,
    Contains,
    Above,
    AtLeast,
    Below,
    AtMost,
}

/// `-metadata['k']:'v'` and the like.
#[derive(Debug)]
struct Clause {
    negated: bool,
    field: String,
    /// The key in `metadata['key']`.
    key: Option<String>,
    operator: Operator,
    value: String,
}

/// Clauses and whether one of them is enough.
#[derive(Debug)]
struct Query {
    clauses: Vec<Clause>,
    any: bool,
}

/// One page of the intents that fit `query`, newest first.
pub(crate) fn page(shelf: &Shelf<Intent>, params: &Params, url: &str, now: i64) -> Answer {
    let query = parse(params.required("query")?).ok_or_else(|| {
        ApiError::refused("We were unable to parse your search query.").param("query")
    })?;
    let limit = list::limit(params)?;
    let skip = match params.text("page") {
        None => 0,
        Some(page) => page
            .parse()
            .map_err(|_| ApiError::refused("Invalid page token.").param("page"))?,
    };
    let found: Vec<&Intent> = shelf
        .iter()
        .rev()
        .filter(|intent| fits(&query, intent))
        .collect();
    let data: Vec<Value> = found
        .iter()
        .skip(skip)
        .take(limit)
        .map(|intent| intent.render(now))
        .collect();
    let has_more = found.len() > skip + data.len();
    Ok(json!({
        "object": "search_result",
        "data": data,
        "has_more": has_more,
        "next_page": has_more.then(|| (skip + limit).to_string()),
        "total_count": found.len(),
        "url": url,
    }))
}

fn fits(query: &Query, intent: &Intent) -> bool {
    let mut answers = query
        .clauses
        .iter()
        .map(|clause| clause.holds(intent) != clause.negated);
    if query.any {
        answers.any(|fits| fits)
    } else {
        answers.all(|fits| fits)
    }
}

impl Clause {
    fn holds(&self, intent: &Intent) -> bool {
        let number = |number: i64| self.compares(number);
        match self.field.as_str() {
            "metadata" => {
                let value = self.key.as_ref().and_then(|key| intent.metadata.get(key));
                value.is_some_and(|value| self.matches(value))
            }
            "status" => self.matches(intent.status.as_str()),
            "currency" => self.matches(&intent.currency),
            "customer" => intent
                .customer
                .as_deref()
                .is_some_and(|id| self.matches(id)),
            "amount" => number(intent.amount),
            "created" => number(intent.created),
            _ => false,
        }
    }

    fn matches(&self, value: &str) -> bool {
        match self.operator {
            Operator::Contains => value.contains(&self.value),
            _ => value.eq_ignore_ascii_case(&self.value),
        }
    }

    fn compares(&self, number: i64) -> bool {
        let Ok(value) = self.value.parse::<i64>() else {
            return false;
        };
        match self.operator {
            Operator::Equals | Operator::Contains => number == value,
            Operator::Above => number > value,
            Operator::AtLeast => number >= value,
            Operator::Below => number < value,
            Operator::AtMost => number <= value,
        }
    }
}

/// Fields that can be searched.
const FIELDS: &[&str] = &[
    "metadata", "status", "currency", "customer", "amount", "created",
];

fn parse(text: &str) -> Option<Query> {
    let mut rest = text.trim();
    let mut clauses = Vec::new();
    let mut any = None;
    while !rest.is_empty() {
        let (clause, after) = clause(rest)?;
        clauses.push(clause);
        rest = after.trim_start();
        if rest.is_empty() {
            break;
        }
        // A space alone means AND; mixing AND and OR is not allowed.
        let (is_or, after) = match (rest.strip_prefix("OR "), rest.strip_prefix("AND ")) {
            (Some(after), _) => (true, after),
            (None, Some(after)) => (false, after),
            (None, None) => (false, rest),
        };
        if *any.get_or_insert(is_or) != is_or || after.trim().is_empty() {
            return None;
        }
        rest = after.trim_start();
    }
    (!clauses.is_empty()).then_some(Query {
        clauses,
        any: any.unwrap_or(false),
    })
}

fn clause(text: &str) -> Option<(Clause, &str)> {
    let (negated, text) = text
        .strip_prefix('-')
        .map_or((false, text), |rest| (true, rest));
    let end = text.find(|letter: char| !letter.is_ascii_alphabetic() && letter != '_')?;
    let (field, mut rest) = text.split_at(end);
    if !FIELDS.contains(&field) {
        return None;
    }
    let mut key = None;
    if let Some(inner) = rest.strip_prefix('[') {
        let (name, after) = quoted(inner)?;
        key = Some(name);
        rest = after.strip_prefix(']')?;
    }
    if (field == "metadata") != key.is_some() {
        return None;
    }
    let (operator, rest) = [
        (">=", Operator::AtLeast),
        ("<=", Operator::AtMost),
        (">", Operator::Above),
        ("<", Operator::Below),
        ("~", Operator::Contains),
        (":", Operator::Equals),
        ("=", Operator::Equals),
    ]
    .into_iter()
    .find_map(|(sign, operator)| rest.strip_prefix(sign).map(|rest| (operator, rest)))?;
    let (value, rest) = if rest.starts_with(['\'', '"']) {
        quoted(rest)?
    } else {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        (rest[..end].to_owned(), &rest[end..])
    };
    Some((
        Clause {
            negated,
            field: field.to_owned(),
            key,
            operator,
            value,
        },
        rest,
    ))
}

/// A text in single or double quotes, where a backslash escapes the next letter.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut letters = text.char_indices();
    let (_, quote @ ('\'' | '"')) = letters.next()? else {
        return None;
    };
    let mut value = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => value.push(letters.next()?.1),
            end if end == quote => return Some((value, &text[at + 1..])),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_read_with_quotes_and_operators() {
        let query =
            parse("metadata['order\\'s id']:\"a b\" AND -status:'canceled' AND amount>=100")
                .expect("a query");
        assert!(!query.any);
        assert_eq!(query.clauses[0].key.as_deref(), Some("order's id"));
        assert_eq!(query.clauses[0].value, "a b");
        assert!(query.clauses[1].negated);
        assert_eq!(query.clauses[2].operator, Operator::AtLeast);
    }

    #[test]
    fn what_is_not_a_query_is_refused() {
        for text in [
            "",
            "metadata:'x'",
            "colour:'red'",
            "status:'a' AND amount>1 OR amount<2",
            "status",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
