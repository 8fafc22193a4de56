//! `/v1/accounts`: connected accounts and how they become able to take money.

use super::call::{Answer, Call, known_mut};
use crate::{
    error::ApiError,
    ids,
    model::account::{Account, Controller, Stage},
    money,
    params::Params,
    shelf::Object,
    world::{Cause, Owner, World},
};

pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let params = call.params;
    let country = params.text("country").unwrap_or("DE").to_ascii_uppercase();
    let default_currency = params.text("default_currency").map_or_else(
        || money::home_currency(&country).to_owned(),
        str::to_ascii_lowercase,
    );
    let (kind, controller) = controller(params)?;
    let mut account = Account {
        country,
        default_currency,
        metadata: params.metadata(),
        ..blank(ids::with_length("acct_1", 16), call.now(), kind, controller)
    };
    apply(&mut account, params);
    let shown = account.render(call.now());
    enter(call.world, account);
    Ok(shown)
}

/// Makes an account under an id given before, unless there is one: an account with a full
/// dashboard, which pays its own fees.
pub(crate) fn adopt(world: &mut World, id: &str) {
    if world.accounts.get(id).is_some() {
        return;
    }
    let controller = Controller {
        dashboard: "full".to_owned(),
        fees_payer: "account".to_owned(),
        losses: "stripe".to_owned(),
        requirement_collection: "stripe".to_owned(),
    };
    let account = blank(id.to_owned(), world.now(), "none".to_owned(), controller);
    enter(world, account);
}

fn blank(id: String, created: i64, kind: String, controller: Controller) -> Account {
    let country = "DE".to_owned();
    Account {
        id,
        created,
        kind,
        controller,
        default_currency: money::home_currency(&country).to_owned(),
        country,
        email: None,
        business_type: None,
        business_name: None,
        business_url: None,
        mcc: None,
        product_description: None,
        support_email: None,
        support_phone: None,
        statement_descriptor: None,
        capabilities: Vec::new(),
        metadata: Default::default(),
        stage: Stage::New,
        accepted_at: None,
    }
}

/// Enters an account into the books; one that asked for nothing may take cards and be paid out.
fn enter(world: &mut World, mut account: Account) {
    if account.capabilities.is_empty() {
        account.capabilities = vec!["card_payments".to_owned(), "transfers".to_owned()];
    }
    world
        .connected
        .insert(account.id.clone(), Default::default());
    world.accounts.put(account);
}

/// Lays the parameters that create and update share over an account.
fn apply(account: &mut Account, params: &Params) {
    let set = |slot: &mut Option<String>, path: &str| {
        if params.has(path) {
            *slot = params.owned(path);
        }
    };
    set(&mut account.email, "email");
    set(&mut account.business_type, "business_type");
    set(&mut account.business_name, "business_profile.name");
    set(&mut account.business_url, "business_profile.url");
    set(&mut account.mcc, "business_profile.mcc");
    set(
        &mut account.product_description,
        "business_profile.product_description",
    );
    set(&mut account.support_email, "business_profile.support_email");
    set(&mut account.support_phone, "business_profile.support_phone");
    set(
        &mut account.statement_descriptor,
        "settings.payments.statement_descriptor",
    );
    for (name, asked) in capabilities(params) {
        account.capabilities.retain(|known| known != name);
        if asked {
            account.capabilities.push(name.to_owned());
        }
    }
}

/// `capabilities[NAME][requested]` by name.
fn capabilities(params: &Params) -> impl Iterator<Item = (&str, bool)> {
    params.names("capabilities").into_iter().filter_map(|name| {
        let asked = params.text(&format!("capabilities.{name}.requested"))?;
        Some((name, asked == "true"))
    })
}

/// The account's type and controller, from `controller[..]` or from `type`.
fn controller(params: &Params) -> Result<(String, Controller), ApiError> {
    let preset = |dashboard: &str, payer: &str, losses: &str, collection: &str| Controller {
        dashboard: dashboard.to_owned(),
        fees_payer: payer.to_owned(),
        losses: losses.to_owned(),
        requirement_collection: collection.to_owned(),
    };
    match params.text("type") {
        Some(_) if params.has("controller") => Err(ApiError::refused(
            "You may not provide the `type` parameter and `controller` parameters \
             simultaneously. They are mutually exclusive.",
        )),
        Some("standard") => Ok((
            "standard".into(),
            preset("full", "account", "stripe", "stripe"),
        )),
        Some("express") => Ok((
            "express".into(),
            preset("express", "application_express", "application", "stripe"),
        )),
        Some("custom") => Ok((
            "custom".into(),
            preset("none", "application_custom", "application", "application"),
        )),
        Some(other) => Err(ApiError::parameter(
            "parameter_invalid",
            "type",
            format!("Invalid type: must be one of custom, express, or standard, not {other}"),
        )),
        None => {
            let field = |path: &str, default: &str| params.text(path).unwrap_or(default).to_owned();
            let controller = Controller {
                dashboard: field("controller.stripe_dashboard.type", "full"),
                fees_payer: field("controller.fees.payer", "account"),
                losses: field("controller.losses.payments", "stripe"),
                requirement_collection: field("controller.requirement_collection", "stripe"),
            };
            Ok(("none".to_owned(), controller))
        }
    }
}

pub(crate) fn retrieve(call: &Call<'_>, id: &str) -> Answer {
    visible(call, id)?;
    call.show(&call.world.accounts, id)
}

/// `GET /v1/account`: the account that the request is about.
pub(crate) fn own(call: &Call<'_>) -> Answer {
    match call.owner.account() {
        Some(id) => call.show(&call.world.accounts, id),
        None => Ok(serde_json::json!({
            "id": crate::model::PLATFORM,
            "object": "account",
            "charges_enabled": true,
            "country": "DE",
            "default_currency": "eur",
            "details_submitted": true,
            "email": null,
            "payouts_enabled": true,
            "type": "standard",
        })),
    }
}

pub(crate) fn list(call: &Call<'_>) -> Answer {
    call.page(&call.world.accounts, "/v1/accounts", |_| {
        call.owner == Owner::Platform
    })
}

pub(crate) fn update(call: &mut Call<'_>, id: &str) -> Answer {
    visible(call, id)?;
    let params = call.params;
    let account = known_mut(&mut call.world.accounts, id)?;
    apply(account, params);
    params.merge_metadata(&mut account.metadata);
    let cause = call.cause.clone();
    updated(call.world, id, &cause);
    call.show(&call.world.accounts, id)
}

/// `POST /v1/accounts/{id}/reject`.
pub(crate) fn reject(call: &mut Call<'_>, id: &str) -> Answer {
    visible(call, id)?;
    call.params.required("reason")?;
    let cause = call.cause.clone();
    reach(call.world, id, Stage::Rejected, &cause);
    call.show(&call.world.accounts, id)
}

/// A connected account sees itself alone.
fn visible(call: &Call<'_>, id: &str) -> Result<(), ApiError> {
    match call.owner.account() {
        Some(own) if own != id => Err(ApiError::missing(Account::NAME, id, "id")),
        _ => Ok(()),
    }
}

/// Moves an account to a stage and tells; `false` if there is no such account.
pub(crate) fn reach(world: &mut World, id: &str, stage: Stage, cause: &Cause) -> bool {
    let now = world.now();
    let Some(account) = world.accounts.edit(id) else {
        return false;
    };
    account.stage = stage;
    if stage != Stage::New {
        account.accepted_at.get_or_insert(now);
    }
    updated(world, id, cause);
    true
}

fn updated(world: &mut World, id: &str, cause: &Cause) {
    if let Some(shown) = world
        .accounts
        .get(id)
        .map(|account| account.render(world.now()))
    {
        world.emit(
            &Owner::Connected(id.to_owned()),
            "account.updated",
            shown,
            cause,
        );
    }
}
