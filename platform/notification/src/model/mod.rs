//! Which event is told to whom: pure.

use berth_events::{
    booking::{Booking, Cancelled, Confirmed, Created, Offered, Requested, Updated},
    receipt::Generated,
};
use berth_kernel::{BookingId, DeliveryId, Envelope, Money};
use berth_tenancy::Tenant;
use jiff::Timestamp;

/// The tenant as its customers know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// Its name for people.
    pub name: String,
    /// Its name in the register of companies.
    pub legal_name: String,
    /// Its address; lines are kept.
    pub address: String,
    /// `#rrggbb`.
    pub color: String,
    /// The same, of buttons.
    pub accent_color: String,
    /// Address of its logo.
    pub logo_url: Option<String>,
}

impl From<&Tenant> for Brand {
    fn from(tenant: &Tenant) -> Self {
        Self {
            name: tenant.name.clone(),
            legal_name: tenant.legal_name.clone(),
            address: tenant.address.clone(),
            color: tenant.color.clone(),
            accent_color: tenant.accent().to_owned(),
            logo_url: tenant.logo_url.clone(),
        }
    }
}

/// A message to be sent, as an event calls for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What caused it; the same cause is one message.
    pub source: String,
    /// The booking it is about.
    pub booking: Booking,
    /// What it says.
    pub subject: Subject,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Paid, with the receipt.
    Receipt {
        /// Whether the booking is confirmed. It is not when the money came too late.
        confirmed: bool,
        /// The receipt's number.
        number: String,
        /// What was paid.
        amount: Money,
        /// Where its PDF lies.
        path: String,
    },
    /// Confirmed; free, or paid on site.
    Confirmation,
    /// A place somebody waited for is held for them.
    Offer {
        /// Until when.
        until: Timestamp,
    },
    /// The business was asked.
    Request {
        /// By when it answers.
        until: Timestamp,
    },
    /// The business said yes to a request, which is to be paid.
    Approval {
        /// Until when it is held.
        until: Timestamp,
    },
    /// A request has ended.
    Decline(Declined),
    /// Cancelled.
    Cancellation {
        /// What goes back, if something does.
        refund: Option<Money>,
        /// Whether the customer asked for it.
        by_customer: bool,
    },
}

/// Why a request has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declined {
    /// The business said no.
    Answered,
    /// It said nothing in time.
    TooLate,
    /// Who asked did not want it any more.
    Withdrawn,
}

impl Subject {
    /// The name of the templates.
    #[must_use]
    pub const fn template(&self) -> &'static str {
        match self {
            Self::Receipt {
                confirmed: true, ..
            } => "receipt",
            Self::Receipt {
                confirmed: false, ..
            } => "payment",
            Self::Confirmation => "confirmation",
            Self::Offer { .. } => "offer",
            Self::Request { .. } => "request",
            Self::Approval { .. } => "approval",
            Self::Decline(_) => "decline",
            Self::Cancellation { .. } => "cancellation",
        }
    }
}

/// The message `event` calls for, if it does.
///
/// # Errors
/// When the event's data does not have its type's shape.
pub fn letter(event: &Envelope) -> Result<Option<Letter>, serde_json::Error> {
    if let Some(generated) = event.open::<Generated>()? {
        return Ok(Some(Letter {
            source: format!("receipt:{}", generated.receipt_id),
            booking: generated.booking,
            subject: Subject::Receipt {
                confirmed: true,
                number: generated.number,
                amount: generated.amount,
                path: generated.path,
            },
        }));
    }
    if let Some(Requested { booking, until }) = event.open()? {
        return Ok(Some(Letter {
            source: format!("requested:{}", booking.booking_id),
            booking,
            subject: Subject::Request { until },
        }));
    }
    if let Some(Created { booking, approved }) = event.open()? {
        // Who books hears of it when it is certain; who asked does not wait at a screen.
        let until = booking.expires_at.filter(|_| approved);
        return Ok(until.map(|until| Letter {
            source: format!("approved:{}", booking.booking_id),
            booking,
            subject: Subject::Approval { until },
        }));
    }
    if let Some(Confirmed { booking }) = event.open()? {
        // A booking that an event confirmed was confirmed by its payment, and the receipt's mail
        // tells of it. A person's request has no event behind it.
        let paid = event.causation_id.is_some() && !booking.price.is_zero();
        let source = format!("confirmed:{}", booking.booking_id);
        return Ok((!paid).then_some(Letter {
            source,
            booking,
            subject: Subject::Confirmation,
        }));
    }
    if let Some(Updated { booking, change }) = event.open()? {
        // Certain, for somebody else or again: they have not been told so.
        let told = match change.as_str() {
            "transferred" => booking.expires_at.is_none(),
            "reinstated" => true,
            _ => false,
        };
        return Ok(told.then(|| Letter {
            source: format!("{change}:{}:{}", booking.booking_id, booking.version),
            booking,
            subject: Subject::Confirmation,
        }));
    }
    if let Some(Offered { booking, until, .. }) = event.open()? {
        return Ok(Some(Letter {
            source: format!("offered:{}", booking.booking_id),
            booking,
            subject: Subject::Offer { until },
        }));
    }
    if let Some(Cancelled {
        booking,
        reason,
        refund_due,
    }) = event.open()?
    {
        if matches!(reason.as_str(), "hold_expired" | "payment_failed") {
            return Ok(None);
        }
        let refund = (refund_due.amount > 0).then_some(refund_due);
        let subject = match reason.as_str() {
            "rejected" => Subject::Decline(Declined::Answered),
            "not_answered" => Subject::Decline(Declined::TooLate),
            "withdrawn" => Subject::Decline(Declined::Withdrawn),
            _ => Subject::Cancellation {
                refund,
                by_customer: reason == "customer",
            },
        };
        return Ok(Some(Letter {
            // It may end twice: money that comes afterwards goes back, and that is told.
            source: format!("cancelled:{}:{}", booking.booking_id, booking.version),
            booking,
            subject,
        }));
    }
    Ok(None)
}

/// What an event says of whether a booking stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The booking.
    pub booking: BookingId,
    /// Its version by then.
    pub version: i64,
    /// Whether it is confirmed; else it has ended.
    pub confirmed: bool,
}

/// Whether the booking `event` is about stands, if it says so.
///
/// # Errors
/// When the event's data does not have its type's shape.
pub fn standing(event: &Envelope) -> Result<Option<Standing>, serde_json::Error> {
    let standing = |booking: &Booking, confirmed| Standing {
        booking: booking.booking_id,
        version: booking.version,
        confirmed,
    };
    if let Some(Confirmed { booking }) = event.open()? {
        return Ok(Some(standing(&booking, true)));
    }
    if let Some(Updated { booking, change }) = event.open()?
        && change == "reinstated"
    {
        return Ok(Some(standing(&booking, true)));
    }
    if let Some(Cancelled { booking, .. }) = event.open()? {
        return Ok(Some(standing(&booking, false)));
    }
    Ok(None)
}

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Written down; not known to be sent.
    Queued,
    /// The mail server took it.
    Sent,
    /// The mail server refused it for good.
    Failed,
}

impl Status {
    /// Its name in tables and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Sent => "SENT",
            Self::Failed => "FAILED",
        }
    }

    /// The status of a name that [`Status::as_str`] gave; the table has no other.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        match name {
            "SENT" => Self::Sent,
            "FAILED" => Self::Failed,
            _ => Self::Queued,
        }
    }
}

/// A message and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The template it was made from.
    pub template: String,
    /// The booking it is about, if about one.
    pub booking_id: Option<BookingId>,
    /// The address it goes to.
    pub recipient: String,
    /// Its subject line.
    pub subject: String,
    /// Its RFC 5322 Message-ID, with angle brackets.
    pub message_id: String,
    /// How far it has come.
    pub status: Status,
    /// Why the mail server refused it.
    pub last_error: Option<String>,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When the mail server took it.
    pub sent_at: Option<Timestamp>,
}
