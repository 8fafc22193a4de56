//! What changes a price, as it is asked for and shown.

use berth_catalog::{Bounds, PriceEffect, TaxRate, Window};
use berth_kernel::Problem;
use berth_web::{
    Refusal, refuse,
    text::{Day, TimeOfDay},
};
use poem_openapi::Object;
use uuid::Uuid;

/// What changes the price of a product, and taxes.
#[derive(Clone, Debug, Default, Object)]
#[oai(deny_unknown_fields)]
pub struct Pricing {
    /// What changes the price, at most 100 rules. Their order matters only among those that set a price: the first
    /// that holds counts.
    #[oai(default, skip_serializing_if_is_empty)]
    pub rules: Vec<PriceRule>,
    /// Taxes, at most ten, in the order they are shown.
    #[oai(default, skip_serializing_if_is_empty)]
    pub taxes: Vec<Tax>,
}

/// Something that changes the price where all holds that it names. It says one of `price_amount`, `basis_points`,
/// `amount` and `fee_amount`. Days and hours are judged night by night and unit by unit of what is rented, and by
/// the start of anything else, on the clock of the place.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct PriceRule {
    /// What customers read, 1 to 100 characters.
    pub name: String,
    /// The price of a place, a night or a unit instead of the product's, in minor units.
    #[oai(skip_serializing_if_is_none)]
    pub price_amount: Option<i64>,
    /// Hundredths of a percent of the price, more or less: -1000 is a tenth less.
    #[oai(skip_serializing_if_is_none)]
    pub basis_points: Option<i32>,
    /// Minor units more or less for a place, a night or a unit.
    #[oai(skip_serializing_if_is_none)]
    pub amount: Option<i64>,
    /// Minor units more or less, once for the booking.
    #[oai(skip_serializing_if_is_none)]
    pub fee_amount: Option<i64>,
    /// Only of this variant.
    #[oai(skip_serializing_if_is_none)]
    pub variant_id: Option<Uuid>,
    /// First day.
    #[oai(skip_serializing_if_is_none)]
    pub from: Option<Day>,
    /// Last day.
    #[oai(skip_serializing_if_is_none)]
    pub to: Option<Day>,
    /// Days of the week, ISO: 1 is Monday, 7 is Sunday. All of them if none is named.
    #[oai(default, skip_serializing_if_is_empty)]
    pub weekdays: Vec<i8>,
    /// From this time of the day; named together with `ends`. Not of a stay.
    #[oai(skip_serializing_if_is_none)]
    pub starts: Option<TimeOfDay>,
    /// To this time of the day, exclusive.
    #[oai(skip_serializing_if_is_none)]
    pub ends: Option<TimeOfDay>,
    /// Fewest nights, or units of a rental.
    #[oai(skip_serializing_if_is_none)]
    pub min_units: Option<i32>,
    /// Most nights, or units of a rental.
    #[oai(skip_serializing_if_is_none)]
    pub max_units: Option<i32>,
    /// Fewest places.
    #[oai(skip_serializing_if_is_none)]
    pub min_quantity: Option<i32>,
    /// Most places.
    #[oai(skip_serializing_if_is_none)]
    pub max_quantity: Option<i32>,
    /// Fewest full hours between booking and start: who books early.
    #[oai(skip_serializing_if_is_none)]
    pub min_lead_hours: Option<i32>,
    /// Most full hours between booking and start: who books at the last minute.
    #[oai(skip_serializing_if_is_none)]
    pub max_lead_hours: Option<i32>,
}

/// A tax. It says one of `included_basis_points`, `added_basis_points` and `per_unit_amount`.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct Tax {
    /// What customers read, 1 to 100 characters.
    pub name: String,
    /// Hundredths of a percent the price contains: 1900 is 19 %.
    #[oai(skip_serializing_if_is_none)]
    pub included_basis_points: Option<i32>,
    /// Hundredths of a percent on top of the net price.
    #[oai(skip_serializing_if_is_none)]
    pub added_basis_points: Option<i32>,
    /// Minor units on top, for each place and each night or unit.
    #[oai(skip_serializing_if_is_none)]
    pub per_unit_amount: Option<i64>,
}

fn wrong_shape(field: &'static str, detail: &'static str) -> Refusal {
    refuse(Problem::field(field, "WRONG_SHAPE", detail))
}

impl TryFrom<Pricing> for berth_catalog::Pricing {
    type Error = Refusal;

    fn try_from(pricing: Pricing) -> Result<Self, Refusal> {
        let rules = pricing.rules.into_iter().map(TryInto::try_into);
        let taxes = pricing.taxes.into_iter().map(TryInto::try_into);
        Ok(Self {
            rules: rules.collect::<Result<_, _>>()?,
            taxes: taxes.collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<PriceRule> for berth_catalog::PriceRule {
    type Error = Refusal;

    fn try_from(rule: PriceRule) -> Result<Self, Refusal> {
        let said = (
            rule.price_amount,
            rule.basis_points,
            rule.amount,
            rule.fee_amount,
        );
        let effect = match said {
            (Some(price), None, None, None) => PriceEffect::Price(price),
            (None, Some(points), None, None) => PriceEffect::BasisPoints(points),
            (None, None, Some(amount), None) => PriceEffect::Amount(amount),
            (None, None, None, Some(amount)) => PriceEffect::Fee(amount),
            _ => {
                return Err(wrong_shape(
                    "pricing.rules",
                    "A rule says one of `price_amount`, `basis_points`, `amount` and `fee_amount`.",
                ));
            }
        };
        let hours = match (rule.starts, rule.ends) {
            (Some(starts), Some(ends)) => Some(Window {
                starts: starts.0,
                ends: ends.0,
            }),
            (None, None) => None,
            _ => {
                let detail = "Name `starts` and `ends`, or neither.";
                return Err(wrong_shape("pricing.rules.ends", detail));
            }
        };
        let bounds = |min, max| Bounds { min, max };
        Ok(Self {
            name: rule.name,
            effect,
            variant_id: rule.variant_id,
            from: rule.from.map(|day| day.0),
            to: rule.to.map(|day| day.0),
            weekdays: rule.weekdays,
            hours,
            units: bounds(rule.min_units, rule.max_units),
            quantity: bounds(rule.min_quantity, rule.max_quantity),
            lead_hours: bounds(rule.min_lead_hours, rule.max_lead_hours),
        })
    }
}

impl TryFrom<Tax> for berth_catalog::Tax {
    type Error = Refusal;

    fn try_from(tax: Tax) -> Result<Self, Refusal> {
        let said = (
            tax.included_basis_points,
            tax.added_basis_points,
            tax.per_unit_amount,
        );
        let rate = match said {
            (Some(points), None, None) => TaxRate::Included(points),
            (None, Some(points), None) => TaxRate::Added(points),
            (None, None, Some(amount)) => TaxRate::PerUnit(amount),
            _ => {
                return Err(wrong_shape(
                    "pricing.taxes",
                    "A tax says one of `included_basis_points`, `added_basis_points` and `per_unit_amount`.",
                ));
            }
        };
        Ok(Self {
            name: tax.name,
            rate,
        })
    }
}

impl From<berth_catalog::Pricing> for Pricing {
    fn from(pricing: berth_catalog::Pricing) -> Self {
        Self {
            rules: pricing.rules.into_iter().map(Into::into).collect(),
            taxes: pricing.taxes.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<berth_catalog::PriceRule> for PriceRule {
    fn from(rule: berth_catalog::PriceRule) -> Self {
        let (mut price_amount, mut basis_points, mut amount, mut fee_amount) =
            (None, None, None, None);
        match rule.effect {
            PriceEffect::Price(value) => price_amount = Some(value),
            PriceEffect::BasisPoints(value) => basis_points = Some(value),
            PriceEffect::Amount(value) => amount = Some(value),
            PriceEffect::Fee(value) => fee_amount = Some(value),
        }
        Self {
            name: rule.name,
            price_amount,
            basis_points,
            amount,
            fee_amount,
            variant_id: rule.variant_id,
            from: rule.from.map(Into::into),
            to: rule.to.map(Into::into),
            weekdays: rule.weekdays,
            starts: rule.hours.map(|hours| hours.starts.into()),
            ends: rule.hours.map(|hours| hours.ends.into()),
            min_units: rule.units.min,
            max_units: rule.units.max,
            min_quantity: rule.quantity.min,
            max_quantity: rule.quantity.max,
            min_lead_hours: rule.lead_hours.min,
            max_lead_hours: rule.lead_hours.max,
        }
    }
}

impl From<berth_catalog::Tax> for Tax {
    fn from(tax: berth_catalog::Tax) -> Self {
        let (included, added, per_unit) = match tax.rate {
            TaxRate::Included(points) => (Some(points), None, None),
            TaxRate::Added(points) => (None, Some(points), None),
            TaxRate::PerUnit(amount) => (None, None, Some(amount)),
        };
        Self {
            name: tax.name,
            included_basis_points: included,
            added_basis_points: added,
            per_unit_amount: per_unit,
        }
    }
}
