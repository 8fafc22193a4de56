//! `/v1/payment_method_domains`: every domain is valid here.

use super::call::{Answer, Call, known, known_mut};
use crate::{ids, model::domain::Domain, shelf::Object};

/// Registers a domain; the same name again answers the one there is.
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let name = call.params.required("domain_name")?.to_owned();
    let enabled = call.params.choice("enabled")?.unwrap_or(true);
    let now = call.now();
    if let Some(domain) = call
        .books()
        .domains
        .iter()
        .find(|domain| domain.name == name)
    {
        return Ok(domain.render(now));
    }
    let domain = Domain {
        id: ids::fresh("pmd_1"),
        created: now,
        name,
        enabled,
    };
    let shown = domain.render(now);
    call.books_mut().domains.put(domain);
    Ok(shown)
}

pub(crate) fn retrieve(call: &Call<'_>, id: &str) -> Answer {
    call.show(&call.books().domains, id)
}

pub(crate) fn list(call: &Call<'_>) -> Answer {
    let enabled = call.params.choice("enabled")?;
    call.page(
        &call.books().domains,
        "/v1/payment_method_domains",
        |domain| {
            call.fits("domain_name", Some(&domain.name))
                && enabled.is_none_or(|enabled| domain.enabled == enabled)
        },
    )
}

pub(crate) fn update(call: &mut Call<'_>, id: &str) -> Answer {
    let enabled = call.params.choice("enabled")?;
    let domain = known_mut(&mut call.books_mut().domains, id)?;
    domain.enabled = enabled.unwrap_or(domain.enabled);
    call.show(&call.books().domains, id)
}

/// `POST /v1/payment_method_domains/{id}/validate`.
pub(crate) fn validate(call: &Call<'_>, id: &str) -> Answer {
    known(&call.books().domains, id)?;
    call.show(&call.books().domains, id)
}
