//! What an event counts as: pure.

use berth_events::{
    analytics::Tracked,
    booking::{Booking, Created, Requested},
    payment::Succeeded,
};
use berth_kernel::{Envelope, Money};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Something to be counted.
#[derive(Clone, Debug)]
pub struct Happening {
    /// What is counted, in the form in which it is told on.
    pub tracked: Tracked,
    /// Whether it is told on.
    pub told: bool,
}

/// What `event` counts as, under the id `id`, if it counts.
///
/// # Errors
/// When the event's data does not have its type's shape.
pub fn tracked(event: &Envelope, id: Uuid) -> Result<Option<Happening>, serde_json::Error> {
    if let Some(Succeeded { payment, .. }) = event.open()? {
        let tracked = happening(event, id, "Purchase", payment.amount, payment.booking);
        return Ok(Some(Happening {
            tracked,
            told: true,
        }));
    }
    // Of what is asked for first that is the beginning.
    let begun = match event.open()? {
        Some(Requested { booking, .. }) => Some(booking),
        None => event
            .open()?
            .and_then(|Created { booking, approved }| (!approved).then_some(booking)),
    };
    if let Some(booking) = begun {
        let tracked = happening(event, id, "InitiateCheckout", booking.price, booking);
        return Ok(Some(Happening {
            tracked,
            told: false,
        }));
    }
    Ok(None)
}

fn happening(event: &Envelope, id: Uuid, name: &str, value: Money, booking: Booking) -> Tracked {
    let pixel_event_id = match (&booking.attribution.pixel_event_id, name) {
        // The pixel's id belongs to the purchase alone.
        (Some(id), "Purchase") if !id.is_empty() => id.clone(),
        _ => format!("{}-{}", name.to_lowercase(), booking.booking_id),
    };
    Tracked {
        tracked_id: id,
        version: 1,
        name: name.to_owned(),
        pixel_event_id,
        happened_at: event.timestamp,
        value,
        booking_id: booking.booking_id,
        product_name: booking.product_name,
        email_sha256: hashed(&booking.customer.email),
        attribution: booking.attribution,
    }
}

/// An address as ad platforms compare it: trimmed, lower case, SHA-256, hex.
fn hashed(email: &str) -> String {
    hex::encode(Sha256::digest(email.trim().to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_hashed_the_way_ad_platforms_do() {
        let hash = "71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476";
        assert_eq!(hashed("ann@example.com"), hash);
        assert_eq!(hashed(" Ann@Example.com "), hash);
    }
}
