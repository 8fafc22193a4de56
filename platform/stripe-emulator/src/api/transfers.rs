//! `/v1/transfers`, and the transfer inside a destination charge.

use super::{
    call::{Answer, Call},
    settle::{PENDING, collect_fee},
};
use crate::{
    error::ApiError,
    ids,
    model::{
        balance::{BalanceTransaction, FeeKind, Movement},
        charge::Charge,
        intent::Intent,
        transfer::Transfer,
    },
    params::Metadata,
    shelf::Object,
    world::{Cause, Owner, World},
};

/// What a transfer is asked to be.
struct Order {
    amount: i64,
    currency: String,
    destination: String,
    source: Option<String>,
    group: Option<String>,
    description: Option<String>,
    metadata: Metadata,
    /// The platform's fee, taken from the destination.
    fee: Option<i64>,
}

pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let params = call.params;
    if call.owner != Owner::Platform {
        return Err(ApiError::refused("Only the platform can make transfers."));
    }
    let destination = params.required("destination")?;
    if call.world.accounts.get(destination).is_none() {
        return Err(ApiError::missing("destination", destination, "destination"));
    }
    params.required("amount")?;
    let amount = params
        .integer("amount")?
        .filter(|amount| *amount > 0)
        .ok_or_else(|| {
            ApiError::parameter(
                "parameter_invalid_integer",
                "amount",
                "This value must be greater than or equal to 1.",
            )
        })?;
    let order = Order {
        amount,
        currency: params.required("currency")?.to_ascii_lowercase(),
        destination: destination.to_owned(),
        source: params.owned("source_transaction"),
        group: params.owned("transfer_group"),
        description: params.owned("description"),
        metadata: params.metadata(),
        fee: None,
    };
    let cause = call.cause.clone();
    let transfer = make(call.world, order, &cause);
    call.show(&call.world.platform.transfers, &transfer)
}

/// Passes a destination charge's money on, and takes the platform's fee of it.
pub(crate) fn destination(world: &mut World, intent: &Intent, charge: &mut Charge, cause: &Cause) {
    let Some(data) = &intent.transfer_data else {
        return;
    };
    let order = Order {
        amount: data.amount.unwrap_or(charge.amount).min(charge.amount),
        currency: charge.currency.clone(),
        destination: data.destination.clone(),
        source: Some(charge.id.clone()),
        group: charge.transfer_group.clone(),
        description: None,
        metadata: Metadata::new(),
        fee: intent.application_fee_amount,
    };
    charge.transfer = Some(make(world, order, cause));
}

/// Moves the money; returns the transfer's id.
fn make(world: &mut World, order: Order, cause: &Cause) -> String {
    let now = world.now();
    let id = ids::fresh("tr_1");
    let receiver = Owner::Connected(order.destination.clone());
    let mut payment = payment(&order, &id, now);
    let mut fees = Vec::new();
    if let Some(fee) = order.fee {
        fees.push((FeeKind::Application, fee));
        payment.application_fee =
            Some(collect_fee(world, &order.destination, &payment, fee, cause));
    }
    let movement = |movement, amount, fees, source: &str| BalanceTransaction {
        id: ids::fresh("txn_1"),
        created: now,
        available_on: now + if order.source.is_some() { PENDING } else { 0 },
        amount,
        currency: order.currency.clone(),
        fees,
        movement,
        source: Some(source.to_owned()),
        description: order.description.clone(),
        payout: None,
    };
    let received = movement(Movement::Payment, order.amount, fees, &payment.id);
    let sent = movement(Movement::Transfer, -order.amount, Vec::new(), &id);
    payment.balance_transaction = Some(received.id.clone());
    let transfer = Transfer {
        id: id.clone(),
        created: now,
        amount: order.amount,
        currency: order.currency.clone(),
        balance_transaction: sent.id.clone(),
        destination: order.destination.clone(),
        destination_payment: payment.id.clone(),
        source_transaction: order.source.clone(),
        transfer_group: order.group.clone(),
        description: order.description.clone(),
        metadata: order.metadata.clone(),
    };
    let books = world.books_mut(&receiver);
    books.transactions.put(received);
    books.charges.put(payment);
    world.platform.transactions.put(sent);
    let shown = transfer.render(now);
    world.platform.transfers.put(transfer);
    world.emit(&Owner::Platform, "transfer.created", shown, cause);
    id
}

/// The receiving side: a charge that nobody paid by card.
fn payment(order: &Order, transfer: &str, now: i64) -> Charge {
    Charge {
        id: ids::fresh("py_1"),
        created: now,
        amount: order.amount,
        amount_refunded: 0,
        currency: order.currency.clone(),
        application_fee: None,
        application_fee_amount: order.fee,
        balance_transaction: None,
        payment_intent: None,
        method: None,
        authenticated: false,
        failure: None,
        disputed: false,
        description: order.description.clone(),
        receipt_email: None,
        statement_descriptor: None,
        statement_descriptor_suffix: None,
        transfer: None,
        transfer_data: None,
        transfer_group: order.group.clone(),
        source_transfer: Some(transfer.to_owned()),
        on_behalf_of: None,
        customer: None,
        metadata: Metadata::new(),
        connected: true,
    }
}

pub(crate) fn retrieve(call: &Call<'_>, id: &str) -> Answer {
    call.show(&call.books().transfers, id)
}

pub(crate) fn list(call: &Call<'_>) -> Answer {
    call.page(&call.books().transfers, "/v1/transfers", |transfer| {
        call.fits("destination", Some(&transfer.destination))
            && call.fits("transfer_group", transfer.transfer_group.as_deref())
    })
}
