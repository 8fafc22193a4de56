//! `/v1/refunds`: giving money back, never more than was taken.

use super::{
    call::{Answer, Call, known, known_mut},
    fees,
};
use crate::{
    error::ApiError,
    ids,
    model::{
        balance::{BalanceTransaction, FeeKind, Movement},
        card::Behaviour,
        charge::Charge,
        intent::Status as IntentStatus,
        refund::{Refund, Status},
    },
    money,
    schedule::Action,
    shelf::Object,
    world::{Cause, Owner, World},
};

pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let params = call.params;
    if params.flag("reverse_transfer")? {
        return Err(
            ApiError::refused("The emulator does not reverse transfers.").param("reverse_transfer"),
        );
    }
    let charge = charge(call)?;
    let amount = amount(&charge, params.integer("amount")?)?;
    let reason = reason(params.text("reason"))?;
    let fee_back = match params.flag("refund_application_fee")? {
        true => fees::give_back(call.world, &charge, amount)?,
        false => 0,
    };
    let now = call.now();
    let id = ids::fresh("re_3");
    let fees = if fee_back > 0 {
        vec![(FeeKind::Application, -fee_back)]
    } else {
        Vec::new()
    };
    let transaction = movement(&charge, Movement::Refund, &id, -amount, fees, now);
    let behaviour = charge.method.as_ref().map(|method| method.behaviour);
    let refund = Refund {
        id: id.clone(),
        created: now,
        amount,
        currency: charge.currency.clone(),
        charge: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        reason,
        status: match behaviour {
            Some(Behaviour::RefundPends) => Status::Pending,
            _ => Status::Succeeded,
        },
        balance_transaction: transaction.id.clone(),
        failure_balance_transaction: None,
        description: None,
        application_fee_refunded: fee_back,
        metadata: params.metadata(),
    };
    let shown = refund.render(now);
    let books = call.books_mut();
    books.transactions.put(transaction);
    books.refunds.put(refund);
    let charge = known_mut(&mut books.charges, &charge.id)?;
    charge.amount_refunded += amount;
    let refunded = charge.render(now);
    call.emit("refund.created", shown.clone());
    call.emit("charge.refunded", refunded);
    let owner = call.owner.clone();
    match behaviour {
        Some(Behaviour::RefundPends) => {
            call.world
                .later(&owner, Action::SucceedRefund { refund: id });
        }
        Some(Behaviour::RefundFails) => call.world.later(&owner, Action::FailRefund { refund: id }),
        _ => {}
    }
    Ok(shown)
}

/// The charge that `charge` or `payment_intent` names.
fn charge(call: &Call<'_>) -> Result<Charge, ApiError> {
    let (params, books) = (call.params, call.books());
    let charge = match (params.text("charge"), params.text("payment_intent")) {
        (Some(id), _) => known(&books.charges, id).map_err(|error| error.param("charge"))?,
        (None, Some(id)) => {
            let intent =
                known(&books.intents, id).map_err(|error| error.param("payment_intent"))?;
            let charge = intent.latest_charge.as_deref();
            if intent.status != IntentStatus::Succeeded {
                return Err(ApiError::refused(format!(
                    "This PaymentIntent ({id}) does not have a successful charge to refund."
                ))
                .code("payment_intent_unexpected_state"));
            }
            known(&books.charges, charge.unwrap_or_default())?
        }
        (None, None) => {
            return Err(ApiError::parameter(
                "parameter_missing",
                "payment_intent",
                "One of the following params should be provided for this request: \
                 payment_intent or charge.",
            ));
        }
    };
    if !charge.succeeded() {
        return Err(ApiError::refused(format!(
            "Charge {} was not successful; cannot issue a refund.",
            charge.id
        )));
    }
    if charge.disputed {
        return Err(ApiError::refused(format!(
            "Charge {} has been charged back; cannot issue a refund.",
            charge.id
        ))
        .code("charge_disputed"));
    }
    Ok(charge.clone())
}

/// The amount to give back: what was asked for, or all that is left.
fn amount(charge: &Charge, asked: Option<i64>) -> Result<i64, ApiError> {
    let left = charge.refundable();
    if left == 0 {
        return Err(
            ApiError::refused(format!("Charge {} has already been refunded.", charge.id))
                .code("charge_already_refunded"),
        );
    }
    let amount = asked.unwrap_or(left);
    if amount < 1 {
        return Err(ApiError::parameter(
            "parameter_invalid_integer",
            "amount",
            "This value must be greater than or equal to 1.",
        ));
    }
    if amount > left {
        // Stripe gives this refusal no code.
        return Err(ApiError::refused(format!(
            "Refund amount ({}) is greater than unrefunded amount on charge ({})",
            money::written(amount, &charge.currency),
            money::written(left, &charge.currency)
        ))
        .param("amount"));
    }
    Ok(amount)
}

fn reason(reason: Option<&str>) -> Result<Option<String>, ApiError> {
    match reason {
        None => Ok(None),
        Some(known @ ("duplicate" | "fraudulent" | "requested_by_customer")) => {
            Ok(Some(known.to_owned()))
        }
        Some(other) => Err(ApiError::parameter(
            "parameter_invalid",
            "reason",
            format!(
                "Invalid reason: must be one of duplicate, fraudulent, or \
                 requested_by_customer, not {other}"
            ),
        )),
    }
}

fn movement(
    charge: &Charge,
    movement: Movement,
    source: &str,
    amount: i64,
    fees: Vec<(FeeKind, i64)>,
    now: i64,
) -> BalanceTransaction {
    BalanceTransaction {
        id: ids::fresh("txn_3"),
        created: now,
        available_on: now,
        amount,
        currency: charge.currency.clone(),
        fees,
        movement,
        source: Some(source.to_owned()),
        description: None,
        payout: None,
    }
}

pub(crate) fn retrieve(call: &Call<'_>, id: &str) -> Answer {
    call.show(&call.books().refunds, id)
}

/// `GET /v1/refunds`, and `GET /v1/charges/{id}/refunds`.
pub(crate) fn list(call: &Call<'_>, charge: Option<&str>) -> Answer {
    call.page(&call.books().refunds, "/v1/refunds", |refund| {
        charge.is_none_or(|id| refund.charge == id)
            && call.fits("charge", Some(&refund.charge))
            && call.fits("payment_intent", refund.payment_intent.as_deref())
    })
}

pub(crate) fn update(call: &mut Call<'_>, id: &str) -> Answer {
    let params = call.params;
    let refund = known_mut(&mut call.books_mut().refunds, id)?;
    params.merge_metadata(&mut refund.metadata);
    let (owner, cause) = (call.owner.clone(), call.cause.clone());
    tell(call.world, &owner, id, "refund.updated", &cause);
    call.show(&call.books().refunds, id)
}

/// `POST /v1/refunds/{id}/cancel`, while it is pending.
pub(crate) fn cancel(call: &mut Call<'_>, id: &str) -> Answer {
    let refund = known(&call.books().refunds, id)?;
    if refund.status != Status::Pending {
        return Err(ApiError::refused(format!(
            "Refund {id} has a status of {} and cannot be canceled.",
            refund.status.as_str()
        )));
    }
    let (owner, cause) = (call.owner.clone(), call.cause.clone());
    take_back(call.world, &owner, id, Status::Canceled);
    tell(call.world, &owner, id, "refund.updated", &cause);
    call.show(&call.books().refunds, id)
}

/// A pending refund reached the card.
pub(crate) fn succeed(world: &mut World, owner: &Owner, id: &str, cause: &Cause) {
    let pending = world.books_mut(owner).refunds.edit(id);
    if let Some(refund) = pending.filter(|refund| refund.status == Status::Pending) {
        refund.status = Status::Succeeded;
        tell(world, owner, id, "refund.updated", cause);
    }
}

/// A refund came back: the money is the account's again.
pub(crate) fn fail(world: &mut World, owner: &Owner, id: &str, cause: &Cause) {
    let refund = world.books(owner).refunds.get(id);
    if refund.is_some_and(|refund| matches!(refund.status, Status::Pending | Status::Succeeded)) {
        take_back(world, owner, id, Status::Failed);
        tell(world, owner, id, "refund.updated", cause);
        tell(world, owner, id, "refund.failed", cause);
    }
}

fn take_back(world: &mut World, owner: &Owner, id: &str, status: Status) {
    let now = world.now();
    let books = world.books_mut(owner);
    let Some(refund) = books.refunds.edit(id) else {
        return;
    };
    let Some(charge) = books.charges.edit(&refund.charge) else {
        return;
    };
    charge.amount_refunded -= refund.amount;
    let back = movement(
        charge,
        Movement::RefundFailure,
        id,
        refund.amount,
        Vec::new(),
        now,
    );
    refund.status = status;
    refund.failure_balance_transaction = Some(back.id.clone());
    books.transactions.put(back);
}

fn tell(world: &mut World, owner: &Owner, id: &str, kind: &str, cause: &Cause) {
    let shown = world
        .books(owner)
        .refunds
        .get(id)
        .map(|refund| refund.render(world.now()));
    if let Some(shown) = shown {
        world.emit(owner, kind, shown, cause);
    }
}
