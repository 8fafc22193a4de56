//! The page a customer pays at, reached with a link that nobody can make up.
//!
//! It shows where booking and payment stand and, while there is something to pay, the provider's
//! own card form: no card data comes to this server. Coming back from the provider proves
//! nothing; the page says "confirmed" when the booking is.

mod state;
mod words;

use askama::Template;
use berth_booking::{Booking, Status};
use berth_kernel::{BookingId, Problem};
use berth_tenancy::Tenant;
use berth_web::observe;
use berth_wording::{Language, single_line};
use jiff::Timestamp;
use poem::{
    Request, Response, handler,
    web::{Path, Query},
};
use serde::Deserialize;

use crate::{
    House, assets::CHECKOUT, brand::Brand, dress::Scene, pages::html, place::Place, shell::Shell,
    shown, stop::Stop,
};

use state::{Asked, Returned, State, decide};
use words::Words;

#[derive(Template)]
#[template(path = "checkout/page.html")]
struct Page {
    shell: Shell,
    words: &'static Words,
    tone: &'static str,
    title: &'static str,
    text: String,
    /// Seconds until the page looks again by itself.
    refresh: Option<u8>,
    summary: Summary,
    form: Option<CardForm>,
    /// The page as it was before the customer went to pay.
    again: Option<String>,
}

/// What is paid for.
struct Summary {
    product: String,
    quantity: i32,
    when: String,
    price: String,
    reference: String,
    held_until: Option<String>,
}

/// What the provider's script needs to show the card form.
struct CardForm {
    stripe_js_url: String,
    script: &'static str,
    publishable_key: String,
    account: String,
    client_secret: String,
    return_url: String,
    /// Milliseconds until the hold ends, and the page says so.
    left_ms: i64,
    pay: String,
    /// What went wrong with the try before.
    error: Option<&'static str>,
}

#[derive(Debug, Deserialize)]
struct CheckoutQuery {
    #[serde(default)]
    token: String,
    redirect_status: Option<Returned>,
}

#[handler]
pub(crate) async fn show(
    request: &Request,
    Path(id): Path<BookingId>,
    Query(query): Query<CheckoutQuery>,
) -> Result<Response, Stop> {
    let scene = Scene::of(request)?;
    let house = &scene.house;
    // No link, a link of another business, a booking that is gone: nobody learns which.
    let slug = house
        .links
        .slug(&query.token, id)
        .ok_or_else(Problem::not_found)?;
    let tenant = match &scene.place {
        Place::Tenant(tenant) if tenant.slug == slug => Some(std::sync::Arc::clone(tenant)),
        Place::Tenant(_) => None,
        Place::Platform => house.web.tenant_by_slug(slug).await?,
    };
    let tenant = tenant.ok_or_else(Problem::not_found)?;
    tracing::Span::current().record("tenant_id", tracing::field::display(tenant.id));
    let booking = house.bookings.by_link(&tenant, id).await?;
    let asked = ask(house, &tenant, &booking, request).await?;
    let now = house.web.clock.now();
    let state = decide(&booking, asked, query.redirect_status, now);
    let mut address = house.links.address(scene.place.slug());
    address.set_path(&format!("/checkout/{id}"));
    address.query_pairs_mut().append_pair("token", &query.token);
    let shell = Shell::outside(Brand::of(&tenant), scene.nonce.clone());
    html(&page(shell, house, &booking, state, address.into(), now))
}

/// The booking's payment, made if the event that asks for it has not been handled yet.
async fn ask(
    house: &House,
    tenant: &Tenant,
    booking: &Booking,
    request: &Request,
) -> Result<Asked, Stop> {
    use berth_payment::{Error, provider::ProviderError};
    if booking.status != Status::Pending {
        return Ok(Asked::NotNeeded);
    }
    let cause = observe::cause(request);
    match house.payments.ensure(tenant, &booking.told(), &cause).await {
        Ok(payment) => Ok(Asked::Known(Box::new(payment))),
        Err(Error::NothingToPay) => Ok(Asked::NotNeeded),
        Err(Error::NoAccount) => Ok(Asked::NoAccount),
        Err(Error::Provider(ProviderError::Refused { code, .. })) => {
            tracing::warn!(booking_id = %booking.id, code, "payment of booking {} refused", booking.id);
            Ok(Asked::Refused)
        }
        Err(Error::Provider(error)) => {
            tracing::warn!(booking_id = %booking.id, error = berth_kernel::chain(&error), "payment of booking {} not asked for: {error}", booking.id);
            Ok(Asked::NoAnswer)
        }
        Err(error) => Err(error.into()),
    }
}

fn page(
    shell: Shell,
    house: &House,
    booking: &Booking,
    state: State,
    address: String,
    now: Timestamp,
) -> Page {
    let stripe = Stripe {
        script: &house.stripe_js_url,
        key: house.payments.publishable_key(),
    };
    assemble(shell, stripe, booking, state, address, now)
}

/// What is the same for all card forms.
struct Stripe<'a> {
    script: &'a str,
    key: &'a str,
}

fn assemble(
    shell: Shell,
    stripe: Stripe<'_>,
    booking: &Booking,
    state: State,
    address: String,
    now: Timestamp,
) -> Page {
    let language = Language::of(&booking.customer.locale);
    let words = Words::of(language);
    let (tone, title, text) = words.say(&state, language);
    let price = language.money(booking.price);
    let refresh = state.refresh();
    let again = matches!(state, State::Checking).then(|| address.clone());
    let form = match state {
        State::Payable {
            account,
            client_secret,
            declined,
        } => Some(CardForm {
            stripe_js_url: stripe.script.to_owned(),
            script: &CHECKOUT.path,
            publishable_key: stripe.key.to_owned(),
            account,
            client_secret,
            return_url: address,
            left_ms: booking
                .expires_at
                .map_or(0, |at| at.as_millisecond() - now.as_millisecond()),
            pay: words.pay.replace("{}", &price),
            error: declined.then_some(words.declined),
        }),
        _ => None,
    };
    Page {
        shell: Shell {
            language: language.tag(),
            ..shell
        },
        words,
        tone,
        title,
        text,
        refresh,
        summary: Summary {
            product: single_line(&booking.product_name, 200),
            quantity: booking.quantity,
            when: language.period(booking.starts_at, booking.ends_at, &booking.timezone),
            price,
            reference: booking.reference.clone(),
            held_until: form
                .as_ref()
                .and(booking.expires_at)
                .map(|at| clock(at, &booking.timezone)),
        },
        form,
        again,
    }
}

/// The hour a hold ends, with its zone.
fn clock(at: Timestamp, zone: &str) -> String {
    let local = at.to_zoned(berth_wording::zone(zone));
    format!("{}, {}", local.strftime("%H:%M"), shown::zone_of(at, zone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::sample;
    use berth_payment::PaymentStatus;

    fn render(booking: &Booking, asked: Asked, returned: Option<Returned>) -> String {
        let state = decide(booking, asked, returned, sample::now());
        let shell = Shell::outside(sample::brand(), sample::NONCE.into());
        let stripe = Stripe {
            script: "http://127.0.0.1:12111/v3/",
            key: "pk_test_\"<b>",
        };
        let address = "http://alpha-clinic.localhost/checkout/1?token=alpha-clinic.x".to_owned();
        let html = assemble(shell, stripe, booking, state, address, sample::now())
            .render()
            .unwrap();
        assert!(
            !html.contains("<script>") && !html.contains("<b>"),
            "{html}"
        );
        html
    }

    fn held() -> Booking {
        let mut booking = sample::booking(Status::Pending);
        booking.product_name = sample::HOSTILE.into();
        booking
    }

    fn known(status: PaymentStatus) -> Asked {
        Asked::Known(Box::new(sample::payment(status)))
    }

    #[test]
    fn golden_payable() {
        insta::assert_snapshot!(render(&held(), known(PaymentStatus::RequiresPayment), None));
    }

    #[test]
    fn golden_payable_in_german_after_a_decline() {
        let mut booking = held();
        booking.customer.locale = "de-AT".into();
        let returned = Some(Returned::Failed);
        insta::assert_snapshot!(render(
            &booking,
            known(PaymentStatus::RequiresPayment),
            returned
        ));
    }

    #[test]
    fn golden_asked_for() {
        let booking = sample::booking(Status::Requested);
        insta::assert_snapshot!(render(&booking, Asked::NotNeeded, None));
    }

    #[test]
    fn golden_being_prepared() {
        insta::assert_snapshot!(render(&held(), known(PaymentStatus::Created), None));
    }

    #[test]
    fn golden_back_from_the_provider() {
        let returned = Some(Returned::Succeeded);
        insta::assert_snapshot!(render(
            &held(),
            known(PaymentStatus::RequiresPayment),
            returned
        ));
    }

    #[test]
    fn golden_paid() {
        insta::assert_snapshot!(render(&held(), known(PaymentStatus::Succeeded), None));
    }

    #[test]
    fn golden_confirmed() {
        insta::assert_snapshot!(render(
            &sample::booking(Status::Confirmed),
            Asked::NotNeeded,
            None
        ));
    }

    #[test]
    fn golden_not_paid_in_time() {
        insta::assert_snapshot!(render(
            &sample::booking(Status::Failed),
            Asked::NotNeeded,
            None
        ));
    }

    #[test]
    fn golden_cancelled() {
        insta::assert_snapshot!(render(
            &sample::booking(Status::Cancelled),
            Asked::NotNeeded,
            None
        ));
    }
}
