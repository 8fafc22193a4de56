//! What follows from an attempt to pay: the charge, the money's movements, the
//! application fee, the dispute; and the events that tell of them.

use crate::{
    ids,
    model::{
        balance::{BalanceTransaction, FeeKind, Movement},
        card::{Behaviour, Decline},
        charge::Charge,
        fee::ApplicationFee,
        intent::{Failure, Intent, Status},
        payment_method::PaymentMethod,
    },
    money,
    shelf::Object,
    world::{Cause, Owner, World},
};

/// How long incoming money is pending, in seconds.
pub(crate) const PENDING: i64 = 2 * 24 * 60 * 60;

/// Pays an intent with the method it has. Does nothing to one that has ended.
pub(crate) fn succeed(world: &mut World, owner: &Owner, id: &str, cause: &Cause) {
    let Some((intent, method)) = in_hand(world, owner, id) else {
        return;
    };
    let mut charge = charge(world, &intent, &method, None);
    let fee = intent
        .application_fee_amount
        .filter(|_| owner.account().is_some());
    let mut fees = vec![(FeeKind::Stripe, money::processing_fee(charge.amount))];
    if let (Some(amount), Some(account)) = (fee, owner.account()) {
        fees.push((FeeKind::Application, amount));
        charge.application_fee = Some(collect_fee(world, account, &charge, amount, cause));
    }
    let waits = if method.behaviour == Behaviour::AvailableAtOnce {
        0
    } else {
        PENDING
    };
    let transaction = BalanceTransaction {
        id: ids::fresh("txn_3"),
        created: charge.created,
        available_on: charge.created + waits,
        amount: charge.amount,
        currency: charge.currency.clone(),
        fees,
        movement: Movement::Charge,
        source: Some(charge.id.clone()),
        description: charge.description.clone(),
        payout: None,
    };
    charge.balance_transaction = Some(transaction.id.clone());
    super::transfers::destination(world, &intent, &mut charge, cause);
    let now = world.now();
    let books = world.books_mut(owner);
    books.transactions.put(transaction);
    let charged = charge.render(now);
    let charge_id = charge.id.clone();
    books.charges.put(charge);
    let Some(intent) = books.intents.edit(id) else {
        return;
    };
    intent.status = Status::Succeeded;
    intent.amount_received = intent.amount;
    intent.latest_charge = Some(charge_id.clone());
    intent.challenge_url = None;
    intent.failure = None;
    let paid = intent.render(now);
    world.emit(owner, "charge.succeeded", charged, cause);
    world.emit(owner, "payment_intent.succeeded", paid, cause);
    if method.behaviour == Behaviour::Disputed {
        super::disputes::open(world, owner, &charge_id, cause);
    }
}

/// Records that an attempt failed; the intent may be tried again.
pub(crate) fn fail(world: &mut World, owner: &Owner, id: &str, decline: Decline, cause: &Cause) {
    let Some((intent, method)) = in_hand(world, owner, id) else {
        return;
    };
    // Who fails 3-D Secure never gets as far as a charge.
    let charge = (decline != Decline::Authentication)
        .then(|| charge(world, &intent, &method, Some(decline)));
    let now = world.now();
    let books = world.books_mut(owner);
    let failed = charge.as_ref().map(|charge| charge.render(now));
    let charge_id = charge.as_ref().map(|charge| charge.id.clone());
    if let Some(charge) = charge {
        books.charges.put(charge);
    }
    let Some(intent) = books.intents.edit(id) else {
        return;
    };
    intent.status = Status::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.challenge_url = None;
    if charge_id.is_some() {
        intent.latest_charge.clone_from(&charge_id);
    }
    intent.failure = Some(Failure {
        decline,
        charge: charge_id,
        method,
    });
    let shown = intent.render(now);
    if let Some(failed) = failed {
        world.emit(owner, "charge.failed", failed, cause);
    }
    world.emit(owner, "payment_intent.payment_failed", shown, cause);
}

/// An intent that may still be settled, with its method.
fn in_hand(world: &World, owner: &Owner, id: &str) -> Option<(Intent, PaymentMethod)> {
    let books = world.books(owner);
    let intent = books.intents.get(id)?;
    if matches!(intent.status, Status::Succeeded | Status::Canceled) {
        return None;
    }
    let method = books.methods.get(intent.payment_method.as_deref()?)?;
    Some((intent.clone(), method.clone()))
}

fn charge(
    world: &World,
    intent: &Intent,
    method: &PaymentMethod,
    failure: Option<Decline>,
) -> Charge {
    Charge {
        id: ids::fresh(if method.card.is_some() {
            "ch_3"
        } else {
            "py_3"
        }),
        created: world.now(),
        amount: intent.amount,
        amount_refunded: 0,
        currency: intent.currency.clone(),
        application_fee: None,
        application_fee_amount: intent.application_fee_amount,
        balance_transaction: None,
        payment_intent: Some(intent.id.clone()),
        method: Some(method.clone()),
        authenticated: method.behaviour == Behaviour::Authenticates && failure.is_none(),
        failure,
        disputed: false,
        description: intent.description.clone(),
        receipt_email: intent.receipt_email.clone(),
        statement_descriptor: intent.statement_descriptor.clone(),
        statement_descriptor_suffix: intent.statement_descriptor_suffix.clone(),
        transfer: None,
        transfer_data: intent.transfer_data.clone(),
        transfer_group: intent.transfer_group.clone(),
        source_transfer: None,
        on_behalf_of: intent.on_behalf_of.clone(),
        customer: intent.customer.clone(),
        metadata: intent.metadata.clone(),
        connected: intent.connected,
    }
}

/// Books the platform's fee on a charge of `account`; returns the fee's id.
pub(crate) fn collect_fee(
    world: &mut World,
    account: &str,
    charge: &Charge,
    amount: i64,
    cause: &Cause,
) -> String {
    let id = ids::fresh("fee_1");
    let transaction = BalanceTransaction {
        id: ids::fresh("txn_1"),
        created: charge.created,
        available_on: charge.created + PENDING,
        amount,
        currency: charge.currency.clone(),
        fees: Vec::new(),
        movement: Movement::ApplicationFee,
        source: Some(id.clone()),
        description: None,
        payout: None,
    };
    let fee = ApplicationFee {
        id: id.clone(),
        created: charge.created,
        account: account.to_owned(),
        amount,
        amount_refunded: 0,
        balance_transaction: transaction.id.clone(),
        charge: charge.id.clone(),
        currency: charge.currency.clone(),
        refunds: Vec::new(),
    };
    let shown = fee.render(charge.created);
    world.platform.transactions.put(transaction);
    world.platform.fees.put(fee);
    world.emit(&Owner::Platform, "application_fee.created", shown, cause);
    id
}
