//! Amounts in minor units: Stripe's fee, its smallest charge, and how it
//! writes an amount in a message.

/// The largest amount of one charge, in minor units.
pub(crate) const LARGEST_CHARGE: i64 = 99_999_999;

/// What a lost card payment costs on top of the amount, in minor units.
pub(crate) const DISPUTE_FEE: i64 = 1_500;

const ZERO_DECIMAL: [&str; 16] = [
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv",
    "xaf", "xof", "xpf",
];

/// Stripe's own fee: 1.5 %, rounded down, and 25 minor units.
pub(crate) fn processing_fee(amount: i64) -> i64 {
    amount * 15 / 1_000 + 25
}

/// The part of `whole` that belongs to `part` of `total`, rounded down.
pub(crate) fn share(whole: i64, part: i64, total: i64) -> i64 {
    if total == 0 {
        return 0;
    }
    let share = i128::from(whole) * i128::from(part) / i128::from(total);
    i64::try_from(share).unwrap_or(whole)
}

/// The smallest charge in a currency, in minor units.
pub(crate) fn smallest_charge(currency: &str) -> i64 {
    match currency {
        "gbp" => 30,
        "bgn" => 100,
        "aed" | "myr" | "pln" | "ron" => 200,
        "dkk" => 250,
        "nok" | "sek" => 300,
        "hkd" => 400,
        "mxn" | "thb" => 1_000,
        "czk" => 1_500,
        "huf" => 17_500,
        _ => 50,
    }
}

/// `$10.00`, `€10.00`, `¥500`, `10.00 chf`.
pub(crate) fn written(amount: i64, currency: &str) -> String {
    let number = if ZERO_DECIMAL.contains(&currency) {
        amount.to_string()
    } else {
        format!("{}.{:02}", amount / 100, (amount % 100).abs())
    };
    match currency {
        "usd" => format!("${number}"),
        "eur" => format!("€{number}"),
        "gbp" => format!("£{number}"),
        "jpy" => format!("¥{number}"),
        _ => format!("{number} {currency}"),
    }
}

/// The currency in which accounts of a country are paid out.
pub(crate) fn home_currency(country: &str) -> &'static str {
    match country {
        "AE" => "aed",
        "AU" => "aud",
        "BR" => "brl",
        "CA" => "cad",
        "CH" | "LI" => "chf",
        "CZ" => "czk",
        "DK" => "dkk",
        "GB" | "GI" => "gbp",
        "HK" => "hkd",
        "HU" => "huf",
        "IN" => "inr",
        "JP" => "jpy",
        "MX" => "mxn",
        "MY" => "myr",
        "NO" => "nok",
        "NZ" => "nzd",
        "PL" => "pln",
        "RO" => "ron",
        "SE" => "sek",
        "SG" => "sgd",
        "TH" => "thb",
        "US" => "usd",
        _ => "eur",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_is_one_and_a_half_percent_and_25() {
        assert_eq!(processing_fee(10_000), 175);
        assert_eq!(processing_fee(99), 26);
        assert_eq!(processing_fee(50), 25);
    }

    #[test]
    fn shares_never_exceed_the_whole() {
        assert_eq!(share(100, 333, 1_000), 33);
        assert_eq!(share(100, 1_000, 1_000), 100);
        assert_eq!(share(100, 1, 0), 0);
    }

    #[test]
    fn amounts_are_written_with_the_currency_s_decimals() {
        assert_eq!(written(1_050, "usd"), "$10.50");
        assert_eq!(written(500, "jpy"), "¥500");
        assert_eq!(written(1_205, "chf"), "12.05 chf");
    }
}
