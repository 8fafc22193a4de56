//! Told by the payment service about money on its way to a tenant's bank.

use berth_kernel::Money;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event;

/// A payout reached the bank.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Paid {
    /// The payout.
    pub payout_id: Uuid,
    /// Version after the change.
    pub version: i64,
    /// How much.
    pub amount: Money,
}
event!(Paid, "payout.payout.paid", payout_id, version);

/// A payout came back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failed {
    /// The payout.
    pub payout_id: Uuid,
    /// Version after the change.
    pub version: i64,
    /// How much.
    pub amount: Money,
    /// The bank's reason, as the provider names it.
    pub reason: String,
}
event!(Failed, "payout.payout.failed", payout_id, version);
