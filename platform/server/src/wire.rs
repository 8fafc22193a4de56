//! The house put together, in the order things depend on each other.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use berth_access::{Access, Tokens};
use berth_admin::Figures;
use berth_admin_portal::{Links, Portal, PortalSettings};
use berth_analytics as analytics;
use berth_booking::{self as booking, Bookings, Calendars};
use berth_calendar::Fetcher;
use berth_catalog::{Catalog, Images};
use berth_integration::{self as integration, Integrations, TikTok};
use berth_kernel::Clock;
use berth_messaging::{Broker, Consumer};
use berth_notification::{self as notification, Mailer, Notifications};
use berth_onboarding::Onboarding;
use berth_payment::{self as payment, Payments};
use berth_payment_stripe::Stripe;
use berth_receipt::{self as receipt, Receipts};
use berth_tenancy::{Database, Tenancy, domains::Domains};
use berth_tenant_api::{Api, CalendarUrl, CheckoutUrl};
use berth_user::Users;
use berth_web::{Limits, Web};
use object_store::ObjectStore;

use crate::{attachments::StoredFiles, dns::Dns, postman::ByMail, settings::Settings};

/// Everything a process may need; each role takes its part.
pub(crate) struct App {
    pub(crate) clock: Clock,
    pub(crate) tenancy: Tenancy,
    pub(crate) broker: Broker,
    pub(crate) api: Api,
    pub(crate) portal: Portal,
    pub(crate) bookings: Bookings,
    pub(crate) calendars: Calendars,
    pub(crate) payments: Payments,
    pub(crate) consumers: Vec<Arc<dyn Consumer>>,
    /// Tenants' own hosts.
    pub(crate) domains: Domains,
    /// New tenants, and how their mails are sent.
    pub(crate) onboarding: Onboarding,
    pub(crate) postman: ByMail,
    /// Figures over all tenants.
    pub(crate) figures: Figures,
    /// How often they are reckoned.
    pub(crate) rollup: Duration,
    /// The object store.
    pub(crate) files: Arc<dyn ObjectStore>,
}

impl App {
    /// Builds everything. Nothing is connected to yet but what is needed first.
    pub(crate) async fn build(settings: &Settings) -> anyhow::Result<Self> {
        let clock = Clock::System;
        let database = Database::connect(&settings.database).context("DATABASE_URL")?;
        let tenancy = Tenancy::new(database);
        let broker = Broker::new(&settings.broker);
        let tokens = Tokens::new(&settings.token_key, settings.token_key_previous.as_ref())
            .context("BERTH_TOKEN_KEY")?;
        let web = Web {
            tenancy: tenancy.clone(),
            access: Arc::new(Access::load().await?),
            tokens: tokens.clone(),
            clock: clock.clone(),
            limits: limits(settings)?,
            proxies: settings.proxies.clone(),
            host: settings.host().into(),
        };

        let files = berth_files::open(&settings.store).context("BERTH_STORE_URL")?;
        let provider = Stripe::new(&settings.stripe).context("the Stripe settings")?;
        let mailer = Mailer::new(&settings.mail).context("the mail settings")?;
        let tiktok = TikTok::new(&settings.integration).context("BERTH_TIKTOK_API_URL")?;

        let catalog = Catalog::new(tenancy.clone());
        let bookings = Bookings::new(tenancy.clone(), catalog.clone());
        let fetcher = Fetcher::new(settings.local_calendars).context("the way to calendars")?;
        let calendars = Calendars::new(
            tenancy.clone(),
            catalog.clone(),
            fetcher,
            settings.calendars,
        );
        let payments = Payments::new(
            tenancy.clone(),
            Arc::new(provider),
            settings.payment.clone(),
            clock.clone(),
        );
        let users = Users::new(tenancy.clone(), tokens);
        let receipts = Receipts::new(tenancy.clone(), Arc::clone(&files));
        let notifications = Notifications::new(tenancy.clone());
        let integrations = Integrations::new(tenancy.clone());
        let figures = Figures::new(tenancy.clone());
        let dns = Dns::new(settings.dns).context("BERTH_DNS_SERVER")?;
        let domains = Domains::new(tenancy.clone(), Arc::new(dns), settings.host());

        let onboarding = Onboarding::new(tenancy.clone(), users.clone(), clock.clone());
        let links = Links::new(&settings.public_url, &settings.link_secret)
            .context("BERTH_PUBLIC_URL or BERTH_LINK_SECRET")?;
        let postman = ByMail {
            mailer: mailer.clone(),
            links: links.clone(),
            host: settings.host().to_owned(),
        };

        let calendar_url: CalendarUrl = {
            let links = links.clone();
            Arc::new(move |slug, token| links.calendar_url(slug, token))
        };
        let checkout_url: CheckoutUrl =
            Arc::new(move |slug, booking| links.checkout_url(slug, booking));

        let consumers: Vec<Arc<dyn Consumer>> = vec![
            Arc::new(payment::Reactions::new(payments.clone())),
            Arc::new(booking::Reactions::new(clock.clone())),
            Arc::new(receipt::Reactions::new(receipts.clone(), clock.clone())),
            Arc::new(notification::Reactions::new(
                mailer,
                Arc::new(StoredFiles(Arc::clone(&files))),
                Arc::clone(&checkout_url),
                clock.clone(),
            )),
            Arc::new(analytics::Reactions::new(clock.clone())),
            Arc::new(integration::Reactions::new(tiktok, clock.clone())),
        ];
        let portal = Portal {
            web: web.clone(),
            users: users.clone(),
            catalog: catalog.clone(),
            bookings: bookings.clone(),
            payments: payments.clone(),
            onboarding: onboarding.clone(),
            settings: portal_settings(settings),
        };
        let api = Api {
            web,
            bookings: bookings.clone(),
            calendars: calendars.clone(),
            images: Images::new(catalog.clone(), Arc::clone(&files)),
            catalog,
            payments: payments.clone(),
            users,
            receipts,
            notifications,
            integrations,
            domains: domains.clone(),
            checkout_url,
            calendar_url,
        };
        Ok(Self {
            clock,
            tenancy,
            broker,
            api,
            portal,
            bookings,
            calendars,
            payments,
            consumers,
            domains,
            onboarding,
            postman,
            figures,
            rollup: settings.rollup,
            files,
        })
    }
}

fn limits(settings: &Settings) -> anyhow::Result<Limits> {
    let config = deadpool_redis::Config::from_url(settings.redis_url.expose());
    let pool = config
        .create_pool(Some(deadpool_redis::Runtime::Tokio1))
        .context("REDIS_URL")?;
    Ok(Limits::new(
        pool,
        &settings.broker.namespace,
        settings.limits,
    ))
}

fn portal_settings(settings: &Settings) -> PortalSettings {
    PortalSettings {
        public_url: settings.public_url.clone(),
        stripe_js_url: settings.stripe_js_url.clone(),
        stripe_api_url: settings.emulated_stripe.clone(),
        secure_cookies: settings.public_url.starts_with("https://"),
        sign_up: settings.sign_up,
        link_secret: settings.link_secret.clone(),
    }
}
