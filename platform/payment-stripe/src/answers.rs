//! The few fields of Stripe's answers that we read, and what they mean in the port's words.
//!
//! What an answer may leave out is an `Option`. Ids that can be expanded are always asked for
//! expanded, so that one call tells everything.

use std::collections::BTreeMap;

use berth_payment::provider::{self as port, IntentStatus, RefundStatus};
use miniserde::Deserialize;

use crate::{amount, failure::Failure};

#[derive(Deserialize)]
pub(crate) struct Account {
    id: String,
    charges_enabled: Option<bool>,
    payouts_enabled: Option<bool>,
    details_submitted: Option<bool>,
    requirements: Option<Requirements>,
}

#[derive(Deserialize)]
struct Requirements {
    currently_due: Option<Vec<String>>,
    past_due: Option<Vec<String>>,
}

impl Account {
    /// Accounts do not say whether they are live; the key they were asked for with does.
    pub(crate) fn read(self, livemode: bool) -> port::Account {
        let mut requirements = Vec::new();
        if let Some(wanted) = self.requirements {
            requirements.extend(wanted.past_due.unwrap_or_default());
            requirements.extend(wanted.currently_due.unwrap_or_default());
        }
        requirements.sort();
        requirements.dedup();
        port::Account {
            id: self.id,
            charges_enabled: self.charges_enabled.unwrap_or(false),
            payouts_enabled: self.payouts_enabled.unwrap_or(false),
            details_submitted: self.details_submitted.unwrap_or(false),
            requirements,
            livemode,
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Link {
    pub(crate) url: String,
}

#[derive(Deserialize)]
pub(crate) struct Intent {
    id: String,
    status: String,
    amount: i64,
    currency: String,
    client_secret: Option<String>,
    latest_charge: Option<Charge>,
    last_payment_error: Option<Declined>,
    livemode: bool,
}

#[derive(Deserialize)]
struct Charge {
    payment_method_details: Option<Method>,
    balance_transaction: Option<BalanceTransaction>,
}

#[derive(Deserialize)]
struct Method {
    #[serde(rename = "type")]
    kind: String,
    card: Option<Card>,
    sepa_debit: Option<BankAccount>,
}

#[derive(Deserialize)]
struct Card {
    brand: Option<String>,
    last4: Option<String>,
}

#[derive(Deserialize)]
struct BankAccount {
    last4: Option<String>,
}

#[derive(Deserialize)]
struct Declined {
    code: Option<String>,
    decline_code: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Intent {
    pub(crate) fn read(self) -> Result<port::Intent, Failure> {
        let paid = self.status == "succeeded";
        let charge = self.latest_charge.filter(|_| paid);
        let (method, balance) = match charge {
            Some(charge) => (charge.payment_method_details, charge.balance_transaction),
            None => (None, None),
        };
        Ok(port::Intent {
            id: self.id,
            status: intent_status(&self.status)?,
            amount: amount::money(self.amount, &self.currency)?,
            client_secret: self.client_secret,
            method: method.map(Method::shown),
            failure_code: self
                .last_payment_error
                .and_then(|error| error.decline_code.or(error.code).or(error.kind)),
            balance: balance.map(BalanceTransaction::read).transpose()?,
            livemode: self.livemode,
        })
    }
}

fn intent_status(status: &str) -> Result<IntentStatus, Failure> {
    Ok(match status {
        "requires_payment_method" | "requires_confirmation" => IntentStatus::RequiresPayment,
        "requires_action" => IntentStatus::RequiresAction,
        // Nothing here asks for a capture of its own; one in waiting is still the bank's money.
        "processing" | "requires_capture" => IntentStatus::Processing,
        "succeeded" => IntentStatus::Succeeded,
        "canceled" => IntentStatus::Canceled,
        other => {
            return Err(Failure::unknown(format!(
                "intents know no status `{other}`"
            )));
        }
    })
}

impl Method {
    /// `visa •••• 4242`, `sepa debit •••• 3000`, `paypal`.
    fn shown(self) -> String {
        let name = self.kind.replace('_', " ");
        let (name, last4) = match (self.card, self.sepa_debit) {
            (Some(card), _) => (card.brand.unwrap_or(name), card.last4),
            (None, Some(bank)) => (name, bank.last4),
            (None, None) => (name, None),
        };
        match last4 {
            Some(last4) => format!("{name} •••• {last4}"),
            None => name,
        }
    }
}

#[derive(Deserialize)]
struct BalanceTransaction {
    id: String,
    amount: i64,
    currency: String,
    fee: i64,
    fee_details: Vec<Fee>,
    net: i64,
}

#[derive(Deserialize)]
struct Fee {
    amount: i64,
    #[serde(rename = "type")]
    kind: String,
}

impl BalanceTransaction {
    /// Whatever is not the platform's share was kept by Stripe, taxes on its fee included.
    fn read(self) -> Result<port::BalanceTransaction, Failure> {
        let currency = amount::currency(&self.currency)?;
        let platform: i64 = self
            .fee_details
            .iter()
            .filter(|fee| fee.kind == "application_fee")
            .map(|fee| fee.amount)
            .sum();
        if self.amount.checked_sub(self.fee) != Some(self.net) {
            return Err(Failure::unknown(format!("{} does not add up", self.id)));
        }
        Ok(port::BalanceTransaction {
            amount: amount::money(self.amount, &self.currency)?,
            processing_fee_minor: amount::minor(self.fee - platform, currency)?,
            platform_fee_minor: amount::minor(platform, currency)?,
            net_minor: amount::minor(self.net, currency)?,
            id: self.id,
        })
    }
}

/// One page of intents, newest first.
#[derive(Deserialize)]
pub(crate) struct IntentPage {
    pub(crate) data: Vec<ListedIntent>,
    pub(crate) has_more: bool,
}

#[derive(Deserialize)]
pub(crate) struct ListedIntent {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(crate) struct Refund {
    id: String,
    status: Option<String>,
    amount: i64,
    currency: String,
    failure_reason: Option<String>,
    balance_transaction: Option<BalanceTransaction>,
    failure_balance_transaction: Option<BalanceTransaction>,
}

#[derive(Deserialize)]
pub(crate) struct RefundPage {
    pub(crate) data: Vec<ListedRefund>,
    pub(crate) has_more: bool,
}

#[derive(Deserialize)]
pub(crate) struct ListedRefund {
    pub(crate) id: String,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Refund {
    pub(crate) fn read(self) -> Result<port::ProviderRefund, Failure> {
        Ok(port::ProviderRefund {
            id: self.id,
            status: refund_status(self.status.as_deref())?,
            amount: amount::money(self.amount, &self.currency)?,
            failure_code: self.failure_reason,
            balance: self
                .balance_transaction
                .map(BalanceTransaction::read)
                .transpose()?,
            returned: self
                .failure_balance_transaction
                .map(BalanceTransaction::read)
                .transpose()?,
        })
    }
}

fn refund_status(status: Option<&str>) -> Result<RefundStatus, Failure> {
    Ok(match status {
        Some("pending" | "requires_action") => RefundStatus::Pending,
        Some("succeeded") => RefundStatus::Succeeded,
        Some("failed") => RefundStatus::Failed,
        Some("canceled") => RefundStatus::Canceled,
        other => {
            return Err(Failure::unknown(format!(
                "refunds know no status `{other:?}`"
            )));
        }
    })
}

#[cfg(test)]
mod tests {
    use miniserde::json;

    use super::*;

    fn intent(text: &str) -> Result<port::Intent, Failure> {
        json::from_str::<Intent>(text).unwrap().read()
    }

    fn balance(fees: &str, fee: i64, net: i64) -> Result<port::BalanceTransaction, Failure> {
        let text = format!(
            r#"{{"id":"txn_1","amount":10000,"currency":"eur","fee":{fee},"net":{net},
            "fee_details":[{fees}],"type":"charge"}}"#
        );
        json::from_str::<BalanceTransaction>(&text).unwrap().read()
    }

    #[test]
    fn fees_are_split_by_who_keeps_them() {
        let fees = r#"{"amount":175,"type":"stripe_fee"},{"amount":33,"type":"tax"},
            {"amount":290,"type":"application_fee"}"#;
        let split = balance(fees, 498, 9_502).unwrap();
        assert_eq!(
            (split.processing_fee_minor, split.platform_fee_minor),
            (208, 290)
        );
        assert_eq!(split.net_minor, 9_502);
        assert!(
            balance(fees, 498, 9_999).is_err(),
            "a sum that does not add up is not believed"
        );
    }

    #[test]
    fn an_unpaid_intent_shows_why_but_no_method_or_balance() {
        let declined = intent(
            r#"{"id":"pi_1","status":"requires_payment_method","amount":100,"currency":"eur",
            "livemode":false,"latest_charge":{"payment_method_details":{"type":"card",
            "card":{"brand":"visa","last4":"0002"}},"balance_transaction":null},
            "last_payment_error":{"type":"card_error","code":"card_declined",
            "decline_code":"generic_decline"}}"#,
        )
        .unwrap();
        assert_eq!(declined.status, IntentStatus::RequiresPayment);
        assert_eq!(declined.failure_code.as_deref(), Some("generic_decline"));
        assert_eq!((declined.method, declined.balance), (None, None));
    }

    #[test]
    fn a_method_is_shown_as_people_know_it() {
        let shown = |text: &str| json::from_str::<Method>(text).unwrap().shown();
        assert_eq!(
            shown(r#"{"type":"card","card":{"brand":"visa","last4":"4242","funding":"credit"}}"#),
            "visa •••• 4242"
        );
        let sepa = r#"{"type":"sepa_debit","sepa_debit":{"last4":"3000"}}"#;
        assert_eq!(shown(sepa), "sepa debit •••• 3000");
        assert_eq!(shown(r#"{"type":"paypal","paypal":{}}"#), "paypal");
    }

    #[test]
    fn a_status_nobody_knows_is_not_guessed() {
        let text =
            r#"{"id":"pi_1","status":"dreaming","amount":1,"currency":"eur","livemode":false}"#;
        assert!(intent(text).is_err());
        assert!(refund_status(None).is_err());
    }

    #[test]
    fn what_is_past_due_is_wanted_too_and_named_once() {
        let account = json::from_str::<Account>(
            r#"{"id":"acct_1","charges_enabled":true,"requirements":
            {"currently_due":["external_account","business_type"],"past_due":["business_type"]}}"#,
        )
        .unwrap()
        .read(false);
        assert_eq!(account.requirements, ["business_type", "external_account"]);
        assert!(account.charges_enabled && !account.payouts_enabled);
    }
}
