//! Refunds.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::object;
use crate::params::Metadata;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    Pending,
    Succeeded,
    Failed,
    Canceled,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) charge: String,
    pub(crate) payment_intent: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) status: Status,
    pub(crate) balance_transaction: String,
    /// The money coming back after a failure.
    pub(crate) failure_balance_transaction: Option<String>,
    pub(crate) description: Option<String>,
    /// Part of the application fee that went back with it.
    pub(crate) application_fee_refunded: i64,
    pub(crate) metadata: Metadata,
}

object!(Refund, "refund");

impl Refund {
    fn shown(&self, _now: i64) -> Value {
        let mut shown = json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": self.balance_transaction,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "destination_details": {
                "type": "card",
                "card": {
                    "reference_status": "pending",
                    "reference_type": "acquirer_reference_number",
                    "type": "refund",
                },
            },
            "metadata": self.metadata,
            "payment_intent": self.payment_intent,
            "reason": self.reason,
            "receipt_number": null,
            "source_transfer_reversal": null,
            "status": self.status.as_str(),
            "transfer_reversal": null,
        });
        if let Some(description) = &self.description {
            shown["description"] = description.as_str().into();
        }
        if self.status == Status::Pending {
            shown["pending_reason"] = "processing".into();
        }
        if let Some(transaction) = &self.failure_balance_transaction {
            shown["failure_balance_transaction"] = transaction.as_str().into();
            shown["failure_reason"] = "expired_or_canceled_card".into();
        }
        shown
    }
}
