//! Products as they are asked for and shown.

use berth_catalog::{CancellationTier, Listing, NewProduct, PaymentMode, Product, ProductKind};
use berth_kernel::{Page, Problem};
use berth_web::{
    Refusal, refuse,
    text::{Instant, TimeOfDay},
};
use poem_openapi::{Enum, Object, types::MaybeUndefined};
use uuid::Uuid;

use super::{
    images::Image,
    limits::CustomerLimit,
    pricing::Pricing,
    questions::Question,
    resources::WeeklyRule,
    seat_maps::{PriceOfZone, Seating},
};
use crate::shared::Money;

/// How a product is booked.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename = "ProductKind", rename_all = "snake_case")]
pub enum Kind {
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

/// When a product is paid.
#[derive(Clone, Copy, Debug, Default, Enum)]
#[oai(rename = "PaymentMode", rename_all = "snake_case")]
pub enum PaymentModeName {
    /// When booked.
    #[default]
    Online,
    /// There.
    OnSite,
}

/// What is given back to who cancels at least so many hours before the start.
#[derive(Clone, Copy, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct Tier {
    /// Full hours before the start.
    pub hours_before: u32,
    /// Percent of the price, 0 to 100.
    pub refund_percent: u32,
}

/// A product to be made.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ProductRequest {
    /// How it is booked.
    pub kind: Kind,
    /// Where it stands in the tree.
    pub category_id: Option<Uuid>,
    /// Where it takes place.
    pub location_id: Option<Uuid>,
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// What it is, for customers.
    #[oai(default)]
    pub description: String,
    /// How long it takes, 1 to 1,440 minutes; of a rental, what the price is of: an hour, a day. Not for a stay.
    pub duration_min: Option<i32>,
    /// Distance of possible starts, 1 to 1,440 minutes; the duration unless said. The ends of a rental keep to it
    /// too: 5 at least, the duration is so many of them, and unless said it is half an hour, what is next below,
    /// or the duration. What is taken are whole quarters of an hour.
    pub step_min: Option<i32>,
    /// Minutes the resource is busy before the start.
    #[oai(default)]
    pub buffer_before_min: i32,
    /// Minutes the resource is busy after the end.
    #[oai(default)]
    pub buffer_after_min: i32,
    /// IANA zone of the place; the location's or the business's unless said.
    pub timezone: Option<String>,
    /// Price of one place, of a night, of a unit that is rented, or of one of a party.
    pub price: Money,
    /// When it is paid.
    #[oai(default)]
    pub payment_mode: PaymentModeName,
    /// Most places of one booking, 1 to 10,000; 1 unless said, of a table as many as sit down at any.
    pub max_quantity: Option<i32>,
    /// Least minutes between booking and start.
    #[oai(default)]
    pub min_notice_min: i32,
    /// Days ahead it can be booked, 1 to 1,100; 365 unless said.
    pub window_days: Option<i32>,
    /// Minutes an unpaid booking is held, 1 to 1,440; 15 unless said.
    pub hold_min: Option<i32>,
    /// What cancelling gives back; the tier with most hours first.
    #[oai(default)]
    pub cancellation_policy: Vec<Tier>,
    /// Who can serve an appointment that needs one of them, or the tables; short for a single requirement.
    pub resource_ids: Option<Vec<Uuid>>,
    /// What an appointment takes at once, the first being who it is with.
    pub requirements: Option<Vec<Requirement>>,
    /// What a stay or a rental takes some of.
    pub pool_id: Option<Uuid>,
    /// How the nights of a stay are sold.
    pub stay: Option<StayTerms>,
    /// How the time of a rental is sold.
    pub rental: Option<RentalTerms>,
    /// The numbered seats of its sessions.
    pub seating: Option<Seating>,
    /// What changes the price, and taxes.
    pub pricing: Option<Pricing>,
    /// How often one customer may book it; as often as they like unless said.
    pub customer_limit: Option<CustomerLimit>,
    /// If the business is to be asked first: within how many hours it answers, 1 to 720. Staff need not ask.
    pub approval_hours: Option<i32>,
    /// What is asked of who books, at most 30.
    #[oai(default)]
    pub questions: Vec<Question>,
    /// Whether each place is for somebody who is named.
    #[oai(default)]
    pub names_required: bool,
    /// What it is found by besides its words: at most 20 of letters, digits, hyphens and underscores, up to 40
    /// each. Kept in lower case.
    #[oai(default)]
    pub tags: Vec<String>,
    /// Its name in addresses, unique in the business: lower-case letters, digits and single hyphens between them,
    /// at most 100.
    pub slug: Option<String>,
    /// What search engines show as the title of its page, 1 to 200 characters.
    pub meta_title: Option<String>,
    /// What search engines show below the title, 1 to 500 characters.
    pub meta_description: Option<String>,
}

/// How nights are sold.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct StayTerms {
    /// From when one may come, on the day of arrival.
    pub check_in: TimeOfDay,
    /// By when one has to go, on the day of departure.
    pub check_out: TimeOfDay,
    /// Fewest nights, 1 to 365; 1 unless said.
    #[oai(default = "one")]
    pub min_nights: i32,
    /// Most nights, up to 365; 30 unless said.
    #[oai(default = "month")]
    pub max_nights: i32,
    /// Days on which one may come, ISO: 1 is Monday, 7 is Sunday. All of them if none is named.
    #[oai(default, skip_serializing_if_is_empty)]
    pub arrival_weekdays: Vec<i8>,
}

/// How time with a thing is sold, in units of `duration_min`.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct RentalTerms {
    /// Fewest units; 1 unless said.
    #[oai(default = "one")]
    pub min_units: i32,
    /// Most units; 31 days at most.
    pub max_units: i32,
    /// When things are given out and taken back, in the product's zone; at any time if nothing is said.
    #[oai(default, skip_serializing_if_is_empty)]
    pub opening: Vec<WeeklyRule>,
}

impl From<RentalTerms> for berth_catalog::RentalTerms {
    fn from(terms: RentalTerms) -> Self {
        Self {
            min_units: terms.min_units,
            max_units: terms.max_units,
            opening: terms.opening.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<berth_catalog::RentalTerms> for RentalTerms {
    fn from(terms: berth_catalog::RentalTerms) -> Self {
        Self {
            min_units: terms.min_units,
            max_units: terms.max_units,
            opening: terms.opening.into_iter().map(Into::into).collect(),
        }
    }
}

const fn month() -> i32 {
    30
}

impl From<StayTerms> for berth_catalog::StayTerms {
    fn from(terms: StayTerms) -> Self {
        Self {
            check_in: terms.check_in.0,
            check_out: terms.check_out.0,
            min_nights: terms.min_nights,
            max_nights: terms.max_nights,
            arrival_weekdays: terms.arrival_weekdays,
        }
    }
}

impl From<berth_catalog::StayTerms> for StayTerms {
    fn from(terms: berth_catalog::StayTerms) -> Self {
        Self {
            check_in: terms.check_in.into(),
            check_out: terms.check_out.into(),
            min_nights: terms.min_nights,
            max_nights: terms.max_nights,
            arrival_weekdays: terms.arrival_weekdays,
        }
    }
}

/// So many of some resources, for the whole of an appointment.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct Requirement {
    /// What they are to it, 1 to 100 characters: `dentist`, `room`.
    pub role: String,
    /// How many, 1 to 20; 1 unless said.
    #[oai(default = "one")]
    pub quantity: i32,
    /// Minutes each is busy before the start; the product's unless said.
    #[oai(skip_serializing_if_is_none)]
    pub buffer_before_min: Option<i32>,
    /// Minutes each is busy after the end; the product's unless said.
    #[oai(skip_serializing_if_is_none)]
    pub buffer_after_min: Option<i32>,
    /// Which resources can be that.
    pub resource_ids: Vec<Uuid>,
}

/// Distance of the starts and ends of a rental unless it is said: what its unit is some of, half an hour at most;
/// else all of it.
fn rental_step(unit_min: i32) -> i32 {
    let divides = |step: &i32| unit_min % step == 0;
    (5..=30).rev().find(divides).unwrap_or(unit_min)
}

/// More sit down at no table.
const LARGEST_PARTY: i32 = 1_000;

/// What a night counts as, in minutes.
const NIGHT_MIN: i32 = 1_440;

const fn one() -> i32 {
    1
}

impl From<Requirement> for berth_catalog::Requirement {
    fn from(one: Requirement) -> Self {
        Self {
            role: one.role,
            quantity: one.quantity,
            buffer_before_min: one.buffer_before_min,
            buffer_after_min: one.buffer_after_min,
            resource_ids: one.resource_ids.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<berth_catalog::Requirement> for Requirement {
    fn from(one: berth_catalog::Requirement) -> Self {
        Self {
            role: one.role,
            quantity: one.quantity,
            buffer_before_min: one.buffer_before_min,
            buffer_after_min: one.buffer_after_min,
            resource_ids: one.resource_ids.into_iter().map(Into::into).collect(),
        }
    }
}

/// What is asked for in either way, if it is.
pub(super) fn requirements(
    long: Option<Vec<Requirement>>,
    short: Option<Vec<Uuid>>,
) -> Result<Option<Vec<berth_catalog::Requirement>>, Refusal> {
    match (long, short) {
        (Some(_), Some(_)) => Err(refuse(Problem::field(
            "resource_ids",
            "GIVEN_TWICE",
            "Name `requirements` or `resource_ids`, not both.",
        ))),
        (Some(long), None) => Ok(Some(long.into_iter().map(Into::into).collect())),
        (None, Some(ids)) if ids.is_empty() => Ok(Some(Vec::new())),
        (None, Some(ids)) => {
            let ids = ids.into_iter().map(Into::into).collect();
            Ok(Some(vec![berth_catalog::Requirement::one_of(ids)]))
        }
        (None, None) => Ok(None),
    }
}

impl TryFrom<ProductRequest> for NewProduct {
    type Error = Refusal;

    fn try_from(request: ProductRequest) -> Result<Self, Refusal> {
        let duration_min = match (request.kind, request.duration_min) {
            (Kind::Stay, None) => NIGHT_MIN,
            (Kind::Stay, Some(_)) => {
                let detail = "A stay is as long as its nights.";
                return Err(refuse(Problem::field("duration_min", "WRONG_KIND", detail)));
            }
            (_, Some(minutes)) => minutes,
            (_, None) => {
                let detail = "Say how long it takes.";
                return Err(refuse(Problem::field("duration_min", "REQUIRED", detail)));
            }
        };
        Ok(Self {
            requirements: requirements(request.requirements, request.resource_ids)?
                .unwrap_or_default(),
            kind: request.kind.into(),
            pool_id: request.pool_id.map(Into::into),
            stay: request.stay.map(Into::into),
            rental: request.rental.map(Into::into),
            seating: request.seating.map(Into::into),
            pricing: request.pricing.unwrap_or_default().try_into()?,
            customer_limit: request.customer_limit.map(Into::into),
            approval_hours: request.approval_hours,
            questions: request.questions.into_iter().map(Into::into).collect(),
            names_required: request.names_required,
            tags: request.tags,
            listing: Listing {
                slug: request.slug,
                meta_title: request.meta_title,
                meta_description: request.meta_description,
            },
            category_id: request.category_id.map(Into::into),
            location_id: request.location_id.map(Into::into),
            name: request.name,
            description: request.description,
            duration_min,
            step_min: request.step_min.unwrap_or(match request.kind {
                Kind::Rental => rental_step(duration_min),
                _ => duration_min,
            }),
            buffer_before_min: request.buffer_before_min,
            buffer_after_min: request.buffer_after_min,
            timezone: request.timezone,
            price_minor: request.price.amount,
            currency: request.price.currency.0,
            payment_mode: match request.payment_mode {
                PaymentModeName::Online => PaymentMode::Online,
                PaymentModeName::OnSite => PaymentMode::OnSite,
            },
            max_quantity: request.max_quantity.unwrap_or(match request.kind {
                Kind::Table => LARGEST_PARTY,
                _ => 1,
            }),
            min_notice_min: request.min_notice_min,
            window_days: request.window_days.unwrap_or(365),
            hold_min: request.hold_min.unwrap_or(15),
            cancellation_policy: request
                .cancellation_policy
                .into_iter()
                .map(Into::into)
                .collect(),
        })
    }
}

impl From<Kind> for ProductKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Appointment => Self::Appointment,
            Kind::Session => Self::Session,
            Kind::Stay => Self::Stay,
            Kind::Course => Self::Course,
            Kind::Rental => Self::Rental,
            Kind::Table => Self::Table,
        }
    }
}

impl From<Tier> for CancellationTier {
    fn from(tier: Tier) -> Self {
        Self {
            hours_before: tier.hours_before,
            refund_percent: tier.refund_percent,
        }
    }
}

impl From<CancellationTier> for Tier {
    fn from(tier: CancellationTier) -> Self {
        Self {
            hours_before: tier.hours_before,
            refund_percent: tier.refund_percent,
        }
    }
}

/// What is to be changed of a product; what is left out stays.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ProductEdit {
    /// The version you read.
    pub version: i64,
    /// Its name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Where it stands in the tree; `null` takes it out.
    pub category_id: MaybeUndefined<Uuid>,
    /// Price of one place, in minor units of the business's currency.
    pub price_amount: Option<i64>,
    /// Whether it can be booked.
    pub active: Option<bool>,
    /// Who can serve it, one of them; short for a single requirement.
    pub resource_ids: Option<Vec<Uuid>>,
    /// What it takes at once.
    pub requirements: Option<Vec<Requirement>>,
    /// What seats cost by zone.
    pub zone_prices: Option<Vec<PriceOfZone>>,
    /// What changes the price, and taxes: all of it.
    pub pricing: Option<Pricing>,
    /// Within how many hours the business answers who asks for it; `null` if it need not be asked.
    pub approval_hours: MaybeUndefined<i32>,
    /// What is asked of who books: all of it.
    pub questions: Option<Vec<Question>>,
    /// Whether each place is for somebody who is named.
    pub names_required: Option<bool>,
    /// Its tags: all of them.
    pub tags: Option<Vec<String>>,
    /// Its name in addresses; `null` takes it away.
    pub slug: MaybeUndefined<String>,
    /// What search engines show as the title of its page; `null` takes it away.
    pub meta_title: MaybeUndefined<String>,
    /// What search engines show below the title; `null` takes it away.
    pub meta_description: MaybeUndefined<String>,
}

/// Something that can be booked.
#[derive(Debug, Object)]
#[oai(rename = "Product")]
pub struct ProductAnswer {
    /// Its id.
    pub id: Uuid,
    /// How it is booked.
    pub kind: Kind,
    /// Where it stands in the tree.
    #[oai(skip_serializing_if_is_none)]
    pub category_id: Option<Uuid>,
    /// Where it takes place.
    #[oai(skip_serializing_if_is_none)]
    pub location_id: Option<Uuid>,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// How long it takes, in minutes.
    pub duration_min: i32,
    /// Distance of possible starts, in minutes.
    pub step_min: i32,
    /// Minutes the resource is busy before the start.
    pub buffer_before_min: i32,
    /// Minutes the resource is busy after the end.
    pub buffer_after_min: i32,
    /// IANA zone of the place.
    pub timezone: String,
    /// Price of one place.
    pub price: Money,
    /// When it is paid.
    pub payment_mode: PaymentModeName,
    /// Most places of one booking.
    pub max_quantity: i32,
    /// Least minutes between booking and start.
    pub min_notice_min: i32,
    /// Days ahead it can be booked.
    pub window_days: i32,
    /// Minutes an unpaid booking is held.
    pub hold_min: i32,
    /// What cancelling gives back.
    pub cancellation_policy: Vec<Tier>,
    /// What an appointment takes at once, the first being who it is with.
    #[oai(default, skip_serializing_if_is_empty)]
    pub requirements: Vec<Requirement>,
    /// What a stay or a rental takes some of.
    #[oai(skip_serializing_if_is_none)]
    pub pool_id: Option<Uuid>,
    /// How the nights of a stay are sold.
    #[oai(skip_serializing_if_is_none)]
    pub stay: Option<StayTerms>,
    /// How the time of a rental is sold.
    #[oai(skip_serializing_if_is_none)]
    pub rental: Option<RentalTerms>,
    /// The numbered seats of its sessions.
    #[oai(skip_serializing_if_is_none)]
    pub seating: Option<Seating>,
    /// What changes the price, and taxes.
    pub pricing: Pricing,
    /// How often one customer may book it.
    #[oai(skip_serializing_if_is_none)]
    pub customer_limit: Option<CustomerLimit>,
    /// Within how many hours the business answers who asks for it; what is booked is certain only then.
    #[oai(skip_serializing_if_is_none)]
    pub approval_hours: Option<i32>,
    /// Pictures of it, in the order they are shown.
    #[oai(default, skip_serializing_if_is_empty)]
    pub images: Vec<Image>,
    /// What is asked of who books.
    #[oai(default, skip_serializing_if_is_empty)]
    pub questions: Vec<Question>,
    /// Whether each place is for somebody who is named.
    pub names_required: bool,
    /// What it is found by besides its words.
    #[oai(default, skip_serializing_if_is_empty)]
    pub tags: Vec<String>,
    /// Its name in addresses.
    #[oai(skip_serializing_if_is_none)]
    pub slug: Option<String>,
    /// What search engines show as the title of its page.
    #[oai(skip_serializing_if_is_none)]
    pub meta_title: Option<String>,
    /// What search engines show below the title.
    #[oai(skip_serializing_if_is_none)]
    pub meta_description: Option<String>,
    /// Whether it can be booked.
    pub active: bool,
    /// Raised by each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Instant,
}

impl From<Product> for ProductAnswer {
    fn from(product: Product) -> Self {
        Self {
            id: product.id.into(),
            kind: match product.kind {
                ProductKind::Appointment => Kind::Appointment,
                ProductKind::Session => Kind::Session,
                ProductKind::Stay => Kind::Stay,
                ProductKind::Rental => Kind::Rental,
                ProductKind::Table => Kind::Table,
                ProductKind::Course => Kind::Course,
            },
            pool_id: product.pool_id.map(Into::into),
            stay: product.stay.map(Into::into),
            rental: product.rental.map(Into::into),
            category_id: product.category_id.map(Into::into),
            location_id: product.location_id.map(Into::into),
            name: product.name,
            description: product.description,
            duration_min: product.duration_min,
            step_min: product.step_min,
            buffer_before_min: product.buffer_before_min,
            buffer_after_min: product.buffer_after_min,
            timezone: product.timezone,
            price: product.price.into(),
            payment_mode: match product.payment_mode {
                PaymentMode::Online => PaymentModeName::Online,
                PaymentMode::OnSite => PaymentModeName::OnSite,
            },
            max_quantity: product.max_quantity,
            min_notice_min: product.min_notice_min,
            window_days: product.window_days,
            hold_min: product.hold_min,
            cancellation_policy: product
                .cancellation_policy
                .into_iter()
                .map(Into::into)
                .collect(),
            requirements: product.requirements.into_iter().map(Into::into).collect(),
            seating: product.seating.map(Into::into),
            pricing: product.pricing.into(),
            customer_limit: product.customer_limit.map(Into::into),
            approval_hours: product.approval_hours,
            images: product.images.into_iter().map(Into::into).collect(),
            questions: product.questions.into_iter().map(Into::into).collect(),
            names_required: product.names_required,
            tags: product.tags,
            slug: product.listing.slug,
            meta_title: product.listing.meta_title,
            meta_description: product.listing.meta_description,
            active: product.active,
            version: product.version,
            created_at: product.created_at.into(),
        }
    }
}

/// A page of products.
#[derive(Debug, Object)]
pub struct ProductPage {
    /// The products.
    pub items: Vec<ProductAnswer>,
    /// Where the next page starts; none on the last.
    #[oai(skip_serializing_if_is_none)]
    pub next_cursor: Option<String>,
}

impl<C: std::fmt::Display> From<Page<Product, C>> for ProductPage {
    fn from(page: Page<Product, C>) -> Self {
        Self {
            next_cursor: page.next.map(|next| next.to_string()),
            items: page.items.into_iter().map(Into::into).collect(),
        }
    }
}
