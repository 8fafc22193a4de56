//! Payment methods: Stripe's test tokens, and cards as they are typed in.

use super::call::{Answer, Call};
use crate::{
    error::{ApiError, ErrorKind},
    ids,
    model::{
        card::{self, Behaviour},
        payment_method::PaymentMethod,
    },
    params::Params,
    shelf::Object,
};

/// `POST /v1/payment_methods`.
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let method = typed_in(call.params, call.now())?;
    let shown = method.render(call.now());
    call.books_mut().methods.put(method);
    Ok(shown)
}

/// The method that a request names: `payment_method` (an id or a test token)
/// or `payment_method_data`. `None` when it names none.
pub(crate) fn named(call: &mut Call<'_>) -> Result<Option<PaymentMethod>, ApiError> {
    let (params, now) = (call.params, call.now());
    let method = match params.text("payment_method") {
        Some(id) => match call.books().methods.get(id) {
            Some(method) => return Ok(Some(method.clone())),
            None => by_token(id, now)?,
        },
        None if params.has("payment_method_data") => {
            typed_in(&params.below("payment_method_data"), now)?
        }
        None => return Ok(None),
    };
    call.books_mut().methods.put(method.clone());
    Ok(Some(method))
}

fn by_token(token: &str, now: i64) -> Result<PaymentMethod, ApiError> {
    let (card, behaviour) = match token {
        "pm_usBankAccount_success" | "pm_usBankAccount" => {
            (None, Behaviour::Processes { paid: true })
        }
        "pm_usBankAccount_accountClosed" => (None, Behaviour::Processes { paid: false }),
        _ => {
            let (card, behaviour) = card::by_token(token)
                .ok_or_else(|| ApiError::missing("PaymentMethod", token, "payment_method"))?;
            (Some(card), behaviour)
        }
    };
    Ok(PaymentMethod {
        id: ids::fresh("pm_1"),
        created: now,
        card,
        exp_month: 12,
        exp_year: 2034,
        behaviour,
        email: None,
        name: None,
    })
}

/// A card from the fields of a form.
fn typed_in(data: &Params, now: i64) -> Result<PaymentMethod, ApiError> {
    match data.required("type")? {
        "card" => {}
        "us_bank_account" => return by_token("pm_usBankAccount_success", now),
        other => {
            return Err(ApiError::parameter(
                "parameter_invalid",
                "type",
                format!("The payment method type \"{other}\" is invalid."),
            ));
        }
    }
    let number = data.required("card.number")?;
    let (card, behaviour) = card::by_number(number).ok_or_else(|| {
        card_error(
            "incorrect_number",
            "card.number",
            "Your card number is incorrect.",
        )
    })?;
    let (month, year) = (
        data.integer("card.exp_month")?,
        data.integer("card.exp_year")?,
    );
    let exp_month = month
        .filter(|month| (1..=12).contains(month))
        .ok_or_else(|| {
            let message = "Your card's expiration month is invalid.";
            card_error("invalid_expiry_month", "card.exp_month", message)
        })?;
    // Two digits are what people type.
    let exp_year = year
        .map(|year| if year < 100 { year + 2_000 } else { year })
        .filter(|year| (2_000..2_100).contains(year) && !expired(exp_month, *year, now))
        .ok_or_else(|| {
            let message = "Your card's expiration year is invalid.";
            card_error("invalid_expiry_year", "card.exp_year", message)
        })?;
    Ok(PaymentMethod {
        id: ids::fresh("pm_1"),
        created: now,
        card: Some(card),
        exp_month,
        exp_year,
        behaviour,
        email: data.owned("billing_details.email"),
        name: data.owned("billing_details.name"),
    })
}

/// Whether the last day of the month lies before `now`.
fn expired(month: i64, year: i64, now: i64) -> bool {
    let Ok(today) = jiff::Timestamp::from_second(now) else {
        return false;
    };
    let today = today.to_zoned(jiff::tz::TimeZone::UTC).date();
    (year, month) < (i64::from(today.year()), i64::from(today.month()))
}

fn card_error(code: &'static str, param: &str, message: &str) -> ApiError {
    ApiError::new(402, ErrorKind::Card, message)
        .code(code)
        .param(param)
}
