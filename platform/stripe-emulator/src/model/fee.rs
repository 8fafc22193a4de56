//! Application fees: the platform's share of a connected account's charge.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{APPLICATION, inner_list, object};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FeeRefund {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) balance_transaction: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ApplicationFee {
    pub(crate) id: String,
    pub(crate) created: i64,
    /// The connected account that paid it.
    pub(crate) account: String,
    pub(crate) amount: i64,
    pub(crate) amount_refunded: i64,
    pub(crate) balance_transaction: String,
    pub(crate) charge: String,
    pub(crate) currency: String,
    pub(crate) refunds: Vec<FeeRefund>,
}

object!(ApplicationFee, "application_fee");

impl ApplicationFee {
    fn shown(&self, _now: i64) -> Value {
        let refunds = self
            .refunds
            .iter()
            .rev()
            .map(|refund| self.refund_shown(refund))
            .collect();
        json!({
            "id": self.id,
            "object": "application_fee",
            "account": self.account,
            "amount": self.amount,
            "amount_refunded": self.amount_refunded,
            "application": APPLICATION,
            "balance_transaction": self.balance_transaction,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "fee_source": { "charge": self.charge, "type": "charge" },
            "livemode": false,
            "originating_transaction": null,
            "refunded": self.amount_refunded == self.amount,
            "refunds": inner_list(refunds, format!("/v1/application_fees/{}/refunds", self.id)),
        })
    }

    pub(crate) fn refund_shown(&self, refund: &FeeRefund) -> Value {
        json!({
            "id": refund.id,
            "object": "fee_refund",
            "amount": refund.amount,
            "balance_transaction": refund.balance_transaction,
            "created": refund.created,
            "currency": self.currency,
            "fee": self.id,
            "metadata": {},
        })
    }
}
