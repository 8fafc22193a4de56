//! Pages for people: the portal of a business's staff, and the page a customer pays at.
//!
//! Everything is rendered here; no page but the payment page needs a script. A page is one file
//! under `pages`, with its template's data, its handlers and its golden test; the HTML is in
//! `templates/`. What a page may show and do is decided by the use cases it calls, under a
//! [`Context`](berth_access::Context) of the person signed in.
//!
//! A request passes, from the outside in: [`dress`] (the business by its host, the nonce, the
//! headers, refusals as pages), then an extractor: [`session::Visit`] for a page that shows,
//! [`session::Submission`] for one that changes something. A handler cannot get at a form
//! without its token having been compared.
//!
//! Must not know: SQL, HTTP clients, what the policy says. To add a page: a file in `pages` with
//! `show` (and `act`), its template, its route in [`mount`]; its golden test writes itself with
//! `INSTA_UPDATE=always`, and is to be looked at in a browser, light and dark, wide and narrow.

mod assets;
mod brand;
mod checkout;
mod dress;
mod form_token;
mod links;
mod next;
mod pages;
mod place;
mod session;
mod settings;
mod shell;
mod shown;
mod stop;

use std::sync::Arc;

use berth_booking::Bookings;
use berth_catalog::Catalog;
use berth_onboarding::Onboarding;
use berth_payment::Payments;
use berth_user::Users;
use berth_web::Web;
use poem::{Route, RouteMethod, get, post};

use dress::{Dressed, Named};
use session::Cookies;

pub use links::Links;
pub use settings::{PortalSettings, SettingsError};

/// What the pages are made of.
#[derive(Clone, Debug)]
pub struct Portal {
    /// Tenants, access, clock and limits.
    pub web: Web,
    /// The user service.
    pub users: Users,
    /// The catalog.
    pub catalog: Catalog,
    /// The booking service.
    pub bookings: Bookings,
    /// The payment service.
    pub payments: Payments,
    /// Makes tenants of businesses that sign up.
    pub onboarding: Onboarding,
    /// Where the pages are and what they trust.
    pub settings: PortalSettings,
}

/// The same, with the settings checked and worked out; shared by all requests.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) web: Web,
    pub(crate) users: Users,
    pub(crate) catalog: Catalog,
    pub(crate) bookings: Bookings,
    pub(crate) payments: Payments,
    pub(crate) onboarding: Onboarding,
    pub(crate) sign_up: bool,
    pub(crate) links: Links,
    pub(crate) cookies: Cookies,
    pub(crate) policies: dress::Policies,
    pub(crate) stripe_js_url: String,
}

/// Adds `/portal` and `/checkout` to `route`.
///
/// # Errors
/// [`SettingsError`]; the server must not start then.
pub fn mount(route: Route, portal: Portal) -> Result<Route, SettingsError> {
    let checked = portal.settings.check(portal.payments.publishable_key())?;
    let house = Arc::new(House {
        web: portal.web,
        users: portal.users,
        catalog: portal.catalog,
        bookings: portal.bookings,
        payments: portal.payments,
        onboarding: portal.onboarding,
        sign_up: portal.settings.sign_up,
        links: checked.links,
        cookies: Cookies {
            secure: portal.settings.secure_cookies,
        },
        policies: checked.policies,
        stripe_js_url: portal.settings.stripe_js_url,
    });
    let pages = Dressed {
        inner: portal_pages(),
        house: Arc::clone(&house),
        checkout: false,
    };
    let checkout = Dressed {
        inner: checkout_pages(),
        house,
        checkout: true,
    };
    Ok(route
        .nest(
            "/portal/static",
            Route::new().at("/:name", get(assets::serve)),
        )
        .nest_no_strip("/portal", pages)
        .nest_no_strip("/checkout", checkout))
}

/// The routes alone.
///
/// # Errors
/// [`SettingsError`]; the server must not start then.
pub fn routes(portal: Portal) -> Result<Route, SettingsError> {
    mount(Route::new(), portal)
}

/// The portal's pages: where each is, what it is called in metrics, what answers there.
fn portal_table() -> Vec<(&'static str, &'static str, RouteMethod)> {
    use pages::{
        booking, bookings, business, cancel, new_business, overview, payment, payments, payouts,
        sign_in, sign_out, sign_up,
    };
    let sign_in_page = get(sign_in::show).post(sign_in::act);
    let cancel_page = get(cancel::show).post(cancel::act);
    vec![
        ("/portal", "portal_overview", get(overview::show)),
        ("/portal/sign-in", "portal_sign_in", sign_in_page),
        ("/portal/sign-out", "portal_sign_out", post(sign_out::act)),
        (
            "/portal/sign-up",
            "portal_sign_up",
            get(sign_up::show).post(sign_up::act),
        ),
        (
            "/portal/sign-up/:id",
            "portal_new_business",
            get(new_business::show).post(new_business::act),
        ),
        (
            "/portal/business",
            "portal_business",
            get(business::show).post(business::act),
        ),
        ("/portal/bookings", "portal_bookings", get(bookings::show)),
        ("/portal/bookings/:id", "portal_booking", get(booking::show)),
        (
            "/portal/bookings/:id/cancel",
            "portal_booking_cancel",
            cancel_page,
        ),
        (
            "/portal/bookings/:id/:step",
            "portal_booking_step",
            post(booking::act),
        ),
        ("/portal/payments", "portal_payments", get(payments::show)),
        ("/portal/payments/:id", "portal_payment", get(payment::show)),
        (
            "/portal/payments/:id/refund",
            "portal_payment_refund",
            post(payment::act),
        ),
        ("/portal/payouts", "portal_payouts", get(payouts::show)),
        (
            "/portal/payouts/connect",
            "portal_payouts_connect",
            post(payouts::connect),
        ),
        (
            "/portal/payouts/check",
            "portal_payouts_check",
            post(payouts::check),
        ),
        (
            "/portal/payouts/return",
            "portal_payouts_return",
            get(payouts::returned),
        ),
        (
            "/portal/payouts/refresh",
            "portal_payouts_refresh",
            get(payouts::refresh),
        ),
    ]
}

/// Where the portal's pages are, as the router writes it: `:id` stands for a part of the path.
#[must_use]
pub fn paths() -> Vec<&'static str> {
    let pages = portal_table().into_iter();
    pages.map(|(path, ..)| path).collect()
}

fn portal_pages() -> Route {
    portal_table()
        .into_iter()
        .fold(Route::new(), |route, (path, name, page)| {
            route.at(path, Named(name, page))
        })
}

fn checkout_pages() -> Route {
    Route::new().at("/checkout/:id", Named("checkout", get(checkout::show)))
}
