//! Which event is told to the customer.

use berth_events::{
    booking::{Booking, Cancelled, Completed, Confirmed, Created, Requested},
    user,
};
use berth_kernel::{Envelope, TenantId, UserId};
use berth_notification::model::{Declined, Subject, letter};

use crate::sample::{asked, booking, euro, followed, generated};

#[test]
fn a_booking_confirmed_by_its_payment_is_told_of_by_its_receipt_alone() {
    let (tenant, booking) = (TenantId::new(), booking("en"));
    let confirmed = Confirmed {
        booking: booking.clone(),
    };
    assert_eq!(letter(&followed(tenant, &confirmed)).unwrap(), None);

    let receipt = generated(booking);
    let told = letter(&followed(tenant, &receipt)).unwrap().unwrap();
    assert_eq!(told.source, format!("receipt:{}", receipt.receipt_id));
    assert!(matches!(told.subject, Subject::Receipt { .. }));
}

#[test]
fn a_booking_confirmed_without_payment_is_told_of_at_once() {
    let tenant = TenantId::new();
    let on_site = Confirmed {
        booking: booking("en"),
    };
    assert_eq!(
        letter(&asked(tenant, &on_site)).unwrap().unwrap().subject,
        Subject::Confirmation
    );

    let mut free = booking("en");
    free.price = euro(0);
    let free = Confirmed { booking: free };
    for event in [asked(tenant, &free), followed(tenant, &free)] {
        assert_eq!(
            letter(&event).unwrap().unwrap().subject,
            Subject::Confirmation
        );
    }
}

#[test]
fn a_hold_that_ran_out_ends_without_a_mail_and_every_other_end_is_told() {
    let cancelled = |reason: &str, refund| {
        let event = Cancelled {
            booking: booking("en"),
            reason: reason.into(),
            refund_due: euro(refund),
        };
        letter(&followed(TenantId::new(), &event))
            .unwrap()
            .map(|letter| letter.subject)
    };
    for silent in ["hold_expired", "payment_failed"] {
        assert_eq!(cancelled(silent, 0), None);
    }
    assert_eq!(
        cancelled("customer", 2_450),
        Some(Subject::Cancellation {
            refund: Some(euro(2_450)),
            by_customer: true
        })
    );
    for ours in ["staff", "place_lost"] {
        assert_eq!(
            cancelled(ours, 0),
            Some(Subject::Cancellation {
                refund: None,
                by_customer: false
            })
        );
    }
}

#[test]
fn what_needs_no_mail_gets_none() {
    let tenant = TenantId::new();
    let none = |event| assert_eq!(letter(&event).unwrap(), None);
    none(asked(
        tenant,
        &Created {
            booking: booking("en"),
            approved: false,
        },
    ));
    none(asked(
        tenant,
        &Completed {
            booking: booking("en"),
        },
    ));
    none(asked(
        tenant,
        &user::Deleted {
            user_id: UserId::new(),
            version: 2,
        },
    ));
}

#[test]
fn who_asks_hears_that_they_did_and_what_the_answer_is() {
    let tenant = TenantId::new();
    let until = "2026-07-13T16:30:00Z".parse().unwrap();
    let booking = booking("en");
    let told = |event: &Envelope| letter(event).unwrap().map(|letter| letter.subject);
    let requested = Requested {
        booking: booking.clone(),
        until,
    };
    let request = Subject::Request { until };
    assert_eq!(told(&asked(tenant, &requested)), Some(request));

    let created = |expires_at| Created {
        booking: Booking {
            expires_at,
            ..booking.clone()
        },
        approved: true,
    };
    let approval = Some(Subject::Approval { until });
    assert_eq!(told(&asked(tenant, &created(Some(until)))), approval);
    // What is certain at once is confirmed, by another event.
    assert_eq!(told(&asked(tenant, &created(None))), None);

    for (reason, why) in [
        ("rejected", Declined::Answered),
        ("not_answered", Declined::TooLate),
        ("withdrawn", Declined::Withdrawn),
    ] {
        let cancelled = Cancelled {
            booking: booking.clone(),
            reason: reason.into(),
            refund_due: euro(0),
        };
        let decline = Subject::Decline(why);
        assert_eq!(told(&asked(tenant, &cancelled)), Some(decline));
    }
}
