//! `/v1/payment_intents`: everything but confirmation.

use super::{
    auth,
    call::{Answer, Call, known, known_mut},
    confirm, methods, search,
};
use crate::{
    error::{ApiError, ErrorKind},
    ids,
    model::intent::{Intent, Status, TransferData},
    money,
    params::Params,
    shelf::Object,
};

pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let params = call.params;
    let currency = params.required("currency")?.to_ascii_lowercase();
    let amount = amount(params, &currency)?;
    chargeable(call)?;
    let method = methods::named(call)?;
    let id = ids::fresh("pi_3");
    let types = params.list("payment_method_types");
    let intent = Intent {
        client_secret: ids::with_length(&format!("{id}_secret_"), 25),
        created: call.now(),
        amount,
        amount_received: 0,
        currency,
        application_fee_amount: application_fee(call, amount)?,
        status: match &method {
            Some(_) => Status::RequiresConfirmation,
            None => Status::RequiresPaymentMethod,
        },
        payment_method: method.map(|method| method.id),
        automatic_payment_methods: types.is_empty(),
        payment_method_types: match types.is_empty() {
            true => vec!["card".to_owned()],
            false => types.into_iter().map(str::to_owned).collect(),
        },
        allow_redirects: params
            .text("automatic_payment_methods.allow_redirects")
            .unwrap_or("always")
            .to_owned(),
        latest_charge: None,
        failure: None,
        challenge_url: None,
        return_url: params.owned("return_url"),
        canceled_at: None,
        cancellation_reason: None,
        capture_method: capture_method(params)?,
        confirmation_method: params
            .text("confirmation_method")
            .unwrap_or("automatic")
            .to_owned(),
        customer: params.owned("customer"),
        description: params.owned("description"),
        receipt_email: params.owned("receipt_email"),
        setup_future_usage: params.owned("setup_future_usage"),
        statement_descriptor: params.owned("statement_descriptor"),
        statement_descriptor_suffix: params.owned("statement_descriptor_suffix"),
        transfer_group: params.owned("transfer_group"),
        transfer_data: transfer_data(call)?,
        on_behalf_of: params.owned("on_behalf_of"),
        metadata: params.metadata(),
        connected: call.owner.account().is_some(),
        id: id.clone(),
    };
    let confirm = params.flag("confirm")?;
    let shown = intent.render(call.now());
    call.books_mut().intents.put(intent);
    call.emit("payment_intent.created", shown.clone());
    if confirm {
        confirm::confirm(call, &id)
    } else {
        Ok(shown)
    }
}

fn amount(params: &Params, currency: &str) -> Result<i64, ApiError> {
    params.required("amount")?;
    let amount = params.integer("amount")?.unwrap_or_default();
    if amount < 1 {
        return Err(ApiError::parameter(
            "parameter_invalid_integer",
            "amount",
            "This value must be greater than or equal to 1.",
        ));
    }
    let smallest = money::smallest_charge(currency);
    if amount < smallest {
        let smallest = money::written(smallest, currency);
        return Err(ApiError::parameter(
            "amount_too_small",
            "amount",
            format!("Amount must be at least {smallest}"),
        ));
    }
    if amount > money::LARGEST_CHARGE {
        let largest = money::written(money::LARGEST_CHARGE, currency);
        return Err(ApiError::parameter(
            "amount_too_large",
            "amount",
            format!("Amount must be no more than {largest}"),
        ));
    }
    if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_lowercase()) {
        return Err(ApiError::parameter(
            "parameter_invalid",
            "currency",
            format!("Invalid currency: {currency}."),
        ));
    }
    Ok(amount)
}

/// A connected account takes money once its onboarding is complete.
fn chargeable(call: &Call<'_>) -> Result<(), ApiError> {
    let Some(id) = call.owner.account() else {
        return Ok(());
    };
    if known(&call.world.accounts, id)?.is_enabled() {
        return Ok(());
    }
    Err(ApiError::refused(
        "No valid payment method types for this Payment Intent. Please ensure that you have \
         activated payment methods compatible with your chosen currency: the account's \
         `charges_enabled` is false.",
    )
    .code("payment_intent_invalid_parameter"))
}

fn application_fee(call: &Call<'_>, amount: i64) -> Result<Option<i64>, ApiError> {
    let Some(fee) = call.params.integer("application_fee_amount")? else {
        return Ok(None);
    };
    if call.owner.account().is_none() && !call.params.has("transfer_data") {
        return Err(ApiError::refused(
            "Can only apply an application_fee_amount when the PaymentIntent is attempting a \
             direct payment (using an OAuth key or Stripe-Account header) or destination payment \
             (using `transfer_data[destination]`).",
        )
        .param("application_fee_amount"));
    }
    if !(0..=amount).contains(&fee) {
        return Err(ApiError::refused(
            "Your application fee cannot be greater than the amount of the charge.",
        )
        .param("application_fee_amount"));
    }
    Ok((fee > 0).then_some(fee))
}

fn transfer_data(call: &Call<'_>) -> Result<Option<TransferData>, ApiError> {
    let Some(destination) = call.params.text("transfer_data.destination") else {
        return Ok(None);
    };
    if call.world.accounts.get(destination).is_none() {
        return Err(ApiError::missing(
            "destination",
            destination,
            "transfer_data.destination",
        ));
    }
    Ok(Some(TransferData {
        destination: destination.to_owned(),
        amount: call.params.integer("transfer_data.amount")?,
    }))
}

fn capture_method(params: &Params) -> Result<String, ApiError> {
    match params.text("capture_method").unwrap_or("automatic_async") {
        "manual" => Err(ApiError::parameter(
            "parameter_invalid",
            "capture_method",
            "The emulator captures automatically only.",
        )),
        other => Ok(other.to_owned()),
    }
}

pub(crate) fn retrieve(call: &Call<'_>, id: &str) -> Answer {
    if call.publishable {
        secret_fits(call, id)?;
        return Ok(known(&call.books().intents, id)?.public(call.now()));
    }
    call.show(&call.books().intents, id)
}

/// What a publishable key has to show: the intent's own secret.
pub(crate) fn secret_fits(call: &Call<'_>, id: &str) -> Result<(), ApiError> {
    let secret = call
        .params
        .text("client_secret")
        .ok_or_else(auth::secret_required)?;
    match call.books().intents.get(id) {
        Some(intent) if intent.client_secret == secret => Ok(()),
        _ => Err(
            ApiError::new(404, ErrorKind::InvalidRequest, "No such payment_intent")
                .code("resource_missing")
                .param("intent"),
        ),
    }
}

pub(crate) fn list(call: &Call<'_>) -> Answer {
    call.page(&call.books().intents, "/v1/payment_intents", |intent| {
        call.fits("customer", intent.customer.as_deref())
    })
}

pub(crate) fn find(call: &Call<'_>) -> Answer {
    search::page(
        &call.books().intents,
        call.params,
        "/v1/payment_intents/search",
        call.now(),
    )
}

pub(crate) fn update(call: &mut Call<'_>, id: &str) -> Answer {
    let params = call.params;
    let before = known(&call.books().intents, id)?;
    let currency = params
        .text("currency")
        .map_or_else(|| before.currency.clone(), str::to_ascii_lowercase);
    let money_changes = [
        "amount",
        "currency",
        "application_fee_amount",
        "payment_method",
    ]
    .iter()
    .any(|field| params.has(field));
    if money_changes && !before.status.is_open() {
        let message = format!(
            "This PaymentIntent could not be updated because it has a status of {}.",
            before.status.as_str()
        );
        return Err(unexpected_state(before, message, call.now()));
    }
    let amount = if params.has("amount") {
        amount(params, &currency)?
    } else {
        before.amount
    };
    let fee = match params.has("application_fee_amount") {
        true => application_fee(call, amount)?,
        false => before.application_fee_amount,
    };
    let method = methods::named(call)?;
    let intent = known_mut(&mut call.books_mut().intents, id)?;
    intent.amount = amount;
    intent.currency = currency;
    intent.application_fee_amount = fee;
    if let Some(method) = method {
        intent.payment_method = Some(method.id);
        intent.status = Status::RequiresConfirmation;
        intent.challenge_url = None;
    }
    for (slot, field) in [
        (&mut intent.description, "description"),
        (&mut intent.receipt_email, "receipt_email"),
        (
            &mut intent.statement_descriptor_suffix,
            "statement_descriptor_suffix",
        ),
        (&mut intent.transfer_group, "transfer_group"),
        (&mut intent.customer, "customer"),
    ] {
        if params.has(field) {
            *slot = params.owned(field);
        }
    }
    params.merge_metadata(&mut intent.metadata);
    call.show(&call.books().intents, id)
}

pub(crate) fn cancel(call: &mut Call<'_>, id: &str) -> Answer {
    let now = call.now();
    let reason = call.params.owned("cancellation_reason");
    let intent = known_mut(&mut call.books_mut().intents, id)?;
    if !intent.status.is_open() {
        let message = format!(
            "You cannot cancel this PaymentIntent because it has a status of {}. Only a \
             PaymentIntent with one of the following statuses may be canceled: \
             requires_payment_method, requires_capture, requires_confirmation, requires_action.",
            intent.status.as_str()
        );
        return Err(unexpected_state(intent, message, now));
    }
    intent.status = Status::Canceled;
    intent.canceled_at = Some(now);
    intent.cancellation_reason = reason;
    intent.challenge_url = None;
    let shown = intent.render(now);
    call.emit("payment_intent.canceled", shown.clone());
    Ok(shown)
}

/// The refusal of a step that the intent's status does not allow.
pub(crate) fn unexpected_state(intent: &Intent, message: String, now: i64) -> ApiError {
    ApiError::refused(message)
        .code("payment_intent_unexpected_state")
        .with("payment_intent", intent.render(now))
}
