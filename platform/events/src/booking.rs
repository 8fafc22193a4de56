//! Told by the booking service.

use berth_kernel::{BookingId, Money, ProductId, UserId, WaitlistEntryId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event;

/// A booking as others need to see it; also kept by payment and receipt, so that neither has to
/// ask back.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Booking {
    /// The booking.
    pub booking_id: BookingId,
    /// Version after the change the event tells of.
    pub version: i64,
    /// The short code customers read out, as in `K7QF-3M2P`.
    pub reference: String,
    /// What was booked.
    pub product_id: ProductId,
    /// Its name at the time of booking.
    pub product_name: String,
    /// The account that booked, if it was one.
    pub customer_id: Option<UserId>,
    /// Who it is for.
    pub customer: Customer,
    /// Start.
    pub starts_at: Timestamp,
    /// End, exclusive.
    pub ends_at: Timestamp,
    /// IANA zone of the place; wall times are shown in it.
    pub timezone: String,
    /// Places taken.
    pub quantity: i32,
    /// The price agreed, all places together.
    pub price: Money,
    /// Until when the unpaid booking is held; none once confirmed.
    pub expires_at: Option<Timestamp>,
    /// Where the customer came from.
    #[serde(default)]
    pub attribution: Attribution,
}

/// Whom to address, and how.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Customer {
    /// Name as the person writes it.
    pub name: String,
    /// Address for confirmation and receipt.
    pub email: String,
    /// BCP 47 language tag to write in.
    pub locale: String,
}

/// How a customer found the offer, for conversion tracking.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Attribution {
    /// Id the tracking pixel in the browser sent with its own event, so that the pair counts once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixel_event_id: Option<String>,
    /// TikTok's click id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttclid: Option<String>,
    /// `utm_source`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utm_source: Option<String>,
    /// `utm_medium`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utm_medium: Option<String>,
    /// `utm_campaign`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utm_campaign: Option<String>,
}

/// Something was asked for that the business has to say yes to. It is held until it does, or `until`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Requested {
    /// What may become a booking.
    #[serde(flatten)]
    pub booking: Booking,
    /// By when it is answered.
    pub until: Timestamp,
}
event!(
    Requested,
    "booking.booking.requested",
    booking.booking_id,
    booking.version
);

/// A booking was taken; unpaid ones are held until `expires_at`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Created {
    /// The booking.
    #[serde(flatten)]
    pub booking: Booking,
    /// Whether it was [`Requested`] before, and the business said yes. What is certain then is told of by
    /// [`Confirmed`] alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approved: bool,
}
event!(
    Created,
    "booking.booking.created",
    booking.booking_id,
    booking.version
);

/// The change of a booking whose customer has longer to pay.
pub const HOLD_PROLONGED: &str = "hold_prolonged";

/// A booking was changed: moved, or its details edited.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Updated {
    /// The booking as it now is.
    #[serde(flatten)]
    pub booking: Booking,
    /// What was changed: `rescheduled`, `edited`, `transferred`, `paid`, `hold_extended`, `hold_prolonged`,
    /// `checked_in`, `check_in_undone`, `no_show`, `reinstated`, `deleted`.
    pub change: String,
}
event!(
    Updated,
    "booking.booking.updated",
    booking.booking_id,
    booking.version
);

/// A booking is certain.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Confirmed {
    /// The booking.
    #[serde(flatten)]
    pub booking: Booking,
}
event!(
    Confirmed,
    "booking.booking.confirmed",
    booking.booking_id,
    booking.version
);

/// A booking ended before its time: cancelled by someone, or not paid in time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cancelled {
    /// The booking.
    #[serde(flatten)]
    pub booking: Booking,
    /// `customer`, `staff`, `payment_failed`, `hold_expired`, `place_lost`; of a request
    /// `rejected`, `not_answered`, `withdrawn`.
    pub reason: String,
    /// What the policy gives back; zero if nothing was or is due.
    pub refund_due: Money,
}
event!(
    Cancelled,
    "booking.booking.cancelled",
    booking.booking_id,
    booking.version
);

/// A booking took place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Completed {
    /// The booking.
    #[serde(flatten)]
    pub booking: Booking,
}
event!(
    Completed,
    "booking.booking.completed",
    booking.booking_id,
    booking.version
);

/// Somebody who waited for a place has it held for them, until it is paid.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Offered {
    /// Their place in the line.
    pub entry_id: WaitlistEntryId,
    /// Version of that; it has one.
    pub entry_version: i64,
    /// The booking that is held.
    #[serde(flatten)]
    pub booking: Booking,
    /// Until when.
    pub until: Timestamp,
}
event!(Offered, "booking.waitlist.offered", entry_id, entry_version);
