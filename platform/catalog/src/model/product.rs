//! Products, and what makes one bookable.

use berth_kernel::{CategoryId, Currency, LocationId, Money, PoolId, ProductId};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{
    CustomerLimit, Image, Listing, ListingChange, Pricing, Question, RentalTerms, Requirement,
    Seating, SoldBy, StayTerms, ZonePrice, check_requirements, check_zone_prices, pricing,
    question,
};
use crate::Error;

/// How a product is booked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductKind {
    /// A time with one of its resources.
    Appointment,
    /// Places of a dated session.
    Session,
    /// Nights with one of a pool.
    Stay,
    /// Places of all sessions of a group.
    Course,
    /// Time with some of a pool.
    Rental,
    /// A table for a party, or tables put together.
    Table,
}

impl ProductKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Appointment => "appointment",
            Self::Session => "session",
            Self::Stay => "stay",
            Self::Course => "course",
            Self::Rental => "rental",
            Self::Table => "table",
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "session" => Self::Session,
            "stay" => Self::Stay,
            "course" => Self::Course,
            "rental" => Self::Rental,
            "table" => Self::Table,
            _ => Self::Appointment,
        }
    }

    /// How what it takes of a pool is sold, if it takes any.
    #[must_use]
    pub const fn sold_by(self) -> Option<SoldBy> {
        match self {
            Self::Stay => Some(SoldBy::Night),
            Self::Rental => Some(SoldBy::Time),
            Self::Appointment | Self::Session | Self::Course | Self::Table => None,
        }
    }
}

/// When a product is paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMode {
    /// When booked; the booking is held until then.
    Online,
    /// There; the booking is confirmed at once.
    OnSite,
}

impl PaymentMode {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::OnSite => "on_site",
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        if text == "on_site" {
            Self::OnSite
        } else {
            Self::Online
        }
    }
}

/// What is given back to who cancels at least so many hours before the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CancellationTier {
    /// Full hours before the start.
    pub hours_before: u32,
    /// Percent of the price, 0 to 100.
    pub refund_percent: u32,
}

/// Something that can be booked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// How it is booked.
    pub kind: ProductKind,
    /// Where it stands in the tree.
    pub category_id: Option<CategoryId>,
    /// Where it takes place.
    #[serde(default)]
    pub location_id: Option<LocationId>,
    /// Its name.
    pub name: String,
    /// What it is, for customers.
    pub description: String,
    /// How long it takes; of a rental, what the price is of.
    pub duration_min: i32,
    /// Distance of possible starts.
    pub step_min: i32,
    /// Time the resource is busy before the start.
    pub buffer_before_min: i32,
    /// Time the resource is busy after the end.
    pub buffer_after_min: i32,
    /// IANA zone of where it takes place.
    pub timezone: String,
    /// Price of one place.
    pub price: Money,
    /// When it is paid.
    pub payment_mode: PaymentMode,
    /// Most places one booking may take.
    pub max_quantity: i32,
    /// Least time between booking and start.
    pub min_notice_min: i32,
    /// How many days ahead it can be booked.
    pub window_days: i32,
    /// How long an unpaid booking is held.
    pub hold_min: i32,
    /// What cancelling gives back; the tier with most hours first.
    pub cancellation_policy: Vec<CancellationTier>,
    /// What an appointment takes at once; the first is who it is with.
    #[serde(default)]
    pub requirements: Vec<Requirement>,
    /// What a stay or a rental takes some of.
    pub pool_id: Option<PoolId>,
    /// How nights are sold, of a stay.
    pub stay: Option<StayTerms>,
    /// How time is sold, of a rental.
    #[serde(default)]
    pub rental: Option<RentalTerms>,
    /// The numbered seats of its sessions.
    #[serde(default)]
    pub seating: Option<Seating>,
    /// What changes the price, and taxes.
    #[serde(default)]
    pub pricing: Pricing,
    /// How often one customer may book it; as often as they like if nothing is said.
    #[serde(default)]
    pub customer_limit: Option<CustomerLimit>,
    /// Within how many hours the business says yes to who asks for it; none if it need not be asked.
    #[serde(default)]
    pub approval_hours: Option<i32>,
    /// Pictures of it, in their order.
    #[serde(default)]
    pub images: Vec<Image>,
    /// What is asked of who books.
    #[serde(default)]
    pub questions: Vec<Question>,
    /// Whether each place is for somebody who is named.
    #[serde(default)]
    pub names_required: bool,
    /// What it is found by besides its words: in lower case, in their order.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Its name in addresses, and what search engines show.
    #[serde(default)]
    pub listing: Listing,
    /// Whether it can be booked now.
    pub active: bool,
    /// Raised by each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A product to be made.
#[derive(Clone, Debug)]
pub struct NewProduct {
    /// How it is booked.
    pub kind: ProductKind,
    /// Where it stands in the tree.
    pub category_id: Option<CategoryId>,
    /// Where it takes place.
    pub location_id: Option<LocationId>,
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// What it is, for customers.
    pub description: String,
    /// 1 to 1,440.
    pub duration_min: i32,
    /// 1 to 1,440.
    pub step_min: i32,
    /// 0 to 1,440.
    pub buffer_before_min: i32,
    /// 0 to 1,440.
    pub buffer_after_min: i32,
    /// IANA zone; the location's or the tenant's if none is given.
    pub timezone: Option<String>,
    /// Minor units of the tenant's currency.
    pub price_minor: i64,
    /// Must be the tenant's.
    pub currency: Currency,
    /// When it is paid.
    pub payment_mode: PaymentMode,
    /// 1 to 10,000.
    pub max_quantity: i32,
    /// 0 to a year.
    pub min_notice_min: i32,
    /// 1 to 1,100.
    pub window_days: i32,
    /// 1 to 1,440.
    pub hold_min: i32,
    /// At most ten tiers.
    pub cancellation_policy: Vec<CancellationTier>,
    /// What an appointment takes at once; the first is who it is with.
    pub requirements: Vec<Requirement>,
    /// What a stay or a rental takes some of.
    pub pool_id: Option<PoolId>,
    /// How nights are sold, of a stay.
    pub stay: Option<StayTerms>,
    /// How time is sold, of a rental.
    pub rental: Option<RentalTerms>,
    /// The numbered seats of its sessions; of a session's product, and of nothing else.
    pub seating: Option<Seating>,
    /// What changes the price, and taxes.
    pub pricing: Pricing,
    /// How often one customer may book it.
    pub customer_limit: Option<CustomerLimit>,
    /// Within how many hours the business says yes to who asks for it, 1 to 720; none if it need not be asked.
    pub approval_hours: Option<i32>,
    /// What is asked of who books, at most 30.
    pub questions: Vec<Question>,
    /// Whether each place is for somebody who is named.
    pub names_required: bool,
    /// At most 20 of letters, digits, hyphens and underscores.
    pub tags: Vec<String>,
    /// Its name in addresses, and what search engines show.
    pub listing: Listing,
}

/// What may be changed of a product; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct ProductChange {
    /// The version the asker read.
    pub version: i64,
    /// Its name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Where it stands in the tree; `Some(None)` takes it out.
    pub category_id: Option<Option<CategoryId>>,
    /// Price of one place, in minor units.
    pub price_minor: Option<i64>,
    /// Whether it can be booked.
    pub active: Option<bool>,
    /// What an appointment takes at once.
    pub requirements: Option<Vec<Requirement>>,
    /// What seats cost by zone.
    pub zone_prices: Option<Vec<ZonePrice>>,
    /// What changes the price, and taxes.
    pub pricing: Option<Pricing>,
    /// Within how many hours the business says yes to who asks for it; `Some(None)` if it need not be asked.
    pub approval_hours: Option<Option<i32>>,
    /// What is asked of who books, all of it.
    pub questions: Option<Vec<Question>>,
    /// Whether each place is for somebody who is named.
    pub names_required: Option<bool>,
    /// Its tags, all of them.
    pub tags: Option<Vec<String>>,
    /// Its name in addresses, and what search engines show.
    pub listing: ListingChange,
}

/// A form of a product with its own price.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Variant {
    /// Its id.
    pub id: uuid::Uuid,
    /// Whose form it is.
    pub product_id: ProductId,
    /// Its name.
    pub name: String,
    /// Price of one place.
    pub price: Money,
    /// Whether it can be booked.
    pub active: bool,
}

/// What may be changed of a variant; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct VariantChange {
    /// Its name.
    pub name: Option<String>,
    /// Price of one place, in minor units.
    pub price_minor: Option<i64>,
    /// Whether it can be booked.
    pub active: Option<bool>,
}

pub(crate) const MAX_PRICE_MINOR: i64 = 100_000_000_000;

/// Refuses what no product may be.
pub(crate) fn check(new: &NewProduct, tenant_currency: Currency) -> Result<(), Error> {
    check_name(&new.name)?;
    check_description(&new.description)?;
    let ranges = [
        ("duration_min", new.duration_min, 1, 1_440),
        ("step_min", new.step_min, 1, 1_440),
        ("buffer_before_min", new.buffer_before_min, 0, 1_440),
        ("buffer_after_min", new.buffer_after_min, 0, 1_440),
        ("max_quantity", new.max_quantity, 1, 10_000),
        ("min_notice_min", new.min_notice_min, 0, 525_600),
        ("window_days", new.window_days, 1, 1_100),
        ("hold_min", new.hold_min, 1, 1_440),
    ];
    for (field, value, least, most) in ranges {
        if !(least..=most).contains(&value) {
            let detail = format!("Must be between {least} and {most}.");
            return Err(Error::invalid(field, "OUT_OF_RANGE", detail));
        }
    }
    check_price(Money::new(new.price_minor, tenant_currency))?;
    if new.currency != tenant_currency {
        let detail = format!("This business prices in {tenant_currency}.");
        return Err(Error::invalid(
            "price.currency",
            "CURRENCY_MISMATCH",
            detail,
        ));
    }
    if let Some(zone) = &new.timezone {
        check_timezone(zone)?;
    }
    check_requirements(&new.requirements)?;
    check_terms(new)?;
    pricing::check(&new.pricing, new.kind, new.max_quantity, new.currency)?;
    if let Some(limit) = new.customer_limit {
        limit.check()?;
    }
    check_approval(new.approval_hours)?;
    question::check(&new.questions)?;
    new.listing.check()?;
    if let Some(seating) = &new.seating {
        if new.kind != ProductKind::Session {
            let detail = "Only sessions have numbered seats.";
            return Err(Error::invalid("seating", "WRONG_KIND", detail));
        }
        check_zone_prices(&seating.zone_prices, new.currency)?;
    }
    check_policy(&new.cancellation_policy)
}

/// Refuses a time to answer that nobody could keep, or would wait for.
pub(crate) fn check_approval(hours: Option<i32>) -> Result<(), Error> {
    if hours.is_none_or(|hours| (1..=720).contains(&hours)) {
        return Ok(());
    }
    let detail = "Must be between 1 and 720.";
    Err(Error::invalid("approval_hours", "OUT_OF_RANGE", detail))
}

/// Refuses a stay or a rental without its terms or its pool, and those of anything else.
fn check_terms(new: &NewProduct) -> Result<(), Error> {
    let required = |field, detail: &str| Err(Error::invalid(field, "REQUIRED", detail));
    let wrong_kind = |field, detail: &str| Err(Error::invalid(field, "WRONG_KIND", detail));
    if new.stay.is_some() && new.kind != ProductKind::Stay {
        return wrong_kind("stay", "Only for a stay.");
    }
    if new.rental.is_some() && new.kind != ProductKind::Rental {
        return wrong_kind("rental", "Only for a rental.");
    }
    match (new.kind, &new.stay, &new.rental) {
        (ProductKind::Stay, Some(terms), _) => super::stay::check(terms)?,
        (ProductKind::Stay, None, _) => return required("stay", "Say how nights are sold."),
        (ProductKind::Rental, _, Some(terms)) => {
            super::rental::check(terms, new.duration_min, new.step_min)?
        }
        (ProductKind::Rental, _, None) => return required("rental", "Say how time is sold."),
        _ => {}
    }
    match (new.kind.sold_by(), new.pool_id) {
        (None, Some(_)) => wrong_kind("pool_id", "Only for a stay or a rental."),
        (Some(_), None) => required("pool_id", "Name what it takes some of."),
        _ => check_taken(new.kind, &new.requirements),
    }
}

/// Refuses requirements that something of that kind cannot have.
pub(crate) fn check_taken(kind: ProductKind, requirements: &[Requirement]) -> Result<(), Error> {
    let refuse = |detail: &str| Err(Error::invalid("requirements", "WRONG_KIND", detail));
    if kind.sold_by().is_some() && !requirements.is_empty() {
        return refuse("It takes some of its pool, and nothing else.");
    }
    let one = matches!(requirements, [one] if one.quantity == 1);
    if kind == ProductKind::Table && requirements.is_empty() {
        let detail = "Name the tables.";
        return Err(Error::invalid("requirements", "REQUIRED", detail));
    }
    if kind == ProductKind::Table && !one {
        return refuse("A party takes one of some tables, and nothing else.");
    }
    Ok(())
}

pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    if name.trim().is_empty() || name.chars().count() > 200 {
        return Err(Error::invalid(
            "name",
            "INVALID_NAME",
            "Must have 1 to 200 characters.",
        ));
    }
    Ok(())
}

pub(crate) fn check_description(description: &str) -> Result<(), Error> {
    if description.chars().count() > 10_000 {
        let detail = "At most 10,000 characters.";
        return Err(Error::invalid("description", "TOO_LONG", detail));
    }
    Ok(())
}

pub(crate) fn check_price(price: Money) -> Result<(), Error> {
    check_amount("price.amount", price)
}

/// Refuses an amount nobody could pay; `field` is its.
pub(super) fn check_amount(field: &'static str, amount: Money) -> Result<(), Error> {
    if !amount.is_payable() {
        let detail = format!("{amount} cannot be paid: the last decimal must be 0.");
        return Err(Error::invalid(field, "NOT_PAYABLE", detail));
    }
    if !(0..=MAX_PRICE_MINOR).contains(&amount.amount) {
        let detail = "No price this platform takes.";
        return Err(Error::invalid(field, "OUT_OF_RANGE", detail));
    }
    Ok(())
}

pub(crate) fn check_timezone(zone: &str) -> Result<(), Error> {
    TimeZone::get(zone)
        .map(drop)
        .map_err(|_| Error::invalid("timezone", "UNKNOWN_TIMEZONE", "Must be an IANA time zone."))
}

fn check_policy(tiers: &[CancellationTier]) -> Result<(), Error> {
    let falling = tiers
        .windows(2)
        .all(|pair| pair[0].hours_before > pair[1].hours_before);
    if tiers.len() > 10 || !falling || tiers.iter().any(|tier| tier.refund_percent > 100) {
        let detail = "At most ten tiers, hours falling, percent from 0 to 100.";
        return Err(Error::invalid(
            "cancellation_policy",
            "INVALID_POLICY",
            detail,
        ));
    }
    Ok(())
}
