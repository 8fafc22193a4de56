//! What a receipt is and says: pure, so that it can be compared in a unit test.

use berth_events::payment::Succeeded;
use berth_kernel::{BookingId, Money, PaymentId, ReceiptId, UserId};
use berth_receipt_pdf::{Content, Customer, Line, Seller};
use berth_tenancy::Tenant;
use berth_wording::{Language, single_line};
use jiff::{Timestamp, civil::Date};

/// Characters of a name or description that are shown.
const LONGEST: usize = 200;

/// A numbered proof of payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its id.
    pub id: ReceiptId,
    /// The number printed on it: `R-2026-000042`.
    pub number: String,
    /// The payment it proves.
    pub payment_id: PaymentId,
    /// The booking that was paid.
    pub booking_id: BookingId,
    /// The account that booked, if it was one.
    pub customer_id: Option<UserId>,
    /// What was paid.
    pub amount: Money,
    /// Path of the PDF in the tenant's folder of the object store.
    pub path: String,
    /// When the number was given.
    pub issued_at: Timestamp,
    /// When the PDF was put into the object store.
    pub stored_at: Option<Timestamp>,
}

/// The number as printed. Six digits keep a year's receipts in order as text; more are possible.
#[must_use]
pub fn number(year: i16, place: i64) -> String {
    format!("R-{year}-{place:06}")
}

/// Where the PDF lies in the tenant's folder: its receipts together, by year.
#[must_use]
pub fn path(year: i16, number: &str) -> String {
    format!("receipts/{year}/{number}.pdf")
}

/// The tenant as its receipts show it.
#[must_use]
pub fn seller(tenant: &Tenant) -> Seller {
    Seller {
        name: single_line(&tenant.name, LONGEST),
        legal_name: single_line(&tenant.legal_name, LONGEST),
        address: tenant
            .address
            .lines()
            .map(|line| single_line(line, LONGEST))
            .collect(),
        color: tenant.color.clone(),
    }
}

/// What the PDF says, in the customer's language: issued on a day of the seller's calendar, for a
/// time in the zone of the booking.
#[must_use]
pub fn content(seller: Seller, paid: &Succeeded, number: &str, issued_on: Date) -> Content {
    let booking = &paid.payment.booking;
    let language = Language::of(&booking.customer.locale);
    Content {
        number: number.to_owned(),
        issued_on: language.date(issued_on),
        seller,
        customer: Customer {
            name: single_line(&booking.customer.name, LONGEST),
            email: single_line(&booking.customer.email, LONGEST),
        },
        lines: vec![Line {
            description: single_line(&booking.product_name, LONGEST),
            detail: language.period(booking.starts_at, booking.ends_at, &booking.timezone),
            quantity: booking.quantity.unsigned_abs(),
            amount_text: language.money(booking.price),
        }],
        total_text: language.money(paid.payment.amount),
        paid_with: paid.method.clone(),
        reference: booking.reference.clone(),
        locale: language.tag().to_owned(),
    }
}
