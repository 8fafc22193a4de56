//! Balance transactions: every movement of an account's money.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{APPLICATION, object};

/// Why the money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Movement {
    Charge,
    Refund,
    RefundFailure,
    ApplicationFee,
    ApplicationFeeRefund,
    Dispute,
    DisputeReversal,
    Payout,
    PayoutFailure,
    Transfer,
    /// The receiving side of a transfer.
    Payment,
}

impl Movement {
    /// The transaction's `type` and `reporting_category`.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Charge => ("charge", "charge"),
            Self::Refund => ("refund", "refund"),
            Self::RefundFailure => ("refund_failure", "refund_failure"),
            Self::ApplicationFee => ("application_fee", "platform_earning"),
            Self::ApplicationFeeRefund => ("application_fee_refund", "platform_earning_refund"),
            Self::Dispute => ("adjustment", "dispute"),
            Self::DisputeReversal => ("adjustment", "dispute_reversal"),
            Self::Payout => ("payout", "payout"),
            Self::PayoutFailure => ("payout_failure", "payout_reversal"),
            Self::Transfer => ("transfer", "transfer"),
            Self::Payment => ("payment", "charge"),
        }
    }
}

/// One part of a transaction's fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FeeKind {
    Stripe,
    Application,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BalanceTransaction {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) available_on: i64,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) fees: Vec<(FeeKind, i64)>,
    pub(crate) movement: Movement,
    pub(crate) source: Option<String>,
    pub(crate) description: Option<String>,
    /// The automatic payout that took this money to the bank.
    pub(crate) payout: Option<String>,
}

object!(BalanceTransaction, "balance_transaction");

impl BalanceTransaction {
    pub(crate) fn fee(&self) -> i64 {
        self.fees.iter().map(|(_, amount)| amount).sum()
    }

    pub(crate) fn net(&self) -> i64 {
        self.amount - self.fee()
    }

    fn shown(&self, now: i64) -> Value {
        let (kind, category) = self.movement.names();
        json!({
            "id": self.id,
            "object": "balance_transaction",
            "amount": self.amount,
            "available_on": self.available_on,
            "balance_type": "payments",
            "created": self.created,
            "currency": self.currency,
            "description": self.description,
            "exchange_rate": null,
            "fee": self.fee(),
            "fee_details": self.fee_details(),
            "net": self.net(),
            "reporting_category": category,
            "source": self.source,
            "status": if self.available_on <= now { "available" } else { "pending" },
            "type": kind,
        })
    }

    fn fee_details(&self) -> Vec<Value> {
        self.fees
            .iter()
            .map(|(kind, amount)| match kind {
                FeeKind::Stripe => json!({
                    "amount": amount,
                    "application": null,
                    "currency": self.currency,
                    "description": "Stripe processing fees",
                    "type": "stripe_fee",
                }),
                FeeKind::Application => json!({
                    "amount": amount,
                    "application": APPLICATION,
                    "currency": self.currency,
                    "description": "Application fee",
                    "type": "application_fee",
                }),
            })
            .collect()
    }
}
