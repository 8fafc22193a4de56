//! How far a payment account is, in plain words; pure.

use berth_payment::AccountState;

use crate::shown;

/// Where the account stands, and what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// `good`, `wait`, `calm` or `bad`.
    pub(crate) tone: &'static str,
    pub(crate) title: &'static str,
    pub(crate) detail: &'static str,
    /// What the button to Stripe's pages says, where there is anything to do there.
    pub(crate) action: Option<&'static str>,
}

impl Standing {
    pub(crate) fn of(account: &AccountState) -> Self {
        let standing = |tone, title, detail, action| Self {
            tone,
            title,
            detail,
            action,
        };
        let wanted = !account.requirements.is_empty();
        if account.account_id.is_none() {
            let detail = "Connect a Stripe account to take payments online. Customers pay you \
                          directly, and Stripe pays out to your bank.";
            return standing("calm", "Not connected yet", detail, Some("Connect Stripe"));
        }
        if !account.details_submitted {
            let detail = "The account is open, but Stripe does not know your business yet. \
                          Until then nobody can pay online.";
            return standing("wait", "Almost there", detail, Some("Continue at Stripe"));
        }
        match (account.charges_enabled, account.payouts_enabled) {
            (true, true) if wanted => {
                let detail =
                    "Payments and payouts work. Stripe wants to know a little more to keep it so.";
                standing(
                    "good",
                    "Ready, with a question",
                    detail,
                    Some("Answer at Stripe"),
                )
            }
            (true, true) => {
                let detail = "You can take payments, and Stripe pays out to your bank.";
                standing("good", "Ready", detail, None)
            }
            (true, false) => {
                let detail = "You can take payments. The money waits at Stripe until payouts are switched on.";
                standing(
                    "wait",
                    "Payouts are on hold",
                    detail,
                    Some("Continue at Stripe"),
                )
            }
            (false, _) if wanted => {
                let detail = "Nobody can pay online until Stripe has what is listed below.";
                standing(
                    "bad",
                    "Stripe needs more from you",
                    detail,
                    Some("Continue at Stripe"),
                )
            }
            (false, _) => {
                let detail = "Stripe has your details and has not switched payments on. This can \
                              take a day or two; Stripe writes to you if it needs anything.";
                standing("wait", "Stripe is checking", detail, None)
            }
        }
    }

    /// The same for who does not manage the account.
    pub(crate) const fn for_staff(ready: bool) -> Self {
        if ready {
            let detail = "Customers can pay online.";
            Self {
                tone: "good",
                title: "Ready",
                detail,
                action: None,
            }
        } else {
            let detail = "Customers cannot pay online yet. An administrator can change that.";
            Self {
                tone: "wait",
                title: "Not ready yet",
                detail,
                action: None,
            }
        }
    }
}

/// What Stripe wants, in plain words. Source: Stripe's documentation, "Required verification
/// information". A name not known here is shown as words.
pub(crate) fn requirement(name: &str) -> String {
    // Persons have ids of their own in front: `person_123.verification.document`.
    let (who, what) = match name.split_once('.') {
        Some((who, what)) if who.starts_with("person_") => ("A person at the business", what),
        Some(("individual" | "representative", what)) => ("The person responsible", what),
        Some(("owners" | "directors" | "executives", what)) => ("Owners and directors", what),
        Some(("company", what)) => ("The company", what),
        _ => ("", name),
    };
    let words = match what {
        "external_account" => "A bank account for payouts",
        "business_type" => "What kind of business it is",
        "tos_acceptance.date" | "tos_acceptance.ip" => "Agreement to Stripe's terms",
        "business_profile.mcc" => "The line of business",
        "business_profile.url" => "The website, or a description of what is sold",
        "business_profile.product_description" => "A description of what is sold",
        "business_profile.support_phone" => "A telephone number for customers",
        "settings.payments.statement_descriptor" => "The name on customers' bank statements",
        "verification.document" => "an identity document",
        "verification.additional_document" => "a second document, with the address",
        "dob.day" | "dob.month" | "dob.year" => "date of birth",
        "first_name" | "last_name" | "name" => "name",
        "email" => "e-mail address",
        "phone" => "telephone number",
        "id_number" | "ssn_last_4" => "tax or identity number",
        "tax_id" => "tax number",
        "owners_provided" | "directors_provided" | "executives_provided" => "who owns and runs it",
        address if address.starts_with("address.") => "address",
        _ => return shown::plain(name),
    };
    if who.is_empty() {
        words.to_owned()
    } else {
        format!("{who}: {words}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(charges: bool, payouts: bool, submitted: bool, wanted: &[&str]) -> AccountState {
        AccountState {
            account_id: Some("acct_1<b>".into()),
            charges_enabled: charges,
            payouts_enabled: payouts,
            details_submitted: submitted,
            requirements: wanted.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn every_standing_says_what_to_do_next() {
        let title = |account| Standing::of(&account).title;
        assert_eq!(title(AccountState::default()), "Not connected yet");
        assert_eq!(
            title(account(false, false, false, &["business_type"])),
            "Almost there"
        );
        assert_eq!(
            title(account(false, false, true, &["external_account"])),
            "Stripe needs more from you"
        );
        assert_eq!(
            title(account(false, false, true, &[])),
            "Stripe is checking"
        );
        assert_eq!(
            title(account(true, false, true, &[])),
            "Payouts are on hold"
        );
        assert_eq!(
            title(account(true, true, true, &["external_account"])),
            "Ready, with a question"
        );
        assert_eq!(title(account(true, true, true, &[])), "Ready");
    }

    #[test]
    fn what_stripe_wants_is_said_in_words() {
        assert_eq!(
            requirement("individual.dob.day"),
            "The person responsible: date of birth"
        );
        assert_eq!(
            requirement("person_1.address.line1"),
            "A person at the business: address"
        );
        assert_eq!(requirement("company.tax_id"), "The company: tax number");
        assert_eq!(
            requirement("interv_1.something_new"),
            "Interv 1 something new"
        );
    }
}
