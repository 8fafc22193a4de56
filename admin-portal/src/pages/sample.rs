//! Sample data of golden pages: names in many scripts, and names that would be code if they were
//! not escaped.

use berth_booking::{Answer, Booking, Details, Participant, Status};
use berth_catalog::CancellationTier;
use berth_events::booking::{Attribution, Customer};
use berth_kernel::{Currency, Money};
use berth_payment::{Payment, PaymentStatus, Refund, RefundState};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    brand::Brand,
    shell::{Person, Section, Shell},
};

pub(crate) const NONCE: &str = "00112233445566778899aabbccddeeff";
pub(crate) const TOKEN: &str = "ffeeddccbbaa99887766554433221100";
pub(crate) const HOSTILE: &str = "<script>alert('x')</script> \"O'Hara\" & Søns";

fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + number).into()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

pub(crate) fn brand() -> Brand {
    Brand::new("Alpha Clinic & Söhne", "#0f766e", "#0f766e")
}

pub(crate) fn shell(section: Section) -> Shell {
    let person = Person {
        name: "Ada <Lovelace>".into(),
        csrf: TOKEN.into(),
        manages_business: true,
        manages_account: true,
    };
    Shell {
        person: Some(person),
        section,
        ..Shell::outside(brand(), NONCE.into())
    }
}

/// A booking in the state given.
pub(crate) fn booking(status: Status) -> Booking {
    let paid = matches!(
        status,
        Status::Confirmed | Status::Completed | Status::NoShow
    );
    Booking {
        id: id(1),
        reference: "K7QF-3M2P".into(),
        product_id: id(2),
        product_name: "First consultation, 45 minutes".into(),
        resource_id: Some(id(3)),
        other_resource_ids: Vec::new(),
        session_id: None,
        session_group_id: None,
        pool_id: None,
        customer_id: Some(id(4)),
        customer: Customer {
            name: HOSTILE.into(),
            email: "zoe@example.org".into(),
            locale: "en".into(),
        },
        status,
        version: 2,
        starts_at: at("2027-03-02T09:00:00Z"),
        ends_at: at("2027-03-02T09:45:00Z"),
        local_start: "2027-03-02T10:00:00".parse().unwrap(),
        timezone: "Europe/Berlin".into(),
        quantity: 1,
        price: eur(8_950),
        price_lines: vec![],
        seats: vec![],
        policy: vec![CancellationTier {
            hours_before: 24,
            refund_percent: 100,
        }],
        attribution: Attribution::default(),
        notes: "Second line\n<img src=x onerror=alert(1)>".into(),
        details: Details {
            answers: vec![answer("Anything we should know?", HOSTILE)],
            participants: vec![Participant {
                name: HOSTILE.into(),
                email: Some("zoe@example.org".into()),
                answers: vec![answer("Size of shoes?", "38")],
            }],
        },
        paid,
        confirmed_at: paid.then(|| at("2027-03-01T08:01:00Z")),
        checked_in_at: None,
        expires_at: matches!(status, Status::Requested | Status::Pending)
            .then(|| at("2027-03-01T08:15:00Z")),
        status_reason: matches!(status, Status::Failed).then(|| "hold_expired".into()),
        refund_due: (status == Status::Cancelled).then(|| eur(8_950)),
        created_at: at("2027-03-01T08:00:00Z"),
        updated_at: at("2027-03-01T08:01:00Z"),
    }
}

fn answer(label: &str, words: &str) -> Answer {
    Answer {
        key: "it".into(),
        label: label.into(),
        value: words.into(),
    }
}

/// Its payment in the state given.
pub(crate) fn payment(status: PaymentStatus) -> Payment {
    let refunded = match status {
        PaymentStatus::PartiallyRefunded => 2_000,
        PaymentStatus::Refunded => 8_950,
        _ => 0,
    };
    Payment {
        id: id(5),
        status,
        version: 2,
        amount: eur(8_950),
        refunded: eur(refunded),
        fee_minor: 134,
        account_id: "acct_1".into(),
        provider_ref: Some("pi_1".into()),
        client_secret: Some("pi_1_secret_\"><b>".into()),
        method: (!status.is_open() && status != PaymentStatus::Canceled)
            .then(|| "visa •••• 4242".into()),
        failure_code: None,
        booking: booking(Status::Pending).told(),
        expires_at: Some(at("2027-03-01T08:15:00Z")),
        correlation_id: Uuid::nil(),
        created_at: at("2027-03-01T08:00:01Z"),
        updated_at: at("2027-03-01T08:01:00Z"),
    }
}

/// A refund of it.
pub(crate) fn refund(state: RefundState) -> Refund {
    Refund {
        id: id(6),
        payment_id: id(5),
        source: "api:1".into(),
        state,
        amount: eur(2_000),
        reason: "<i>Late</i> start".into(),
        provider_ref: Some("re_1".into()),
        failure_code: (state == RefundState::Failed).then(|| "expired_or_canceled_card".into()),
        correlation_id: Uuid::nil(),
        created_at: at("2027-03-01T09:30:00Z"),
    }
}

/// When the pages are looked at.
pub(crate) fn now() -> Timestamp {
    at("2027-03-01T08:05:00Z")
}
