//! How amounts, times and states are shown to people.

use berth_booking::Status;
use berth_kernel::{Currency, Money};
use berth_payment::{PaymentStatus, RefundState};
use berth_wording::{Language, zone};
use jiff::{Timestamp, Zoned};

/// A state in a word, with its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pill {
    /// `good`, `wait`, `calm` or `bad`.
    pub(crate) tone: &'static str,
    pub(crate) word: &'static str,
}

const fn pill(tone: &'static str, word: &'static str) -> Pill {
    Pill { tone, word }
}

pub(crate) const fn booking(status: Status) -> Pill {
    match status {
        Status::Requested => pill("wait", "Requested"),
        Status::Pending => pill("wait", "Pending"),
        Status::Confirmed => pill("good", "Confirmed"),
        Status::Completed => pill("calm", "Completed"),
        Status::NoShow => pill("bad", "No-show"),
        Status::Cancelled => pill("calm", "Cancelled"),
        Status::Failed => pill("bad", "Failed"),
    }
}

pub(crate) const fn payment(status: PaymentStatus) -> Pill {
    match status {
        PaymentStatus::Created => pill("wait", "Being prepared"),
        PaymentStatus::RequiresPayment => pill("wait", "Not paid yet"),
        PaymentStatus::RequiresAction => pill("wait", "Customer must confirm"),
        PaymentStatus::Processing => pill("wait", "At the bank"),
        PaymentStatus::Succeeded => pill("good", "Paid"),
        PaymentStatus::PartiallyRefunded => pill("calm", "Partly refunded"),
        PaymentStatus::Refunded => pill("calm", "Refunded"),
        PaymentStatus::Canceled => pill("bad", "Not paid"),
    }
}

pub(crate) const fn refund(state: RefundState) -> Pill {
    match state {
        RefundState::Requested => pill("wait", "Being handed in"),
        RefundState::Pending => pill("wait", "On its way"),
        RefundState::Succeeded => pill("good", "Refunded"),
        RefundState::Failed => pill("bad", "Failed"),
        RefundState::Canceled => pill("calm", "Called off"),
    }
}

/// Why a booking ended, or was put back, in a sentence.
pub(crate) fn reason(code: &str) -> String {
    match code {
        "customer" => "Cancelled by the customer".into(),
        "staff" => "Cancelled by the business".into(),
        "hold_expired" => "Not paid in time".into(),
        "rejected" => "Declined by the business".into(),
        "withdrawn" => "Withdrawn by the customer".into(),
        "not_answered" => "Not answered in time".into(),
        "payment_failed" => "The payment failed".into(),
        "place_lost" => "Paid too late; the place was taken".into(),
        other => plain(other),
    }
}

pub(crate) fn money(money: Money) -> String {
    Language::English.money(money)
}

/// A time at a place: `Tue 14 Jul 2026, 10:00`.
pub(crate) fn time(at: Timestamp, zone_name: &str) -> String {
    moment(&at.to_zoned(zone(zone_name)))
}

/// From when until when, at a place: `Tue 14 Jul 2026, 10:00–10:45`.
pub(crate) fn span(from: Timestamp, until: Timestamp, zone_name: &str) -> String {
    let (from, until) = (
        from.to_zoned(zone(zone_name)),
        until.to_zoned(zone(zone_name)),
    );
    if from.date() == until.date() {
        format!("{}–{}", moment(&from), until.strftime("%H:%M"))
    } else {
        format!("{} – {}", moment(&from), moment(&until))
    }
}

/// A place's zone, and how far it is from UTC at that time.
pub(crate) fn zone_of(at: Timestamp, zone_name: &str) -> String {
    let at = at.to_zoned(zone(zone_name));
    match at.time_zone().iana_name() {
        None | Some("UTC") => "UTC".to_owned(),
        Some(name) => format!("{} (UTC{})", name.replace('_', " "), at.strftime("%:z")),
    }
}

fn moment(at: &Zoned) -> String {
    at.strftime("%a %-d %b %Y, %H:%M").to_string()
}

/// A name meant for programs, as words: `individual.dob.day` as `Individual dob day`.
pub(crate) fn plain(code: &str) -> String {
    capital(&code.replace(['_', '.', '-'], " "))
}

/// The text with a capital at its beginning.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// An amount as a form's field shows it: `12.50`.
pub(crate) fn typed(money: Money) -> String {
    let text = money.to_string();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// Reads an amount as people type it: `12.50`, `12,5`, `1200`. No signs, no grouping, and no more
/// decimals than the currency has.
pub(crate) fn parse_amount(text: &str, currency: Currency) -> Option<Money> {
    let text = text.trim();
    let (major, minor) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let places = usize::from(currency.exponent());
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if major.is_empty()
        || major.len() > 12
        || minor.len() > places
        || !digits(major)
        || !digits(minor)
    {
        return None;
    }
    if text.contains(['.', ',']) && minor.is_empty() {
        return None;
    }
    let amount = format!("{major}{minor:0<places$}").parse().ok()?;
    Some(Money::new(amount, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, code: &str) -> Option<i64> {
        parse_amount(text, code.parse().unwrap()).map(|money| money.amount)
    }

    #[test]
    fn amounts_are_read_in_minor_units_of_their_currency() {
        for (text, minor) in [
            ("12.50", 1250),
            ("12,5", 1250),
            (" 7 ", 700),
            ("0.01", 1),
            ("007.30", 730),
        ] {
            assert_eq!(read(text, "EUR"), Some(minor), "{text}");
        }
        assert_eq!(read("1200", "JPY"), Some(1200));
        assert_eq!(read("1.234", "KWD"), Some(1234));
    }

    #[test]
    fn what_could_be_meant_otherwise_is_not_read() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1.234",
            "1,234.50",
            "1 000",
            "1e3",
            "€5",
            "٣",
            "1234567890123",
        ] {
            assert_eq!(read(text, "EUR"), None, "{text}");
        }
        assert_eq!(read("1.5", "JPY"), None);
    }

    #[test]
    fn an_amount_shown_in_a_field_reads_back() {
        for code in ["EUR", "JPY", "KWD"] {
            let money = Money::new(123_456, code.parse().unwrap());
            assert_eq!(parse_amount(&typed(money), money.currency), Some(money));
        }
    }

    #[test]
    fn times_are_those_of_the_place() {
        let (from, until): (Timestamp, Timestamp) = (
            "2026-07-14T08:00:00Z".parse().unwrap(),
            "2026-07-14T08:45:00Z".parse().unwrap(),
        );
        assert_eq!(
            span(from, until, "Europe/Berlin"),
            "Tue 14 Jul 2026, 10:00–10:45"
        );
        assert_eq!(zone_of(from, "Europe/Berlin"), "Europe/Berlin (UTC+02:00)");
        assert_eq!(
            span(from, until, "America/New_York"),
            "Tue 14 Jul 2026, 04:00–04:45"
        );
        assert_eq!(
            zone_of(from, "America/New_York"),
            "America/New York (UTC-04:00)"
        );
    }
}
