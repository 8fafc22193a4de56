//! Amounts: `€1,234.50` in English, `1.234,50 €` in German.

use berth_kernel::Money;

use crate::Language;

/// Keeps an amount and its currency on one line.
const NO_BREAK: char = '\u{a0}';

impl Language {
    /// The amount with all decimals of its currency. Currencies whose sign is theirs alone have
    /// it; the others (there are many dollars) have their code.
    #[must_use]
    pub fn money(self, money: Money) -> String {
        let (group, point) = match self {
            Self::English => (',', '.'),
            Self::German => ('.', ','),
        };
        let digits = decimal(money, group, point);
        let minus = if money.amount < 0 { "-" } else { "" };
        let symbol = symbol(money.currency.code());
        match (self, symbol) {
            (Self::English, Some(symbol)) => format!("{minus}{symbol}{digits}"),
            (Self::English, None) => {
                format!("{minus}{}{NO_BREAK}{digits}", money.currency.code())
            }
            (Self::German, symbol) => {
                let unit = symbol.unwrap_or(money.currency.code());
                format!("{minus}{digits}{NO_BREAK}{unit}")
            }
        }
    }
}

fn symbol(code: &str) -> Option<&'static str> {
    match code {
        "EUR" => Some("€"),
        "GBP" => Some("£"),
        "JPY" => Some("¥"),
        _ => None,
    }
}

/// The digits without a sign.
fn decimal(money: Money, group: char, point: char) -> String {
    let exponent = usize::from(money.currency.exponent());
    let digits = format!(
        "{:0width$}",
        money.amount.unsigned_abs(),
        width = exponent + 1
    );
    let (major, minor) = digits.split_at(digits.len() - exponent);
    let mut text = String::with_capacity(digits.len() * 2);
    for (place, digit) in major.chars().enumerate() {
        if place > 0 && (major.len() - place).is_multiple_of(3) {
            text.push(group);
        }
        text.push(digit);
    }
    if exponent > 0 {
        text.push(point);
        text.push_str(minor);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(amount: i64, code: &str) -> [String; 2] {
        let money = Money::new(amount, code.parse().unwrap());
        Language::ALL.map(|language| language.money(money).replace(NO_BREAK, "_"))
    }

    #[test]
    fn amounts_have_the_decimals_of_their_currency_and_the_signs_of_the_language() {
        assert_eq!(both(4_905, "EUR"), ["€49.05", "49,05_€"]);
        assert_eq!(
            both(123_456_789, "CHF"),
            ["CHF_1,234,567.89", "1.234.567,89_CHF"]
        );
        assert_eq!(both(1_200, "JPY"), ["¥1,200", "1.200_¥"]);
        assert_eq!(both(1, "KWD"), ["KWD_0.001", "0,001_KWD"]);
        assert_eq!(both(-100_000, "GBP"), ["-£1,000.00", "-1.000,00_£"]);
        assert_eq!(both(0, "USD"), ["USD_0.00", "0,00_USD"]);
        assert_eq!(both(i64::MIN, "JPY")[0], "-¥9,223,372,036,854,775,808");
    }
}
