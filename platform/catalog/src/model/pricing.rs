//! What a product costs beyond its price: rules that change it, and taxes. How a booking's price is reckoned
//! from them is the booking service's.

use berth_kernel::Currency;
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ProductKind, Window, product::MAX_PRICE_MINOR, stay::check_weekdays};
use crate::Error;

/// Most rules of one product.
const MAX_RULES: usize = 100;
/// Most taxes of one product.
const MAX_TAXES: usize = 10;
/// A whole, in hundredths of a percent.
const WHOLE: i32 = 10_000;
/// Longest lead a rule asks about: 1,100 days, the longest window.
const MAX_LEAD_HOURS: i32 = 1_100 * 24;

/// What a product costs beyond its price.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Pricing {
    /// What changes the price.
    pub rules: Vec<PriceRule>,
    /// Taxes, in the order they are shown.
    pub taxes: Vec<Tax>,
}

/// Something that changes the price where all holds that it names.
///
/// Season, days of the week and hours are judged for each night of a stay and each unit of a rental, by the clock
/// of the place; of anything else by its start.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PriceRule {
    /// What customers read, 1 to 100 characters: `Summer`.
    pub name: String,
    /// What it does.
    pub effect: PriceEffect,
    /// Only of this variant.
    pub variant_id: Option<Uuid>,
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub to: Option<Date>,
    /// Days of the week, ISO: 1 is Monday, 7 is Sunday. All of them if none is named.
    #[serde(default)]
    pub weekdays: Vec<i8>,
    /// Hours of the day; not for nights.
    pub hours: Option<Window>,
    /// How many nights, or units of a rental.
    pub units: Bounds,
    /// How many places.
    pub quantity: Bounds,
    /// How many full hours between booking and start.
    pub lead_hours: Bounds,
}

/// From one number to another, both of which count; either may be missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Bounds {
    /// Least.
    pub min: Option<i32>,
    /// Most.
    pub max: Option<i32>,
}

impl Bounds {
    /// Whether `value` is within.
    #[must_use]
    pub fn hold(&self, value: i64) -> bool {
        self.min.is_none_or(|min| i64::from(min) <= value)
            && self.max.is_none_or(|max| value <= i64::from(max))
    }

    fn is_within(&self, least: i32, most: i32) -> bool {
        let (min, max) = (self.min.unwrap_or(least), self.max.unwrap_or(most));
        least <= min && min <= max && max <= most
    }
}

/// What a rule does. Amounts are minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum PriceEffect {
    /// This is the price of a place, a night or a unit, instead of the product's. The first rule that holds counts.
    Price(i64),
    /// So many hundredths of a percent of the price more, or less. Of the price, not of what other rules made
    /// of it: their order does not matter.
    BasisPoints(i32),
    /// So much more, or less, for a place, a night or a unit.
    Amount(i64),
    /// So much once for the booking.
    Fee(i64),
}

/// A tax.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tax {
    /// What customers read, 1 to 100 characters: `VAT`.
    pub name: String,
    /// How much it is.
    pub rate: TaxRate,
}

/// How much a tax is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum TaxRate {
    /// So many hundredths of a percent, contained in the price.
    Included(i32),
    /// So many hundredths of a percent on top of the net price.
    Added(i32),
    /// So many minor units for each place and each night or unit, on top: a city tax.
    PerUnit(i64),
}

impl PriceRule {
    /// Whether it holds for a booking of so many units and places, so long before its start, wherever in it.
    #[must_use]
    pub fn concerns(&self, units: i64, quantity: i64, lead_hours: i64) -> bool {
        self.units.hold(units) && self.quantity.hold(quantity) && self.lead_hours.hold(lead_hours)
    }

    /// Whether it holds for what begins then by the clock of the place, of a variant if it is of one.
    #[must_use]
    pub fn holds(&self, variant: Option<Uuid>, at: DateTime) -> bool {
        let (day, time) = (at.date(), at.time());
        let weekday = day.weekday().to_monday_one_offset();
        self.variant_id.is_none_or(|only| variant == Some(only))
            && self.from.is_none_or(|from| from <= day)
            && self.to.is_none_or(|to| day <= to)
            && (self.weekdays.is_empty() || self.weekdays.contains(&weekday))
            && self
                .hours
                .is_none_or(|hours| hours.starts <= time && time < hours.ends)
    }
}

/// Refuses rules that can never hold, amounts that cannot be paid, and taxes nobody raises.
pub(crate) fn check(
    pricing: &Pricing,
    kind: ProductKind,
    max_quantity: i32,
    currency: Currency,
) -> Result<(), Error> {
    if pricing.rules.len() > MAX_RULES || pricing.taxes.len() > MAX_TAXES {
        let detail = format!("At most {MAX_RULES} rules and {MAX_TAXES} taxes.");
        return Err(Error::invalid("pricing", "TOO_MANY", detail));
    }
    for rule in &pricing.rules {
        check_rule(rule, kind, max_quantity, currency)?;
    }
    let taxes = &pricing.taxes;
    taxes.iter().try_for_each(|tax| check_tax(tax, currency))
}

fn check_rule(
    rule: &PriceRule,
    kind: ProductKind,
    max_quantity: i32,
    currency: Currency,
) -> Result<(), Error> {
    check_label(&rule.name, "pricing.rules.name")?;
    check_effect(rule.effect, currency)?;
    check_weekdays("pricing.rules.weekdays", &rule.weekdays)?;
    if rule.hours.is_some() && kind == ProductKind::Stay {
        let detail = "A night has no hours.";
        return Err(Error::invalid("pricing.rules.starts", "WRONG_KIND", detail));
    }
    let counted = kind.sold_by().is_some();
    if rule.units != Bounds::default() && !counted {
        let detail = "Only nights and units of a rental are counted.";
        return Err(Error::invalid(
            "pricing.rules.min_units",
            "WRONG_KIND",
            detail,
        ));
    }
    let never = |field, detail: &str| Err(Error::invalid(field, "NEVER_HOLDS", detail));
    if !has_a_day(rule) {
        return never("pricing.rules.to", "There is no such day.");
    }
    if rule.hours.is_some_and(|hours| hours.starts >= hours.ends) {
        return never("pricing.rules.ends", "Must be after `starts`.");
    }
    if !rule.units.is_within(1, i32::MAX) {
        return never(
            "pricing.rules.max_units",
            "At least `min_units`, and that at least 1.",
        );
    }
    if !rule.quantity.is_within(1, max_quantity) {
        let detail = "Between 1 and the product's `max_quantity`, the least first.";
        return never("pricing.rules.max_quantity", detail);
    }
    if !rule.lead_hours.is_within(0, MAX_LEAD_HOURS) {
        let detail = "Between 0 and 26,400, the least first.";
        return never("pricing.rules.max_lead_hours", detail);
    }
    Ok(())
}

/// Whether there is a day on which the rule may hold.
fn has_a_day(rule: &PriceRule) -> bool {
    let (Some(from), Some(to)) = (rule.from, rule.to) else {
        return true;
    };
    let weekday = |day: Date| {
        rule.weekdays
            .contains(&day.weekday().to_monday_one_offset())
    };
    let days = std::iter::successors(Some(from), |day| day.tomorrow().ok());
    let mut week = days.take_while(|day| *day <= to).take(7);
    week.any(|day| rule.weekdays.is_empty() || weekday(day))
}

fn check_effect(effect: PriceEffect, currency: Currency) -> Result<(), Error> {
    let range = match effect {
        PriceEffect::Price(_) => 0..=MAX_PRICE_MINOR,
        PriceEffect::Amount(_) | PriceEffect::Fee(_) => -MAX_PRICE_MINOR..=MAX_PRICE_MINOR,
        PriceEffect::BasisPoints(_) => -i64::from(WHOLE)..=i64::from(WHOLE) * 10,
    };
    let (value, step) = match effect {
        PriceEffect::Price(value) | PriceEffect::Amount(value) | PriceEffect::Fee(value) => {
            (value, currency.step())
        }
        PriceEffect::BasisPoints(value) => (i64::from(value), 1),
    };
    check_value("pricing.rules.effect", value, &range, step)
}

fn check_tax(tax: &Tax, currency: Currency) -> Result<(), Error> {
    check_label(&tax.name, "pricing.taxes.name")?;
    let (value, most, step) = match tax.rate {
        TaxRate::Included(value) | TaxRate::Added(value) => (i64::from(value), WHOLE.into(), 1),
        TaxRate::PerUnit(value) => (value, MAX_PRICE_MINOR, currency.step()),
    };
    check_value("pricing.taxes.rate", value, &(0..=most), step)
}

fn check_value(
    field: &'static str,
    value: i64,
    range: &std::ops::RangeInclusive<i64>,
    step: i64,
) -> Result<(), Error> {
    if !range.contains(&value) {
        let detail = format!("Must be between {} and {}.", range.start(), range.end());
        return Err(Error::invalid(field, "OUT_OF_RANGE", detail));
    }
    if value % step != 0 {
        let detail = "It cannot be paid: the last decimal must be 0.";
        return Err(Error::invalid(field, "NOT_PAYABLE", detail));
    }
    Ok(())
}

fn check_label(name: &str, field: &'static str) -> Result<(), Error> {
    if name.trim().is_empty() || name.chars().count() > 100 {
        let detail = "Must have 1 to 100 characters.";
        return Err(Error::invalid(field, "INVALID_NAME", detail));
    }
    Ok(())
}
