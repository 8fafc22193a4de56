//! Codes for which a booking costs less.

use berth_kernel::{Currency, Money, ProductId, VoucherId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::product::check_amount;
use crate::Error;

/// Products one voucher may be for, named one by one.
const MOST_PRODUCTS: usize = 200;
/// Bookings that may have one voucher, where that is limited.
const MOST_USES: i32 = 1_000_000;
/// A whole, in hundredths of a percent.
const WHOLE: i32 = 10_000;

/// How much less a booking costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discount {
    /// Hundredths of a percent of the price without taxes that are added, 1 to 10,000.
    BasisPoints(i32),
    /// So much, in minor units; no more than the price.
    Amount(i64),
}

/// A code for which a booking costs less.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Voucher {
    /// Its id.
    pub id: VoucherId,
    /// What customers type, in upper case.
    pub code: String,
    /// What customers read.
    pub label: String,
    /// How much less.
    pub discount: Discount,
    /// For which products; none named is for all.
    pub product_ids: Vec<ProductId>,
    /// From when on it can be used.
    pub valid_from: Option<Timestamp>,
    /// Until when, exclusive.
    pub valid_until: Option<Timestamp>,
    /// What a booking has to cost without it, in minor units.
    pub least_minor: i64,
    /// How many bookings may have it.
    pub max_uses: Option<i32>,
    /// How many of one customer, by their account, or by the address the business books for.
    pub max_per_customer: Option<i32>,
    /// Whether it can be used.
    pub active: bool,
    /// Raised by each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Voucher {
    /// Whether it is for bookings of a product that are made at a time.
    #[must_use]
    pub fn holds(&self, product: ProductId, at: Timestamp) -> bool {
        self.active
            && (self.product_ids.is_empty() || self.product_ids.contains(&product))
            && self.valid_from.is_none_or(|from| from <= at)
            && self.valid_until.is_none_or(|until| at < until)
    }
}

/// A voucher to be made.
#[derive(Clone, Debug)]
pub struct NewVoucher {
    /// What customers type: 3 to 40 letters of the alphabet, digits, `-` and `_`, in any case.
    pub code: String,
    /// What customers read, 1 to 200 characters.
    pub label: String,
    /// How much less.
    pub discount: Discount,
    /// For which products; none named is for all. At most 200.
    pub product_ids: Vec<ProductId>,
    /// From when on it can be used.
    pub valid_from: Option<Timestamp>,
    /// Until when, exclusive.
    pub valid_until: Option<Timestamp>,
    /// What a booking has to cost without it, in minor units.
    pub least_minor: i64,
    /// How many bookings may have it, 1 to 1,000,000.
    pub max_uses: Option<i32>,
    /// How many of one customer, 1 to 1,000.
    pub max_per_customer: Option<i32>,
}

/// What may be changed of a voucher; `None` leaves it. What it takes off stays: it may be printed.
#[derive(Clone, Debug, Default)]
pub struct VoucherChange {
    /// The version the asker read.
    pub version: i64,
    /// What customers read.
    pub label: Option<String>,
    /// Until when it can be used; `Some(None)` for good.
    pub valid_until: Option<Option<Timestamp>>,
    /// How many bookings may have it; `Some(None)` any number.
    pub max_uses: Option<Option<i32>>,
    /// Whether it can be used.
    pub active: Option<bool>,
}

/// The code as it is kept, however it was typed; nothing if it can be none.
#[must_use]
pub fn code(typed: &str) -> Option<String> {
    let code = typed.trim().to_ascii_uppercase();
    let plain = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit();
    let any = |c: u8| plain(c) || matches!(c, b'-' | b'_');
    let fits = (3..=40).contains(&code.len())
        && code.bytes().all(any)
        && code.bytes().next().is_some_and(plain);
    fits.then_some(code)
}

/// Refuses what no voucher may be; the code as it is kept.
pub(crate) fn check(new: &NewVoucher, currency: Currency) -> Result<String, Error> {
    let code = code(&new.code).ok_or_else(|| {
        let detail =
            "3 to 40 letters of A to Z, digits, `-` and `_`, beginning with a letter or a digit.";
        Error::invalid("code", "CODE_INVALID", detail)
    })?;
    check_label(&new.label)?;
    match new.discount {
        Discount::BasisPoints(points) if !(1..=WHOLE).contains(&points) => {
            let detail = format!("Must be between 1 and {WHOLE}, hundredths of a percent.");
            return Err(Error::invalid("discount", "OUT_OF_RANGE", detail));
        }
        Discount::Amount(minor) if minor < 1 => {
            return Err(Error::invalid(
                "discount",
                "OUT_OF_RANGE",
                "Must be more than nothing.",
            ));
        }
        Discount::Amount(minor) => check_amount("discount", Money::new(minor, currency))?,
        Discount::BasisPoints(_) => {}
    }
    check_amount("least_amount", Money::new(new.least_minor, currency))?;
    if new.product_ids.len() > MOST_PRODUCTS {
        let detail = format!("At most {MOST_PRODUCTS} of them.");
        return Err(Error::invalid("product_ids", "TOO_MANY", detail));
    }
    check_period(new.valid_from, new.valid_until)?;
    check_uses("max_uses", new.max_uses, MOST_USES)?;
    check_uses("max_per_customer", new.max_per_customer, 1_000)?;
    Ok(code)
}

/// Refuses a change to what no voucher may be.
pub(crate) fn check_change(voucher: &Voucher, change: &VoucherChange) -> Result<(), Error> {
    if let Some(label) = &change.label {
        check_label(label)?;
    }
    check_period(voucher.valid_from, change.valid_until.flatten())?;
    check_uses("max_uses", change.max_uses.flatten(), MOST_USES)
}

/// By the microsecond, as the database keeps it.
fn check_period(from: Option<Timestamp>, until: Option<Timestamp>) -> Result<(), Error> {
    match (from, until) {
        (Some(from), Some(until)) if until.as_microsecond() <= from.as_microsecond() => {
            let detail = "Must be after `valid_from`.";
            Err(Error::invalid("valid_until", "END_BEFORE_START", detail))
        }
        _ => Ok(()),
    }
}

fn check_label(label: &str) -> Result<(), Error> {
    match (1..=200).contains(&label.trim().chars().count()) {
        true => Ok(()),
        false => Err(Error::invalid(
            "label",
            "INVALID_NAME",
            "Must have 1 to 200 characters.",
        )),
    }
}

fn check_uses(field: &'static str, uses: Option<i32>, most: i32) -> Result<(), Error> {
    match uses {
        Some(uses) if !(1..=most).contains(&uses) => {
            let detail = format!("Must be between 1 and {most}.");
            Err(Error::invalid(field, "OUT_OF_RANGE", detail))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        assert_eq!(code(" summer-26 ").as_deref(), Some("SUMMER-26"));
        for none in ["ab", "-abc", "sömmer", "a b c", "", &"x".repeat(41)] {
            assert_eq!(code(none), None, "{none}");
        }
    }
}
