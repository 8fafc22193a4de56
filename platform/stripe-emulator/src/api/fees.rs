//! `/v1/application_fees`: what the platform earned, seen by the platform.

use super::call::{Answer, Call, known_mut};
use crate::{
    error::ApiError,
    ids,
    model::{
        balance::{BalanceTransaction, Movement},
        charge::Charge,
        fee::FeeRefund,
    },
    money,
    shelf::Object,
    world::{Cause, Owner, World},
};

pub(crate) fn retrieve(call: &Call<'_>, id: &str) -> Answer {
    call.show(&call.books().fees, id)
}

pub(crate) fn list(call: &Call<'_>) -> Answer {
    call.page(&call.books().fees, "/v1/application_fees", |fee| {
        call.fits("charge", Some(&fee.charge))
    })
}

/// Gives back the part of the application fee that belongs to `amount`.
pub(crate) fn give_back(world: &mut World, charge: &Charge, amount: i64) -> Result<i64, ApiError> {
    let now = world.now();
    let Some(fee) = charge.application_fee.as_deref() else {
        return Err(ApiError::refused(
            "You cannot refund the application fee of a charge that has none.",
        )
        .param("refund_application_fee"));
    };
    let fee = known_mut(&mut world.platform.fees, fee)?;
    let refunded = charge.amount_refunded + amount;
    let due = money::share(fee.amount, refunded, charge.amount) - fee.amount_refunded;
    let due = due.clamp(0, fee.amount - fee.amount_refunded);
    if due == 0 {
        return Ok(0);
    }
    let refund = FeeRefund {
        id: ids::fresh("fr_1"),
        created: now,
        amount: due,
        balance_transaction: ids::fresh("txn_1"),
    };
    let transaction = BalanceTransaction {
        id: refund.balance_transaction.clone(),
        created: now,
        available_on: now,
        amount: -due,
        currency: fee.currency.clone(),
        fees: Vec::new(),
        movement: Movement::ApplicationFeeRefund,
        source: Some(refund.id.clone()),
        description: None,
        payout: None,
    };
    fee.amount_refunded += due;
    fee.refunds.push(refund);
    let shown = fee.render(now);
    world.platform.transactions.put(transaction);
    world.emit(
        &Owner::Platform,
        "application_fee.refunded",
        shown,
        &Cause::default(),
    );
    Ok(due)
}
