//! Charges: one attempt to take the money of an intent.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    APPLICATION, card::Decline, intent::TransferData, object, payment_method::PaymentMethod,
};
use crate::params::Metadata;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) amount_refunded: i64,
    pub(crate) currency: String,
    pub(crate) application_fee: Option<String>,
    pub(crate) application_fee_amount: Option<i64>,
    /// Absent when the attempt failed.
    pub(crate) balance_transaction: Option<String>,
    pub(crate) payment_intent: Option<String>,
    /// `None` for the receiving side of a transfer.
    pub(crate) method: Option<PaymentMethod>,
    pub(crate) authenticated: bool,
    pub(crate) failure: Option<Decline>,
    pub(crate) disputed: bool,
    pub(crate) description: Option<String>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) statement_descriptor_suffix: Option<String>,
    pub(crate) transfer: Option<String>,
    pub(crate) transfer_data: Option<TransferData>,
    pub(crate) transfer_group: Option<String>,
    pub(crate) source_transfer: Option<String>,
    pub(crate) on_behalf_of: Option<String>,
    pub(crate) customer: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) connected: bool,
}

object!(Charge, "charge");

impl Charge {
    pub(crate) fn succeeded(&self) -> bool {
        self.failure.is_none()
    }

    /// What can still be given back.
    pub(crate) fn refundable(&self) -> i64 {
        self.amount - self.amount_refunded
    }

    fn shown(&self, _now: i64) -> Value {
        let paid = self.succeeded();
        json!({
            "id": self.id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": if paid { self.amount } else { 0 },
            "amount_refunded": self.amount_refunded,
            "application": self.connected.then_some(APPLICATION),
            "application_fee": self.application_fee,
            "application_fee_amount": self.application_fee_amount,
            "balance_transaction": self.balance_transaction,
            "billing_details": self.billing_details(),
            "calculated_statement_descriptor":
                self.statement_descriptor.as_deref().unwrap_or("STRIPE EMULATOR"),
            "captured": paid,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": self.description,
            "disputed": self.disputed,
            "failure_balance_transaction": null,
            "failure_code": self.failure.map(Decline::code),
            "failure_message": self.failure.map(Decline::message),
            "fraud_details": {},
            "livemode": false,
            "metadata": self.metadata,
            "on_behalf_of": self.on_behalf_of,
            "order": null,
            "outcome": self.outcome(),
            "paid": paid,
            "payment_intent": self.payment_intent,
            "payment_method": self.method.as_ref().map(|method| method.id.as_str()),
            "payment_method_details": self.method.as_ref().map(|method| {
                method.charge_details(self.amount, self.authenticated)
            }),
            "radar_options": {},
            "receipt_email": self.receipt_email,
            "receipt_number": null,
            "receipt_url": null,
            "refunded": paid && self.amount_refunded == self.amount,
            "review": null,
            "shipping": null,
            "source": null,
            "source_transfer": self.source_transfer,
            "statement_descriptor": self.statement_descriptor,
            "statement_descriptor_suffix": self.statement_descriptor_suffix,
            "status": if paid { "succeeded" } else { "failed" },
            "transfer": self.transfer,
            "transfer_data": self.transfer_data.as_ref().map(TransferData::shown),
            "transfer_group": self.transfer_group,
        })
    }

    fn billing_details(&self) -> Value {
        match &self.method {
            Some(method) => method.billing_details(),
            None => json!({ "address": null, "email": null, "name": null, "phone": null }),
        }
    }

    fn outcome(&self) -> Value {
        let Some(decline) = self.failure else {
            return json!({
                "advice_code": null,
                "network_advice_code": null,
                "network_decline_code": null,
                "network_status": "approved_by_network",
                "reason": null,
                "risk_level": "normal",
                "risk_score": 12,
                "seller_message": "Payment complete.",
                "type": "authorized",
            });
        };
        json!({
            "advice_code": null,
            "network_advice_code": null,
            "network_decline_code": null,
            "network_status": "declined_by_network",
            "reason": decline.decline_code().unwrap_or(decline.code()),
            "risk_level": "normal",
            "risk_score": 12,
            "seller_message": "The bank did not accept the payment.",
            "type": "issuer_declined",
        })
    }
}
