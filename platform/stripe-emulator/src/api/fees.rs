//! `/v1/application_fees`: what the platform earned, seen by the platform.

use super::call::{Answer, Call};

pub(crate) fn retrieve(call: &Call<'_>, id: &str) -> Answer {
    call.show(&call.books().fees, id)
}

pub(crate) fn list(call: &Call<'_>) -> Answer {
    call.page(&call.books().fees, "/v1/application_fees", |fee| {
        call.fits("charge", Some(&fee.charge))
    })
}
