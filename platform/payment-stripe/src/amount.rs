//! Amounts as Stripe counts them, which is not always as ISO 4217 does.
//!
//! - Króna and Uganda shilling have no decimals, but Stripe keeps counting them in hundredths that
//!   must be 00.
//! - Dinar and rial have three decimals, of which the last must be 0.
//! - Forint and New Taiwan dollar lose their decimals in payouts only; charges keep two.

use berth_kernel::{Currency, Money};

use crate::failure::Failure;

/// How many of Stripe's units one minor unit of ours makes.
fn scale(currency: Currency) -> i64 {
    match currency.code() {
        "ISK" | "UGX" if currency.exponent() == 0 => 100,
        _ => 1,
    }
}

/// `money` in Stripe's units.
///
/// # Errors
/// Refused if Stripe cannot charge that amount exactly.
pub(crate) fn to_stripe(money: Money) -> Result<i64, Failure> {
    if !money.is_payable() {
        let message = format!("{money} cannot be charged: the last decimal must be 0");
        return Err(Failure::refused("amount_not_chargeable", message));
    }
    money
        .amount
        .checked_mul(scale(money.currency))
        .ok_or_else(|| Failure::refused("amount_too_large", "the amount is too large"))
}

/// The platform's share of a charge in Stripe's units, rounded down to what can be charged: the
/// tenant gains what is lost, and the ledger is written from what Stripe took.
pub(crate) fn fee_to_stripe(minor: i64, currency: Currency) -> Result<i64, Failure> {
    let step = currency.step();
    to_stripe(Money::new(minor - minor.rem_euclid(step), currency))
}

/// The currency Stripe names in lower case.
pub(crate) fn currency(code: &str) -> Result<Currency, Failure> {
    code.parse()
        .map_err(|unknown| Failure::unknown(format!("the answer is in money unknown: {unknown}")))
}

/// `amount` of Stripe's units in ours.
///
/// # Errors
/// Unknown if it is no whole number of our units.
pub(crate) fn minor(amount: i64, currency: Currency) -> Result<i64, Failure> {
    let scale = scale(currency);
    if amount % scale != 0 {
        return Err(Failure::unknown(format!(
            "{amount} is no whole amount of {currency}"
        )));
    }
    Ok(amount / scale)
}

/// What Stripe calls `amount` of `code`.
pub(crate) fn money(amount: i64, code: &str) -> Result<Money, Failure> {
    let currency = currency(code)?;
    Ok(Money::new(minor(amount, currency)?, currency))
}

#[cfg(test)]
mod tests {
    use berth_payment::provider::ProviderError;

    use super::*;

    fn there(amount: i64, code: &str) -> i64 {
        to_stripe(Money::new(amount, code.parse().unwrap())).unwrap()
    }

    #[test]
    fn most_amounts_go_as_they_are() {
        for code in ["EUR", "JPY", "HUF", "TWD", "KRW", "VND"] {
            assert_eq!(there(4_905, code), 4_905, "{code}");
            assert_eq!(
                money(4_905, &code.to_lowercase()).unwrap().amount,
                4_905,
                "{code}"
            );
        }
    }

    #[test]
    fn krona_go_in_hundredths_and_come_back_whole() {
        assert_eq!(there(500, "ISK"), 50_000);
        assert_eq!(
            money(50_000, "isk").unwrap(),
            Money::new(500, "ISK".parse().unwrap())
        );
        assert!(matches!(
            money(50_050, "isk"),
            Err(Failure(ProviderError::Indeterminate(_)))
        ));
    }

    #[test]
    fn the_third_decimal_must_be_naught() {
        assert_eq!(there(5_120, "KWD"), 5_120);
        let refused = to_stripe(Money::new(5_124, "KWD".parse().unwrap()));
        assert!(
            matches!(refused, Err(Failure(ProviderError::Refused { code, .. })) if code == "amount_not_chargeable")
        );
    }

    #[test]
    fn a_fee_is_rounded_down_to_what_can_be_charged() {
        assert_eq!(fee_to_stripe(129, "KWD".parse().unwrap()).unwrap(), 120);
        assert_eq!(fee_to_stripe(129, "EUR".parse().unwrap()).unwrap(), 129);
        assert_eq!(fee_to_stripe(7, "ISK".parse().unwrap()).unwrap(), 700);
    }

    #[test]
    fn too_much_is_refused_and_unknown_money_is_unknown() {
        assert!(to_stripe(Money::new(i64::MAX, "ISK".parse().unwrap())).is_err());
        assert!(matches!(
            money(1, "xts"),
            Err(Failure(ProviderError::Indeterminate(_)))
        ));
    }
}
