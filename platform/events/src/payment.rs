//! Told by the payment service.

use berth_kernel::{Money, PaymentId, RefundId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{booking::Booking, event};

/// A payment as others need to see it.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Payment {
    /// The payment.
    pub payment_id: PaymentId,
    /// Version after the change the event tells of.
    pub version: i64,
    /// What is to be paid.
    pub amount: Money,
    /// The provider's own id of it, as in `pi_…`; none before it is known there.
    pub provider_ref: Option<String>,
    /// What it pays for.
    pub booking: Booking,
}

/// The provider is ready to take the money.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Created {
    /// The payment.
    #[serde(flatten)]
    pub payment: Payment,
}
event!(
    Created,
    "payment.payment.created",
    payment.payment_id,
    payment.version
);

/// The bank is at it, which for a debit may take days: what is paid for is kept meanwhile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Processing {
    /// The payment.
    #[serde(flatten)]
    pub payment: Payment,
    /// By when the bank has said its word.
    pub until: Timestamp,
}
event!(
    Processing,
    "payment.payment.processing",
    payment.payment_id,
    payment.version
);

/// The money is there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Succeeded {
    /// The payment.
    #[serde(flatten)]
    pub payment: Payment,
    /// What paid it, for people: `visa •••• 4242`.
    pub method: Option<String>,
}
event!(
    Succeeded,
    "payment.payment.succeeded",
    payment.payment_id,
    payment.version
);

/// The payment will not be made; a decline that may be tried again is not told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failed {
    /// The payment.
    #[serde(flatten)]
    pub payment: Payment,
    /// `hold_expired`, `canceled`, or the provider's decline code.
    pub reason: String,
}
event!(
    Failed,
    "payment.payment.failed",
    payment.payment_id,
    payment.version
);

/// Money went back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refunded {
    /// The payment.
    #[serde(flatten)]
    pub payment: Payment,
    /// The refund.
    pub refund_id: RefundId,
    /// How much went back this time.
    pub refunded: Money,
    /// Whether nothing is left.
    pub in_full: bool,
}
event!(
    Refunded,
    "payment.payment.refunded",
    payment.payment_id,
    payment.version
);

/// Money that was to go back, or had gone, did not arrive: it is the tenant's again, and still due.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefundFailed {
    /// The payment.
    #[serde(flatten)]
    pub payment: Payment,
    /// The refund.
    pub refund_id: RefundId,
    /// How much it was.
    pub amount_due: Money,
    /// The provider's code, as in `expired_or_canceled_card`.
    pub failure_code: Option<String>,
}
event!(
    RefundFailed,
    "payment.payment.refund_failed",
    payment.payment_id,
    payment.version
);
