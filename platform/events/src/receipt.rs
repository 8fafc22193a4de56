//! Told by the receipt service.

use berth_kernel::{Money, ReceiptId};
use serde::{Deserialize, Serialize};

use crate::{booking::Booking, event};

/// A numbered receipt lies in the object store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Generated {
    /// The receipt.
    pub receipt_id: ReceiptId,
    /// Its version: always 1, a receipt does not change.
    pub version: i64,
    /// The number printed on it, without gaps within a tenant and year.
    pub number: String,
    /// What was paid.
    pub amount: Money,
    /// Path of the PDF in the object store.
    pub path: String,
    /// What it is for.
    pub booking: Booking,
}
event!(Generated, "receipt.receipt.generated", receipt_id, version);
