//! What is free.

mod writer;

use std::collections::BTreeMap;

use berth_booking::{Night, Quote, Reason, Slot, SlotsAsked};
use berth_kernel::Problem;
use berth_web::{
    Refusal, Visitor, Written, refuse,
    text::{Day, Instant, local},
};
use jiff::tz::TimeZone;
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{
    Api,
    bookings::{
        AddOnChoice, BookingRequest, PriceLineAnswer, SeatRequest, VariantPlaces, price_lines,
    },
    shared::{Money, Tag},
};

/// A free time, or a session with free places.
#[derive(Debug, Object)]
#[oai(rename = "Slot")]
pub struct SlotAnswer {
    /// Start.
    pub starts_at: Instant,
    /// End, exclusive.
    pub ends_at: Instant,
    /// Start as the clock on the wall shows it, in the zone asked for or the product's.
    pub local_start: String,
    /// Who and what is free, of all an appointment may take; which tables, of all that would do.
    #[oai(default, skip_serializing_if_is_empty)]
    pub resource_ids: Vec<Uuid>,
    /// The session.
    #[oai(skip_serializing_if_is_none)]
    pub session_id: Option<Uuid>,
    /// The sessions booked together, of a course.
    #[oai(skip_serializing_if_is_none)]
    pub session_group_id: Option<Uuid>,
    /// The best numbered seats that are left, where the session asked for is named again.
    #[oai(default, skip_serializing_if_is_empty)]
    pub seat_ids: Vec<i32>,
    /// Free places; of an appointment, how many could be served at once; of tables, how many such parties at
    /// least.
    pub free: i32,
}

/// Free times.
#[derive(Debug, Object)]
pub struct Slots {
    /// IANA zone of `local_start`.
    pub timezone: String,
    /// In the order of their starts.
    pub slots: Vec<SlotAnswer>,
}

/// How much is free on a day.
#[derive(Debug, Object)]
#[oai(rename = "DayAvailability")]
pub struct DayAnswer {
    /// The day, in the product's zone.
    pub day: Day,
    /// Starts, sessions or times with something free.
    pub slots: u32,
}

/// Days.
#[derive(Debug, Object)]
pub struct Days {
    /// Every day asked for, in order.
    pub days: Vec<DayAnswer>,
}

/// A night of a stay.
#[derive(Debug, Object)]
#[oai(rename = "Night")]
pub struct NightAnswer {
    /// The day it begins on.
    pub day: Day,
    /// How many are free.
    pub free: i32,
    /// Whether one may come on that day, and stay for as long as one has to.
    pub arrival: bool,
    /// What it costs for one, were as few nights as may be booked now; without fees and taxes on top.
    pub price: Money,
}

/// Nights.
#[derive(Debug, Object)]
pub struct Nights {
    /// Every night asked for, in order.
    pub nights: Vec<NightAnswer>,
}

/// Whether something can be booked now.
#[derive(Debug, Object)]
#[oai(rename = "AvailabilityCheck")]
pub struct CheckAnswer {
    /// Whether it is free.
    pub available: bool,
    /// Code of the rule in the way, or `TAKEN`.
    #[oai(skip_serializing_if_is_none)]
    pub reason: Option<String>,
    /// The nearest free ones.
    pub alternatives: Vec<SlotAnswer>,
}

/// Whether something can be booked now, and all that is in the way.
#[derive(Debug, Object)]
pub struct Explanation {
    /// Whether it can.
    pub available: bool,
    /// What is in the way: first what booking it would answer.
    pub reasons: Vec<ReasonAnswer>,
}

/// One thing in the way.
#[derive(Debug, Object)]
#[oai(rename = "Reason")]
pub struct ReasonAnswer {
    /// Stable code of the rule; `TAKEN` for what somebody has.
    pub code: String,
    /// What it is about, as booking names it.
    pub field: String,
    /// A sentence.
    pub detail: String,
    /// Of which resource it is said.
    #[oai(skip_serializing_if_is_none)]
    pub resource_id: Option<Uuid>,
    /// From when on something could be had, or is taken, or somebody is there on that day.
    #[oai(skip_serializing_if_is_none)]
    pub from: Option<Instant>,
    /// Until when, exclusive.
    #[oai(skip_serializing_if_is_none)]
    pub to: Option<Instant>,
    /// How many there are to be had.
    #[oai(skip_serializing_if_is_none)]
    pub free: Option<i32>,
}

impl From<Reason> for ReasonAnswer {
    fn from(reason: Reason) -> Self {
        Self {
            code: reason.code.to_owned(),
            field: reason.field.to_owned(),
            detail: reason.detail,
            resource_id: reason.resource_id.map(Into::into),
            from: reason.from.map(Into::into),
            to: reason.to.map(Into::into),
            free: reason.free,
        }
    }
}

fn slot(slot: &Slot, zone: &str) -> SlotAnswer {
    SlotAnswer {
        starts_at: slot.starts_at.into(),
        ends_at: slot.ends_at.into(),
        local_start: local(slot.starts_at, zone),
        resource_ids: slot.resource_ids.iter().map(|id| id.uuid()).collect(),
        session_id: slot.session_id.map(Into::into),
        session_group_id: slot.session_group_id.map(Into::into),
        seat_ids: slot.seat_ids.clone(),
        free: slot.free,
    }
}

/// What something costs now.
#[derive(Debug, Object)]
#[oai(rename = "Quote")]
pub struct QuoteAnswer {
    /// When it would begin.
    pub starts_at: Instant,
    /// When it would end, exclusive.
    pub ends_at: Instant,
    /// What is to be paid.
    pub price: Money,
    /// How it comes about.
    pub price_lines: Vec<PriceLineAnswer>,
}

impl From<Quote> for QuoteAnswer {
    fn from(quote: Quote) -> Self {
        Self {
            starts_at: quote.starts_at.into(),
            ends_at: quote.ends_at.into(),
            price: quote.price.into(),
            price_lines: price_lines(quote.lines, quote.price),
        }
    }
}

/// The operations.
pub(crate) struct AvailabilityApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Availability")]
impl AvailabilityApi {
    /// Free times of a product.
    ///
    /// For an appointment or a table every start with who or which is free; for sessions those with free
    /// places; for a rental every time of so many units. Advice: only booking decides.
    #[oai(
        path = "/products/:id/slots",
        method = "get",
        operation_id = "list_slots"
    )]
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter")]
    async fn slots(
        &self,
        visitor: Visitor,
        id: Path<Uuid>,
        /// First day, in the product's zone.
        from: Query<Day>,
        /// Last day; at most 61 days later.
        to: Query<Day>,
        /// Only times with this one.
        resource_id: Query<Option<Uuid>>,
        /// For how many units something is to be rented; as few as one may unless said.
        units: Query<Option<i32>>,
        /// Only times with so many places, or with a table for a party of so many; 1 unless said.
        quantity: Query<Option<i32>>,
        /// IANA zone to show wall times in; the product's unless asked.
        timezone: Query<Option<String>>,
    ) -> Result<Written<Slots>, Refusal> {
        let asked = SlotsAsked {
            resource: resource_id.0.map(Into::into),
            units: units.0,
            quantity: quantity.0,
        };
        let found = self
            .0
            .bookings
            .slots(&visitor.0, id.0.into(), from.0.0, to.0.0, asked);
        let found = found.await.map_err(refuse)?;
        let offering = &found.offering;
        let (name, zone) = match &timezone.0 {
            Some(name) => {
                let zone = TimeZone::get(name).map_err(|_| {
                    let detail = "Must be an IANA time zone.";
                    refuse(Problem::field("timezone", "UNKNOWN_TIMEZONE", detail))
                })?;
                (name, zone)
            }
            None => (&offering.product.timezone, offering.timezone.clone()),
        };
        Ok(Written::new(writer::write(&found, name, zone)))
    }

    /// How much is free on each day.
    #[oai(
        path = "/products/:id/days",
        method = "get",
        operation_id = "list_days"
    )]
    async fn days(
        &self,
        visitor: Visitor,
        id: Path<Uuid>,
        /// First day.
        from: Query<Day>,
        /// Last day; at most 61 days later.
        to: Query<Day>,
        /// For how many units something is to be rented; as few as one may unless said.
        units: Query<Option<i32>>,
        /// Only times with so many places, or with a table for a party of so many; 1 unless said.
        quantity: Query<Option<i32>>,
    ) -> Result<Json<Days>, Refusal> {
        let asked = SlotsAsked {
            resource: None,
            units: units.0,
            quantity: quantity.0,
        };
        let days = self
            .0
            .bookings
            .days(&visitor.0, id.0.into(), from.0.0, to.0.0, asked);
        let days = days
            .await
            .map_err(refuse)?
            .into_iter()
            .map(|day| DayAnswer {
                day: day.day.into(),
                slots: u32::try_from(day.slots).unwrap_or(u32::MAX),
            });
        Ok(Json(Days {
            days: days.collect(),
        }))
    }

    /// The nights of a stay, and what they cost.
    #[oai(
        path = "/products/:id/nights",
        method = "get",
        operation_id = "list_nights"
    )]
    async fn nights(
        &self,
        visitor: Visitor,
        id: Path<Uuid>,
        /// First night, by the day it begins on.
        from: Query<Day>,
        /// Last night; at most 61 days later.
        to: Query<Day>,
    ) -> Result<Json<Nights>, Refusal> {
        let nights = self
            .0
            .bookings
            .nights(&visitor.0, id.0.into(), from.0.0, to.0.0);
        let nights = nights.await.map_err(refuse)?;
        let night = |night: Night| NightAnswer {
            day: night.day.into(),
            free: night.free,
            arrival: night.arrival,
            price: night.price.into(),
        };
        let nights = nights.into_iter().map(night).collect();
        Ok(Json(Nights { nights }))
    }

    /// Why something cannot be booked.
    ///
    /// Names every rule in the way, and what is known about each: from when it can be booked, when who could
    /// serve it is there, and what is taken.
    #[oai(
        path = "/products/:id/explain",
        method = "get",
        operation_id = "explain"
    )]
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter")]
    async fn explain(
        &self,
        visitor: Visitor,
        id: Path<Uuid>,
        /// Start of an appointment, when a party comes, or when something rented is fetched.
        starts_at: Query<Option<Instant>>,
        /// When something rented is brought back.
        ends_at: Query<Option<Instant>>,
        /// The session.
        session_id: Query<Option<Uuid>>,
        /// The group of sessions of a course.
        session_group_id: Query<Option<Uuid>>,
        /// Day of arrival of a stay.
        arrival: Query<Option<Day>>,
        /// Day of departure of a stay.
        departure: Query<Option<Day>>,
        /// With whom, if it matters.
        resource_id: Query<Option<Uuid>>,
        /// Places, or the size of the party.
        quantity: Query<Option<i32>>,
        /// The form all places are in.
        variant_id: Query<Option<Uuid>>,
        /// Add-ons, one of each, the parameter repeated.
        add_on_id: Query<Option<Vec<Uuid>>>,
        /// Numbered seats, the parameter repeated.
        seat_id: Query<Option<Vec<i32>>>,
    ) -> Result<Json<Explanation>, Refusal> {
        let places = |variant_id| VariantPlaces {
            variant_id,
            quantity: quantity.0.unwrap_or(1),
        };
        let add_ons = add_on_id.0.into_iter().flatten();
        let add_ons = add_ons.map(|add_on_id| AddOnChoice {
            add_on_id,
            quantity: 1,
        });
        let seats = seat_id.0.into_iter().flatten().map(|seat_id| SeatRequest {
            seat_id,
            variant_id: None,
        });
        let wish = BookingRequest {
            product_id: id.0,
            starts_at: starts_at.0,
            ends_at: ends_at.0,
            session_id: session_id.0,
            session_group_id: session_group_id.0,
            arrival: arrival.0,
            departure: departure.0,
            resource_id: resource_id.0,
            quantity: quantity.0,
            variants: variant_id.0.map(places).into_iter().collect(),
            add_ons: add_ons.collect(),
            seats: seats.collect(),
            zone: None,
            voucher: None,
            customer: None,
            notes: String::new(),
            answers: BTreeMap::new(),
            participants: Vec::new(),
            attribution: None,
        };
        let wish = match wish.into_wish() {
            Ok(wish) => wish,
            Err(refusal) => {
                // Of a product that is not there nothing else is said.
                let product = self.0.catalog.product(&visitor.0, id.0.into()).await;
                product.map_err(refuse)?;
                return Err(refusal);
            }
        };
        let reasons = self.0.bookings.explain(&visitor.0, &wish).await;
        let reasons = reasons.map_err(refuse)?;
        Ok(Json(Explanation {
            available: reasons.is_empty(),
            reasons: reasons.into_iter().map(Into::into).collect(),
        }))
    }

    /// What something costs now, free or not.
    ///
    /// Takes what booking takes, and says how the price comes about. It is what booking it a moment later costs,
    /// unless the business changes its prices or a rule about early and late bookings ends.
    #[oai(path = "/quotes", method = "post", operation_id = "quote")]
    async fn quote(
        &self,
        visitor: Visitor,
        request: &Request,
        body: Json<BookingRequest>,
    ) -> Result<Json<QuoteAnswer>, Refusal> {
        let voucher = body.0.voucher.as_deref();
        self.0.count_voucher(&visitor.0, voucher, request).await?;
        let wish = body.0.into_wish()?;
        let quote = self.0.bookings.quote(&visitor.0, &wish).await;
        Ok(Json(quote.map_err(refuse)?.into()))
    }

    /// Whether something can be booked now.
    ///
    /// Says which rule is in the way, and what is free nearby.
    #[oai(
        path = "/availability/check",
        method = "post",
        operation_id = "check_availability"
    )]
    async fn check(
        &self,
        visitor: Visitor,
        request: &Request,
        body: Json<BookingRequest>,
    ) -> Result<Json<CheckAnswer>, Refusal> {
        let voucher = body.0.voucher.as_deref();
        self.0.count_voucher(&visitor.0, voucher, request).await?;
        let wish = body.0.into_wish()?;
        let check = self
            .0
            .bookings
            .check(&visitor.0, &wish)
            .await
            .map_err(refuse)?;
        let zone = &visitor.0.tenant.timezone;
        Ok(Json(CheckAnswer {
            available: check.available,
            reason: check.reason.map(str::to_owned),
            alternatives: check
                .alternatives
                .iter()
                .map(|found| slot(found, zone))
                .collect(),
        }))
    }
}
