//! `expand[]`: ids in an answer replaced by the objects they name.

use serde_json::Value;

use crate::{
    error::ApiError,
    model::inner_list,
    shelf::{Object, Shelf},
    world::{Owner, World},
};

/// Stripe expands no deeper than this.
const DEEPEST: usize = 4;

/// Expands each of `paths` (`data.latest_charge.balance_transaction`) in `answer`.
///
/// # Errors
/// A path that leads to nothing expandable.
pub(crate) fn apply(
    world: &World,
    owner: &Owner,
    answer: &mut Value,
    paths: &[&str],
) -> Result<(), ApiError> {
    for path in paths {
        let parts: Vec<_> = path.split('.').collect();
        if parts.len() > DEEPEST + 1 || !expand(world, owner, answer, &parts) {
            return Err(
                ApiError::refused(format!("This property cannot be expanded ({path})."))
                    .param("expand"),
            );
        }
    }
    Ok(())
}

fn expand(world: &World, owner: &Owner, value: &mut Value, path: &[&str]) -> bool {
    let [field, deeper @ ..] = path else {
        return true;
    };
    if let Value::Array(items) = value {
        return items
            .iter_mut()
            .all(|item| expand(world, owner, item, path));
    }
    if *field == "refunds" && value["object"] == "charge" {
        value["refunds"] = refunds(world, owner, &value["id"]);
    }
    // Shown only of a refund that came back, and may be asked of each.
    let absent = *field == "failure_balance_transaction" && value["object"] == "refund";
    let Some(slot) = value.get_mut(*field) else {
        return absent;
    };
    if let Value::String(id) = slot {
        match find(world, owner, id) {
            Some(object) => *slot = object,
            None => return false,
        }
    }
    slot.is_null() || expand(world, owner, slot, deeper)
}

fn refunds(world: &World, owner: &Owner, charge: &Value) -> Value {
    let charge = charge.as_str().unwrap_or_default();
    let refunds = world.books(owner).refunds.iter().rev();
    let data = refunds
        .filter(|refund| refund.charge == charge)
        .map(|refund| refund.render(world.now()))
        .collect();
    inner_list(data, format!("/v1/charges/{charge}/refunds"))
}

/// Finds any object by its id, in what `owner` may see.
fn find(world: &World, owner: &Owner, id: &str) -> Option<Value> {
    let books = world.books(owner);
    let now = world.now();
    let prefix = id.split_once('_').map(|(prefix, _)| prefix)?;
    match prefix {
        "acct" => show(&world.accounts, id, now),
        "ch" | "py" => show(&books.charges, id, now).or_else(|| foreign_charge(world, owner, id)),
        "dp" => show(&books.disputes, id, now),
        "fee" => show(&world.platform.fees, id, now),
        "fr" => fee_refund(world, id),
        "pi" => show(&books.intents, id, now),
        "pm" => show(&books.methods, id, now),
        "po" => show(&books.payouts, id, now),
        "re" => show(&books.refunds, id, now),
        "tr" => show(&books.transfers, id, now),
        "txn" => show(&books.transactions, id, now),
        _ => None,
    }
}

/// The platform sees the charges that its application fees were taken from.
fn foreign_charge(world: &World, owner: &Owner, id: &str) -> Option<Value> {
    if *owner != Owner::Platform {
        return None;
    }
    world
        .connected
        .values()
        .find_map(|books| show(&books.charges, id, world.now()))
}

fn fee_refund(world: &World, id: &str) -> Option<Value> {
    world.platform.fees.iter().find_map(|fee| {
        let refund = fee.refunds.iter().find(|refund| refund.id == id)?;
        Some(fee.refund_shown(refund))
    })
}

fn show<T: Object>(shelf: &Shelf<T>, id: &str, now: i64) -> Option<Value> {
    shelf.get(id).map(|object| object.render(now))
}
