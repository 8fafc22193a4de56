//! Money: whole minor units and a currency; never a float, never unchecked arithmetic.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency this platform can take, with its number of decimals.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

/// ISO 4217 codes with their decimals, as of the list's 2024 amendment; those a card processor
/// settles.
const CURRENCIES: &[(&str, u8)] = &[
    ("AED", 2),
    ("AUD", 2),
    ("BGN", 2),
    ("BHD", 3),
    ("BRL", 2),
    ("CAD", 2),
    ("CHF", 2),
    ("CLP", 0),
    ("CNY", 2),
    ("COP", 2),
    ("CZK", 2),
    ("DKK", 2),
    ("EGP", 2),
    ("EUR", 2),
    ("GBP", 2),
    ("HKD", 2),
    ("HUF", 2),
    ("IDR", 2),
    ("ILS", 2),
    ("INR", 2),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KES", 2),
    ("KRW", 0),
    ("KWD", 3),
    ("MAD", 2),
    ("MXN", 2),
    ("MYR", 2),
    ("NGN", 2),
    ("NOK", 2),
    ("NZD", 2),
    ("OMR", 3),
    ("PEN", 2),
    ("PHP", 2),
    ("PLN", 2),
    ("RON", 2),
    ("RSD", 2),
    ("SAR", 2),
    ("SEK", 2),
    ("SGD", 2),
    ("THB", 2),
    ("TND", 3),
    ("TRY", 2),
    ("TWD", 2),
    ("UAH", 2),
    ("USD", 2),
    ("VND", 0),
    ("ZAR", 2),
];

impl Currency {
    /// Euro, the default of a tenant that names none.
    pub const EUR: Self = Self {
        code: *b"EUR",
        exponent: 2,
    };

    /// All currencies this platform takes, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        CURRENCIES.iter().filter_map(|(code, exponent)| {
            Some(Self {
                code: code.as_bytes().try_into().ok()?,
                exponent: *exponent,
            })
        })
    }

    /// The upper-case ISO code.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("EUR")
    }

    /// Decimals of the major unit: 2 for EUR, 0 for JPY, 3 for KWD.
    #[must_use]
    pub const fn exponent(&self) -> u8 {
        self.exponent
    }

    /// The smallest step of an amount that can be paid, in minor units: of three decimals card
    /// networks settle two, and want the last to be 0.
    #[must_use]
    pub const fn step(&self) -> i64 {
        if self.exponent == 3 { 10 } else { 1 }
    }
}

/// The text is no currency this platform takes.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a currency this platform takes")]
pub struct UnknownCurrency(pub String);

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let upper = text.to_ascii_uppercase();
        Self::all()
            .find(|currency| currency.code() == upper)
            .ok_or_else(|| UnknownCurrency(text.chars().take(16).collect()))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An amount in minor units (cents, pence; whole yen) of one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Money {
    /// Minor units; negative for money owed back.
    pub amount: i64,
    /// The currency the amount is counted in.
    pub currency: Currency,
}

/// Arithmetic on money that cannot be carried out.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MoneyError {
    /// Two currencies met.
    #[error("{0} and {1} cannot be reckoned together")]
    MixedCurrencies(Currency, Currency),
    /// The result does not fit 64 bits.
    #[error("the amount is too large")]
    Overflow,
}

impl Money {
    /// `amount` minor units of `currency`.
    #[must_use]
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Whether nothing is owed either way.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.amount == 0
    }

    /// Whether it can be paid as it is; see [`Currency::step`].
    #[must_use]
    pub const fn is_payable(&self) -> bool {
        self.amount % self.currency.step() == 0
    }

    /// The next amount that can be paid, away from zero.
    #[must_use]
    pub const fn up_to_payable(self) -> Self {
        let step = self.currency.step();
        let over = self.amount % step;
        let amount = if over == 0 {
            self.amount
        } else {
            self.amount - over + step * over.signum()
        };
        Self { amount, ..self }
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError`] for two currencies or a sum beyond 64 bits.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies(self.currency, other.currency));
        }
        let amount = self
            .amount
            .checked_add(other.amount)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// The amount `count` times.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 64 bits.
    pub fn checked_mul(self, count: i64) -> Result<Self, MoneyError> {
        let amount = self.amount.checked_mul(count).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// The share of `basis_points` hundredths of a percent, half a minor unit rounded away from
    /// zero: the rounding tax offices and card schemes use.
    #[must_use]
    pub fn share(self, basis_points: u32) -> Self {
        let scaled = i128::from(self.amount) * i128::from(basis_points);
        let half = 5_000 * scaled.signum();
        let amount = i64::try_from((scaled + half) / 10_000).unwrap_or(i64::MAX);
        Self { amount, ..self }
    }
}

impl fmt::Display for Money {
    /// `49.00 EUR`, `1200 JPY`: digits a person reads, in no language.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = u32::from(self.currency.exponent());
        let sign = if self.amount < 0 { "-" } else { "" };
        let unit = 10_u64.pow(exponent);
        let (major, minor) = (
            self.amount.unsigned_abs() / unit,
            self.amount.unsigned_abs() % unit,
        );
        if exponent == 0 {
            write!(f, "{sign}{major} {}", self.currency)
        } else {
            write!(
                f,
                "{sign}{major}.{minor:0width$} {}",
                self.currency,
                width = exponent as usize
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: i64, code: &str) -> Money {
        Money::new(amount, code.parse().unwrap())
    }

    #[test]
    fn money_prints_with_the_decimals_of_its_currency() {
        assert_eq!(money(4_905, "EUR").to_string(), "49.05 EUR");
        assert_eq!(money(1_200, "jpy").to_string(), "1200 JPY");
        assert_eq!(money(-1, "KWD").to_string(), "-0.001 KWD");
    }

    #[test]
    fn of_three_decimals_two_can_be_paid() {
        assert!(money(5_120, "KWD").is_payable() && !money(5_124, "KWD").is_payable());
        assert!(money(5_124, "EUR").is_payable() && money(7, "JPY").is_payable());
        let up = |amount| money(amount, "KWD").up_to_payable().amount;
        assert_eq!(
            [up(2_555), up(2_560), up(0), up(-2_555)],
            [2_560, 2_560, 0, -2_560]
        );
        assert_eq!(money(2_555, "EUR").up_to_payable().amount, 2_555);
    }

    #[test]
    fn currencies_never_mix_and_sums_never_wrap() {
        assert!(matches!(
            money(1, "EUR").checked_add(money(1, "USD")),
            Err(MoneyError::MixedCurrencies(..))
        ));
        assert_eq!(
            money(i64::MAX, "EUR").checked_add(money(1, "EUR")),
            Err(MoneyError::Overflow)
        );
        assert_eq!(
            money(i64::MAX, "EUR").checked_mul(2),
            Err(MoneyError::Overflow)
        );
    }

    #[test]
    fn a_share_rounds_half_away_from_zero() {
        assert_eq!(money(50, "EUR").share(100).amount, 1);
        assert_eq!(money(49, "EUR").share(100).amount, 0);
        assert_eq!(money(-50, "EUR").share(100).amount, -1);
    }

    #[test]
    fn an_unknown_currency_is_refused_by_name() {
        assert_eq!(
            "XXX".parse::<Currency>(),
            Err(UnknownCurrency("XXX".into()))
        );
    }
}
