//! Confirmation: the attempt to pay, and its detour through 3-D Secure.

use super::{
    call::{Answer, Call, known, known_mut},
    intents, methods, settle,
};
use crate::{
    error::{ApiError, ErrorKind},
    model::{
        card::{Behaviour, Decline},
        intent::{Intent, Status},
        payment_method::PaymentMethod,
    },
    schedule::Action,
    shelf::Object,
};

/// `POST /v1/payment_intents/{id}/confirm`, and `confirm=true` at creation.
pub(crate) fn confirm(call: &mut Call<'_>, id: &str) -> Answer {
    if call.publishable {
        intents::secret_fits(call, id)?;
    }
    let intent = known(&call.books().intents, id)?;
    let awaited = intent.status == Status::RequiresAction;
    if !intent.status.is_open() {
        return Err(refusal(intent, call.now()));
    }
    let method = match methods::named(call)? {
        Some(method) => method,
        // Confirming again without a new method leaves the payer where he is.
        None if awaited => return shown(call, id),
        None => chosen(call, id)?,
    };
    let return_url = call.params.owned("return_url");
    let intent = known_mut(&mut call.books_mut().intents, id)?;
    intent.payment_method = Some(method.id.clone());
    intent.failure = None;
    intent.challenge_url = None;
    if return_url.is_some() {
        intent.return_url = return_url;
    }
    attempt(call, id, &method)?;
    shown(call, id)
}

/// The method that the intent already has.
fn chosen(call: &Call<'_>, id: &str) -> Result<PaymentMethod, ApiError> {
    let books = call.books();
    let intent = known(&books.intents, id)?;
    let chosen = intent
        .payment_method
        .as_deref()
        .and_then(|method| books.methods.get(method));
    chosen.cloned().ok_or_else(|| {
        let message = "You cannot confirm this PaymentIntent because it's missing a payment \
                       method. Update the PaymentIntent with a payment method and then confirm it \
                       again.";
        intents::unexpected_state(intent, message.to_owned(), call.now())
    })
}

fn attempt(call: &mut Call<'_>, id: &str, method: &PaymentMethod) -> Result<(), ApiError> {
    let (owner, cause) = (call.owner.clone(), call.cause.clone());
    match method.behaviour {
        Behaviour::Succeeds
        | Behaviour::AvailableAtOnce
        | Behaviour::Disputed
        | Behaviour::RefundPends
        | Behaviour::RefundFails => settle::succeed(call.world, &owner, id, &cause),
        Behaviour::Declines(decline) => {
            settle::fail(call.world, &owner, id, decline, &cause);
            return Err(declined(call, id, decline));
        }
        Behaviour::Authenticates => {
            let account = owner.account().unwrap_or(crate::model::PLATFORM);
            let intent = known(&call.books().intents, id)?;
            let url = format!(
                "{}/3ds/{account}/{id}?secret={}",
                call.base, intent.client_secret
            );
            moved(
                call,
                id,
                Status::RequiresAction,
                Some(url),
                "payment_intent.requires_action",
            )?;
        }
        Behaviour::Processes { paid } => {
            moved(
                call,
                id,
                Status::Processing,
                None,
                "payment_intent.processing",
            )?;
            call.world.later(
                &owner,
                Action::SettleIntent {
                    intent: id.to_owned(),
                    paid,
                },
            );
        }
    }
    Ok(())
}

fn moved(
    call: &mut Call<'_>,
    id: &str,
    status: Status,
    challenge_url: Option<String>,
    event: &str,
) -> Result<(), ApiError> {
    let now = call.now();
    let intent = known_mut(&mut call.books_mut().intents, id)?;
    intent.status = status;
    intent.challenge_url = challenge_url;
    let shown = intent.render(now);
    call.emit(event, shown);
    Ok(())
}

fn shown(call: &Call<'_>, id: &str) -> Answer {
    let intent = known(&call.books().intents, id)?;
    Ok(if call.publishable {
        intent.public(call.now())
    } else {
        intent.render(call.now())
    })
}

fn refusal(intent: &Intent, now: i64) -> ApiError {
    let message = match intent.status {
        Status::Succeeded => "You cannot confirm this PaymentIntent because it has already \
                              succeeded after being previously confirmed."
            .to_owned(),
        status => format!(
            "You cannot confirm this PaymentIntent because it has a status of {}. Only a \
             PaymentIntent with one of the following statuses may be confirmed: \
             requires_confirmation, requires_action.",
            status.as_str()
        ),
    };
    intents::unexpected_state(intent, message, now)
}

/// The 402 answer to a refused card, with the intent as it now stands.
fn declined(call: &Call<'_>, id: &str, decline: Decline) -> ApiError {
    let mut error = ApiError::new(402, ErrorKind::Card, decline.message()).code(decline.code());
    if let Some(code) = decline.decline_code() {
        error = error.with("decline_code", code);
    }
    let Ok(intent) = shown(call, id) else {
        return error;
    };
    let failure = &intent["last_payment_error"];
    for field in ["charge", "payment_method"] {
        if let Some(value) = failure.get(field) {
            error = error.with(field, value.clone());
        }
    }
    error.with("payment_intent", intent)
}
