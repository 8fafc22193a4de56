//! What the payment page shows, by where booking and payment stand; pure.

use berth_booking::{Booking, Status};
use berth_kernel::Money;
use berth_payment::{Payment, PaymentStatus};
use jiff::Timestamp;
use serde::Deserialize;

/// What is known of the booking's payment.
#[derive(Debug)]
pub(crate) enum Asked {
    /// There is one.
    Known(Box<Payment>),
    /// There is nothing to ask for.
    NotNeeded,
    /// The business cannot take money.
    NoAccount,
    /// The provider will not have it.
    Refused,
    /// The provider does not answer.
    NoAnswer,
}

/// What the address says after the provider sent the customer back. A hint: it can be made up,
/// so it only ever changes what is said while no word has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Returned {
    Succeeded,
    Pending,
    Failed,
    #[serde(other)]
    Unknown,
}

/// What the page shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The business has not said yes.
    Requested,
    /// The payment is not there yet.
    Preparing,
    /// The provider does not answer; it is asked again.
    Waiting,
    /// The card form.
    Payable {
        /// The business's account at the provider.
        account: String,
        /// What the browser pays with.
        client_secret: String,
        /// Whether a try has just failed.
        declined: bool,
    },
    /// The customer says it is paid; no word of it yet.
    Checking,
    /// The bank is at it.
    Processing,
    /// Paid, not yet confirmed.
    Paid,
    /// Certain.
    Confirmed,
    /// It took place, or was to.
    Over,
    /// Not paid in time, or the payment ended.
    Failed,
    /// Called off; what goes back.
    Cancelled(Option<Money>),
    /// The business cannot take money.
    NotReady,
}

impl State {
    /// Seconds after which the page looks again.
    pub(crate) const fn refresh(&self) -> Option<u8> {
        match self {
            Self::Preparing => Some(1),
            Self::Checking | Self::Paid => Some(2),
            Self::Waiting | Self::Processing => Some(5),
            Self::Requested
            | Self::Payable { .. }
            | Self::Confirmed
            | Self::Over
            | Self::Failed
            | Self::Cancelled(_)
            | Self::NotReady => None,
        }
    }
}

pub(crate) fn decide(
    booking: &Booking,
    asked: Asked,
    returned: Option<Returned>,
    now: Timestamp,
) -> State {
    match booking.status {
        Status::Confirmed => State::Confirmed,
        Status::Completed | Status::NoShow => State::Over,
        Status::Failed => State::Failed,
        Status::Cancelled => State::Cancelled(booking.refund_due.filter(|due| due.amount > 0)),
        Status::Requested => State::Requested,
        Status::Pending => match asked {
            Asked::Known(payment) => held(booking, *payment, returned, now),
            Asked::NotNeeded => State::Preparing,
            Asked::NoAccount => State::NotReady,
            Asked::Refused => State::Failed,
            Asked::NoAnswer => State::Waiting,
        },
    }
}

fn held(booking: &Booking, payment: Payment, returned: Option<Returned>, now: Timestamp) -> State {
    match payment.status {
        PaymentStatus::Created => State::Preparing,
        PaymentStatus::RequiresPayment | PaymentStatus::RequiresAction => {
            let Some(client_secret) = payment.client_secret else {
                return State::Preparing;
            };
            if matches!(returned, Some(Returned::Succeeded | Returned::Pending)) {
                State::Checking
            } else if booking.expires_at.is_some_and(|at| at <= now) {
                State::Failed
            } else {
                let declined = returned == Some(Returned::Failed);
                State::Payable {
                    account: payment.account_id,
                    client_secret,
                    declined,
                }
            }
        }
        PaymentStatus::Processing => State::Processing,
        PaymentStatus::Succeeded | PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => {
            State::Paid
        }
        PaymentStatus::Canceled => State::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::sample;

    fn shown(status: PaymentStatus, returned: Option<Returned>) -> State {
        let payment = Box::new(sample::payment(status));
        decide(
            &sample::booking(Status::Pending),
            Asked::Known(payment),
            returned,
            sample::now(),
        )
    }

    #[test]
    fn what_the_address_says_proves_nothing() {
        let returned = Some(Returned::Succeeded);
        assert_eq!(
            shown(PaymentStatus::RequiresPayment, returned),
            State::Checking
        );
        assert_eq!(shown(PaymentStatus::Canceled, returned), State::Failed);
        assert_eq!(shown(PaymentStatus::Created, returned), State::Preparing);
        assert_eq!(
            shown(PaymentStatus::Succeeded, Some(Returned::Failed)),
            State::Paid
        );
        let booking = sample::booking(Status::Failed);
        assert_eq!(
            decide(&booking, Asked::NotNeeded, returned, sample::now()),
            State::Failed
        );
    }

    #[test]
    fn only_a_confirmed_booking_is_confirmed() {
        for status in Status::ALL {
            let state = decide(
                &sample::booking(status),
                Asked::NotNeeded,
                None,
                sample::now(),
            );
            assert_eq!(
                state == State::Confirmed,
                status == Status::Confirmed,
                "{status:?}"
            );
        }
        assert_eq!(shown(PaymentStatus::Succeeded, None), State::Paid);
    }

    #[test]
    fn a_hold_that_ran_out_is_not_paid_any_more() {
        let booking = sample::booking(Status::Pending);
        let asked = |status| Asked::Known(Box::new(sample::payment(status)));
        let late = booking.expires_at.unwrap();
        let state = decide(&booking, asked(PaymentStatus::RequiresPayment), None, late);
        assert_eq!(state, State::Failed);
        assert_eq!(
            decide(&booking, asked(PaymentStatus::Succeeded), None, late),
            State::Paid
        );
    }

    #[test]
    fn what_is_still_moving_is_looked_at_again() {
        let moving = [
            PaymentStatus::Created,
            PaymentStatus::Processing,
            PaymentStatus::Succeeded,
        ];
        assert!(
            moving
                .iter()
                .all(|status| shown(*status, None).refresh().is_some())
        );
        assert_eq!(
            shown(PaymentStatus::RequiresPayment, None).refresh(),
            None,
            "would clear the form"
        );
    }
}
