//! What is looked for when it is asked what is free.

use berth_catalog::{Offering, RentalTerms};
use berth_kernel::ResourceId;

use crate::{Error, NewBooking, When, model::rentals::Period};

/// What is asked about, besides product and days.
#[derive(Clone, Copy, Debug, Default)]
pub struct SlotsAsked {
    /// Only the times with this one.
    pub resource: Option<ResourceId>,
    /// For how many units something is to be rented; as few as one may unless said.
    pub units: Option<i32>,
    /// For how many places, or for a party of how many; one unless said.
    pub quantity: Option<i32>,
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) long: Long,
    pub(crate) quantity: i32,
}

/// How long a rental is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Long {
    /// As short as may be.
    Least,
    /// So many units.
    Units(i32),
    /// As long as this, or as it may be.
    As(Period),
}

impl From<SlotsAsked> for Wanted {
    fn from(asked: SlotsAsked) -> Self {
        Self {
            long: asked.units.map_or(Long::Least, Long::Units),
            quantity: asked.quantity.unwrap_or(1),
        }
    }
}

impl Wanted {
    pub(crate) fn of(wish: &NewBooking) -> Self {
        let long = match wish.when {
            When::Period(period) => Long::As(period),
            _ => Long::Least,
        };
        Self {
            long,
            quantity: wish.quantity,
        }
    }
}

impl Long {
    /// In the way the product's units are counted.
    pub(crate) fn minutes(self, offering: &Offering, terms: &RentalTerms) -> Result<i64, Error> {
        let unit = i64::from(offering.product.duration_min);
        let (least, most) = (i64::from(terms.min_units), i64::from(terms.max_units));
        match self {
            Self::Least => Ok(least * unit),
            Self::Units(units) if (least..=most).contains(&i64::from(units)) => {
                Ok(i64::from(units) * unit)
            }
            Self::Units(_) => {
                let detail = "It is not rented for so many.";
                Err(Error::invalid("units", "OUT_OF_RANGE", detail))
            }
            Self::As(period) => {
                let step = i64::from(offering.product.step_min);
                let minutes = period.minutes(offering).unwrap_or(0);
                let minutes = (minutes + step - 1) / step * step;
                // A begun unit is a whole one.
                match minutes > (least - 1) * unit {
                    true => Ok(minutes.min(most * unit)),
                    false => Ok(least * unit),
                }
            }
        }
    }
}
