//! Connect onboarding, where an account link leads.

use std::sync::Arc;

use poem::{
    Response, handler,
    http::StatusCode,
    web::{Data, Form, Path},
};
use serde::Deserialize;

use super::{buttons, escape, not_found, page, redirect};
use crate::{
    api::accounts,
    core::Core,
    model::account::Stage,
    world::{Cause, World},
};

/// How the owner leaves the page.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Choice {
    Complete,
    LeaveRequirements,
    Reject,
}

#[derive(Deserialize)]
struct ChoiceForm {
    action: Choice,
}

/// Where a link stands.
enum Opened {
    /// The id and the name of the account to onboard.
    Ready(String, String),
    /// Used or too old: the platform makes a new one.
    Stale(String),
}

fn open(world: &World, token: &str) -> Option<Opened> {
    let link = world.links.get(token)?;
    if link.used || link.expires_at < world.now() {
        return Some(Opened::Stale(link.refresh_url.clone()));
    }
    let account = world.accounts.get(&link.account)?;
    let name = account
        .business_name
        .clone()
        .or_else(|| account.email.clone());
    Some(Opened::Ready(
        link.account.clone(),
        name.unwrap_or_else(|| "Your business".to_owned()),
    ))
}

#[handler]
pub(crate) fn show(core: Data<&Arc<Core>>, Path(token): Path<String>) -> Response {
    let (id, name) = match core.look(|world| open(world, &token)) {
        None => return not_found("This onboarding link does not exist."),
        Some(Opened::Stale(refresh_url)) => return redirect(&refresh_url),
        Some(Opened::Ready(id, name)) => (id, name),
    };
    let content = format!(
        "<p>Tell Stripe about your business to take payments.</p>\n\
         <dl><dt>Business</dt><dd>{}</dd><dt>Account</dt><dd>{}</dd></dl>\n{}",
        escape(&name),
        escape(&id),
        buttons(&[
            ("complete", "main", "Complete onboarding"),
            (
                "leave_requirements",
                "",
                "Hand in, but leave requirements open"
            ),
            ("reject", "stop", "Be rejected"),
        ])
    );
    page(StatusCode::OK, "Set up payments", &content)
}

#[handler]
pub(crate) fn act(
    core: Data<&Arc<Core>>,
    Path(token): Path<String>,
    Form(form): Form<ChoiceForm>,
) -> Response {
    let stage = match form.action {
        Choice::Complete => Stage::Complete,
        Choice::LeaveRequirements => Stage::Incomplete,
        Choice::Reject => Stage::Rejected,
    };
    let target = core.change(|world| match open(world, &token)? {
        Opened::Stale(refresh_url) => Some(refresh_url),
        Opened::Ready(id, _) => {
            accounts::reach(world, &id, stage, &Cause::default());
            let link = world.links.get_mut(&token)?;
            link.used = true;
            Some(link.return_url.clone())
        }
    });
    target.map_or_else(
        || not_found("This onboarding link does not exist."),
        |url| redirect(&url),
    )
}

/// Where a login link leads.
#[handler]
pub(crate) fn dashboard(core: Data<&Arc<Core>>, Path(id): Path<String>) -> Response {
    let enabled = core.look(|world| world.accounts.get(&id).map(|account| account.is_enabled()));
    let Some(enabled) = enabled else {
        return not_found("This account does not exist.");
    };
    let state = if enabled {
        "takes payments"
    } else {
        "does not take payments yet"
    };
    let content = format!(
        "<dl><dt>Account</dt><dd>{}</dd><dt>State</dt><dd>{state}</dd></dl>",
        escape(&id)
    );
    page(StatusCode::OK, "Express Dashboard", &content)
}
