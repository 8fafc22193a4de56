//! Events as the other services tell them.

use berth_events::{
    booking::{Booking, Customer},
    receipt::Generated,
};
use berth_kernel::{
    BookingId, Cause, Envelope, Event, EventId, Money, ProductId, ReceiptId, TenantId,
};
use uuid::Uuid;

/// A cleaning of teeth in Berlin for 49.05 €.
pub fn booking(locale: &str) -> Booking {
    Booking {
        booking_id: BookingId::new(),
        version: 2,
        reference: "K7QF-3M2P".into(),
        product_id: ProductId::new(),
        product_name: "Zahnreinigung".into(),
        customer_id: None,
        customer: Customer {
            name: "Zoë Müller".into(),
            email: "zoe@example.com".into(),
            locale: locale.into(),
        },
        starts_at: "2026-07-14T08:00:00Z".parse().unwrap(),
        ends_at: "2026-07-14T08:45:00Z".parse().unwrap(),
        timezone: "Europe/Berlin".into(),
        quantity: 1,
        price: euro(4_905),
        expires_at: None,
        attribution: Default::default(),
    }
}

pub fn euro(amount: i64) -> Money {
    Money::new(amount, berth_kernel::Currency::EUR)
}

pub fn generated(booking: Booking) -> Generated {
    let receipt_id = ReceiptId::new();
    Generated {
        receipt_id,
        version: 1,
        number: "R-2026-000042".into(),
        amount: booking.price,
        path: format!("receipts/{receipt_id}.pdf"),
        booking,
    }
}

/// The event in its envelope, as it follows from another event.
pub fn followed<E: Event>(tenant: TenantId, event: &E) -> Envelope {
    wrapped(tenant, event, Some(EventId::new()))
}

/// The event in its envelope, as it follows from a person's request.
pub fn asked<E: Event>(tenant: TenantId, event: &E) -> Envelope {
    wrapped(tenant, event, None)
}

fn wrapped<E: Event>(tenant: TenantId, event: &E, causation_id: Option<EventId>) -> Envelope {
    let cause = Cause {
        correlation_id: Uuid::now_v7(),
        causation_id,
        trace_parent: None,
    };
    let at = "2026-07-01T12:00:00Z".parse().unwrap();
    Envelope::wrap(event, tenant, at, &cause).unwrap()
}
