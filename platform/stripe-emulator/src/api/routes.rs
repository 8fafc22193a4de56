//! The table of the API's operations. To add one: a line here, its function
//! in the file of its resource.

use poem::http::Method;

use super::{
    accounts, auth, balance,
    call::{Answer, Call},
    charges, confirm, disputes, domains, endpoints, events, fees, intents, links, methods, payouts,
    refunds, transfers,
};
use crate::error::ApiError;

/// Runs the operation that `method` and `path` (without `/v1/`) name.
pub(crate) fn dispatch(call: &mut Call<'_>, method: &Method, path: &[&str]) -> Answer {
    if call.publishable {
        return for_browsers(call, method, path);
    }
    match *method {
        Method::GET => read(call, path),
        Method::POST => write(call, path),
        Method::DELETE => remove(call, path),
        _ => None,
    }
    .unwrap_or_else(|| Err(unknown(method, path)))
}

/// What a publishable key may do: see and pay its own intent.
fn for_browsers(call: &mut Call<'_>, method: &Method, path: &[&str]) -> Answer {
    match (method, path) {
        (&Method::GET, ["payment_intents", id]) => intents::retrieve(call, id),
        (&Method::POST, ["payment_intents", id, "confirm"]) => confirm::confirm(call, id),
        (&Method::POST, ["payment_methods"]) => methods::create(call),
        _ => Err(auth::secret_required()),
    }
}

fn read(call: &Call<'_>, path: &[&str]) -> Option<Answer> {
    Some(match path {
        ["account"] => accounts::own(call),
        ["accounts"] => accounts::list(call),
        ["accounts", id] => accounts::retrieve(call, id),
        ["application_fees"] => fees::list(call),
        ["application_fees", id] => fees::retrieve(call, id),
        ["balance"] => balance::retrieve(call),
        ["balance_transactions"] | ["balance", "history"] => balance::transactions(call),
        ["balance_transactions", id] => balance::transaction(call, id),
        ["charges"] => charges::list(call),
        ["charges", id] => charges::retrieve(call, id),
        ["charges", id, "refunds"] => refunds::list(call, Some(id)),
        ["disputes"] => disputes::list(call),
        ["disputes", id] => disputes::retrieve(call, id),
        ["events"] => events::list(call),
        ["events", id] => events::retrieve(call, id),
        ["payment_intents"] => intents::list(call),
        ["payment_intents", "search"] => intents::find(call),
        ["payment_intents", id] => intents::retrieve(call, id),
        ["payment_method_domains"] => domains::list(call),
        ["payment_method_domains", id] => domains::retrieve(call, id),
        ["payment_methods", id] => call.show(&call.books().methods, id),
        ["payouts"] => payouts::list(call),
        ["payouts", id] => payouts::retrieve(call, id),
        ["refunds"] => refunds::list(call, None),
        ["refunds", id] => refunds::retrieve(call, id),
        ["transfers"] => transfers::list(call),
        ["transfers", id] => transfers::retrieve(call, id),
        ["webhook_endpoints"] => endpoints::list(call),
        ["webhook_endpoints", id] => endpoints::retrieve(call, id),
        _ => return None,
    })
}

fn write(call: &mut Call<'_>, path: &[&str]) -> Option<Answer> {
    Some(match path {
        ["account_links"] => links::account_link(call),
        ["account_sessions"] => links::account_session(call),
        ["accounts"] => accounts::create(call),
        ["accounts", id] => accounts::update(call, id),
        ["accounts", id, "login_links"] => links::login_link(call, id),
        ["accounts", id, "reject"] => accounts::reject(call, id),
        ["charges", id] => charges::update(call, id),
        ["disputes", id] => disputes::update(call, id),
        ["disputes", id, "close"] => disputes::give_in(call, id),
        ["payment_intents"] => intents::create(call),
        ["payment_intents", id] => intents::update(call, id),
        ["payment_intents", id, "cancel"] => intents::cancel(call, id),
        ["payment_intents", id, "confirm"] => confirm::confirm(call, id),
        ["payment_method_domains"] => domains::create(call),
        ["payment_method_domains", id] => domains::update(call, id),
        ["payment_method_domains", id, "validate"] => domains::validate(call, id),
        ["payment_methods"] => methods::create(call),
        ["refunds"] => refunds::create(call),
        ["refunds", id] => refunds::update(call, id),
        ["refunds", id, "cancel"] => refunds::cancel(call, id),
        ["transfers"] => transfers::create(call),
        ["webhook_endpoints"] => endpoints::create(call),
        ["webhook_endpoints", id] => endpoints::update(call, id),
        _ => return None,
    })
}

fn remove(call: &mut Call<'_>, path: &[&str]) -> Option<Answer> {
    match path {
        ["webhook_endpoints", id] => Some(endpoints::delete(call, id)),
        _ => None,
    }
}

fn unknown(method: &Method, path: &[&str]) -> ApiError {
    ApiError::new(
        404,
        crate::error::ErrorKind::InvalidRequest,
        format!(
            "Unrecognized request URL ({method}: /v1/{}).",
            path.join("/")
        ),
    )
    .code("url_not_found")
}
