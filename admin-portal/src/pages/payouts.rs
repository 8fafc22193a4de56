//! The business's account at Stripe: how far it is, in plain words, and the way to Stripe's pages.
//!
//! Coming back from there proves nothing: what the page shows is what Stripe says when asked.

use askama::Template;
use berth_payment::{AccountState, Error};
use poem::{Response, handler, web::Query};

use super::{
    DoneQuery,
    standing::{Standing, requirement},
};
use crate::{
    dress::see_other,
    pages::html,
    session::{Bare, Submission, Visit},
    shell::{Section, Shell, notice},
    stop::Stop,
};

const PAGE: &str = "/portal/payouts";

#[derive(Template)]
#[template(path = "portal/payouts.html")]
struct Page {
    shell: Shell,
    standing: Standing,
    account_id: Option<String>,
    charges: bool,
    payouts: bool,
    submitted: bool,
    wanted: Vec<String>,
}

#[handler]
pub(crate) async fn show(visit: Visit, Query(query): Query<DoneQuery>) -> Result<Response, Stop> {
    let account = visit.house.payments.account_state(&visit.ctx).await?;
    let shell = Shell {
        notice: notice(query.done.as_deref()),
        ..visit.shell(Section::Payouts)
    };
    html(&page(shell, account))
}

/// Opens the account if there is none, and leads to Stripe's pages.
#[handler]
pub(crate) async fn connect(
    Submission {
        visit,
        form: Bare {},
    }: Submission<Bare>,
) -> Result<Response, Stop> {
    Ok(see_other(&onboarding(&visit).await?))
}

/// Where Stripe sends the browser when a link was used before or is too old: on to a new one. It
/// changes nothing here, and opens no account.
#[handler]
pub(crate) async fn refresh(visit: Visit) -> Result<Response, Stop> {
    let account = visit.house.payments.account_state(&visit.ctx).await?;
    if account.account_id.is_none() {
        return Ok(see_other(PAGE));
    }
    Ok(see_other(&onboarding(&visit).await?))
}

/// Where Stripe sends the browser when the person is done, or gave up.
#[handler]
pub(crate) async fn returned(visit: Visit) -> Result<Response, Stop> {
    Ok(see_other(&format!("{PAGE}?done={}", ask(&visit).await?)))
}

/// Asks Stripe how far the account is.
#[handler]
pub(crate) async fn check(
    Submission {
        visit,
        form: Bare {},
    }: Submission<Bare>,
) -> Result<Response, Stop> {
    Ok(see_other(&format!("{PAGE}?done={}", ask(&visit).await?)))
}

async fn ask(visit: &Visit) -> Result<&'static str, Stop> {
    match visit.house.payments.refresh_account(&visit.ctx).await {
        Ok(_) => Ok("asked"),
        Err(Error::Provider(error)) => {
            tracing::warn!(
                error = berth_kernel::chain(&error),
                "payment account not asked about: {error}"
            );
            Ok("no_answer")
        }
        Err(error) => Err(error.into()),
    }
}

/// Stripe's page, which leads back to the host the person is signed in at.
async fn onboarding(visit: &Visit) -> Result<String, Stop> {
    let base = visit.address();
    let (back, again) = (
        format!("{base}portal/payouts/return"),
        format!("{base}portal/payouts/refresh"),
    );
    let email = &visit.user.account.email;
    Ok(visit
        .house
        .payments
        .onboard(&visit.ctx, &back, &again, email)
        .await?)
}

fn page(shell: Shell, account: AccountState) -> Page {
    let mut wanted: Vec<String> = account
        .requirements
        .iter()
        .map(|name| requirement(name))
        .collect();
    wanted.sort();
    wanted.dedup();
    Page {
        shell,
        standing: Standing::of(&account),
        account_id: account.account_id,
        charges: account.charges_enabled,
        payouts: account.payouts_enabled,
        submitted: account.details_submitted,
        wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::sample;

    fn account(charges: bool, payouts: bool, submitted: bool, wanted: &[&str]) -> AccountState {
        AccountState {
            account_id: Some("acct_1<b>".into()),
            charges_enabled: charges,
            payouts_enabled: payouts,
            details_submitted: submitted,
            requirements: wanted.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn render(account: AccountState, done: Option<&str>) -> String {
        let shell = Shell {
            notice: notice(done),
            ..sample::shell(Section::Payouts)
        };
        page(shell, account).render().unwrap()
    }

    #[test]
    fn golden_not_connected() {
        insta::assert_snapshot!(render(AccountState::default(), None));
    }

    #[test]
    fn golden_with_open_questions() {
        let wanted = [
            "individual.verification.document",
            "external_account",
            "tos_acceptance.date",
            "tos_acceptance.ip",
        ];
        insta::assert_snapshot!(render(account(false, false, true, &wanted), Some("asked")));
    }

    #[test]
    fn golden_ready() {
        insta::assert_snapshot!(render(account(true, true, true, &[]), Some("no_answer")));
    }
}
