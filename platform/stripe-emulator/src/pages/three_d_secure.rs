//! The bank's page: the payer proves to be the holder of the card, or fails to.

use std::sync::Arc;

use poem::{
    Response, handler,
    http::StatusCode,
    web::{Data, Form, Path, Query},
};
use serde::Deserialize;

use super::{buttons, escape, not_found, page, redirect};
use crate::{
    api::settle,
    core::Core,
    model::{
        PLATFORM,
        card::Decline,
        intent::{Intent, Status},
    },
    money,
    world::{Cause, Owner, World},
};

#[derive(Deserialize)]
struct Secret {
    secret: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Choice {
    Complete,
    Fail,
}

#[derive(Deserialize)]
struct ChoiceForm {
    action: Choice,
}

fn owner(account: &str) -> Owner {
    match account {
        PLATFORM => Owner::Platform,
        id => Owner::Connected(id.to_owned()),
    }
}

/// The intent, for whoever knows its secret.
fn find<'w>(world: &'w World, owner: &Owner, id: &str, secret: &str) -> Option<&'w Intent> {
    world
        .books(owner)
        .intents
        .get(id)
        .filter(|intent| intent.client_secret == secret)
}

#[handler]
pub(crate) fn show(
    core: Data<&Arc<Core>>,
    Path((account, id)): Path<(String, String)>,
    Query(query): Query<Secret>,
) -> Response {
    let owner = owner(&account);
    let found = core.look(|world| find(world, &owner, &id, &query.secret).cloned());
    match found {
        None => not_found("This payment does not exist."),
        Some(intent) if intent.status == Status::RequiresAction => {
            let content = format!(
                "<p>Your bank asks whether it is you who pays.</p>\n\
                 <dl><dt>Amount</dt><dd>{}</dd><dt>Payment</dt><dd>{}</dd></dl>\n{}",
                escape(&money::written(intent.amount, &intent.currency)),
                escape(&intent.id),
                buttons(&[
                    ("complete", "main", "Complete authentication"),
                    ("fail", "stop", "Fail authentication"),
                ])
            );
            page(StatusCode::OK, "3-D Secure", &content)
        }
        Some(intent) => leave(&intent),
    }
}

#[handler]
pub(crate) fn act(
    core: Data<&Arc<Core>>,
    Path((account, id)): Path<(String, String)>,
    Query(query): Query<Secret>,
    Form(form): Form<ChoiceForm>,
) -> Response {
    let owner = owner(&account);
    let intent = core.change(|world| {
        let asked = find(world, &owner, &id, &query.secret)?.status == Status::RequiresAction;
        let cause = Cause::default();
        match form.action {
            Choice::Complete if asked => settle::succeed(world, &owner, &id, &cause),
            Choice::Fail if asked => {
                settle::fail(world, &owner, &id, Decline::Authentication, &cause);
            }
            // Answered before, in another window, or no longer wanted.
            Choice::Complete | Choice::Fail => {}
        }
        world.books(&owner).intents.get(&id).cloned()
    });
    intent.map_or_else(
        || not_found("This payment does not exist."),
        |intent| leave(&intent),
    )
}

/// Sends the payer back to where the payment was made.
fn leave(intent: &Intent) -> Response {
    let outcome = match intent.status {
        Status::Succeeded => "succeeded",
        Status::Processing => "pending",
        _ => "failed",
    };
    let Some(return_url) = &intent.return_url else {
        let content = format!("<p>The payment {outcome}. You can close this page.</p>");
        return page(StatusCode::OK, "Done", &content);
    };
    let (url, fragment) = match return_url.split_once('#') {
        Some((url, fragment)) => (url, format!("#{fragment}")),
        None => (return_url.as_str(), String::new()),
    };
    let join = if url.contains('?') { '&' } else { '?' };
    redirect(&format!(
        "{url}{join}payment_intent={}&payment_intent_client_secret={}&redirect_status={outcome}{fragment}",
        intent.id, intent.client_secret
    ))
}
