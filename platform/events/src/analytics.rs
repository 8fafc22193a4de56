//! Told by the analytics service.

use berth_kernel::{BookingId, Money};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{booking::Attribution, event};

/// Something worth counting happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tracked {
    /// The tracked event.
    pub tracked_id: Uuid,
    /// Its version: always 1.
    pub version: i64,
    /// Name in the tracking world: `Purchase`.
    pub name: String,
    /// Id the browser's pixel sends for the same happening; both count once.
    pub pixel_event_id: String,
    /// When it happened.
    pub happened_at: Timestamp,
    /// What it was worth.
    pub value: Money,
    /// The booking it is about.
    pub booking_id: BookingId,
    /// What was bought, for the ad platform's report.
    pub product_name: String,
    /// SHA-256 of the lower-cased address, hex: ad platforms match on it.
    pub email_sha256: String,
    /// How the customer found the offer.
    pub attribution: Attribution,
}
event!(Tracked, "analytics.event.tracked", tracked_id, version);
