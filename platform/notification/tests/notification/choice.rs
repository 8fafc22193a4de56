//! Which event is told to the customer.

use berth_events::{
    booking::{Cancelled, Completed, Confirmed, Created},
    user,
};
use berth_kernel::{TenantId, UserId};
use berth_notification::model::{Subject, letter};

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
