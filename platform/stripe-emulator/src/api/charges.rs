//! `/v1/charges`: reading them, and what may be noted on them.

use super::call::{Answer, Call, known_mut};

pub(crate) fn retrieve(call: &Call<'_>, id: &str) -> Answer {
    call.show(&call.books().charges, id)
}

pub(crate) fn list(call: &Call<'_>) -> Answer {
    call.page(&call.books().charges, "/v1/charges", |charge| {
        call.fits("payment_intent", charge.payment_intent.as_deref())
            && call.fits("customer", charge.customer.as_deref())
            && call.fits("transfer_group", charge.transfer_group.as_deref())
    })
}

pub(crate) fn update(call: &mut Call<'_>, id: &str) -> Answer {
    let params = call.params;
    let charge = known_mut(&mut call.books_mut().charges, id)?;
    for (slot, field) in [
        (&mut charge.description, "description"),
        (&mut charge.receipt_email, "receipt_email"),
    ] {
        if params.has(field) {
            *slot = params.owned(field);
        }
    }
    params.merge_metadata(&mut charge.metadata);
    let shown = call.show(&call.books().charges, id)?;
    call.emit("charge.updated", shown.clone());
    Ok(shown)
}
