//! A whole platform for one test: a database of its own with two tenants, a clock that stands
//! still, and names of its own on the broker.
//!
//! ```no_run
//! # async fn example() {
//! use berth_access::Actor;
//! use berth_testkit::TestPlatform;
//!
//! let platform = TestPlatform::start().await;
//! let ctx = platform.context(&platform.alpha(), Actor::Anonymous);
//! # let _ = ctx;
//! # }
//! ```
//!
//! Databases are cloned from a template that is migrated once for each state of `migrations/`,
//! whichever of the tests running at once comes first. A clone goes when its [`TestPlatform`]
//! does; what a killed test left behind goes an hour later, when another test starts. Roles belong
//! to the whole cluster: all clones of a template share the two tenants' roles.
//!
//! Where the servers are comes from the environment, see [`environment`]; `./dev test` sets it.
//!
//! Must not know any service, and is never linked into the product. To add something every clone
//! should hold, make it in `template::seed` and raise `template::CONTENT`.

mod database;
pub mod environment;
mod no_books;
mod no_files;
mod template;

use std::sync::Arc;

use berth_access::{Access, Actor, Context, Tokens};
use berth_kernel::{Cause, Clock, Envelope, Secret};
use berth_messaging::{Broker, broker::BrokerSettings};
use berth_tenancy::{Database, DatabaseSettings, Tenancy, Tenant, TenantKey};
use jiff::Timestamp;
use sqlx::{PgPool, postgres::PgPoolOptions};
use uuid::Uuid;

use database::Clone as DatabaseClone;

pub use no_books::NoBooks;
pub use no_files::NoFiles;

/// Slug of the first tenant: a clinic in Berlin that prices in euros.
pub const ALPHA: &str = "alpha-clinic";
/// Slug of the second tenant: a theatre in New York that prices in dollars.
pub const BETA: &str = "beta-theatre";

/// When every test begins: Monday 2027-03-01, 08:00 UTC.
const START: i64 = 1_803_888_000;

/// Signs the tokens of tests alone.
const TOKEN_KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIJKj3flmJJ7gyx/qhuuTDsacl+ozfsVjbnHR2vKRriRS\n\
    -----END PRIVATE KEY-----\n";

/// One test's platform; its database is dropped with it.
#[derive(Debug)]
pub struct TestPlatform {
    // Dropped in this order: the pools before the database they are connected to.
    tenancy: Tenancy,
    admin: PgPool,
    settings: DatabaseSettings,
    alpha: Arc<Tenant>,
    beta: Arc<Tenant>,
    access: Arc<Access>,
    clock: Clock,
    database: DatabaseClone,
}

impl TestPlatform {
    /// Makes a platform.
    ///
    /// # Panics
    /// When the environment does not say where the database is, or it cannot be set up: a test
    /// cannot go on then.
    pub async fn start() -> Self {
        let url = environment::database_url();
        match Self::set_up(&url).await {
            Ok(platform) => platform,
            Err(error) => panic!("no test database could be made: {error}"),
        }
    }

    async fn set_up(url: &str) -> Result<Self, database::SetupError> {
        let database = template::clone(url).await?;
        let settings = template::settings(database.url());
        let tenancy = Tenancy::new(Database::connect(&settings)?);
        let admin = PgPoolOptions::new()
            .max_connections(4)
            .connect_lazy(database.url())?;
        Ok(Self {
            alpha: tenant(&tenancy, ALPHA).await,
            beta: tenant(&tenancy, BETA).await,
            access: Arc::new(Access::load().await.expect("the policy can be read")),
            clock: Clock::at(Timestamp::from_second(START).unwrap_or_default()),
            tenancy,
            admin,
            settings,
            database,
        })
    }

    /// The ways to the tenants' data, as the server has them.
    #[must_use]
    pub fn tenancy(&self) -> &Tenancy {
        &self.tenancy
    }

    /// How the tenancy was made; with the owner's URL of this test's database.
    #[must_use]
    pub fn settings(&self) -> &DatabaseSettings {
        &self.settings
    }

    /// Makes schemas ready for so many new tenants.
    ///
    /// # Panics
    /// When they cannot be made.
    pub async fn make_ready(&self, count: usize) {
        let made = berth_tenancy::provision::make_ready(&self.settings, count).await;
        made.expect("schemas can be made ready");
    }

    /// The clinic; see [`ALPHA`].
    #[must_use]
    pub fn alpha(&self) -> Arc<Tenant> {
        Arc::clone(&self.alpha)
    }

    /// The theatre; see [`BETA`].
    #[must_use]
    pub fn beta(&self) -> Arc<Tenant> {
        Arc::clone(&self.beta)
    }

    /// The clock of every context; [`Clock::advance`] moves it.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The policy in force.
    #[must_use]
    pub fn access(&self) -> Arc<Access> {
        Arc::clone(&self.access)
    }

    /// A request of `actor` to `tenant`, under an id of its own.
    #[must_use]
    pub fn context(&self, tenant: &Arc<Tenant>, actor: Actor) -> Context {
        let (access, clock) = (self.access(), self.clock.clone());
        Context::new(Arc::clone(tenant), actor, access, clock, Cause::fresh())
    }

    /// Makes and checks access tokens with a key for tests.
    ///
    /// # Panics
    /// Never: the key is a constant.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        Tokens::new(&Secret::new(TOKEN_KEY), None).expect("the test key is a key")
    }

    /// A superuser's pool on this test's database, to look at what no login of the product may
    /// see and to break what none may break.
    #[must_use]
    pub fn admin_pool(&self) -> &PgPool {
        &self.admin
    }

    /// The name of this test's database.
    #[must_use]
    pub fn name(&self) -> &str {
        self.database.name()
    }

    /// Settings of the broker, with a namespace nobody else has.
    ///
    /// # Panics
    /// When the environment does not say where the broker is.
    #[must_use]
    pub fn broker_settings(&self) -> BrokerSettings {
        BrokerSettings {
            url: Secret::new(environment::amqp_url()),
            namespace: self.name().to_owned(),
        }
    }

    /// A way to the broker, with a namespace nobody else has.
    ///
    /// # Panics
    /// When the environment does not say where the broker is.
    #[must_use]
    pub fn broker(&self) -> Broker {
        Broker::new(&self.broker_settings())
    }

    /// What was told about one entity, in the order it was written.
    ///
    /// # Panics
    /// When the outbox cannot be read.
    pub async fn events(&self, entity: Uuid) -> Vec<Envelope> {
        let envelopes: Vec<String> = sqlx::query_scalar(
            "SELECT envelope FROM platform.outbox WHERE entity_id = $1 ORDER BY seq",
        )
        .bind(entity)
        .fetch_all(&self.admin)
        .await
        .expect("the outbox can be read");
        let open = |text: &String| serde_json::from_str(text).expect("an envelope is JSON");
        envelopes.iter().map(open).collect()
    }
}

async fn tenant(tenancy: &Tenancy, slug: &str) -> Arc<Tenant> {
    let found = tenancy
        .registry()
        .find(&TenantKey::Slug(slug.to_owned()))
        .await;
    found
        .expect("the registry answers")
        .expect("the template holds the tenant")
        .tenant
}
