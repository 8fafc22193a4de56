//! For whom a booking is.

use berth_access::{Actor, Context};
use berth_events::booking::Customer;
use berth_kernel::is_language_tag;
use serde::{Deserialize, Serialize};

use crate::{Error, NewBooking};

/// For whom a booking is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerInput {
    /// Name, 1 to 200 characters.
    pub name: String,
    /// Address.
    pub email: String,
    /// BCP 47 tag; the tenant's language if none.
    pub locale: Option<String>,
}

/// For whom the booking is: the request's word, else the signed-in person.
pub(crate) fn of(ctx: &Context, new: &NewBooking) -> Result<Customer, Error> {
    if new.notes.chars().count() > 2_000 {
        return Err(Error::invalid(
            "notes",
            "TOO_LONG",
            "At most 2,000 characters.",
        ));
    }
    match (&new.customer, &ctx.actor) {
        (Some(input), _) => checked(ctx, input),
        (None, Actor::User { person, .. }) => Ok(Customer {
            name: person.name.clone(),
            email: person.email.clone(),
            locale: person.locale.clone(),
        }),
        (None, _) => {
            let detail = "Say for whom the booking is.";
            Err(Error::invalid("customer", "CUSTOMER_REQUIRED", detail))
        }
    }
}

/// A person as they are named, if they can be.
pub(crate) fn checked(ctx: &Context, input: &CustomerInput) -> Result<Customer, Error> {
    let name = input.name.trim();
    if name.is_empty() || name.chars().count() > 200 {
        let detail = "Must have 1 to 200 characters.";
        return Err(Error::invalid("customer.name", "INVALID_NAME", detail));
    }
    let email = input.email.trim();
    if !plausible_email(email) {
        let detail = "Must be an e-mail address.";
        return Err(Error::invalid("customer.email", "INVALID_EMAIL", detail));
    }
    let locale = input.locale.as_ref();
    if locale.is_some_and(|tag| !is_language_tag(tag)) {
        let detail = "Must be a language tag such as `de` or `pt-BR`.";
        return Err(Error::invalid("customer.locale", "LOCALE_INVALID", detail));
    }
    Ok(Customer {
        name: name.to_owned(),
        email: email.to_lowercase(),
        locale: locale.unwrap_or(&ctx.tenant.locale).clone(),
    })
}

/// Something before and after one `@`, a dot after it, no blanks or control signs. Whether mail
/// arrives is shown by mail alone.
pub(crate) fn plausible_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let clean = !text
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c));
    clean
        && text.len() <= 254
        && !local.is_empty()
        && !domain.contains('@')
        && domain.split('.').count() > 1
        && domain.split('.').all(|label| !label.is_empty())
}
