//! Transfers from the platform to a connected account.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{inner_list, object};
use crate::params::Metadata;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Transfer {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) balance_transaction: String,
    pub(crate) destination: String,
    /// The payment that the destination received.
    pub(crate) destination_payment: String,
    pub(crate) source_transaction: Option<String>,
    pub(crate) transfer_group: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
}

object!(Transfer, "transfer");

impl Transfer {
    fn shown(&self, _now: i64) -> Value {
        json!({
            "id": self.id,
            "object": "transfer",
            "amount": self.amount,
            "amount_reversed": 0,
            "balance_transaction": self.balance_transaction,
            "created": self.created,
            "currency": self.currency,
            "description": self.description,
            "destination": self.destination,
            "destination_payment": self.destination_payment,
            "livemode": false,
            "metadata": self.metadata,
            "reversals": inner_list(Vec::new(), format!("/v1/transfers/{}/reversals", self.id)),
            "reversed": false,
            "source_transaction": self.source_transaction,
            "source_type": "card",
            "transfer_group": self.transfer_group,
        })
    }
}
