//! What is on a receipt: texts ready to be read, in the customer's language.

use serde::{Deserialize, Serialize};

/// One receipt. Texts left empty are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// As in `2026-000042`.
    pub number: String,
    /// The day of issue as people write it, as in `7 March 2026`.
    pub issued_on: String,
    /// Who was paid.
    pub seller: Seller,
    /// Who paid.
    pub customer: Customer,
    /// What for, in order.
    pub lines: Vec<Line>,
    /// All of it with its currency, as in `49.05 €`.
    pub total_text: String,
    /// As in `visa •••• 4242`.
    #[serde(default)]
    pub paid_with: Option<String>,
    /// What the customer names when asking: the booking's reference.
    #[serde(default)]
    pub reference: String,
    /// Language tag of the words around these texts, as in `de` or `en-GB`; English if unknown.
    #[serde(default)]
    pub locale: String,
}

/// The tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    /// The name customers know.
    pub name: String,
    /// The name in the register of companies, if it is another.
    #[serde(default)]
    pub legal_name: String,
    /// The address, line by line.
    #[serde(default)]
    pub address: Vec<String>,
    /// `#rrggbb`; anything else is a quiet grey.
    #[serde(default)]
    pub color: String,
}

/// The customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Full name.
    #[serde(default)]
    pub name: String,
    /// Where the receipt goes.
    #[serde(default)]
    pub email: String,
}

/// One thing paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What it is.
    pub description: String,
    /// When, where, with whom.
    #[serde(default)]
    pub detail: String,
    /// How many.
    pub quantity: u32,
    /// The line's amount with its currency.
    pub amount_text: String,
}
