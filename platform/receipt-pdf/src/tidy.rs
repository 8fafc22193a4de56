//! Texts as people typed them, made fit for a page: one line each, and breakable.

use crate::content::{Content, Customer, Line, Seller};

/// A word longer than this could run out of its column. Usual addresses are shorter: a word with
/// breaks in it can be copied only with them.
const LONGEST_WORD: usize = 30;

/// Letters between two breaks of such a word: few enough to fill the column well.
const PIECE: usize = 12;

/// Where a word may be broken without a sign.
const BREAK: char = '\u{200b}';

/// What an unreadable colour becomes.
const GREY: &str = "#374151";

pub(crate) fn content(content: &Content) -> Content {
    let Content {
        seller, customer, ..
    } = content;
    Content {
        number: text(&content.number),
        issued_on: text(&content.issued_on),
        seller: Seller {
            name: text(&seller.name),
            legal_name: text(&seller.legal_name),
            address: seller.address.iter().map(|line| text(line)).collect(),
            color: color(&seller.color),
        },
        customer: Customer {
            name: text(&customer.name),
            email: text(&customer.email),
        },
        lines: content.lines.iter().map(line).collect(),
        total_text: text(&content.total_text),
        paid_with: content.paid_with.as_deref().map(text),
        reference: text(&content.reference),
        locale: language(&content.locale),
    }
}

fn line(line: &Line) -> Line {
    Line {
        description: text(&line.description),
        detail: text(&line.detail),
        quantity: line.quantity,
        amount_text: text(&line.amount_text),
    }
}

/// Line ends, tabs and invisible controls become spaces; runs of them become one.
fn text(raw: &str) -> String {
    let spaced: String = raw
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    // A no-break space holds an amount and its currency together and is kept.
    let words = spaced.split(' ').filter(|word| !word.is_empty());
    words.map(breakable).collect::<Vec<_>>().join(" ")
}

fn breakable(word: &str) -> String {
    let length = word.chars().count();
    if length <= LONGEST_WORD {
        return word.to_owned();
    }
    let mut broken = String::with_capacity(word.len() + BREAK.len_utf8() * length / PIECE);
    for (at, letter) in word.chars().enumerate() {
        if at > 0 && at % PIECE == 0 {
            broken.push(BREAK);
        }
        broken.push(letter);
    }
    broken
}

fn color(raw: &str) -> String {
    let digits = raw.strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        raw.to_ascii_lowercase()
    } else {
        GREY.to_owned()
    }
}

/// `de` of `de-AT`, if it is a language's two letters.
fn language(tag: &str) -> String {
    let language = tag
        .split(['-', '_'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    if language.len() == 2 && language.bytes().all(|letter| letter.is_ascii_lowercase()) {
        language
    } else {
        "en".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_line_and_long_words_can_break() {
        assert_eq!(text(" Ada\r\n\tLovelace\u{0} "), "Ada Lovelace");
        assert_eq!(text("49,05\u{a0}€"), "49,05\u{a0}€");
        let broken = text(&"ä".repeat(80));
        assert_eq!(broken.matches(BREAK).count(), 6);
        assert_eq!(broken.replace(BREAK, ""), "ä".repeat(80));
        assert_eq!(
            text("alexandra.konst@example.org"),
            "alexandra.konst@example.org"
        );
    }

    #[test]
    fn only_a_colour_is_a_colour() {
        assert_eq!(color("#0F766E"), "#0f766e");
        for wrong in ["", "red", "#fff", "#12345g", "#1234567", "ünïcöd"] {
            assert_eq!(color(wrong), GREY, "{wrong}");
        }
    }

    #[test]
    fn a_language_is_two_letters() {
        for (tag, language_of) in [
            ("de-AT", "de"),
            ("EN_gb", "en"),
            ("", "en"),
            ("x-klingon", "en"),
        ] {
            assert_eq!(language(tag), language_of, "{tag}");
        }
    }
}
