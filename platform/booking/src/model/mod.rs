//! What a booking is and the rules about it; pure.

pub mod assignment;
pub mod cancellation;
#[cfg(test)]
mod clocks;
pub mod details;
pub mod needs;
pub mod nights;
pub mod price;
pub mod rentals;
pub mod schedule;
pub mod seats;
mod status;
pub mod tables;
pub(crate) mod vouchers;

use berth_catalog::CancellationTier;
use berth_events::booking as told;
use berth_kernel::{
    BookingId, Money, PoolId, ProductId, ResourceId, SessionGroupId, SessionId, UserId,
};
use jiff::{Timestamp, civil::DateTime};
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use crate::Error;
use details::Details;
use price::PriceLine;
use seats::BookedSeat;
pub use status::{Forbidden, Status};

/// A customer's claim on a product at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// Its id.
    pub id: BookingId,
    /// The short code customers read out.
    pub reference: String,
    /// What is booked.
    pub product_id: ProductId,
    /// Its name when booked.
    pub product_name: String,
    /// Who or what serves it, for appointments.
    pub resource_id: Option<ResourceId>,
    /// Whoever and whatever else it takes.
    #[serde(default)]
    pub other_resource_ids: Vec<ResourceId>,
    /// The session, for places of one.
    pub session_id: Option<SessionId>,
    /// The sessions booked together, for a course.
    #[serde(default)]
    pub session_group_id: Option<SessionGroupId>,
    /// What it takes some of, for a stay or a rental.
    #[serde(default)]
    pub pool_id: Option<PoolId>,
    /// The account that booked, if it was one.
    pub customer_id: Option<UserId>,
    /// Who it is for.
    pub customer: told::Customer,
    /// Where it stands.
    pub status: Status,
    /// Raised by each change, each of which is told as an event.
    pub version: i64,
    /// Start.
    pub starts_at: Timestamp,
    /// End, exclusive.
    pub ends_at: Timestamp,
    /// Wall time of the start, where it takes place.
    pub local_start: DateTime,
    /// IANA zone of the place.
    pub timezone: String,
    /// Places.
    pub quantity: i32,
    /// The price agreed, all places together.
    pub price: Money,
    /// How it came about, as it was quoted.
    #[serde(default)]
    pub price_lines: Vec<PriceLine>,
    /// The numbered seats.
    #[serde(default)]
    pub seats: Vec<BookedSeat>,
    /// The cancellation policy agreed.
    pub policy: Vec<CancellationTier>,
    /// How the customer came.
    pub attribution: told::Attribution,
    /// What the customer wants known.
    pub notes: String,
    /// What was asked and answered, and who takes part.
    #[serde(default, skip_serializing_if = "Details::is_empty")]
    pub details: Details,
    /// Whether money came in for it.
    pub paid: bool,
    /// When it became certain, if it ever did.
    #[serde(default)]
    pub confirmed_at: Option<Timestamp>,
    /// When who booked came.
    #[serde(default)]
    pub checked_in_at: Option<Timestamp>,
    /// Until when it is held: unpaid, or unanswered.
    pub expires_at: Option<Timestamp>,
    /// Why it ended as it did.
    pub status_reason: Option<String>,
    /// What is given back of a cancelled booking.
    pub refund_due: Option<Money>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Booking {
    /// The booking as other services are told of it.
    #[must_use]
    pub fn told(&self) -> told::Booking {
        told::Booking {
            booking_id: self.id,
            version: self.version,
            reference: self.reference.clone(),
            product_id: self.product_id,
            product_name: self.product_name.clone(),
            customer_id: self.customer_id,
            customer: self.customer.clone(),
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            timezone: self.timezone.clone(),
            quantity: self.quantity,
            price: self.price,
            // What is only asked for cannot be paid.
            expires_at: self.expires_at.filter(|_| self.status == Status::Pending),
            attribution: self.attribution.clone(),
        }
    }

    /// Takes the step to `status`.
    ///
    /// # Errors
    /// [`Forbidden`] when the booking's life does not have that step.
    pub fn step(&mut self, status: Status, at: Timestamp) -> Result<(), Forbidden> {
        self.status = self.status.step(status)?;
        self.version += 1;
        self.updated_at = at;
        if status != Status::Pending {
            self.expires_at = None;
        }
        Ok(())
    }
}

/// A new short code: eight signs that are hard to mistake for each other when read aloud.
#[must_use]
pub fn new_reference() -> String {
    const ALPHABET: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let mut rng = rand::rng();
    let mut sign = || char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]);
    let (head, tail): (String, String) = (
        (0..4).map(|_| sign()).collect(),
        (0..4).map(|_| sign()).collect(),
    );
    format!("{head}-{tail}")
}

impl Booking {
    /// Whether it still takes its place.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        matches!(
            self.status,
            Status::Requested | Status::Pending | Status::Confirmed
        )
    }

    /// Refuses who may only see their own bookings and does not own this one, as if it were not
    /// there.
    pub(crate) fn check_visible(&self, owner: Option<UserId>) -> Result<(), Error> {
        match owner {
            Some(owner) if self.customer_id != Some(owner) => Err(Error::NotFound),
            _ => Ok(()),
        }
    }

    /// Refuses a change based on another version, if one is named.
    pub(crate) fn check_version(&self, version: Option<i64>) -> Result<(), Error> {
        match version {
            Some(version) if version != self.version => Err(Error::VersionConflict),
            _ => Ok(()),
        }
    }
}
