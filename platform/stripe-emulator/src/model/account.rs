//! Connected accounts and the links that lead their owners through onboarding.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::object;
use crate::params::Metadata;

/// How far the owner of an account has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Nothing was handed in.
    New,
    /// The form was handed in, a document is still due.
    Incomplete,
    Complete,
    /// Refused by the provider, for good.
    Rejected,
}

/// Who pays fees, bears losses and collects requirements.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Controller {
    pub(crate) dashboard: String,
    pub(crate) fees_payer: String,
    pub(crate) losses: String,
    pub(crate) requirement_collection: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) created: i64,
    /// `none` for accounts made with a controller hash.
    pub(crate) kind: String,
    pub(crate) controller: Controller,
    pub(crate) country: String,
    pub(crate) default_currency: String,
    pub(crate) email: Option<String>,
    pub(crate) business_type: Option<String>,
    pub(crate) business_name: Option<String>,
    pub(crate) business_url: Option<String>,
    pub(crate) mcc: Option<String>,
    pub(crate) product_description: Option<String>,
    pub(crate) support_email: Option<String>,
    pub(crate) support_phone: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    /// Names of the capabilities asked for.
    pub(crate) capabilities: Vec<String>,
    pub(crate) metadata: Metadata,
    pub(crate) stage: Stage,
    /// When the owner accepted the terms.
    pub(crate) accepted_at: Option<i64>,
}

object!(Account, "account");

impl Account {
    pub(crate) fn is_enabled(&self) -> bool {
        self.stage == Stage::Complete
    }

    fn shown(&self, _now: i64) -> Value {
        let capability = match self.stage {
            Stage::Complete => "active",
            Stage::Incomplete => "pending",
            Stage::New | Stage::Rejected => "inactive",
        };
        let capabilities: serde_json::Map<_, _> = self
            .capabilities
            .iter()
            .map(|name| (name.clone(), capability.into()))
            .collect();
        json!({
            "id": self.id,
            "object": "account",
            "business_profile": self.business_profile(),
            "business_type": self.business_type,
            "capabilities": capabilities,
            "charges_enabled": self.is_enabled(),
            "controller": self.controller(),
            "country": self.country,
            "created": self.created,
            "default_currency": self.default_currency,
            "details_submitted": self.stage != Stage::New,
            "email": self.email,
            "future_requirements": requirements(&[], None),
            "metadata": self.metadata,
            "payouts_enabled": self.is_enabled(),
            "requirements": self.requirements(),
            "settings": self.settings(),
            "tos_acceptance": { "date": self.accepted_at },
            "type": self.kind,
        })
    }

    fn requirements(&self) -> Value {
        match self.stage {
            Stage::New => requirements(
                &[
                    "business_type",
                    "external_account",
                    "tos_acceptance.date",
                    "tos_acceptance.ip",
                ],
                Some("requirements.past_due"),
            ),
            Stage::Incomplete => requirements(
                &["individual.verification.document"],
                Some("requirements.past_due"),
            ),
            Stage::Complete => requirements(&[], None),
            Stage::Rejected => requirements(&[], Some("rejected.other")),
        }
    }

    fn business_profile(&self) -> Value {
        json!({
            "annual_revenue": null,
            "estimated_worker_count": null,
            "mcc": self.mcc,
            "name": self.business_name,
            "product_description": self.product_description,
            "support_address": null,
            "support_email": self.support_email,
            "support_phone": self.support_phone,
            "support_url": null,
            "url": self.business_url,
        })
    }

    fn controller(&self) -> Value {
        json!({
            "type": "application",
            "is_controller": true,
            "fees": { "payer": self.controller.fees_payer },
            "losses": { "payments": self.controller.losses },
            "requirement_collection": self.controller.requirement_collection,
            "stripe_dashboard": { "type": self.controller.dashboard },
        })
    }

    fn settings(&self) -> Value {
        json!({
            "bacs_debit_payments": { "display_name": null, "service_user_number": null },
            "branding": { "icon": null, "logo": null, "primary_color": null, "secondary_color": null },
            "card_issuing": { "tos_acceptance": { "date": null, "ip": null } },
            "card_payments": {
                "decline_on": { "avs_failure": false, "cvc_failure": false },
                "statement_descriptor_prefix": null,
                "statement_descriptor_prefix_kana": null,
                "statement_descriptor_prefix_kanji": null,
            },
            "dashboard": { "display_name": self.business_name, "timezone": "Etc/UTC" },
            "invoices": { "default_account_tax_ids": null, "hosted_payment_method_save": "offer" },
            "payments": {
                "statement_descriptor": self.statement_descriptor,
                "statement_descriptor_kana": null,
                "statement_descriptor_kanji": null,
            },
            "payouts": {
                "debit_negative_balances": true,
                "schedule": { "delay_days": 2, "interval": "daily" },
                "statement_descriptor": null,
            },
            "sepa_debit_payments": {},
        })
    }
}

fn requirements(due: &[&str], disabled_reason: Option<&str>) -> Value {
    json!({
        "alternatives": [],
        "current_deadline": null,
        "currently_due": due,
        "disabled_reason": disabled_reason,
        "errors": [],
        "eventually_due": due,
        "past_due": due,
        "pending_verification": [],
    })
}

/// A link that account_links handed out, good for one onboarding.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OnboardingLink {
    pub(crate) account: String,
    pub(crate) return_url: String,
    pub(crate) refresh_url: String,
    pub(crate) expires_at: i64,
    pub(crate) used: bool,
}
