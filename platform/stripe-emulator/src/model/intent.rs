//! Payment intents.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{APPLICATION, card::Decline, object, payment_method::PaymentMethod};
use crate::params::Metadata;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    Succeeded,
    Canceled,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }

    /// Whether amount, method or the intent itself may still be given up.
    pub(crate) fn is_open(self) -> bool {
        matches!(
            self,
            Self::RequiresPaymentMethod | Self::RequiresConfirmation | Self::RequiresAction
        )
    }
}

/// Why the last attempt failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) decline: Decline,
    /// Absent when no charge was tried (3-D Secure failed).
    pub(crate) charge: Option<String>,
    pub(crate) method: PaymentMethod,
}

impl Failure {
    /// The fields that `last_payment_error` and a 402 answer have in common.
    pub(crate) fn shown(&self, now: i64) -> Value {
        use crate::shelf::Object;

        let mut shown = json!({
            "code": self.decline.code(),
            "doc_url": format!("https://stripe.com/docs/error-codes/{}", self.decline.code().replace('_', "-")),
            "message": self.decline.message(),
            "payment_method": self.method.render(now),
            "type": self.kind(),
        });
        if let Some(code) = self.decline.decline_code() {
            shown["decline_code"] = code.into();
        }
        if let Some(charge) = &self.charge {
            shown["charge"] = charge.as_str().into();
        }
        shown
    }

    fn kind(&self) -> &'static str {
        match self.decline {
            Decline::Authentication | Decline::DebitReturned => "invalid_request_error",
            _ => "card_error",
        }
    }
}

/// A destination charge: who receives the money, and how much of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TransferData {
    pub(crate) destination: String,
    /// `None`: all of it.
    pub(crate) amount: Option<i64>,
}

impl TransferData {
    pub(crate) fn shown(&self) -> Value {
        let mut shown = json!({ "destination": self.destination });
        if let Some(amount) = self.amount {
            shown["amount"] = amount.into();
        }
        shown
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) client_secret: String,
    /// Minor units, as every amount here.
    pub(crate) amount: i64,
    pub(crate) amount_received: i64,
    pub(crate) currency: String,
    pub(crate) application_fee_amount: Option<i64>,
    pub(crate) status: Status,
    pub(crate) payment_method: Option<String>,
    pub(crate) payment_method_types: Vec<String>,
    pub(crate) automatic_payment_methods: bool,
    pub(crate) allow_redirects: String,
    pub(crate) latest_charge: Option<String>,
    pub(crate) failure: Option<Failure>,
    /// The 3-D Secure page, while the payer has to visit it.
    pub(crate) challenge_url: Option<String>,
    pub(crate) return_url: Option<String>,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) cancellation_reason: Option<String>,
    pub(crate) capture_method: String,
    pub(crate) confirmation_method: String,
    pub(crate) customer: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) setup_future_usage: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) statement_descriptor_suffix: Option<String>,
    pub(crate) transfer_group: Option<String>,
    pub(crate) transfer_data: Option<TransferData>,
    pub(crate) on_behalf_of: Option<String>,
    pub(crate) metadata: Metadata,
    /// Made by the platform on a connected account.
    pub(crate) connected: bool,
}

object!(Intent, "payment_intent");

/// What a publishable key may see.
const PUBLIC_FIELDS: &[&str] = &[
    "id",
    "object",
    "amount",
    "amount_details",
    "automatic_payment_methods",
    "canceled_at",
    "cancellation_reason",
    "capture_method",
    "client_secret",
    "confirmation_method",
    "created",
    "currency",
    "description",
    "last_payment_error",
    "livemode",
    "next_action",
    "payment_method",
    "payment_method_types",
    "processing",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "source",
    "status",
];

impl Intent {
    /// The intent as the payer's browser may see it.
    pub(crate) fn public(&self, now: i64) -> Value {
        let mut shown = self.shown(now);
        if let Some(fields) = shown.as_object_mut() {
            fields.retain(|field, _| PUBLIC_FIELDS.contains(&field.as_str()));
        }
        shown
    }

    fn shown(&self, now: i64) -> Value {
        json!({
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_capturable": 0,
            "amount_details": { "tip": {} },
            "amount_received": self.amount_received,
            "application": self.connected.then_some(APPLICATION),
            "application_fee_amount": self.application_fee_amount,
            "automatic_payment_methods": self.automatic_payment_methods.then(|| {
                json!({ "allow_redirects": self.allow_redirects, "enabled": true })
            }),
            "canceled_at": self.canceled_at,
            "cancellation_reason": self.cancellation_reason,
            "capture_method": self.capture_method,
            "client_secret": self.client_secret,
            "confirmation_method": self.confirmation_method,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": self.description,
            "excluded_payment_method_types": null,
            "last_payment_error": self.failure.as_ref().map(|failure| failure.shown(now)),
            "latest_charge": self.latest_charge,
            "livemode": false,
            "metadata": self.metadata,
            "next_action": self.next_action(),
            "on_behalf_of": self.on_behalf_of,
            "payment_method": self.payment_method,
            "payment_method_configuration_details": null,
            "payment_method_options": { "card": {
                "installments": null,
                "mandate_options": null,
                "network": null,
                "request_three_d_secure": "automatic",
            } },
            "payment_method_types": self.payment_method_types,
            "processing": null,
            "receipt_email": self.receipt_email,
            "review": null,
            "setup_future_usage": self.setup_future_usage,
            "shipping": null,
            "source": null,
            "statement_descriptor": self.statement_descriptor,
            "statement_descriptor_suffix": self.statement_descriptor_suffix,
            "status": self.status.as_str(),
            "transfer_data": self.transfer_data.as_ref().map(TransferData::shown),
            "transfer_group": self.transfer_group,
        })
    }

    fn next_action(&self) -> Option<Value> {
        let url = self.challenge_url.as_ref()?;
        Some(json!({
            "type": "redirect_to_url",
            "redirect_to_url": { "return_url": self.return_url, "url": url },
        }))
    }
}
