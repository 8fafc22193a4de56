//! Bookings as they are asked for and shown.

use std::collections::BTreeMap;

use berth_booking::{
    AddOnAsked, Answer, BookedSeat, Booking, CustomerInput, LineKind, NewBooking, NewParticipant,
    Period, PriceLine, SeatAsked, Status, Stay, VariantAsked, When,
};
use berth_events::booking::Attribution;
use berth_kernel::Problem;
use berth_web::{
    Refusal, refuse,
    text::{Day, Instant, local},
};
use poem_openapi::{Enum, Object};
use serde_json::Value;
use uuid::Uuid;

use crate::{Api, shared::Money};

/// For whom a booking is.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct Customer {
    /// Name, 1 to 200 characters.
    pub name: String,
    /// Address confirmation and receipt go to.
    pub email: String,
    /// BCP 47 language tag to write in; the business's language if none.
    pub locale: Option<String>,
}

impl From<Customer> for CustomerInput {
    fn from(customer: Customer) -> Self {
        Self {
            name: customer.name,
            email: customer.email,
            locale: customer.locale,
        }
    }
}

/// How the customer found the offer; for conversion tracking.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "Attribution", deny_unknown_fields)]
pub struct AttributionInput {
    /// Id the tracking pixel sent with its own event.
    pub pixel_event_id: Option<String>,
    /// TikTok's click id.
    pub ttclid: Option<String>,
    /// `utm_source`.
    pub utm_source: Option<String>,
    /// `utm_medium`.
    pub utm_medium: Option<String>,
    /// `utm_campaign`.
    pub utm_campaign: Option<String>,
}

/// What is to be booked. An appointment or a table names `starts_at`, places of a session name `session_id`, a course names
/// `session_group_id`, a stay names `arrival` and `departure`, a rental names `starts_at` and `ends_at`.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct BookingRequest {
    /// The product.
    pub product_id: Uuid,
    /// Start of an appointment, when a party comes, or when something rented is fetched.
    pub starts_at: Option<Instant>,
    /// When something rented is brought back.
    pub ends_at: Option<Instant>,
    /// The session.
    pub session_id: Option<Uuid>,
    /// The group of sessions of a course.
    pub session_group_id: Option<Uuid>,
    /// Day of arrival of a stay.
    pub arrival: Option<Day>,
    /// Day of departure of a stay.
    pub departure: Option<Day>,
    /// With whom, if it matters.
    pub resource_id: Option<Uuid>,
    /// Places, or the size of the party. Unless said as many as `variants` or `seats` come to, or 1.
    pub quantity: Option<i32>,
    /// How many of the places in which form of the product.
    #[oai(default)]
    pub variants: Vec<VariantPlaces>,
    /// What is to be had with it, each add-on named once.
    #[oai(default)]
    pub add_ons: Vec<AddOnChoice>,
    /// Which numbered seats; the best that are free unless said.
    #[oai(default)]
    pub seats: Vec<SeatRequest>,
    /// In which zone the best seats are wanted.
    pub zone: Option<String>,
    /// The code of a voucher, in any case of its letters.
    pub voucher: Option<String>,
    /// For whom; a signed-in customer is known.
    pub customer: Option<Customer>,
    /// What the customer wants known.
    #[oai(default)]
    pub notes: String,
    /// Answers to the product's questions, by their keys: words, a number, `true` or `false`; a day as `YYYY-MM-DD`.
    #[oai(default)]
    pub answers: BTreeMap<String, Value>,
    /// Who takes part, no more than `quantity`.
    #[oai(default)]
    pub participants: Vec<ParticipantRequest>,
    /// How the customer came.
    pub attribution: Option<AttributionInput>,
}

/// Somebody who is to take part.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ParticipantRequest {
    /// Name, 1 to 200 characters.
    pub name: String,
    /// Address, if it is known.
    pub email: Option<String>,
    /// Answers to what is asked of participants.
    #[oai(default)]
    pub answers: BTreeMap<String, Value>,
}

impl From<ParticipantRequest> for NewParticipant {
    fn from(request: ParticipantRequest) -> Self {
        Self {
            name: request.name,
            email: request.email,
            answers: request.answers,
        }
    }
}

/// An answer, with the question as it was asked.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Answer")]
pub struct AnswerGiven {
    /// What it is called.
    pub key: String,
    /// The question.
    pub label: String,
    /// Words, a number, or `true` or `false`.
    pub value: Value,
}

impl From<Answer> for AnswerGiven {
    fn from(answer: Answer) -> Self {
        Self {
            key: answer.key,
            label: answer.label,
            value: answer.value,
        }
    }
}

/// Somebody who takes part.
#[derive(Clone, Debug, Object)]
pub struct Participant {
    /// Name.
    pub name: String,
    /// Address.
    #[oai(skip_serializing_if_is_none)]
    pub email: Option<String>,
    /// Answers to what is asked of participants.
    #[oai(default, skip_serializing_if_is_empty)]
    pub answers: Vec<AnswerGiven>,
}

impl From<berth_booking::Participant> for Participant {
    fn from(one: berth_booking::Participant) -> Self {
        Self {
            name: one.name,
            email: one.email,
            answers: one.answers.into_iter().map(Into::into).collect(),
        }
    }
}

/// So many places in a form of the product.
#[derive(Clone, Copy, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct VariantPlaces {
    /// The form.
    pub variant_id: Uuid,
    /// How many.
    pub quantity: i32,
}

/// Some of what can be had with the product.
#[derive(Clone, Copy, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AddOnChoice {
    /// The add-on.
    pub add_on_id: Uuid,
    /// How many, once for the booking: 1 to what the add-on says.
    pub quantity: i32,
}

/// A numbered seat.
#[derive(Clone, Copy, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct SeatRequest {
    /// Its id in the hall.
    pub seat_id: i32,
    /// For whom it is, if that matters to the price.
    pub variant_id: Option<Uuid>,
}

/// How many places are wanted, however it was said.
fn quantity(request: &BookingRequest) -> Result<i32, Refusal> {
    let variants = request.variants.iter();
    let sum = variants.fold(0i32, |sum, one| sum.saturating_add(one.quantity));
    let seats = i32::try_from(request.seats.len()).unwrap_or(i32::MAX);
    let counted = match (request.variants.is_empty(), request.seats.is_empty()) {
        (true, true) => None,
        (false, true) => Some(sum),
        (_, false) => Some(seats),
    };
    match (request.quantity, counted) {
        (Some(said), Some(counted)) if said != counted => {
            let detail = "`variants` or `seats` come to another quantity.";
            Err(refuse(Problem::field(
                "quantity",
                "QUANTITY_MISMATCH",
                detail,
            )))
        }
        (said, counted) => Ok(counted.or(said).unwrap_or(1)),
    }
}

/// The time asked for: in one way, and not in several.
pub(crate) fn when(
    (starts_at, ends_at): (Option<Instant>, Option<Instant>),
    (session, group): (Option<Uuid>, Option<Uuid>),
    (arrival, departure): (Option<Day>, Option<Day>),
) -> Result<When, Refusal> {
    match ((starts_at, ends_at), (session, group), (arrival, departure)) {
        ((Some(at), None), (None, None), (None, None)) => Ok(When::Start(at.0)),
        ((Some(starts_at), Some(ends_at)), (None, None), (None, None)) => {
            Ok(When::Period(Period {
                starts_at: starts_at.0,
                ends_at: ends_at.0,
            }))
        }
        ((None, None), (Some(session), None), (None, None)) => Ok(When::Session(session.into())),
        ((None, None), (None, Some(group)), (None, None)) => Ok(When::Group(group.into())),
        ((None, None), (None, None), (Some(arrival), Some(departure))) => Ok(When::Nights(Stay {
            arrival: arrival.0,
            departure: departure.0,
        })),
        _ => {
            let detail = "Name either `starts_at`, `starts_at` and `ends_at`, `session_id`, `session_group_id`, or \
                          `arrival` and `departure`.";
            Err(refuse(Problem::field("starts_at", "WRONG_SHAPE", detail)))
        }
    }
}

impl BookingRequest {
    pub(crate) fn into_wish(self) -> Result<NewBooking, Refusal> {
        let quantity = quantity(&self)?;
        let attribution = self.attribution.unwrap_or_default();
        let fields = [
            &attribution.pixel_event_id,
            &attribution.ttclid,
            &attribution.utm_source,
            &attribution.utm_medium,
            &attribution.utm_campaign,
        ];
        if fields
            .into_iter()
            .flatten()
            .any(|value| value.chars().count() > 500)
        {
            let detail = "At most 500 characters each.";
            return Err(refuse(Problem::field("attribution", "TOO_LONG", detail)));
        }
        Ok(NewBooking {
            product_id: self.product_id.into(),
            when: when(
                (self.starts_at, self.ends_at),
                (self.session_id, self.session_group_id),
                (self.arrival, self.departure),
            )?,
            resource_id: self.resource_id.map(Into::into),
            quantity,
            variants: self
                .variants
                .iter()
                .map(|one| VariantAsked {
                    variant_id: one.variant_id,
                    quantity: one.quantity,
                })
                .collect(),
            add_ons: self
                .add_ons
                .iter()
                .map(|one| AddOnAsked {
                    add_on_id: one.add_on_id.into(),
                    quantity: one.quantity,
                })
                .collect(),
            seats: self
                .seats
                .iter()
                .map(|seat| SeatAsked {
                    seat_id: seat.seat_id,
                    variant_id: seat.variant_id,
                })
                .collect(),
            zone: self.zone,
            voucher: self.voucher,
            customer: self.customer.map(Into::into),
            notes: self.notes,
            answers: self.answers,
            participants: self.participants.into_iter().map(Into::into).collect(),
            attribution: Attribution {
                pixel_event_id: attribution.pixel_event_id,
                ttclid: attribution.ttclid,
                utm_source: attribution.utm_source,
                utm_medium: attribution.utm_medium,
                utm_campaign: attribution.utm_campaign,
            },
        })
    }
}

/// Where a booking stands.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BookingStatus {
    /// Held until the business says yes to it; expires.
    Requested,
    /// Held and unpaid; expires.
    Pending,
    /// Certain.
    Confirmed,
    /// Took place.
    Completed,
    /// The customer did not come.
    NoShow,
    /// Called off.
    Cancelled,
    /// Not paid, or not answered, or not in time.
    Failed,
}

impl From<Status> for BookingStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Requested => Self::Requested,
            Status::Pending => Self::Pending,
            Status::Confirmed => Self::Confirmed,
            Status::Completed => Self::Completed,
            Status::NoShow => Self::NoShow,
            Status::Cancelled => Self::Cancelled,
            Status::Failed => Self::Failed,
        }
    }
}

impl From<BookingStatus> for Status {
    fn from(status: BookingStatus) -> Self {
        match status {
            BookingStatus::Requested => Self::Requested,
            BookingStatus::Pending => Self::Pending,
            BookingStatus::Confirmed => Self::Confirmed,
            BookingStatus::Completed => Self::Completed,
            BookingStatus::NoShow => Self::NoShow,
            BookingStatus::Cancelled => Self::Cancelled,
            BookingStatus::Failed => Self::Failed,
        }
    }
}

/// A booking.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Booking")]
pub struct BookingAnswer {
    /// Its id.
    pub id: Uuid,
    /// The short code to read out.
    pub reference: String,
    /// Where it stands.
    pub status: BookingStatus,
    /// Raised by each change; name it when you change the booking.
    pub version: i64,
    /// What is booked.
    pub product_id: Uuid,
    /// Its name when booked.
    pub product_name: String,
    /// With whom.
    #[oai(skip_serializing_if_is_none)]
    pub resource_id: Option<Uuid>,
    /// Whoever and whatever else it takes.
    #[oai(default, skip_serializing_if_is_empty)]
    pub other_resource_ids: Vec<Uuid>,
    /// Which session.
    #[oai(skip_serializing_if_is_none)]
    pub session_id: Option<Uuid>,
    /// Which sessions together, of a course.
    #[oai(skip_serializing_if_is_none)]
    pub session_group_id: Option<Uuid>,
    /// What it takes some of, for a stay or a rental.
    #[oai(skip_serializing_if_is_none)]
    pub pool_id: Option<Uuid>,
    /// The account that booked.
    #[oai(skip_serializing_if_is_none)]
    pub customer_id: Option<Uuid>,
    /// For whom.
    pub customer: Customer,
    /// Start.
    pub starts_at: Instant,
    /// End, exclusive.
    pub ends_at: Instant,
    /// Start as the clock on the wall of the place shows it, with its offset.
    pub local_start: String,
    /// IANA zone of the place.
    pub timezone: String,
    /// Places.
    pub quantity: i32,
    /// The price agreed, all places together.
    pub price: Money,
    /// How it came about.
    pub price_lines: Vec<PriceLineAnswer>,
    /// The numbered seats.
    #[oai(default, skip_serializing_if_is_empty)]
    pub seats: Vec<SeatAnswer>,
    /// What was asked and answered.
    #[oai(default, skip_serializing_if_is_empty)]
    pub answers: Vec<AnswerGiven>,
    /// Who takes part.
    #[oai(default, skip_serializing_if_is_empty)]
    pub participants: Vec<Participant>,
    /// Whether it is paid.
    pub paid: bool,
    /// When it became certain.
    #[oai(skip_serializing_if_is_none)]
    pub confirmed_at: Option<Instant>,
    /// When who booked came.
    #[oai(skip_serializing_if_is_none)]
    pub checked_in_at: Option<Instant>,
    /// What the customer wants known.
    pub notes: String,
    /// Until when it is held: unpaid, or unanswered.
    #[oai(skip_serializing_if_is_none)]
    pub expires_at: Option<Instant>,
    /// Where it is paid; only while it is held.
    #[oai(skip_serializing_if_is_none)]
    pub checkout_url: Option<String>,
    /// Why it ended as it did.
    #[oai(skip_serializing_if_is_none)]
    pub status_reason: Option<String>,
    /// What is given back of it.
    #[oai(skip_serializing_if_is_none)]
    pub refund_due: Option<Money>,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// What a line of a price is.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
pub enum PriceLineKind {
    /// Places, nights or units.
    Base,
    /// What a rule adds or takes away.
    Adjustment,
    /// Something that is had besides, once for the booking.
    AddOn,
    /// What a voucher takes away.
    Voucher,
    /// A tax on top.
    Tax,
    /// A tax the lines above contain; not to be added.
    TaxIncluded,
}

/// A line of what a booking costs. The price is the sum of all but those of taxes that are included.
#[derive(Clone, Debug, Object)]
#[oai(rename = "PriceLine")]
pub struct PriceLineAnswer {
    /// What it is.
    pub kind: PriceLineKind,
    /// What to show.
    pub label: String,
    /// The rule that set the price of one.
    #[oai(skip_serializing_if_is_none)]
    pub rule: Option<String>,
    /// Places, each for so many nights or units; of an add-on how many.
    #[oai(skip_serializing_if_is_none)]
    pub count: Option<i32>,
    /// The price of one of them.
    #[oai(skip_serializing_if_is_none)]
    pub each: Option<Money>,
    /// What it comes to.
    pub amount: Money,
}

/// The lines of a price in some currency.
pub(crate) fn price_lines(lines: Vec<PriceLine>, of: berth_kernel::Money) -> Vec<PriceLineAnswer> {
    let money = |amount| berth_kernel::Money::new(amount, of.currency).into();
    let line = |line: PriceLine| PriceLineAnswer {
        kind: match line.kind {
            LineKind::Base => PriceLineKind::Base,
            LineKind::Adjustment => PriceLineKind::Adjustment,
            LineKind::AddOn => PriceLineKind::AddOn,
            LineKind::Voucher => PriceLineKind::Voucher,
            LineKind::Tax => PriceLineKind::Tax,
            LineKind::TaxIncluded => PriceLineKind::TaxIncluded,
        },
        label: line.label,
        rule: line.rule,
        count: line.count,
        each: line.each_minor.map(money),
        amount: money(line.amount_minor),
    };
    lines.into_iter().map(line).collect()
}

/// A numbered seat.
#[derive(Clone, Debug, Object)]
#[oai(rename = "BookedSeat")]
pub struct SeatAnswer {
    /// Its id in the hall.
    pub seat_id: i32,
    /// The part of the hall.
    pub section: String,
    /// The row.
    pub row: String,
    /// The number.
    pub number: String,
    /// The price zone.
    pub zone: String,
    /// For whom it is, if that matters to the price.
    #[oai(skip_serializing_if_is_none)]
    pub variant_id: Option<Uuid>,
}

impl From<BookedSeat> for SeatAnswer {
    fn from(seat: BookedSeat) -> Self {
        Self {
            seat_id: seat.seat_id,
            section: seat.section,
            row: seat.row,
            number: seat.number,
            zone: seat.zone,
            variant_id: seat.variant_id,
        }
    }
}

/// A page of bookings.
#[derive(Debug, Object)]
pub struct BookingPage {
    /// The bookings.
    pub items: Vec<BookingAnswer>,
    /// Where the next page starts; none on the last.
    #[oai(skip_serializing_if_is_none)]
    pub next_cursor: Option<String>,
}

/// What is to be edited; what is left out stays.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct BookingEdit {
    /// The version you read.
    pub version: i64,
    /// What the customer wants known.
    pub notes: Option<String>,
    /// Name of who it is for.
    pub customer_name: Option<String>,
    /// Address of who it is for.
    pub customer_email: Option<String>,
    /// Answers to the product's questions: all of them.
    pub answers: Option<BTreeMap<String, Value>>,
    /// Who takes part: all of them.
    pub participants: Option<Vec<ParticipantRequest>>,
}

/// Somebody else whom a booking is to be for.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct TransferRequest {
    /// The version you read.
    pub version: i64,
    /// For whom it is from then on.
    pub customer: Customer,
}

/// The way back from a cancellation.
#[derive(Clone, Debug, Default, Object)]
#[oai(deny_unknown_fields)]
pub struct ReinstateRequest {
    /// The version you read; any unless named.
    pub version: Option<i64>,
}

/// A cancellation.
#[derive(Clone, Debug, Default, Object)]
#[oai(deny_unknown_fields)]
pub struct CancelRequest {
    /// The version you read, if it matters.
    pub version: Option<i64>,
}

/// A move to another time.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct RescheduleRequest {
    /// The version you read.
    pub version: i64,
    /// New start of an appointment, a table or a rental.
    pub starts_at: Option<Instant>,
    /// New end of a rental, which is as long as it was.
    pub ends_at: Option<Instant>,
    /// New session.
    pub session_id: Option<Uuid>,
    /// New group of sessions of the course.
    pub session_group_id: Option<Uuid>,
    /// New day of arrival of a stay.
    pub arrival: Option<Day>,
    /// New day of departure, as many nights later.
    pub departure: Option<Day>,
    /// With whom, if it matters; else with the same as before where they can.
    pub resource_id: Option<Uuid>,
    /// Which numbered seats, of the zones it has; the same or the best of those zones unless said.
    #[oai(default)]
    pub seats: Vec<i32>,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
pub enum BookingSort {
    /// The last made first.
    Newest,
    /// By start.
    Start,
}

pub(crate) fn answer(api: &Api, slug: &str, booking: Booking) -> BookingAnswer {
    let held = booking.status == Status::Pending;
    BookingAnswer {
        id: booking.id.into(),
        reference: booking.reference,
        status: booking.status.into(),
        version: booking.version,
        product_id: booking.product_id.into(),
        product_name: booking.product_name,
        pool_id: booking.pool_id.map(Into::into),
        resource_id: booking.resource_id.map(Into::into),
        other_resource_ids: booking
            .other_resource_ids
            .into_iter()
            .map(Into::into)
            .collect(),
        session_id: booking.session_id.map(Into::into),
        session_group_id: booking.session_group_id.map(Into::into),
        customer_id: booking.customer_id.map(Into::into),
        customer: Customer {
            name: booking.customer.name,
            email: booking.customer.email,
            locale: Some(booking.customer.locale),
        },
        starts_at: booking.starts_at.into(),
        ends_at: booking.ends_at.into(),
        local_start: local(booking.starts_at, &booking.timezone),
        timezone: booking.timezone,
        quantity: booking.quantity,
        price_lines: price_lines(booking.price_lines, booking.price),
        seats: booking.seats.into_iter().map(Into::into).collect(),
        price: booking.price.into(),
        answers: booking
            .details
            .answers
            .into_iter()
            .map(Into::into)
            .collect(),
        participants: booking
            .details
            .participants
            .into_iter()
            .map(Into::into)
            .collect(),
        paid: booking.paid,
        confirmed_at: booking.confirmed_at.map(Into::into),
        checked_in_at: booking.checked_in_at.map(Into::into),
        notes: booking.notes,
        expires_at: booking.expires_at.map(Into::into),
        checkout_url: held.then(|| (api.checkout_url)(slug, booking.id)),
        status_reason: booking.status_reason,
        refund_due: booking.refund_due.map(Into::into),
        created_at: booking.created_at.into(),
        updated_at: booking.updated_at.into(),
    }
}
