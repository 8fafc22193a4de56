//! `/v1/payouts`: made by Stripe on its schedule, here by a control call.

use super::call::{Answer, Call};
use crate::{
    ids,
    model::{
        balance::{BalanceTransaction, Movement},
        payout::Payout,
    },
    params::Metadata,
    shelf::Object,
    world::{Cause, Owner, World},
};

pub(crate) fn retrieve(call: &Call<'_>, id: &str) -> Answer {
    call.show(&call.books().payouts, id)
}

pub(crate) fn list(call: &Call<'_>) -> Answer {
    call.page(&call.books().payouts, "/v1/payouts", |payout| {
        let status = if payout.failed { "failed" } else { "paid" };
        call.fits("status", Some(status)) && call.fits("destination", Some(&payout.destination))
    })
}

/// Pays an account out. Without `amount` it takes all that was not paid out
/// before in that currency, pending or not, and marks those transactions;
/// with one it is a manual payout that names no transactions. `None` when
/// there is nothing to pay out.
pub(crate) fn make(
    world: &mut World,
    owner: &Owner,
    currency: &str,
    amount: Option<i64>,
    fails: bool,
) -> Option<serde_json::Value> {
    let now = world.now();
    let id = ids::fresh("po_1");
    let destination = format!(
        "ba_1{}",
        owner
            .account()
            .unwrap_or_default()
            .trim_start_matches("acct_")
    );
    let books = world.books_mut(owner);
    let waiting: Vec<_> = books
        .transactions
        .iter()
        .filter(|transaction| transaction.payout.is_none() && transaction.currency == currency)
        .map(|transaction| (transaction.id.clone(), transaction.net()))
        .collect();
    let automatic = amount.is_none();
    let amount = amount.unwrap_or_else(|| waiting.iter().map(|(_, net)| net).sum());
    if amount <= 0 {
        return None;
    }
    if automatic {
        for (waiting, _) in &waiting {
            if let Some(transaction) = books.transactions.edit(waiting) {
                transaction.payout = Some(id.clone());
            }
        }
    }
    let movement = |movement, amount, payout| BalanceTransaction {
        id: ids::fresh("txn_1"),
        created: now,
        available_on: now,
        amount,
        currency: currency.to_owned(),
        fees: Vec::new(),
        movement,
        source: Some(id.clone()),
        description: Some("STRIPE PAYOUT".to_owned()),
        payout,
    };
    // A manual payout's movements belong to no automatic one, now or later:
    // they only lessen what the next one finds.
    let out = movement(Movement::Payout, -amount, automatic.then(|| id.clone()));
    let back = fails.then(|| movement(Movement::PayoutFailure, amount, None));
    let payout = Payout {
        id: id.clone(),
        created: now,
        amount,
        currency: currency.to_owned(),
        arrival_date: now,
        automatic,
        failed: fails,
        balance_transaction: out.id.clone(),
        failure_balance_transaction: back.as_ref().map(|back| back.id.clone()),
        destination,
        metadata: Metadata::new(),
    };
    let shown = payout.render(now);
    books.transactions.put(out);
    if let Some(back) = back {
        books.transactions.put(back);
    }
    books.payouts.put(payout);
    let cause = Cause::default();
    world.emit(owner, "payout.created", shown.clone(), &cause);
    let end = if fails {
        "payout.failed"
    } else {
        "payout.paid"
    };
    world.emit(owner, end, shown.clone(), &cause);
    Some(shown)
}
