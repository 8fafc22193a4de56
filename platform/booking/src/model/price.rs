//! What a booking costs, line by line. Pure.
//!
//! The base is the sum over places and nights or units of what each costs: the price of the first rule that sets
//! one, or that of the seat's zone, the variant, or the product. Other rules add to it or take from it, by the base
//! of what they hold for, so that their order does not matter; nothing costs less than nothing. What is had besides
//! costs what it says, whatever rules there are. A voucher takes from the sum of that. Taxes come last, and are on
//! what is left.

use berth_catalog::{Discount, PriceEffect, PriceRule, Product, TaxRate, Voucher};
use berth_kernel::Money;
use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Refusal;

/// Highest price of one booking, in minor units: sums over all of them still fit.
pub(crate) const MAX_PRICE_MINOR: i64 = 1_000_000_000_000;

/// A whole, in hundredths of a percent.
const WHOLE: i128 = 10_000;

/// One line of what a booking costs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PriceLine {
    /// What it is.
    pub kind: LineKind,
    /// What customers read.
    pub label: String,
    /// The rule that set the price, of a base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// For how many places, each for so many nights or units, of a base; how many of an add-on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<i32>,
    /// What one of them costs, in minor units; of a base or an add-on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each_minor: Option<i64>,
    /// What it comes to, in minor units of the booking's currency.
    pub amount_minor: i64,
}

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Places, nights or units.
    Base,
    /// What a rule adds or takes away.
    Adjustment,
    /// Something that is had besides.
    AddOn,
    /// What a voucher takes away.
    Voucher,
    /// A tax on top.
    Tax,
    /// A tax the lines above contain; not to be added.
    TaxIncluded,
}

/// Some of the places of a booking, of one price.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) label: String,
    pub(crate) variant: Option<Uuid>,
    pub(crate) price_minor: i64,
    pub(crate) places: i32,
}

/// So many of something that is had besides, once for the booking.
#[derive(Clone, Debug)]
pub(crate) struct Extra {
    pub(crate) label: String,
    pub(crate) price_minor: i64,
    pub(crate) quantity: i32,
}

/// Reckons what `parts` of a product cost. `units` says when each night or unit begins by the clock of the place,
/// or when all begins; `lead_hours` how many full hours there are until then.
pub(crate) fn reckon(
    product: &Product,
    parts: &[Part],
    extras: &[Extra],
    voucher: Option<&Voucher>,
    units: &[DateTime],
    lead_hours: i64,
) -> Result<Vec<PriceLine>, Refusal> {
    let quantity: i64 = parts.iter().map(|part| i64::from(part.places)).sum();
    let count = i64::try_from(units.len()).unwrap_or(i64::MAX);
    let rules = concerned(product, count, quantity, lead_hours);
    let mut lines: Vec<PriceLine> = Vec::new();
    let mut sums = vec![Sum::default(); rules.len()];
    for part in parts {
        for at in units {
            let holding = |rule: &&PriceRule| rule.holds(part.variant, *at);
            let (rule, each) = setting(&rules, part.variant, *at)
                .map_or((None, part.price_minor), |(name, price)| {
                    (Some(name), price)
                });
            add_base(&mut lines, part, rule, each);
            for (sum, _) in sums
                .iter_mut()
                .zip(&rules)
                .filter(|(_, rule)| holding(rule))
            {
                sum.base += i128::from(each) * i128::from(part.places);
                sum.places += i128::from(part.places);
            }
        }
    }
    let mut total: i128 = lines.iter().map(|line| i128::from(line.amount_minor)).sum();
    let step = product.price.currency.step();
    for (rule, sum) in rules.iter().zip(sums).filter(|(_, sum)| sum.places > 0) {
        let amount = match rule.effect {
            PriceEffect::Price(_) => continue,
            PriceEffect::BasisPoints(points) => rounded(sum.base * i128::from(points), WHOLE, step),
            PriceEffect::Amount(amount) => i128::from(amount) * sum.places,
            PriceEffect::Fee(amount) => i128::from(amount),
        };
        let amount = amount.max(-total);
        total += amount;
        lines.push(line(LineKind::Adjustment, &rule.name, amount)?);
    }
    for extra in extras {
        let amount = i128::from(extra.price_minor) * i128::from(extra.quantity);
        total += amount;
        lines.push(PriceLine {
            count: Some(extra.quantity),
            each_minor: Some(extra.price_minor),
            ..line(LineKind::AddOn, &extra.label, amount)?
        });
    }
    if let Some(voucher) = voucher {
        if total < i128::from(voucher.least_minor) {
            return Err(Refusal::VoucherLeast);
        }
        let amount = match voucher.discount {
            Discount::BasisPoints(points) => rounded(total * i128::from(points), WHOLE, step),
            Discount::Amount(amount) => i128::from(amount),
        };
        let amount = amount.min(total);
        total -= amount;
        lines.push(line(LineKind::Voucher, &voucher.label, -amount)?);
    }
    let due = i128::from(quantity) * i128::from(count);
    lines.extend(taxes(product, total, due, step)?);
    let kept = |kind| matches!(kind, LineKind::Base | LineKind::AddOn);
    lines.retain(|line| line.amount_minor != 0 || kept(line.kind));
    Ok(lines)
}

/// What a night or a unit costs one, without fees and taxes.
#[must_use]
pub(crate) fn of_unit(product: &Product, at: DateTime, units: i64, lead_hours: i64) -> Money {
    let rules = concerned(product, units, 1, lead_hours);
    let price = setting(&rules, None, at).map_or(product.price.amount, |(_, price)| price);
    let step = product.price.currency.step();
    let adds = |rule: &&PriceRule| match rule.effect {
        PriceEffect::BasisPoints(points) => {
            rounded(i128::from(price) * i128::from(points), WHOLE, step)
        }
        PriceEffect::Amount(amount) => i128::from(amount),
        PriceEffect::Price(_) | PriceEffect::Fee(_) => 0,
    };
    let holding = rules.iter().filter(|rule| rule.holds(None, at));
    let amount = i128::from(price) + holding.map(adds).sum::<i128>();
    let amount = i64::try_from(amount.max(0)).unwrap_or(i64::MAX);
    Money::new(amount, product.price.currency)
}

/// How many full hours there are until a start.
#[must_use]
pub(crate) fn lead_hours(starts_at: Timestamp, now: Timestamp) -> i64 {
    (starts_at.as_second() - now.as_second()).max(0) / 3_600
}

fn concerned(product: &Product, units: i64, quantity: i64, lead_hours: i64) -> Vec<&PriceRule> {
    let rules = product.pricing.rules.iter();
    rules
        .filter(|rule| rule.concerns(units, quantity, lead_hours))
        .collect()
}

/// The first rule that sets the price, and which.
fn setting<'a>(
    rules: &[&'a PriceRule],
    variant: Option<Uuid>,
    at: DateTime,
) -> Option<(&'a str, i64)> {
    let mut holding = rules.iter().filter(|rule| rule.holds(variant, at));
    holding.find_map(|rule| match rule.effect {
        PriceEffect::Price(price) => Some((rule.name.as_str(), price)),
        _ => None,
    })
}

/// What a rule holds for.
#[derive(Clone, Copy, Default)]
struct Sum {
    base: i128,
    /// Places, each for a night or unit.
    places: i128,
}

fn add_base(lines: &mut Vec<PriceLine>, part: &Part, rule: Option<&str>, each: i64) {
    let amount = each.saturating_mul(i64::from(part.places));
    let same = lines.iter_mut().rev().find(|line| {
        line.label == part.label && line.rule.as_deref() == rule && line.each_minor == Some(each)
    });
    if let Some(line) = same {
        line.count = line.count.map(|count| count.saturating_add(part.places));
        line.amount_minor = line.amount_minor.saturating_add(amount);
        return;
    }
    lines.push(PriceLine {
        kind: LineKind::Base,
        label: part.label.clone(),
        rule: rule.map(ToOwned::to_owned),
        count: Some(part.places),
        each_minor: Some(each),
        amount_minor: amount,
    });
}

/// Taxes on a sum that is to be paid for so many places and nights or units.
fn taxes(product: &Product, gross: i128, due: i128, step: i64) -> Result<Vec<PriceLine>, Refusal> {
    let taxes = &product.pricing.taxes;
    let included = |rate: TaxRate| match rate {
        TaxRate::Included(points) => i128::from(points),
        _ => 0,
    };
    let whole = WHOLE + taxes.iter().map(|tax| included(tax.rate)).sum::<i128>();
    let mut lines = Vec::with_capacity(taxes.len());
    for tax in taxes {
        let (kind, amount) = match tax.rate {
            // What is contained is shown, not paid: it may have any decimals.
            TaxRate::Included(points) => {
                let amount = rounded(gross * i128::from(points), whole, 1);
                (LineKind::TaxIncluded, amount)
            }
            TaxRate::Added(points) => {
                let amount = rounded(gross * i128::from(points), whole, step);
                (LineKind::Tax, amount)
            }
            TaxRate::PerUnit(amount) => (LineKind::Tax, i128::from(amount) * due),
        };
        lines.push(line(kind, &tax.name, amount)?);
    }
    Ok(lines)
}

fn line(kind: LineKind, label: &str, amount: i128) -> Result<PriceLine, Refusal> {
    Ok(PriceLine {
        kind,
        label: label.to_owned(),
        rule: None,
        count: None,
        each_minor: None,
        amount_minor: i64::try_from(amount).map_err(|_| Refusal::PriceTooHigh)?,
    })
}

/// `value / of`, to the nearest multiple of `step`, halves away from zero.
fn rounded(value: i128, of: i128, step: i64) -> i128 {
    let step = i128::from(step);
    let of = of * step;
    (value + of / 2 * value.signum()) / of * step
}

/// What is to be paid.
pub(crate) fn price(product: &Product, lines: &[PriceLine]) -> Result<Money, Refusal> {
    let paid = lines
        .iter()
        .filter(|line| line.kind != LineKind::TaxIncluded);
    let sum: i128 = paid.map(|line| i128::from(line.amount_minor)).sum();
    match i64::try_from(sum) {
        Ok(sum) if sum <= MAX_PRICE_MINOR => Ok(Money::new(sum, product.price.currency)),
        _ => Err(Refusal::PriceTooHigh),
    }
}

#[cfg(test)]
mod tests {
    use berth_catalog::{Bounds, Pricing, Tax, Window};
    use berth_kernel::Currency;
    use jiff::civil::{Date, date, time};

    use super::*;
    use crate::model::schedule::tests::offering;

    fn rule(name: &str, effect: PriceEffect) -> PriceRule {
        PriceRule {
            name: name.to_owned(),
            effect,
            variant_id: None,
            from: None,
            to: None,
            weekdays: vec![],
            hours: None,
            units: Bounds::default(),
            quantity: Bounds::default(),
            lead_hours: Bounds::default(),
        }
    }

    fn tax(name: &str, rate: TaxRate) -> Tax {
        Tax {
            name: name.to_owned(),
            rate,
        }
    }

    /// A product of 50.00 with these rules and taxes.
    fn product(rules: Vec<PriceRule>, taxes: Vec<Tax>) -> Product {
        let mut product = offering("Europe/Berlin", &[]).product;
        product.pricing = Pricing { rules, taxes };
        product
    }

    fn places(product: &Product, places: i32) -> Vec<Part> {
        vec![Part {
            label: product.name.clone(),
            variant: None,
            price_minor: product.price.amount,
            places,
        }]
    }

    fn nights(from: Date, nights: usize) -> Vec<DateTime> {
        let days = std::iter::successors(Some(from), |day| day.tomorrow().ok());
        days.take(nights).map(|day| day.at(0, 0, 0, 0)).collect()
    }

    /// Label, amount, and whether it is paid.
    fn shown(lines: &[PriceLine]) -> Vec<(&str, i64, bool)> {
        let line = |line: &PriceLine| line.kind != LineKind::TaxIncluded;
        lines
            .iter()
            .map(|one| {
                (
                    one.rule.as_deref().unwrap_or(&one.label),
                    one.amount_minor,
                    line(one),
                )
            })
            .collect()
    }

    /// Two rooms from a Thursday on, for three nights.
    fn thursday(product: &Product) -> Vec<PriceLine> {
        let units = nights(date(2027, 3, 4), 3);
        reckon(product, &places(product, 2), &[], None, &units, 100).unwrap()
    }

    #[test]
    fn nights_are_priced_one_by_one() {
        let weekend = PriceRule {
            weekdays: vec![5, 6],
            ..rule("Weekend", PriceEffect::Price(7_000))
        };
        let product = product(vec![weekend], vec![]);
        let lines = thursday(&product);
        assert_eq!(
            shown(&lines),
            [("Check-up", 10_000, true), ("Weekend", 28_000, true)]
        );
        assert_eq!(lines[1].count, Some(4));
        assert_eq!(lines[1].each_minor, Some(7_000));
        assert_eq!(price(&product, &lines).unwrap().amount, 38_000);
    }

    #[test]
    fn of_rules_that_set_a_price_the_first_that_holds_counts() {
        let of_variant = PriceRule {
            variant_id: Some(Uuid::nil()),
            ..rule("Members", PriceEffect::Price(1))
        };
        let rules = vec![
            of_variant,
            rule("Fair", PriceEffect::Price(9_000)),
            rule("Always", PriceEffect::Price(2)),
        ];
        let product = product(rules, vec![]);
        assert_eq!(shown(&thursday(&product)), [("Fair", 54_000, true)]);
    }

    #[test]
    fn what_is_added_goes_by_the_price_and_not_by_what_others_added() {
        let season = PriceRule {
            from: Some(date(2027, 3, 5)),
            to: Some(date(2027, 3, 5)),
            ..rule("Fair", PriceEffect::BasisPoints(5_000))
        };
        let long = PriceRule {
            units: Bounds {
                min: Some(3),
                max: None,
            },
            ..rule("Three nights", PriceEffect::BasisPoints(-1_000))
        };
        let early = PriceRule {
            lead_hours: Bounds {
                min: Some(101),
                max: None,
            },
            ..rule("Early", PriceEffect::Fee(-1_000))
        };
        let rules = vec![
            season,
            long,
            early,
            rule("Linen", PriceEffect::Fee(1_500)),
            rule("Breakfast", PriceEffect::Amount(800)),
        ];
        let product = product(rules, vec![]);
        assert_eq!(
            shown(&thursday(&product)),
            [
                ("Check-up", 30_000, true),
                ("Fair", 5_000, true),
                ("Three nights", -3_000, true),
                ("Linen", 1_500, true),
                ("Breakfast", 4_800, true),
            ]
        );
    }

    #[test]
    fn nothing_costs_less_than_nothing() {
        let rules = vec![
            rule("Voucher", PriceEffect::Fee(-90_000)),
            rule("Cleaning", PriceEffect::Fee(100)),
        ];
        let product = product(rules, vec![tax("City", TaxRate::PerUnit(100))]);
        let lines = thursday(&product);
        assert_eq!(
            shown(&lines),
            [
                ("Check-up", 30_000, true),
                ("Voucher", -30_000, true),
                ("Cleaning", 100, true),
                ("City", 600, true),
            ]
        );
        assert_eq!(price(&product, &lines).unwrap().amount, 700);
    }

    #[test]
    fn taxes_are_contained_or_added() {
        let contained = product(vec![], vec![tax("VAT", TaxRate::Included(1_900))]);
        assert_eq!(
            shown(&thursday(&contained)),
            [("Check-up", 30_000, true), ("VAT", 4_790, false)]
        );
        let added = product(vec![], vec![tax("Sales tax", TaxRate::Added(825))]);
        let lines = thursday(&added);
        assert_eq!(
            shown(&lines),
            [("Check-up", 30_000, true), ("Sales tax", 2_475, true)]
        );
        assert_eq!(price(&added, &lines).unwrap().amount, 32_475);
        // What is on top goes by the net price.
        let both = vec![
            tax("VAT", TaxRate::Included(1_900)),
            tax("Tourism", TaxRate::Added(1_000)),
        ];
        let both = product(vec![], both);
        assert_eq!(shown(&thursday(&both))[2], ("Tourism", 2_521, true));
    }

    #[test]
    fn what_is_had_besides_is_taxed_and_not_discounted() {
        let half = rule("Half", PriceEffect::BasisPoints(-5_000));
        let more = rule("Gift", PriceEffect::Fee(-90_000));
        let tax = tax("Sales tax", TaxRate::Added(1_000));
        let product = product(vec![half, more], vec![tax]);
        let extras = [("Breakfast", 800, 3), ("Map", 0, 1)];
        let extras = extras.map(|(label, price_minor, quantity)| Extra {
            label: label.to_owned(),
            price_minor,
            quantity,
        });
        let units = nights(date(2027, 3, 4), 2);
        let lines = reckon(&product, &places(&product, 1), &extras, None, &units, 0).unwrap();
        assert_eq!(
            shown(&lines),
            [
                ("Check-up", 10_000, true),
                ("Half", -5_000, true),
                ("Gift", -5_000, true),
                ("Breakfast", 2_400, true),
                ("Map", 0, true),
                ("Sales tax", 240, true),
            ]
        );
        assert_eq!((lines[3].count, lines[3].each_minor), (Some(3), Some(800)));
    }

    #[test]
    fn a_voucher_takes_from_all_but_taxes_and_no_more_than_there_is() {
        let product = product(vec![], vec![tax("Tax", TaxRate::Added(1_000))]);
        let of = |discount, least_minor| {
            let voucher = Voucher {
                id: berth_kernel::VoucherId::new(),
                code: "GIFT".to_owned(),
                label: "A gift".to_owned(),
                discount,
                product_ids: vec![],
                valid_from: None,
                valid_until: None,
                least_minor,
                max_uses: None,
                max_per_customer: None,
                active: true,
                version: 1,
                created_at: Timestamp::UNIX_EPOCH,
            };
            let extra = Extra {
                label: "Towel".to_owned(),
                price_minor: 500,
                quantity: 1,
            };
            let units = nights(date(2027, 3, 4), 1);
            reckon(
                &product,
                &places(&product, 1),
                &[extra],
                Some(&voucher),
                &units,
                0,
            )
        };
        let price = |lines: Result<Vec<PriceLine>, Refusal>| {
            price(&product, &lines.unwrap()).unwrap().amount
        };
        // 55.00, and a tenth on top of what is left.
        assert_eq!(price(of(Discount::BasisPoints(2_000), 5_500)), 4_840);
        assert_eq!(price(of(Discount::Amount(500), 0)), 5_500);
        assert_eq!(price(of(Discount::Amount(90_000), 0)), 0);
        let dear = of(Discount::Amount(1), 5_501);
        assert_eq!(dear, Err(Refusal::VoucherLeast));
    }

    #[test]
    fn what_is_paid_can_be_paid_in_its_currency() {
        let mut dinars = product(vec![rule("Less", PriceEffect::BasisPoints(-333))], vec![]);
        dinars.price = Money::new(5_550, "KWD".parse::<Currency>().unwrap());
        let lines = reckon(
            &dinars,
            &places(&dinars, 1),
            &[],
            None,
            &nights(date(2027, 3, 4), 1),
            0,
        )
        .unwrap();
        assert_eq!(shown(&lines)[1], ("Less", -180, true));
        assert!(price(&dinars, &lines).unwrap().is_payable());
    }

    #[test]
    fn hours_go_by_the_clock_and_end_before_their_end() {
        let happy = PriceRule {
            hours: Some(Window {
                starts: time(17, 0, 0, 0),
                ends: time(19, 0, 0, 0),
            }),
            ..rule("Happy hour", PriceEffect::Price(2_500))
        };
        let product = product(vec![happy], vec![]);
        let at = |hour: i8| {
            let begins = [date(2027, 3, 4).at(hour, 0, 0, 0)];
            let lines = reckon(&product, &places(&product, 1), &[], None, &begins, 0).unwrap();
            price(&product, &lines).unwrap().amount
        };
        assert_eq!(
            [at(16), at(17), at(18), at(19)],
            [5_000, 2_500, 2_500, 5_000]
        );
    }

    #[test]
    fn a_night_is_shown_with_what_it_costs_alone() {
        let rules = vec![
            rule("Fair", PriceEffect::BasisPoints(1_000)),
            rule("Linen", PriceEffect::Fee(1_500)),
        ];
        let product = product(rules, vec![tax("City", TaxRate::PerUnit(100))]);
        let at = date(2027, 3, 4).at(0, 0, 0, 0);
        assert_eq!(of_unit(&product, at, 1, 0).amount, 5_500);
    }

    #[test]
    fn more_than_a_booking_may_cost_is_refused() {
        let mut dear = product(vec![], vec![]);
        dear.price.amount = 100_000_000_000;
        let lines = reckon(
            &dear,
            &places(&dear, 10_000),
            &[],
            None,
            &nights(date(2027, 3, 4), 365),
            0,
        );
        let lines = lines.unwrap();
        assert_eq!(price(&dear, &lines), Err(Refusal::PriceTooHigh));
    }
}
