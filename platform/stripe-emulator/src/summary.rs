//! What every account has, in one view: for tests that compare it with books
//! of their own.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    model::refund::Status as RefundStatus,
    world::{Books, Owner, World},
};

/// Sums by currency, in minor units.
type Sums = BTreeMap<String, i64>;

/// The summary of the platform and of each connected account.
pub(crate) fn of(world: &World) -> Value {
    let accounts: Map<String, Value> = world
        .connected
        .iter()
        .map(|(id, books)| (id.clone(), account(books)))
        .collect();
    json!({
        "platform": account(world.books(&Owner::Platform)),
        "accounts": accounts,
        "webhooks_pending": world.outbox.len(),
        "tiktok_events": world.pixels.events().len(),
    })
}

fn account(books: &Books) -> Value {
    let mut intents: BTreeMap<&str, usize> = BTreeMap::new();
    for intent in books.intents.iter() {
        *intents.entry(intent.status.as_str()).or_default() += 1;
    }
    let (paid, failed): (Vec<_>, Vec<_>) =
        books.charges.iter().partition(|charge| charge.succeeded());
    let charged = sums(paid.iter().map(|charge| (&charge.currency, charge.amount)));
    let refunds: Vec<_> = books
        .refunds
        .iter()
        .filter(|refund| {
            matches!(
                refund.status,
                RefundStatus::Pending | RefundStatus::Succeeded
            )
        })
        .collect();
    let refunded = sums(
        refunds
            .iter()
            .map(|refund| (&refund.currency, refund.amount)),
    );
    let fees = sums(
        books
            .fees
            .iter()
            .map(|fee| (&fee.currency, fee.amount - fee.amount_refunded)),
    );
    let balance = sums(
        books
            .transactions
            .iter()
            .map(|one| (&one.currency, one.net())),
    );
    json!({
        "payment_intents": intents,
        "charges": { "count": paid.len(), "amount": charged, "failed": failed.len() },
        "refunds": { "count": refunds.len(), "amount": refunded },
        "disputes": books.disputes.iter().len(),
        "payouts": books.payouts.iter().len(),
        "application_fees": { "count": books.fees.iter().len(), "net": fees },
        "balance": balance,
        "events": books.events.iter().len(),
    })
}

fn sums<'a>(amounts: impl Iterator<Item = (&'a String, i64)>) -> Sums {
    let mut sums = Sums::new();
    for (currency, amount) in amounts {
        *sums.entry(currency.clone()).or_default() += amount;
    }
    sums
}
