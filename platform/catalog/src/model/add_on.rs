//! What can be had with a product.

use berth_kernel::{AddOnId, Currency, Money, ProductId};
use serde::{Deserialize, Serialize};

use super::{check_product_name, product::check_amount};
use crate::Error;

/// Add-ons of one product.
const MOST_ADD_ONS: usize = 50;

/// Most of one that a booking may have.
const MOST_OF_ONE: i32 = 1_000;

/// Something that can be had with a product, a number of times for a booking.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AddOn {
    /// Its id.
    pub id: AddOnId,
    /// With what.
    pub product_id: ProductId,
    /// Its name.
    pub name: String,
    /// Price of one.
    pub price: Money,
    /// Most of it that one booking may have, 1 to 1,000.
    pub max_quantity: i32,
    /// Whether every booking has some of it.
    pub required: bool,
    /// Whether it can be had now.
    pub active: bool,
    /// Raised by each change.
    pub version: i64,
}

/// An add-on to be made.
#[derive(Clone, Debug)]
pub struct NewAddOn {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// Price of one, in minor units of the product's currency.
    pub price_minor: i64,
    /// Most of it that one booking may have, 1 to 1,000.
    pub max_quantity: i32,
    /// Whether every booking has some of it.
    pub required: bool,
}

/// What may be changed of an add-on; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct AddOnChange {
    /// The version the asker read.
    pub version: i64,
    /// Its name.
    pub name: Option<String>,
    /// Price of one, in minor units.
    pub price_minor: Option<i64>,
    /// Most of it that one booking may have.
    pub max_quantity: Option<i32>,
    /// Whether every booking has some of it.
    pub required: Option<bool>,
    /// Whether it can be had.
    pub active: Option<bool>,
}

/// Refuses what no add-on may be.
pub(crate) fn check(
    name: Option<&str>,
    price_minor: Option<i64>,
    max_quantity: Option<i32>,
    currency: Currency,
) -> Result<(), Error> {
    if let Some(name) = name {
        check_product_name(name)?;
    }
    if let Some(minor) = price_minor {
        check_amount("price_amount", Money::new(minor, currency))?;
    }
    if max_quantity.is_some_and(|most| !(1..=MOST_OF_ONE).contains(&most)) {
        let detail = format!("Must be between 1 and {MOST_OF_ONE}.");
        return Err(Error::invalid("max_quantity", "OUT_OF_RANGE", detail));
    }
    Ok(())
}

/// Refuses one more than a product may have.
pub(crate) fn check_count(add_ons: usize) -> Result<(), Error> {
    if add_ons >= MOST_ADD_ONS {
        let detail = format!("At most {MOST_ADD_ONS} of a product.");
        return Err(Error::invalid("name", "TOO_MANY", detail));
    }
    Ok(())
}
