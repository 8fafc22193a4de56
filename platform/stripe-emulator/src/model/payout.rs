//! Payouts to an account's bank.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::object;
use crate::params::Metadata;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Payout {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) arrival_date: i64,
    /// Took the whole balance: its transactions carry its id.
    pub(crate) automatic: bool,
    pub(crate) failed: bool,
    pub(crate) balance_transaction: String,
    pub(crate) failure_balance_transaction: Option<String>,
    pub(crate) destination: String,
    pub(crate) metadata: Metadata,
}

object!(Payout, "payout");

impl Payout {
    fn shown(&self, _now: i64) -> Value {
        json!({
            "id": self.id,
            "object": "payout",
            "amount": self.amount,
            "application_fee": null,
            "application_fee_amount": null,
            "arrival_date": self.arrival_date,
            "automatic": self.automatic,
            "balance_transaction": self.balance_transaction,
            "created": self.created,
            "currency": self.currency,
            "description": "STRIPE PAYOUT",
            "destination": self.destination,
            "failure_balance_transaction": self.failure_balance_transaction,
            "failure_code": self.failed.then_some("account_closed"),
            "failure_message": self.failed.then_some("The bank account has been closed."),
            "livemode": false,
            "metadata": self.metadata,
            "method": "standard",
            "original_payout": null,
            "payout_method": null,
            "reconciliation_status": if self.automatic { "completed" } else { "not_applicable" },
            "reversed_by": null,
            "source_type": "card",
            "statement_descriptor": null,
            "status": if self.failed { "failed" } else { "paid" },
            "trace_id": null,
            "type": "bank_account",
        })
    }
}
