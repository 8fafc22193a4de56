//! The pages over HTTP, on a real database: one module a theme.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod booking;
mod browser;
mod business;
mod checkout;
mod headers;
mod payouts;
mod provider;
mod refunds;
mod sign_in;
mod sign_up;
mod walls;

use std::sync::Arc;

use berth_access::{Actor, Person, Role};
use berth_admin_portal::{Links, Portal, PortalSettings, routes};
use berth_booking::{Booking, Bookings, CustomerInput, NewBooking, When};
use berth_catalog::{
    Catalog, NewProduct, NewResource, PaymentMode, ProductKind, ResourceKind, Weekly, Window,
};
use berth_events::booking::Attribution;
use berth_kernel::{Cause, Clock, ProductId, Secret, SessionTokenId, UserId};
use berth_onboarding::Onboarding;
use berth_payment::{PaymentSettings, Payments, provider::Provider};
use berth_tenancy::Tenant;
use berth_testkit::TestPlatform;
use berth_user::{NewAccount, Users};
use berth_web::{Limits, TrustedProxies, Web};
use jiff::civil::time;
use poem::{Route, http::StatusCode, test::TestClient};

use browser::{Browser, Page};
use provider::Till;

const PASSWORD: &str = "correct horse battery";
const LINK_SECRET: &str = "0123456789abcdef0123456789abcdef";
const PUBLIC_URL: &str = "http://localhost:8080";

/// A platform with the portal on it.
struct House {
    platform: TestPlatform,
    client: TestClient<Route>,
    users: Users,
    bookings: Bookings,
    payments: Payments,
    catalog: Catalog,
    till: Arc<Till>,
    onboarding: Onboarding,
}

impl House {
    async fn open() -> Self {
        Self::with(false, false).await
    }

    async fn with(secure_cookies: bool, limited: bool) -> Self {
        let platform = TestPlatform::start().await;
        let tenancy = platform.tenancy().clone();
        let till = Arc::new(Till::default());
        let payments = payments(&platform, &till, platform.clock().clone());
        let catalog = Catalog::new(tenancy.clone());
        let bookings = Bookings::new(tenancy.clone(), catalog.clone());
        let users = Users::new(tenancy, platform.tokens());
        let clock = platform.clock().clone();
        let onboarding = Onboarding::new(platform.tenancy().clone(), users.clone(), clock);
        let portal = Portal {
            web: web(&platform, limited),
            users: users.clone(),
            catalog: catalog.clone(),
            bookings: bookings.clone(),
            payments: payments.clone(),
            onboarding: onboarding.clone(),
            settings: PortalSettings {
                public_url: PUBLIC_URL.into(),
                stripe_js_url: "http://127.0.0.1:12111/v3/".into(),
                stripe_api_url: Some("http://127.0.0.1:12111".into()),
                secure_cookies,
                sign_up: true,
                link_secret: Secret::new(LINK_SECRET),
            },
        };
        let client = TestClient::new(routes(portal).unwrap());
        Self {
            platform,
            client,
            users,
            bookings,
            payments,
            catalog,
            till,
            onboarding,
        }
    }

    fn alpha(&self) -> Arc<Tenant> {
        self.platform.alpha()
    }

    /// Somebody who works at `tenant`.
    async fn hire(&self, tenant: &Tenant, email: &str, role: Role) {
        let new = NewAccount {
            email: email.into(),
            password: Secret::new(PASSWORD),
            name: "Ada Lovelace".into(),
            phone: None,
            locale: None,
        };
        let clock = self.platform.clock();
        self.users
            .create_staff(tenant, new, role, clock, &Cause::fresh())
            .await
            .unwrap();
    }

    /// A browser at `tenant`'s own host, with `email` signed in.
    async fn sign_in(&self, tenant: &Tenant, email: &str) -> Browser<'_> {
        let browser = self.browser(&format!("{}.localhost:8080", tenant.slug));
        let page = browser
            .sign_in(&[("email", email), ("password", PASSWORD)])
            .await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        browser
    }

    /// An administrator of the first tenant, signed in.
    async fn admin(&self) -> Browser<'_> {
        let tenant = self.alpha();
        self.hire(&tenant, "boss@example.org", Role::Admin).await;
        self.sign_in(&tenant, "boss@example.org").await
    }

    fn browser(&self, host: &str) -> Browser<'_> {
        Browser::new(&self.client, host)
    }

    /// A booking of an appointment the first tenant sells, held until it is paid.
    async fn booked(&self) -> Booking {
        self.till.connect(self).await;
        let admin = self.platform.context(&self.tenant().await, admin());
        let new = NewBooking {
            product_id: self.product(&admin).await,
            when: When::Start("2027-03-02T09:00:00Z".parse().unwrap()),
            resource_id: None,
            quantity: 1,
            variants: vec![],
            add_ons: vec![],
            seats: vec![],
            zone: None,
            voucher: None,
            customer: Some(CustomerInput {
                name: "<script>alert(1)</script>".into(),
                email: "zoe@example.org".into(),
                locale: Some("en".into()),
            }),
            notes: String::new(),
            answers: berth_booking::Given::new(),
            participants: vec![],
            attribution: Attribution::default(),
        };
        self.bookings.create(&admin, &new, None).await.unwrap()
    }

    /// The payment service at another time.
    fn payments_at(&self, time: &str) -> Payments {
        payments(&self.platform, &self.till, Clock::at(time.parse().unwrap()))
    }

    /// The first tenant as it now is.
    async fn tenant(&self) -> Arc<Tenant> {
        let id = self.alpha().id;
        self.platform
            .tenancy()
            .registry()
            .refresh(id)
            .await
            .unwrap()
            .unwrap()
    }

    async fn product(&self, admin: &berth_access::Context) -> ProductId {
        let window = Window {
            starts: time(8, 0, 0, 0),
            ends: time(18, 0, 0, 0),
        };
        let resource = NewResource {
            kind: ResourceKind::Staff,
            name: "Dr Grace Hopper".into(),
            location_id: None,
            timezone: None,
            weekly: (1..=7).map(|weekday| Weekly { weekday, window }).collect(),
            pool_id: None,
            party: None,
            tags: vec![],
        };
        let resource = self
            .catalog
            .create_resource(admin, &resource, None)
            .await
            .unwrap();
        let product = NewProduct {
            kind: ProductKind::Appointment,
            category_id: None,
            location_id: None,
            name: "Consultation".into(),
            description: String::new(),
            duration_min: 45,
            step_min: 15,
            buffer_before_min: 0,
            buffer_after_min: 0,
            timezone: None,
            price_minor: 8_950,
            currency: admin.tenant.currency,
            payment_mode: PaymentMode::Online,
            max_quantity: 1,
            min_notice_min: 0,
            window_days: 90,
            hold_min: 15,
            cancellation_policy: vec![],
            requirements: vec![berth_catalog::Requirement::one_of(vec![resource.id])],
            pool_id: None,
            stay: None,
            rental: None,
            seating: None,
            pricing: berth_catalog::Pricing::default(),
            customer_limit: None,
            approval_hours: None,
            questions: Vec::new(),
            names_required: false,
            tags: vec![],
            listing: berth_catalog::Listing::default(),
        };
        self.catalog
            .create_product(admin, &product, None)
            .await
            .unwrap()
            .id
    }

    fn checkout_path(&self, booking: &Booking) -> String {
        let links = Links::new(PUBLIC_URL, &Secret::new(LINK_SECRET)).unwrap();
        let url = links.checkout_url(&self.alpha().slug, booking.id);
        let host = format!("http://{}.localhost:8080", self.alpha().slug);
        url.strip_prefix(&host).unwrap().to_owned()
    }
}

fn payments(platform: &TestPlatform, till: &Arc<Till>, clock: Clock) -> Payments {
    let settings = PaymentSettings {
        application_fee_basis_points: 150,
        webhook_secret: Secret::new("whsec_test"),
        webhook_secret_previous: None,
        publishable_key: "pk_test_portal".into(),
        livemode: false,
    };
    let provider: Arc<dyn Provider> = till.clone();
    Payments::new(platform.tenancy().clone(), provider, settings, clock)
}

fn web(platform: &TestPlatform, limited: bool) -> Web {
    // Nothing listens there: limits are counted in this process, as when Redis is down.
    let redis = deadpool_redis::Config::from_url("redis://127.0.0.1:1");
    let redis = redis
        .create_pool(Some(deadpool_redis::Runtime::Tokio1))
        .unwrap();
    Web {
        tenancy: platform.tenancy().clone(),
        access: platform.access(),
        tokens: platform.tokens(),
        clock: platform.clock().clone(),
        limits: Limits::new(redis, platform.name(), limited),
        proxies: TrustedProxies::default(),
        host: "localhost".into(),
    }
}

fn admin() -> Actor {
    Actor::User {
        id: UserId::new(),
        role: Role::Admin,
        session: SessionTokenId::new(),
        person: Person {
            name: "Ada".into(),
            email: "ada@example.org".into(),
            locale: "en".into(),
        },
    }
}
