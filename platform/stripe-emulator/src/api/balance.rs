//! `/v1/balance` and `/v1/balance_transactions`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::{Answer, Call, known};

/// What an account has, by currency: available and pending, in minor units.
pub(crate) fn retrieve(call: &Call<'_>) -> Answer {
    let now = call.now();
    let mut sums: BTreeMap<&str, [i64; 2]> = BTreeMap::new();
    if let Some(id) = call.owner.account() {
        sums.insert(&known(&call.world.accounts, id)?.default_currency, [0, 0]);
    }
    for transaction in call.books().transactions.iter() {
        let [available, pending] = sums.entry(&transaction.currency).or_default();
        let slot = if transaction.available_on <= now {
            available
        } else {
            pending
        };
        *slot += transaction.net();
    }
    let column = |at: usize| -> Vec<Value> {
        let amounts = sums.iter().map(|(currency, sums)| (currency, sums[at]));
        amounts
            .map(|(currency, amount)| {
                json!({
                    "amount": amount,
                    "currency": currency,
                    "source_types": { "card": amount },
                })
            })
            .collect()
    };
    Ok(json!({
        "object": "balance",
        "available": column(0),
        "livemode": false,
        "pending": column(1),
    }))
}

pub(crate) fn transaction(call: &Call<'_>, id: &str) -> Answer {
    call.show(&call.books().transactions, id)
}

/// A list with `payout=` holds the payout's own movement too, as with Stripe:
/// what it paid out is everything in it whose type is not `payout`.
pub(crate) fn transactions(call: &Call<'_>) -> Answer {
    call.page(
        &call.books().transactions,
        "/v1/balance_transactions",
        |transaction| {
            call.fits("payout", transaction.payout.as_deref())
                && call.fits("source", transaction.source.as_deref())
                && call.fits("currency", Some(&transaction.currency))
                && call.fits("type", Some(transaction.movement.names().0))
        },
    )
}
