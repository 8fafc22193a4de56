//! The cards of Stripe's test mode and what each of them does.

use serde::{Deserialize, Serialize};

/// A refusal by the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Decline {
    Generic,
    InsufficientFunds,
    LostCard,
    StolenCard,
    ExpiredCard,
    IncorrectCvc,
    ProcessingError,
    Fraudulent,
    /// The holder failed 3-D Secure.
    Authentication,
    /// A bank debit that came back.
    DebitReturned,
}

impl Decline {
    /// The error's `code`.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Generic
            | Self::InsufficientFunds
            | Self::LostCard
            | Self::StolenCard
            | Self::Fraudulent => "card_declined",
            Self::ExpiredCard => "expired_card",
            Self::IncorrectCvc => "incorrect_cvc",
            Self::ProcessingError => "processing_error",
            Self::Authentication => "payment_intent_authentication_failure",
            Self::DebitReturned => "payment_intent_payment_attempt_failed",
        }
    }

    /// The bank's reason, where a card was declined.
    pub(crate) fn decline_code(self) -> Option<&'static str> {
        match self {
            Self::Generic => Some("generic_decline"),
            Self::InsufficientFunds => Some("insufficient_funds"),
            Self::LostCard => Some("lost_card"),
            Self::StolenCard => Some("stolen_card"),
            Self::Fraudulent => Some("fraudulent"),
            Self::ExpiredCard
            | Self::IncorrectCvc
            | Self::ProcessingError
            | Self::Authentication
            | Self::DebitReturned => None,
        }
    }

    /// What the payer is told.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Generic | Self::LostCard | Self::StolenCard | Self::Fraudulent => {
                "Your card was declined."
            }
            Self::InsufficientFunds => "Your card has insufficient funds.",
            Self::ExpiredCard => "Your card has expired.",
            Self::IncorrectCvc => "Your card's security code is incorrect.",
            Self::ProcessingError => {
                "An error occurred while processing your card. Try again in a little bit."
            }
            Self::Authentication => {
                "We are unable to authenticate your payment method. Please choose a different \
                 payment method and try again."
            }
            Self::DebitReturned => "The bank returned the debit: the account is closed.",
        }
    }
}

/// What happens when a payment method is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Behaviour {
    Succeeds,
    /// As `Succeeds`, and the money is available at once.
    AvailableAtOnce,
    Declines(Decline),
    /// 3-D Secure first.
    Authenticates,
    /// Succeeds and is disputed at once.
    Disputed,
    /// Succeeds; a refund starts as pending and succeeds later.
    RefundPends,
    /// Succeeds; a refund succeeds and fails later.
    RefundFails,
    /// In `processing` for a while, then paid or returned.
    Processes {
        paid: bool,
    },
}

/// What is known of a card besides what it does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Card {
    pub(crate) brand: String,
    pub(crate) last4: String,
    pub(crate) country: String,
    pub(crate) funding: String,
}

/// One row per magic card: number, token, brand, behaviour.
const CARDS: &[(&str, &str, &str, Behaviour)] = &[
    (
        "4242424242424242",
        "pm_card_visa",
        "visa",
        Behaviour::Succeeds,
    ),
    (
        "4000056655665556",
        "pm_card_visa_debit",
        "visa",
        Behaviour::Succeeds,
    ),
    (
        "5555555555554444",
        "pm_card_mastercard",
        "mastercard",
        Behaviour::Succeeds,
    ),
    (
        "378282246310005",
        "pm_card_amex",
        "amex",
        Behaviour::Succeeds,
    ),
    (
        "4000000000000077",
        "pm_card_bypassPending",
        "visa",
        Behaviour::AvailableAtOnce,
    ),
    (
        "4000000000000002",
        "pm_card_chargeDeclined",
        "visa",
        Behaviour::Declines(Decline::Generic),
    ),
    (
        "4000000000000002",
        "pm_card_visa_chargeDeclined",
        "visa",
        Behaviour::Declines(Decline::Generic),
    ),
    (
        "4000000000009995",
        "pm_card_chargeDeclinedInsufficientFunds",
        "visa",
        Behaviour::Declines(Decline::InsufficientFunds),
    ),
    (
        "4000000000009995",
        "pm_card_visa_chargeDeclinedInsufficientFunds",
        "visa",
        Behaviour::Declines(Decline::InsufficientFunds),
    ),
    (
        "4000000000009987",
        "pm_card_visa_chargeDeclinedLostCard",
        "visa",
        Behaviour::Declines(Decline::LostCard),
    ),
    (
        "4000000000009979",
        "pm_card_visa_chargeDeclinedStolenCard",
        "visa",
        Behaviour::Declines(Decline::StolenCard),
    ),
    (
        "4000000000000069",
        "pm_card_chargeDeclinedExpiredCard",
        "visa",
        Behaviour::Declines(Decline::ExpiredCard),
    ),
    (
        "4000000000000127",
        "pm_card_chargeDeclinedIncorrectCvc",
        "visa",
        Behaviour::Declines(Decline::IncorrectCvc),
    ),
    (
        "4000000000000119",
        "pm_card_chargeDeclinedProcessingError",
        "visa",
        Behaviour::Declines(Decline::ProcessingError),
    ),
    (
        "4100000000000019",
        "pm_card_radarBlock",
        "visa",
        Behaviour::Declines(Decline::Fraudulent),
    ),
    (
        "4000002760003184",
        "pm_card_authenticationRequired",
        "visa",
        Behaviour::Authenticates,
    ),
    (
        "4000002500003155",
        "pm_card_authenticationRequiredOnSetup",
        "visa",
        Behaviour::Authenticates,
    ),
    (
        "4000000000003220",
        "pm_card_threeDSecure2Required",
        "visa",
        Behaviour::Authenticates,
    ),
    (
        "4000000000000259",
        "pm_card_createDispute",
        "visa",
        Behaviour::Disputed,
    ),
    (
        "4000000000007726",
        "pm_card_pendingRefund",
        "visa",
        Behaviour::RefundPends,
    ),
    (
        "4000000000005126",
        "pm_card_refundFail",
        "visa",
        Behaviour::RefundFails,
    ),
];

/// Looks a card up by its number, spaces allowed.
pub(crate) fn by_number(number: &str) -> Option<(Card, Behaviour)> {
    let number: String = number.chars().filter(char::is_ascii_digit).collect();
    CARDS.iter().find(|row| row.0 == number).map(card)
}

/// Looks a card up by a token such as `pm_card_visa`.
pub(crate) fn by_token(token: &str) -> Option<(Card, Behaviour)> {
    CARDS.iter().find(|row| row.1 == token).map(card)
}

fn card(&(number, token, brand, behaviour): &(&str, &str, &str, Behaviour)) -> (Card, Behaviour) {
    let funding = if token.ends_with("_debit") {
        "debit"
    } else {
        "credit"
    };
    let card = Card {
        brand: brand.to_owned(),
        last4: number[number.len() - 4..].to_owned(),
        country: "US".to_owned(),
        funding: funding.to_owned(),
    };
    (card, behaviour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_tokens_lead_to_the_same_behaviour() {
        for (number, token, _, behaviour) in CARDS {
            assert_eq!(by_number(number).map(|found| found.1), Some(*behaviour));
            assert_eq!(by_token(token).map(|found| found.1), Some(*behaviour));
        }
        assert!(by_number("4242 4242 4242 4242").is_some());
        assert!(by_number("1234").is_none());
    }
}
