//! The answer of `/v1/account_sessions`: a secret and every component's switch.

use serde_json::{Map, Value, json};

use crate::params::Params;

const DISPUTES: &[&str] = &[
    "destination_on_behalf_of_charge_management",
    "dispute_management",
    "refund_management",
    "smart_disputes_management",
];
const PAYMENTS: &[&str] = &[
    "capture_payments",
    "destination_on_behalf_of_charge_management",
    "dispute_management",
    "refund_management",
    "smart_disputes_management",
];
const ACCOUNT: &[&str] = &[
    "disable_stripe_user_authentication",
    "external_account_collection",
];
const PAYOUTS: &[&str] = &[
    "disable_stripe_user_authentication",
    "edit_payout_schedule",
    "external_account_collection",
    "instant_payouts",
    "standard_payouts",
];

/// Each component with the names of its features.
const COMPONENTS: &[(&str, &[&str])] = &[
    ("account_management", ACCOUNT),
    ("account_onboarding", ACCOUNT),
    ("balance_report", &[]),
    ("balances", PAYOUTS),
    ("disputes_list", PAYMENTS),
    ("documents", &[]),
    (
        "financial_account",
        &[
            "disable_stripe_user_authentication",
            "external_account_collection",
            "send_money",
            "transfer_balance",
        ],
    ),
    (
        "financial_account_transactions",
        &["card_spend_dispute_management"],
    ),
    (
        "instant_payouts_promotion",
        &[
            "disable_stripe_user_authentication",
            "external_account_collection",
            "instant_payouts",
        ],
    ),
    (
        "issuing_card",
        &[
            "card_management",
            "card_spend_dispute_management",
            "cardholder_management",
            "spend_control_management",
        ],
    ),
    (
        "issuing_cards_list",
        &[
            "card_management",
            "card_spend_dispute_management",
            "cardholder_management",
            "disable_stripe_user_authentication",
            "spend_control_management",
        ],
    ),
    ("notification_banner", ACCOUNT),
    ("payment_details", PAYMENTS),
    ("payment_disputes", DISPUTES),
    (
        "payment_method_settings",
        &["disable_stripe_user_authentication"],
    ),
    ("payments", PAYMENTS),
    ("payout_details", &[]),
    ("payout_reconciliation_report", &[]),
    ("payouts", PAYOUTS),
    ("payouts_list", &[]),
    ("tax_registrations", &[]),
    ("tax_settings", &[]),
];

/// The `components` of an account session, as asked for in `components[..]`.
pub(crate) fn components(asked: &Params) -> Value {
    let shown = COMPONENTS.iter().map(|(name, features)| {
        let asked = asked.below(name);
        let enabled = asked.text("enabled") == Some("true");
        let features: Map<_, _> = features
            .iter()
            .map(|feature| {
                let on = asked.text(&format!("features.{feature}")) == Some("true");
                ((*feature).to_owned(), on.into())
            })
            .collect();
        (
            (*name).to_owned(),
            json!({ "enabled": enabled, "features": features }),
        )
    });
    Value::Object(shown.collect())
}
