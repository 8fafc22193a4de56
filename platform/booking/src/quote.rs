//! What a wish costs, before and when it is booked.

use berth_access::{Context, Permission};
use berth_catalog::{AddOn, Offering, ProductKind, rental_end};
use berth_kernel::Money;
use jiff::{Timestamp, civil::DateTime};

use crate::{
    AddOnAsked, Bookings, Error, NewBooking, Refusal,
    decide::{Known, Plan, decide},
    model::{
        price::{self, Extra, Part, PriceLine},
        vouchers::{self, VoucherState},
    },
};

/// What a wish costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// When it would begin.
    pub starts_at: Timestamp,
    /// When it would end, exclusive.
    pub ends_at: Timestamp,
    /// How the price comes about.
    pub lines: Vec<PriceLine>,
    /// What is to be paid.
    pub price: Money,
}

impl Bookings {
    /// What a wish costs now, whether it is free or not.
    ///
    /// # Errors
    /// As booking it, but for those about what is taken.
    pub async fn quote(&self, ctx: &Context, wish: &NewBooking) -> Result<Quote, Error> {
        ctx.authorize(Permission::AvailabilityRead)
            .map_err(Error::Denied)?;
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let (offering, before) = self.look(&mut tx, ctx, wish, None).await?;
        tx.rollback().await?;
        let now = ctx.clock.now();
        let voucher = before.known.voucher.clone();
        let plan = match decide(&offering, wish, &before.known, now)? {
            Some(plan) => Some(plan),
            None => decide(&offering, wish, &nothing_taken(before.known), now)?,
        };
        // Not even with everything free.
        let plan = plan.ok_or(Refusal::Quantity)?;
        let lines = lines(&offering, wish, &plan, voucher.as_ref(), now)?;
        Ok(Quote {
            starts_at: plan.starts_at,
            ends_at: plan.ends_at,
            price: price::price(&offering.product, &lines)?,
            lines,
        })
    }
}

/// The same with all places free.
fn nothing_taken(known: Known) -> Known {
    Known {
        session: known.session.map(|mut session| {
            session.free = i32::MAX;
            session
        }),
        group: known.group.map(|mut group| {
            group.free = i32::MAX;
            group
        }),
        ..Known::default()
    }
}

/// How the price of a plan comes about.
pub(crate) fn lines(
    offering: &Offering,
    new: &NewBooking,
    plan: &Plan,
    voucher: Option<&VoucherState>,
    now: Timestamp,
) -> Result<Vec<PriceLine>, Refusal> {
    let voucher = vouchers::held(offering, new.voucher.as_deref(), voucher, now)?;
    let lead_hours = price::lead_hours(plan.starts_at, now);
    let parts = parts(offering, new, plan);
    let extras = extras(offering, new)?;
    price::reckon(
        &offering.product,
        &parts,
        &extras,
        voucher,
        &begins(offering, plan),
        lead_hours,
    )
}

/// When each night or unit begins by the clock of the place, or when all begins.
fn begins(offering: &Offering, plan: &Plan) -> Vec<DateTime> {
    let start = offering.timezone.to_datetime(plan.starts_at);
    match offering.product.kind {
        ProductKind::Stay => {
            let days = std::iter::successors(Some(start.date()), |day| day.tomorrow().ok());
            let nights = usize::try_from(plan.times).unwrap_or(0);
            days.take(nights).map(|day| day.at(0, 0, 0, 0)).collect()
        }
        ProductKind::Rental => {
            let unit_min = offering.product.duration_min;
            let begin = |unit: i32| {
                let minutes = i64::from(unit) * i64::from(unit_min);
                let at = rental_end(&offering.timezone, unit_min, plan.starts_at, minutes)?;
                Some(offering.timezone.to_datetime(at))
            };
            (0..plan.times)
                .map(|unit| begin(unit).unwrap_or(start))
                .collect()
        }
        _ => vec![start],
    }
}

/// The places by what they cost.
fn parts(offering: &Offering, new: &NewBooking, plan: &Plan) -> Vec<Part> {
    let product = &offering.product;
    let variant = |id| offering.variants.iter().find(|variant| variant.id == id);
    if let Some(seating) = offering.seating.as_ref().filter(|_| !plan.seats.is_empty()) {
        let mut parts: Vec<Part> = Vec::new();
        for seat in &plan.seats {
            let row = seating.seat(seat.seat_id).map(|(row, _)| row);
            let form = seat.variant_id.and_then(variant);
            let zone = row.map_or("", |row| row.row.zone.as_str());
            let label = match form {
                Some(form) => format!("{zone}, {}", form.name),
                None => zone.to_owned(),
            };
            let price = row.and_then(|row| row.price_minor);
            let price = price.or(form.map(|form| form.price.amount));
            let price_minor = price.unwrap_or(product.price.amount);
            let same = |part: &&mut Part| {
                part.label == label
                    && part.variant == seat.variant_id
                    && part.price_minor == price_minor
            };
            match parts.iter_mut().find(same) {
                Some(part) => part.places += 1,
                None => parts.push(Part {
                    label,
                    variant: seat.variant_id,
                    price_minor,
                    places: 1,
                }),
            }
        }
        return parts;
    }
    if new.variants.is_empty() {
        return vec![Part {
            label: product.name.clone(),
            variant: None,
            price_minor: product.price.amount,
            places: new.quantity,
        }];
    }
    let part = |asked: &crate::VariantAsked| {
        let form = variant(asked.variant_id)?;
        Some(Part {
            label: form.name.clone(),
            variant: Some(form.id),
            price_minor: form.price.amount,
            places: asked.quantity,
        })
    };
    new.variants.iter().filter_map(part).collect()
}

/// What is had besides the places, or the rule that is in the way of it.
fn extras(offering: &Offering, new: &NewBooking) -> Result<Vec<Extra>, Refusal> {
    let asked = |id| new.add_ons.iter().filter(move |one| one.add_on_id == id);
    let missing = |add_on: &AddOn| add_on.required && asked(add_on.id).next().is_none();
    let extra = |one: &AddOnAsked| {
        let mut known = offering.add_ons.iter();
        let add_on = known.find(|add_on| add_on.id == one.add_on_id);
        let add_on = add_on.filter(|add_on| asked(add_on.id).count() == 1);
        let add_on = add_on.ok_or(Refusal::WrongAddOn)?;
        if !(1..=add_on.max_quantity).contains(&one.quantity) {
            return Err(Refusal::AddOnQuantity);
        }
        Ok(Extra {
            label: add_on.name.clone(),
            price_minor: add_on.price.amount,
            quantity: one.quantity,
        })
    };
    let extras: Result<Vec<Extra>, Refusal> = new.add_ons.iter().map(extra).collect();
    match extras {
        Ok(_) if offering.add_ons.iter().any(missing) => Err(Refusal::AddOnRequired),
        other => other,
    }
}

/// Refuses forms the product does not have, and such as do not come to the places asked for.
pub(crate) fn check_variants(offering: &Offering, new: &NewBooking) -> Result<(), Refusal> {
    let known = |id| offering.variants.iter().any(|variant| variant.id == id);
    let of_seats = new.seats.iter().filter_map(|seat| seat.variant_id);
    if !of_seats.clone().all(known) || !new.variants.iter().all(|one| known(one.variant_id)) {
        return Err(Refusal::WrongVariant);
    }
    if new.variants.is_empty() {
        return Ok(());
    }
    let places: i64 = new.variants.iter().map(|one| i64::from(one.quantity)).sum();
    let whole = new.variants.iter().all(|one| one.quantity > 0);
    // Of numbered seats it is said seat by seat.
    if !whole || places != i64::from(new.quantity) || offering.seating.is_some() {
        return Err(Refusal::VariantPlaces);
    }
    Ok(())
}
