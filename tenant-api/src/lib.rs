//! The API tenants' software and customers speak: one file a tag.
//!
//! A handler parses, calls one use case and maps the outcome; it decides nothing. Who is asking is
//! proven by the scheme each operation takes as its argument ([`Asker`](berth_web::Asker)), or left
//! open where the public may look ([`Visitor`](berth_web::Visitor)).
//!
//! The document is served at `/v1/openapi.json` and printed by `berth openapi`. To add an
//! operation: a method with an `operation_id` and a doc comment on it and on each field; its
//! permission in `policies/policy.csv`.

mod admin;
mod availability;
mod blocks;
mod bookings;
mod calendars;
mod catalog;
mod connections;
mod document;
mod domains;
mod payments;
mod receipts;
mod session_groups;
mod sessions;
mod shared;
mod users;
mod waitlist;
mod webhooks;

use std::{str::FromStr, time::Duration};

use berth_access::{Context, Role};
use berth_booking::{Bookings, Calendars};
use berth_catalog::{Catalog, Images};
use berth_integration::Integrations;
use berth_kernel::{Kind, Problem};
use berth_notification::Notifications;
use berth_payment::Payments;
use berth_receipt::Receipts;
use berth_tenancy::domains::Domains;
use berth_user::Users;
use berth_web::{
    Refusal, Web, limits::Limit, problem::render_errors, refuse, tenant::TENANT_HEADER,
};
use poem::{Endpoint, EndpointExt as _, Request, Response, Route};
use poem_openapi::{ExtraHeader, OpenApiService};

use document::Document;

/// From a tenant's name in addresses and a booking to the address it is paid at.
pub type CheckoutUrl =
    std::sync::Arc<dyn Fn(&str, berth_kernel::BookingId) -> String + Send + Sync>;

/// From a tenant's name in addresses and the secret of a calendar's feed to its address.
pub type CalendarUrl = std::sync::Arc<dyn Fn(&str, &str) -> String + Send + Sync>;

/// What the operations call.
#[derive(Clone)]
pub struct Api {
    /// What every request needs.
    pub web: Web,
    /// The booking service.
    pub bookings: Bookings,
    /// Calendars, of the booking service too.
    pub calendars: Calendars,
    /// The catalog service.
    pub catalog: Catalog,
    /// Pictures, of the catalog service too.
    pub images: Images,
    /// The payment service.
    pub payments: Payments,
    /// The user service.
    pub users: Users,
    /// The receipt service.
    pub receipts: Receipts,
    /// The notification service.
    pub notifications: Notifications,
    /// The integration service.
    pub integrations: Integrations,
    /// Tenants' own hosts.
    pub domains: Domains,
    /// Makes the address of a calendar's feed.
    pub calendar_url: CalendarUrl,
    /// Makes the address of a booking's payment page; the server knows where the portal is.
    pub checkout_url: CheckoutUrl,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

/// How often somebody may try vouchers: their codes are short enough to be guessed.
const VOUCHERS: Limit = Limit {
    name: "voucher",
    count: 30,
    window: Duration::from_secs(60),
};

impl Api {
    /// Counts one of `what` for the address the request came from, at this tenant.
    async fn count(&self, ctx: &Context, what: Limit, request: &Request) -> Result<(), Refusal> {
        let from = self.web.proxies.counted(request);
        let from = from.map(|address| address.to_string());
        let key = format!("{}:{}", ctx.tenant.id, from.unwrap_or_default());
        self.web.limits.check(what, &key).await.map_err(refuse)
    }

    /// Counts a wish that names a voucher, of who may only guess it.
    async fn count_voucher(
        &self,
        ctx: &Context,
        voucher: Option<&str>,
        request: &Request,
    ) -> Result<(), Refusal> {
        let guesses = matches!(ctx.actor.role(), Role::Anonymous | Role::Customer);
        match voucher.filter(|_| guesses) {
            Some(_) => self.count(ctx, VOUCHERS, request).await,
            None => Ok(()),
        }
    }
}

type Operations = (
    bookings::BookingsApi,
    availability::AvailabilityApi,
    CatalogOperations,
    session_groups::SessionGroupsApi,
    sessions::SessionsApi,
    blocks::BlocksApi,
    waitlist::WaitlistApi,
    calendars::CalendarsApi,
    payments::PaymentsApi,
    receipts::ReceiptsApi,
    users::UsersApi,
    connections::ConnectionsApi,
    domains::DomainsApi,
    admin::AdminApi,
);

/// Those of the catalog, together: a tuple of operations has sixteen members at most.
type CatalogOperations = (
    catalog::CatalogApi,
    catalog::AddOnsApi,
    catalog::CategoriesApi,
    catalog::LocationsApi,
    catalog::HolidaysApi,
    catalog::ImagesApi,
    catalog::VouchersApi,
);

/// The API with its document.
fn service(api: &Api) -> OpenApiService<Operations, ()> {
    let operations = (
        bookings::BookingsApi(api.clone()),
        availability::AvailabilityApi(api.clone()),
        (
            catalog::CatalogApi(api.clone()),
            catalog::AddOnsApi(api.clone()),
            catalog::CategoriesApi(api.clone()),
            catalog::LocationsApi(api.clone()),
            catalog::HolidaysApi(api.clone()),
            catalog::ImagesApi(api.clone()),
            catalog::VouchersApi(api.clone()),
        ),
        session_groups::SessionGroupsApi(api.clone()),
        sessions::SessionsApi(api.clone()),
        blocks::BlocksApi(api.clone()),
        waitlist::WaitlistApi(api.clone()),
        calendars::CalendarsApi(api.clone()),
        payments::PaymentsApi(api.clone()),
        receipts::ReceiptsApi(api.clone()),
        users::UsersApi(api.clone()),
        connections::ConnectionsApi(api.clone()),
        domains::DomainsApi(api.clone()),
        admin::AdminApi(api.clone()),
    );
    OpenApiService::new(operations, document::TITLE, "1.0")
        .description(
            "Bookings, availability, payments, catalog and users of one business. Each business \
             answers at its own host name; on the platform's host it is named by `X-Tenant`, or \
             by the path, as in `/t/{business}/v1/products`. A POST \
             that makes, moves or ends something takes an `Idempotency-Key`: the same key gives the \
             same answer. Errors \
             are `application/problem+json` with a stable `code`.",
        )
        .extra_request_header::<Option<String>, _>(
            ExtraHeader::new(TENANT_HEADER)
                .description("The business, on the platform's own host; elsewhere the host names it."),
        )
        .server("/v1")
}

/// The document, as JSON.
#[must_use]
pub fn document(api: &Api) -> String {
    service(api).spec()
}

/// The routes: `/v1` with its document and a page to browse it, and the providers' webhooks.
pub fn routes(api: Api) -> impl Endpoint<Output = Response> {
    let service = service(&api);
    let document = Document::new(service.spec(), &service.scalar_html());
    let routes = Route::new()
        .at("/v1/docs", poem::get(document::page))
        .at("/v1/openapi.json", poem::get(document::json))
        .nest("/v1", service)
        .at("/webhooks/stripe", poem::post(webhooks::stripe))
        .data(document)
        .data(api.payments.clone())
        .data(api.web.clone());
    render_errors(routes)
}

/// Most rows of a page.
const MAX_LIMIT: u16 = 100;

/// The size of a page: 20 unless asked, 100 at most.
fn limit(asked: Option<u16>) -> Result<u16, Refusal> {
    match asked.unwrap_or(20) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        _ => Err(refuse(Problem::field(
            "limit",
            "OUT_OF_RANGE",
            "Must be between 1 and 100.",
        ))),
    }
}

fn cursor<C: FromStr>(asked: Option<&str>) -> Result<Option<C>, Refusal> {
    let parse = |text: &str| {
        text.parse::<C>().map_err(|_| {
            refuse(Problem::new(
                Kind::Malformed,
                "CURSOR_INVALID",
                "No cursor this server gave out.",
            ))
        })
    };
    asked.map(parse).transpose()
}
