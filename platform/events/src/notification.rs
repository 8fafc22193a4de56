//! Told by the notification service.

use berth_kernel::{BookingId, DeliveryId};
use serde::{Deserialize, Serialize};

use crate::event;

/// A mail was accepted by the mail server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EmailSent {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// Its version: always 1.
    pub version: i64,
    /// The template it was made from.
    pub template: String,
    /// Its subject.
    pub subject: String,
    /// The booking it is about, if about one.
    pub booking_id: Option<BookingId>,
}
event!(EmailSent, "notification.email.sent", delivery_id, version);
