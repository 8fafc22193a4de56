//! What the booking service refuses.

use berth_kernel::{Kind, Problem};
use berth_tenancy::idempotency::IdempotencyError;
use jiff::Timestamp;

use crate::{Slot, model::Forbidden};

/// Why a time or quantity cannot be booked: one name a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(test, derive(strum::EnumIter))]
pub enum Refusal {
    /// Not offered any more.
    #[error("This is not offered at present.")]
    NotOffered,
    /// The request names a time for a session's product, or a session for an appointment's.
    #[error(
        "Name `session_id` for a session, `session_group_id` for a course, `starts_at` for an appointment or a table, `starts_at` and `ends_at` for a rental, and `arrival` and `departure` for a stay."
    )]
    WrongShape,
    /// Over already.
    #[error("This time is in the past.")]
    Past,
    /// Too short before the start.
    #[error("This is too short before the start.")]
    TooSoon,
    /// Too far ahead.
    #[error("This is too far ahead.")]
    TooFar,
    /// Outside working hours, or not on a step.
    #[error("There is no such start in the schedule.")]
    NotScheduled,
    /// Such a start as there is every week, on a day on which the business keeps other hours.
    #[error("The business keeps other hours on that day.")]
    Holiday,
    /// It has begun, or cancelling would cost by now: customers can no more move it themselves.
    #[error("It is too late to move this booking.")]
    TooLate,
    /// What became of it is not known before it begins.
    #[error("This booking has not begun yet.")]
    NotBegun,
    /// Nobody comes so long before the start.
    #[error("One checks in from a day before the start on.")]
    CheckInTooEarly,
    /// Who has come did not stay away.
    #[error("They have checked in; take that back first.")]
    CheckedIn,
    /// Money for it goes back, or went.
    #[error("Money goes back for this booking; book anew.")]
    MoneyReturned,
    /// In its last moments a hold cannot be prolonged any more.
    #[error("The hold is about to end; book anew.")]
    HoldEnds,
    /// It is held for as long as it may be.
    #[error("It is held for as long as it may be.")]
    HoldLongEnough,
    /// More or fewer places than one booking may take.
    #[error("This many places cannot be booked at once.")]
    Quantity,
    /// The resource named does not serve the product.
    #[error("The one named does not offer this.")]
    WrongResource,
    /// The session named is not of the product, or closed.
    #[error("This session cannot be booked.")]
    WrongSession,
    /// The group of sessions named is not of the product, or closed.
    #[error("These sessions cannot be booked.")]
    WrongGroup,
    /// The day of departure is not after that of arrival.
    #[error("The departure must be after the arrival.")]
    NoNights,
    /// Fewer nights than are sold.
    #[error("This is not sold for so few nights.")]
    StayTooShort,
    /// More nights than are sold.
    #[error("This is not sold for so many nights.")]
    StayTooLong,
    /// The stay would be longer or shorter than what was agreed.
    #[error("A stay is moved to as many nights; book anew for another length.")]
    OtherLength,
    /// Nobody may come on that day of the week.
    #[error("One cannot come on that day of the week.")]
    NoArrival,
    /// A rental that ends before it begins, or at once.
    #[error("The end must be after the start.")]
    NoPeriod,
    /// Fewer units than have to be rented.
    #[error("It is rented for longer.")]
    RentalTooShort,
    /// More units than may be rented.
    #[error("It is not rented for so long.")]
    RentalTooLong,
    /// A start between those at which something may begin.
    #[error("The start keeps to the product's steps, counted from midnight.")]
    OffStep,
    /// An end between those at which something may end.
    #[error("The end keeps to the product's steps, counted from midnight.")]
    EndOffStep,
    /// The rental would be of another number of units.
    #[error("It is moved to a time of as many units; book anew for another length.")]
    OtherPeriod,
    /// Nobody is there to take it back.
    #[error("Nothing is taken back at that time.")]
    NotTakenBack,
    /// A party for which there is no table.
    #[error("There is no table for so many.")]
    NoTable,
    /// A form the product does not have, or no more.
    #[error("There is no such variant.")]
    WrongVariant,
    /// The forms do not come to as many places as are booked.
    #[error(
        "The quantities of the variants must come to `quantity`; of numbered seats it is said seat by seat."
    )]
    VariantPlaces,
    /// An add-on the product does not have, or no more, or one that is named twice.
    #[error("There is no such add-on.")]
    WrongAddOn,
    /// More or fewer of an add-on than a booking may have.
    #[error("This many of an add-on cannot be had.")]
    AddOnQuantity,
    /// An add-on is missing that every booking has.
    #[error("An add-on is missing without which this is not sold.")]
    AddOnRequired,
    /// A seat that is not there, or named twice, or other than as many as are booked.
    #[error("There are no such seats.")]
    WrongSeat,
    /// The booking would have seats of other zones.
    #[error("It is moved to seats of the same zones; book anew for others.")]
    OtherZone,
    /// A voucher that is none, or not for this, or not now.
    #[error("This voucher does not hold for this booking.")]
    WrongVoucher,
    /// As many bookings have the voucher as may, in all or of this customer.
    #[error("This voucher is used up.")]
    VoucherUsedUp,
    /// The booking costs less than the voucher is for.
    #[error("The booking costs too little for this voucher.")]
    VoucherLeast,
    /// A request that lapsed, or is about to.
    #[error("The time to answer this request is over.")]
    AnswerTooLate,
    /// Another time of what the business has to agree to.
    #[error("The business has to agree to another time: ask it to move the booking, or ask anew.")]
    AskAnew,
    /// The customer holds as many bookings, unpaid or unanswered, as one may.
    #[error("Pay for what is held, or wait for an answer, before asking for more.")]
    TooManyHolds,
    /// The customer has booked it as often as one may.
    #[error("One customer may not book this any more often in that time.")]
    LimitReached,
    /// More than one booking may cost.
    #[error("This costs more than one booking may.")]
    PriceTooHigh,
}

impl Refusal {
    /// Stable code, and the request's field it is about.
    #[must_use]
    pub const fn code(self) -> (&'static str, &'static str) {
        match self {
            Self::NotOffered => ("NOT_OFFERED", "product_id"),
            Self::WrongShape => ("WRONG_SHAPE", "starts_at"),
            Self::Past => ("IN_THE_PAST", "starts_at"),
            Self::TooSoon => ("NOTICE_TOO_SHORT", "starts_at"),
            Self::TooFar => ("TOO_FAR_AHEAD", "starts_at"),
            Self::NotScheduled => ("NOT_SCHEDULED", "starts_at"),
            Self::Holiday => ("HOLIDAY", "starts_at"),
            Self::TooLate => ("RESCHEDULE_TOO_LATE", "starts_at"),
            Self::NotBegun => ("NOT_BEGUN", "id"),
            Self::CheckInTooEarly => ("CHECK_IN_TOO_EARLY", "id"),
            Self::CheckedIn => ("CHECKED_IN", "id"),
            Self::MoneyReturned => ("MONEY_RETURNED", "id"),
            Self::HoldEnds => ("HOLD_ENDS", "id"),
            Self::HoldLongEnough => ("HOLD_LONG_ENOUGH", "id"),
            Self::Quantity => ("QUANTITY_OUT_OF_RANGE", "quantity"),
            Self::WrongResource => ("WRONG_RESOURCE", "resource_id"),
            Self::WrongSession => ("WRONG_SESSION", "session_id"),
            Self::WrongGroup => ("WRONG_SESSION_GROUP", "session_group_id"),
            Self::NoNights => ("END_BEFORE_START", "departure"),
            Self::StayTooShort => ("STAY_TOO_SHORT", "departure"),
            Self::StayTooLong => ("STAY_TOO_LONG", "departure"),
            Self::OtherLength => ("OTHER_LENGTH", "departure"),
            Self::NoArrival => ("NO_ARRIVAL_THEN", "arrival"),
            Self::NoPeriod => ("END_BEFORE_START", "ends_at"),
            Self::RentalTooShort => ("RENTAL_TOO_SHORT", "ends_at"),
            Self::RentalTooLong => ("RENTAL_TOO_LONG", "ends_at"),
            Self::OffStep => ("OFF_STEP", "starts_at"),
            Self::EndOffStep => ("OFF_STEP", "ends_at"),
            Self::OtherPeriod => ("OTHER_LENGTH", "ends_at"),
            Self::NotTakenBack => ("NOT_SCHEDULED", "ends_at"),
            Self::NoTable => ("PARTY_NOT_SEATED", "quantity"),
            Self::WrongVariant => ("WRONG_VARIANT", "variants"),
            Self::VariantPlaces => ("QUANTITY_MISMATCH", "variants"),
            Self::WrongAddOn => ("WRONG_ADD_ON", "add_ons"),
            Self::AddOnQuantity => ("ADD_ON_QUANTITY_OUT_OF_RANGE", "add_ons"),
            Self::AddOnRequired => ("ADD_ON_REQUIRED", "add_ons"),
            Self::WrongSeat => ("WRONG_SEAT", "seats"),
            Self::OtherZone => ("OTHER_ZONE", "seats"),
            Self::WrongVoucher => ("WRONG_VOUCHER", "voucher"),
            Self::VoucherUsedUp => ("VOUCHER_USED_UP", "voucher"),
            Self::VoucherLeast => ("VOUCHER_PRICE_TOO_LOW", "voucher"),
            Self::AnswerTooLate => ("ANSWER_TOO_LATE", "id"),
            Self::AskAnew => ("APPROVAL_NEEDED", "starts_at"),
            Self::TooManyHolds => ("TOO_MANY_HOLDS", "customer"),
            Self::LimitReached => ("LIMIT_REACHED", "product_id"),
            Self::PriceTooHigh => ("PRICE_TOO_HIGH", "quantity"),
        }
    }
}

/// What has a resource at a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taker {
    /// `booking`, `session`, `block` or `external_calendar`.
    pub holder: String,
    /// Of a booking.
    pub reference: Option<String>,
    /// Start, buffers included.
    pub starts_at: Timestamp,
    /// End, exclusive, buffers included.
    pub ends_at: Timestamp,
}

impl std::fmt::Display for Taker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.holder.as_str() {
            "external_calendar" => f.write_str("a calendar outside")?,
            here => write!(f, "a {here}")?,
        }
        if let Some(reference) = &self.reference {
            write!(f, " ({reference})")?;
        }
        write!(f, " from {} to {}", self.starts_at, self.ends_at)
    }
}

/// A command or query was refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such thing, or none the asker may see.
    #[error("no such thing")]
    NotFound,
    /// What is asked about, or to be booked, is not offered by the tenant.
    #[error("no such product")]
    UnknownProduct,
    /// The asker may not.
    #[error(transparent)]
    Denied(Problem),
    /// A field is against a rule.
    #[error("{field}: {detail}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// Stable code.
        code: &'static str,
        /// A sentence.
        detail: String,
    },
    /// It cannot be booked like that.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Somebody else has it; what is free near it.
    #[error("the time is taken")]
    Conflict {
        /// The nearest free ones.
        alternatives: Vec<Slot>,
    },
    /// What it needs is taken; by whom, if they still have it.
    #[error("what it needs is taken")]
    InTheWay(Vec<Taker>),
    /// Somebody has places of the session.
    #[error("the session is booked")]
    SessionBooked,
    /// They stand in that line already.
    #[error("already in this line")]
    AlreadyWaiting,
    /// They stand in no line any more.
    #[error("not in a line any more")]
    NotWaiting,
    /// It was changed since the asker read it.
    #[error("the booking was changed in the meantime")]
    VersionConflict,
    /// Its life does not have this step.
    #[error(transparent)]
    Status(#[from] Forbidden),
    /// The tenant cannot take money yet.
    #[error("the tenant cannot take payments")]
    PaymentsNotReady,
    /// The catalog said no.
    #[error(transparent)]
    Catalog(#[from] berth_catalog::Error),
    /// About the idempotency key.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database.
    #[error(transparent)]
    Database(#[from] berth_tenancy::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Error {
    /// The same where the product is what the request's address names, not a field of it.
    pub(crate) fn addressed(self) -> Self {
        match self {
            Self::UnknownProduct => Self::NotFound,
            other => other,
        }
    }

    pub(crate) fn invalid(
        field: &'static str,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            field,
            code,
            detail: detail.into(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found(),
            Error::UnknownProduct => {
                Self::field("product_id", "UNKNOWN_PRODUCT", "There is no such product.")
            }
            Error::Denied(problem) => problem,
            Error::Invalid {
                field,
                code,
                detail,
            } => Self::field(field, code, detail),
            Error::Refused(refusal) => {
                let (code, field) = refusal.code();
                Self::field(field, code, refusal.to_string())
            }
            Error::Conflict { alternatives } => Self::new(
                Kind::Conflict,
                "BOOKING_CONFLICT",
                "Somebody else has just taken it.",
            )
            .with_alternatives(serde_json::json!(alternatives)),
            Error::InTheWay(takers) => {
                let takers: Vec<String> = takers.iter().map(ToString::to_string).collect();
                let detail = match takers.as_slice() {
                    [] => "Somebody had it just now; try again.".to_owned(),
                    takers => format!("In the way: {}.", takers.join("; ")),
                };
                Self::new(Kind::Conflict, "RESOURCE_TAKEN", detail)
            }
            Error::SessionBooked => Self::new(
                Kind::Conflict,
                "SESSION_BOOKED",
                "Places of it are held or sold; cancel those bookings first.",
            ),
            Error::AlreadyWaiting => Self::new(
                Kind::Conflict,
                "ALREADY_WAITING",
                "They wait for this already.",
            ),
            Error::NotWaiting => Self::new(
                Kind::Conflict,
                "NOT_WAITING",
                "They do not wait any more; what they were given is a booking, which can be cancelled.",
            ),
            Error::VersionConflict => Self::new(
                Kind::Conflict,
                "VERSION_CONFLICT",
                "It was changed since you read it; read it again and repeat your change.",
            ),
            Error::Status(forbidden) => {
                Self::new(Kind::Conflict, "STATUS_CONFLICT", format!("{forbidden}."))
            }
            Error::PaymentsNotReady => Self::new(
                Kind::Conflict,
                "PAYMENTS_NOT_READY",
                "This business cannot take payments yet.",
            ),
            Error::Catalog(error) => error.into(),
            Error::Idempotency(error) => error.into(),
            Error::Database(error) => error.into(),
        }
    }
}
