//! Payment methods: a card or a bank debit, used for one payment.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    card::{Behaviour, Card},
    object,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PaymentMethod {
    pub(crate) id: String,
    pub(crate) created: i64,
    /// `None` for a bank debit.
    pub(crate) card: Option<Card>,
    pub(crate) exp_month: i64,
    pub(crate) exp_year: i64,
    pub(crate) behaviour: Behaviour,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
}

object!(PaymentMethod, "payment_method");

impl PaymentMethod {
    /// `card` or `us_bank_account`.
    pub(crate) fn kind(&self) -> &'static str {
        if self.card.is_some() {
            "card"
        } else {
            "us_bank_account"
        }
    }

    pub(crate) fn billing_details(&self) -> Value {
        json!({
            "address": {
                "city": null, "country": null, "line1": null, "line2": null,
                "postal_code": null, "state": null,
            },
            "email": self.email,
            "name": self.name,
            "phone": null,
            "tax_id": null,
        })
    }

    fn shown(&self, _now: i64) -> Value {
        let mut shown = json!({
            "id": self.id,
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": self.billing_details(),
            "created": self.created,
            "customer": null,
            "livemode": false,
            "metadata": {},
            "type": self.kind(),
        });
        shown[self.kind()] = match &self.card {
            Some(card) => self.card_shown(card),
            None => bank_shown(),
        };
        shown
    }

    fn card_shown(&self, card: &Card) -> Value {
        json!({
            "brand": card.brand,
            "checks": checks(),
            "country": card.country,
            "display_brand": card.brand,
            "exp_month": self.exp_month,
            "exp_year": self.exp_year,
            "fingerprint": fingerprint(card),
            "funding": card.funding,
            "generated_from": null,
            "last4": card.last4,
            "networks": { "available": [card.brand], "preferred": null },
            "regulated_status": "unregulated",
            "three_d_secure_usage": { "supported": true },
            "wallet": null,
        })
    }

    /// `payment_method_details` of a charge made with this method.
    pub(crate) fn charge_details(&self, amount: i64, authenticated: bool) -> Value {
        let Some(card) = &self.card else {
            return json!({ "type": "us_bank_account", "us_bank_account": bank_shown() });
        };
        let three_d_secure = authenticated.then(|| {
            json!({
                "authentication_flow": "challenge",
                "electronic_commerce_indicator": "05",
                "exemption_indicator": null,
                "result": "authenticated",
                "result_reason": null,
                "transaction_id": null,
                "version": "2.2.0",
            })
        });
        json!({
            "type": "card",
            "card": {
                "amount_authorized": amount,
                "authorization_code": null,
                "brand": card.brand,
                "checks": checks(),
                "country": card.country,
                "exp_month": self.exp_month,
                "exp_year": self.exp_year,
                "extended_authorization": { "status": "disabled" },
                "fingerprint": fingerprint(card),
                "funding": card.funding,
                "incremental_authorization": { "status": "unavailable" },
                "installments": null,
                "last4": card.last4,
                "mandate": null,
                "multicapture": { "status": "unavailable" },
                "network": card.brand,
                "network_token": { "used": false },
                "network_transaction_id": null,
                "overcapture": { "maximum_amount_capturable": amount, "status": "unavailable" },
                "regulated_status": "unregulated",
                "three_d_secure": three_d_secure,
                "wallet": null,
            },
        })
    }
}

fn bank_shown() -> Value {
    json!({
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": null,
        "fingerprint": "EmulatorBank6789",
        "last4": "6789",
        "mandate": null,
        "networks": { "preferred": "ach", "supported": ["ach"] },
        "payment_reference": null,
        "routing_number": "110000000",
        "status_details": {},
    })
}

fn checks() -> Value {
    json!({ "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" })
}

/// The same for every payment with one card, as with Stripe.
fn fingerprint(card: &Card) -> String {
    format!("Emulator{}{}", card.brand, card.last4)
}
