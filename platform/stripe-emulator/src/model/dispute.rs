//! Disputes of card payments.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{balance::BalanceTransaction, object};
use crate::{params::Metadata, shelf::Object};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    pub(crate) fn is_closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) charge: String,
    pub(crate) payment_intent: Option<String>,
    pub(crate) brand: String,
    pub(crate) status: Status,
    pub(crate) due_by: i64,
    pub(crate) submissions: u64,
    /// `uncategorized_text` and the like, as handed in.
    pub(crate) evidence: Metadata,
    /// Shown in full, as the API does; the shelf of transactions has them too.
    pub(crate) transactions: Vec<BalanceTransaction>,
    pub(crate) metadata: Metadata,
}

object!(Dispute, "dispute");

/// Every text that evidence may hold.
const EVIDENCE: &[&str] = &[
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

impl Dispute {
    fn shown(&self, now: i64) -> Value {
        let transactions: Vec<_> = self
            .transactions
            .iter()
            .map(|transaction| transaction.render(now))
            .collect();
        let mut evidence: serde_json::Map<_, _> = EVIDENCE
            .iter()
            .map(|name| ((*name).to_owned(), json!(self.evidence.get(*name))))
            .collect();
        evidence.insert("enhanced_evidence".into(), json!({}));
        json!({
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "balance_transactions": transactions,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "enhanced_eligibility_types": [],
            "evidence": evidence,
            "evidence_details": {
                "due_by": self.due_by,
                "enhanced_eligibility": {},
                "has_evidence": !self.evidence.is_empty(),
                "past_due": self.due_by < now,
                "submission_count": self.submissions,
            },
            "is_charge_refundable": false,
            "livemode": false,
            "metadata": self.metadata,
            "payment_intent": self.payment_intent,
            "payment_method_details": {
                "type": "card",
                "card": {
                    "brand": self.brand,
                    "case_type": "chargeback",
                    "network": self.brand,
                    "network_reason_code": "10.4",
                },
            },
            "reason": "fraudulent",
            "status": self.status.as_str(),
        })
    }
}
