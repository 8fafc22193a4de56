//! `/v1/disputes`: opened by a card that asks for one, answered and closed.

use super::call::{Answer, Call, known, known_mut};
use crate::{
    error::ApiError,
    ids,
    model::{
        balance::{BalanceTransaction, FeeKind, Movement},
        charge::Charge,
        dispute::{Dispute, Status},
    },
    money,
    params::Metadata,
    shelf::Object,
    world::{Cause, Owner, World},
};

/// How long the account has for its answer, in seconds.
const ANSWER_WITHIN: i64 = 9 * 24 * 60 * 60;

/// Disputes what is left of a charge and takes the money and a fee.
pub(crate) fn open(world: &mut World, owner: &Owner, charge: &str, cause: &Cause) {
    let now = world.now();
    let books = world.books_mut(owner);
    let Some(charge) = books.charges.edit(charge) else {
        return;
    };
    if charge.disputed || charge.refundable() == 0 {
        return;
    }
    charge.disputed = true;
    let id = ids::fresh("dp_1");
    let amount = charge.refundable();
    let fees = vec![(FeeKind::Stripe, money::DISPUTE_FEE)];
    let taken = movement(charge, Movement::Dispute, &id, -amount, fees, now);
    let dispute = Dispute {
        id: id.clone(),
        created: now,
        amount,
        currency: charge.currency.clone(),
        charge: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        brand: charge
            .method
            .as_ref()
            .and_then(|method| method.card.as_ref())
            .map_or_else(|| "visa".to_owned(), |card| card.brand.clone()),
        status: Status::NeedsResponse,
        due_by: now + ANSWER_WITHIN,
        submissions: 0,
        evidence: Metadata::new(),
        transactions: vec![taken.clone()],
        metadata: Metadata::new(),
    };
    books.transactions.put(taken);
    let shown = dispute.render(now);
    books.disputes.put(dispute);
    world.emit(owner, "charge.dispute.created", shown.clone(), cause);
    world.emit(owner, "charge.dispute.funds_withdrawn", shown, cause);
}

/// Ends a dispute; a won one brings the money back. `false` if it has ended.
pub(crate) fn close(world: &mut World, owner: &Owner, id: &str, won: bool, cause: &Cause) -> bool {
    let now = world.now();
    let books = world.books_mut(owner);
    let Some(dispute) = books
        .disputes
        .edit(id)
        .filter(|dispute| !dispute.status.is_closed())
    else {
        return false;
    };
    dispute.status = if won { Status::Won } else { Status::Lost };
    let charge = books.charges.edit(&dispute.charge).filter(|_| won);
    if let Some(charge) = charge {
        charge.disputed = false;
        let back = movement(
            charge,
            Movement::DisputeReversal,
            id,
            dispute.amount,
            Vec::new(),
            now,
        );
        dispute.transactions.push(back.clone());
        books.transactions.put(back);
    }
    let shown = dispute.render(now);
    world.emit(owner, "charge.dispute.closed", shown.clone(), cause);
    if won {
        world.emit(owner, "charge.dispute.funds_reinstated", shown, cause);
    }
    true
}

fn movement(
    charge: &Charge,
    movement: Movement,
    dispute: &str,
    amount: i64,
    fees: Vec<(FeeKind, i64)>,
    now: i64,
) -> BalanceTransaction {
    BalanceTransaction {
        id: ids::fresh("txn_1"),
        created: now,
        available_on: now,
        amount,
        currency: charge.currency.clone(),
        fees,
        movement,
        source: Some(dispute.to_owned()),
        description: Some(format!("Chargeback of charge {}", charge.id)),
        payout: None,
    }
}

pub(crate) fn retrieve(call: &Call<'_>, id: &str) -> Answer {
    call.show(&call.books().disputes, id)
}

pub(crate) fn list(call: &Call<'_>) -> Answer {
    call.page(&call.books().disputes, "/v1/disputes", |dispute| {
        call.fits("charge", Some(&dispute.charge))
            && call.fits("payment_intent", dispute.payment_intent.as_deref())
    })
}

/// `POST /v1/disputes/{id}`: evidence, handed in with `submit=true`.
pub(crate) fn update(call: &mut Call<'_>, id: &str) -> Answer {
    let params = call.params;
    let submit = params.flag("submit")?;
    let dispute = known_mut(&mut call.books_mut().disputes, id)?;
    if dispute.status != Status::NeedsResponse {
        return Err(ApiError::refused(
            "This dispute is no longer open for evidence.",
        ));
    }
    for (name, text) in params.below("evidence").texts() {
        dispute.evidence.insert(name.to_owned(), text.to_owned());
    }
    params.merge_metadata(&mut dispute.metadata);
    if submit {
        dispute.submissions += 1;
        dispute.status = Status::UnderReview;
    }
    let shown = call.show(&call.books().disputes, id)?;
    call.emit("charge.dispute.updated", shown.clone());
    Ok(shown)
}

/// `POST /v1/disputes/{id}/close`: the account gives in.
pub(crate) fn give_in(call: &mut Call<'_>, id: &str) -> Answer {
    known(&call.books().disputes, id)?;
    let (owner, cause) = (call.owner.clone(), call.cause.clone());
    if !close(call.world, &owner, id, false, &cause) {
        return Err(ApiError::refused("This dispute is already closed."));
    }
    call.show(&call.books().disputes, id)
}
