//! What is measured on: a cluster that syncs every commit to disk, the release build, and tenants of
//! several sizes. All of it is made for one run and ended with it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio_postgres::NoTls;

use super::usage::{self, Standing, Usage};
use super::works::{self, Asker};
use super::{CONNECTIONS, data};
use crate::demo::{self, Business, Client, Product, Seeder};
use crate::endpoints::{Endpoints, SignIn, Tenant};
use crate::environment::{self, Facts, Role};
use crate::ports::{self, Reservation};
use crate::process::{Lifetime, Process, Spec, Stage as EndStage, StopSignal};
use crate::progress;
use crate::secrets::Secrets;
use crate::services::{
    self, Durability, PostgresOptions, PrivatePostgres, PrivateRabbit, PrivateRedis, RabbitOptions,
    RedisOptions,
};
use crate::workspace::Workspace;

/// Bookings behind the tenant with a long past.
const PAST_BOOKINGS: usize = 200_000;

/// A backend may take this long to end after its client has, and an autovacuum worker to finish.
const SETTLED_WITHIN: Duration = Duration::from_secs(30);

/// A process may take this long to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Whose limits hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limits {
    /// Nobody's: what is measured is how much there can be.
    None,
    /// The tenants', by their plans.
    Tenants,
}

/// The setting that says whose limits hold.
const LIMITS: &str = "BERTH_LIMITS";

impl Limits {
    const fn name(self) -> &'static str {
        match self {
            Self::None => "off",
            Self::Tenants => "tenants",
        }
    }
}

/// What a work needs to know of a tenant.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The tenant's schema.
    pub schema: String,
    /// Half an hour with one of the staff.
    pub product: String,
    /// Ids of the staff.
    pub staff: Vec<String>,
    tenant: Tenant,
}

/// Everything that runs.
pub(super) struct Stage {
    // Dropped in this order: the product before what it stands on.
    relay: Option<Process>,
    serve: Process,
    database_url: String,
    environment: Vec<(String, String)>,
    program: PathBuf,
    directory: PathBuf,
    api: Reservation,
    metrics: [Reservation; 2],
    places: BTreeMap<&'static str, Place>,
    redis: PrivateRedis,
    rabbit: PrivateRabbit,
    postgres: PrivatePostgres,
}

impl Stage {
    /// Starts everything and fills the tenants.
    pub async fn set(workspace: &Workspace, limits: Limits) -> anyhow::Result<Self> {
        progress::heading("Setting the stage");
        let data = workspace.dev("bench").join("postgres");
        services::remove_postgres(&data)?;
        let options = PostgresOptions {
            durability: Durability::Kept,
            settings: [
                "shared_buffers=512MB",
                "max_wal_size=4GB",
                "checkpoint_timeout=30min",
            ]
            .map(str::to_owned)
            .to_vec(),
            ..PostgresOptions::default()
        };
        let start = PrivatePostgres::start(&data, options);
        let postgres = progress::timed("Postgres", start).await?;
        Self::over(workspace, limits, postgres, &[]).await
    }

    /// The same over a cluster that is there already, whose logins were made with [`secrets`], with settings
    /// that it needs.
    pub async fn over(
        workspace: &Workspace,
        limits: Limits,
        postgres: PrivatePostgres,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let directory = workspace.dev("bench");
        std::fs::create_dir_all(directory.join("logs"))?;
        let (redis, rabbit) = start_services(&directory).await?;
        let database_url = postgres.ensure_database("berth").await?;
        let secrets = secrets(workspace)?;
        let api = ports::reserve()?;
        let metrics = [ports::reserve()?, ports::reserve()?];
        let endpoints = endpoints(&api, &database_url, &redis, &rabbit);
        let mut environment = environment(&endpoints, &secrets, &api, &directory, limits);
        let own = settings.iter();
        // What comes later holds.
        environment.extend(own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let program = workspace.target().join("release/berth");
        migrate(&program, &environment).await?;
        let serve = start(
            Role::Serve,
            &program,
            &environment,
            &directory,
            [api.port(), metrics[0].port()],
        )
        .await?;
        let mut stage = Self {
            relay: None,
            serve,
            database_url,
            environment,
            program,
            directory,
            api,
            metrics,
            places: BTreeMap::new(),
            redis,
            rabbit,
            postgres,
        };
        progress::timed("tenants", stage.furnish(&endpoints)).await?;
        Ok(stage)
    }

    /// Where the product answers.
    pub fn api(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.api.port()).into()
    }

    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// A tenant of [`works::TENANTS`].
    ///
    /// # Panics
    /// When there is no such tenant.
    pub fn place(&self, slug: &str) -> &Place {
        &self.places[slug]
    }

    /// Puts a tenant on another plan, and waits until the server has heard of it.
    pub async fn plan(&self, slug: &str, plan: &str) -> anyhow::Result<()> {
        let client = connect(&self.database_url).await?;
        let sql = "UPDATE platform.tenant SET plan = $2 WHERE slug = $1";
        client.execute(sql, &[&slug, &plan]).await?;
        // Remembered for five seconds at most by whoever did not hear.
        tokio::time::sleep(Duration::from_secs(6)).await;
        Ok(())
    }

    /// Access tokens of those who ask at a tenant; of customers as many as there are connections.
    pub async fn sign_in(&self, slug: &str, asker: Asker) -> anyhow::Result<Vec<String>> {
        let tenant = &self.place(slug).tenant;
        let people = match asker {
            Asker::Customers => (0..CONNECTIONS)
                .map(|index| customer(tenant, index))
                .collect(),
            Asker::Admin => vec![tenant.admin.clone()],
        };
        let mut tokens = Vec::new();
        for who in people {
            let body = json!({ "email": who.email, "password": who.password });
            let answer = Client::new(tenant)?.post("/v1/sessions", &body).await?;
            tokens.push(word(&answer, "access_token")?);
        }
        Ok(tokens)
    }

    /// What the server that has served everything holds by now; then what a new one takes to answer
    /// from the database, and holds after that.
    pub async fn restart(&mut self) -> anyhow::Result<Standing> {
        let loaded = usage::memory(self.serve.identity())?;
        self.serve.stop().await;
        let product = &self.place(works::FIVE).product;
        let client = Client::new(&self.place(works::FIVE).tenant)?;
        let path = format!("/v1/products/{product}");
        let started = Instant::now();
        self.serve().await?;
        client.get(&path).await?;
        Ok(Standing {
            start_ms: started.elapsed().as_secs_f64() * 1_000.0,
            idle_mib: usage::memory(self.serve.identity())?,
            loaded_mib: loaded,
        })
    }

    /// Serves with other limits from now on.
    pub async fn limit(&mut self, limits: Limits) -> anyhow::Result<()> {
        self.serve.stop().await;
        for (name, value) in &mut self.environment {
            if name == LIMITS {
                limits.name().clone_into(value);
            }
        }
        self.serve().await
    }

    /// Starts a server that has ended.
    async fn serve(&mut self) -> anyhow::Result<()> {
        self.serve = start(
            Role::Serve,
            &self.program,
            &self.environment,
            &self.directory,
            [self.api.port(), self.metrics[0].port()],
        )
        .await?;
        Ok(())
    }

    /// Processor time used so far.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        let mut app = usage::of(self.serve.identity())?;
        if let Some(relay) = &self.relay {
            app += usage::of(relay.identity())?;
        }
        Ok(Usage {
            app,
            database: usage::of(self.postgres.identity())?,
            backends: usage::below(self.postgres.identity()),
        })
    }

    /// Waits until Postgres has no more than `backends` processes: what one that has just ended used
    /// is in nobody's books for a moment, and would be charged to whoever is measured next.
    pub async fn settled(&self, backends: usize) -> anyhow::Result<()> {
        let deadline = Instant::now() + SETTLED_WITHIN;
        while usage::below(self.postgres.identity()) > backends {
            if Instant::now() > deadline {
                bail!("pgbench's connections do not end");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Starts the relay, with nothing left for it to catch up on.
    pub async fn start_relay(&mut self) -> anyhow::Result<()> {
        let client = connect(&self.database_url).await?;
        client.batch_execute("TRUNCATE platform.outbox").await?;
        let ports = [self.metrics[1].port(); 2];
        let relay = start(
            Role::Relay,
            &self.program,
            &self.environment,
            &self.directory,
            ports,
        )
        .await?;
        self.relay = Some(relay);
        Ok(())
    }

    pub async fn stop_relay(&mut self) {
        if let Some(mut relay) = self.relay.take() {
            relay.stop().await;
        }
    }

    /// Ends everything in order.
    pub async fn strike(mut self) {
        self.stop_relay().await;
        self.serve.stop().await;
        self.redis.stop().await;
        self.rabbit.stop().await;
        self.postgres.stop().await;
    }

    async fn furnish(&mut self, endpoints: &Endpoints) -> anyhow::Result<()> {
        let client = connect(&self.database_url).await?;
        for (slug, staff) in works::TENANTS {
            let place = self.tenant(endpoints, &client, slug, staff).await;
            let place = place.with_context(|| format!("making {slug}"))?;
            match slug {
                works::FIVE | works::TWENTY | works::FIFTY | works::BOOKED => {
                    data::fill(&client, &place.schema, data::HALF).await?;
                }
                works::PAST => {
                    data::fill(&client, &place.schema, data::HALF).await?;
                    let past = data::past(PAST_BOOKINGS, staff);
                    data::fill(&client, &place.schema, past).await?;
                }
                works::PEAK => {
                    data::prepare_peak(&client, &place.schema, works::BOOKED_STAFF).await?;
                }
                _ => {}
            }
            self.places.insert(slug, place);
        }
        let schemas: Vec<&str> = self.places.values().map(|place| &*place.schema).collect();
        data::settle(&client, &schemas).await
    }

    async fn tenant(
        &self,
        endpoints: &Endpoints,
        client: &tokio_postgres::Client,
        slug: &'static str,
        staff: usize,
    ) -> anyhow::Result<Place> {
        let business = Business {
            slug,
            name: "Bench",
            kind: "clinic",
            timezone: "Europe/Berlin",
            currency: "EUR",
            color: "#334155",
            address: "",
            product: Product::Appointment,
        };
        let seeder = Seeder::new(&self.program, self.environment.clone());
        let tenant = demo::sign_up(endpoints, &seeder, &business).await?;
        let row = client
            .query_one(
                // An account that takes payments, without a provider: none is asked here.
                "WITH t AS (SELECT id, role FROM platform.tenant WHERE slug = $1), a AS (
                     INSERT INTO platform.stripe_account (account_id, tenant_id, charges_enabled)
                     SELECT 'acct_' || role, id, true FROM t)
                 SELECT role FROM t",
                &[&slug],
            )
            .await?;
        let schema: String = row.get(0);
        let admin = Client::sign_in(&tenant, &tenant.admin).await?;
        let mut ids = Vec::new();
        for index in 0..staff {
            let person =
                json!({ "kind": "staff", "name": format!("Staff {index}"), "schedule": week() });
            ids.push(word(&admin.post("/v1/resources", &person).await?, "id")?);
        }
        let product = json!({
            "kind": "appointment", "name": "Half an hour", "duration_min": 30, "step_min": 15,
            "window_days": 1100, "resource_ids": ids, "price": { "amount": 4900, "currency": "EUR" },
        });
        let product = word(&admin.post("/v1/products", &product).await?, "id")?;
        for index in 0..CONNECTIONS {
            let who = customer(&tenant, index);
            let account =
                json!({ "email": who.email, "password": who.password, "name": "Lena Vogt" });
            Client::new(&tenant)?.post("/v1/users", &account).await?;
        }
        Ok(Place {
            schema,
            product,
            staff: ids,
            tenant,
        })
    }
}

/// 09:00-12:30 and 13:00-17:00, every day.
fn week() -> Vec<Value> {
    let hours = [("09:00:00", "12:30:00"), ("13:00:00", "17:00:00")];
    let day = |weekday| {
        hours.map(|(starts, ends)| json!({ "weekday": weekday, "starts": starts, "ends": ends }))
    };
    (1..=7).flat_map(day).collect()
}

fn customer(tenant: &Tenant, index: usize) -> SignIn {
    SignIn {
        email: format!("customer-{index}@{}.test", tenant.slug),
        password: tenant.customer.password.clone(),
    }
}

fn word(value: &Value, name: &str) -> anyhow::Result<String> {
    let text = value[name].as_str();
    Ok(text
        .with_context(|| format!("no `{name}` in {value}"))?
        .to_owned())
}

pub(super) async fn connect(url: &str) -> anyhow::Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // Ends by itself when the client is dropped.
    tokio::spawn(connection);
    Ok(client)
}

/// What the product is started with.
pub(super) fn secrets(workspace: &Workspace) -> std::io::Result<Secrets> {
    Secrets::ensure(&workspace.dev("bench").join("secrets"))
}

async fn start_services(
    directory: &std::path::Path,
) -> anyhow::Result<(PrivateRedis, PrivateRabbit)> {
    let (redis, rabbit) = (directory.join("redis"), directory.join("rabbitmq"));
    Ok(tokio::try_join!(
        progress::timed(
            "Redis",
            PrivateRedis::start(&redis, RedisOptions::default())
        ),
        progress::timed(
            "RabbitMQ",
            PrivateRabbit::start(&rabbit, RabbitOptions::default())
        ),
    )?)
}

fn endpoints(
    api: &Reservation,
    database_url: &str,
    redis: &PrivateRedis,
    rabbit: &PrivateRabbit,
) -> Endpoints {
    let api = format!("http://localhost:{}", api.port());
    // Provider and mailbox are named, for the settings' sake, and never asked.
    let nobody = "http://127.0.0.1:9".to_owned();
    Endpoints {
        portal: format!("{api}/portal"),
        metrics: nobody.clone(),
        metrics_worker: None,
        metrics_relay: None,
        metrics_provisioner: None,
        stripe_emulator: nobody.clone(),
        mailbox: nobody,
        database_url: database_url.to_owned(),
        amqp_url: rabbit.url(),
        redis_url: redis.url(),
        tenants: Vec::new(),
        api,
    }
}

fn environment(
    endpoints: &Endpoints,
    secrets: &Secrets,
    api: &Reservation,
    directory: &std::path::Path,
    limits: Limits,
) -> Vec<(String, String)> {
    let mut environment = environment::shared(&Facts {
        endpoints,
        secrets,
        smtp_port: 9,
        api_port: api.port(),
        store: &directory.join("store"),
    });
    let own = [(LIMITS, limits.name()), ("BERTH_LOG", "warn")];
    environment.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    environment
}

async fn migrate(
    program: &std::path::Path,
    environment: &[(String, String)],
) -> anyhow::Result<()> {
    let output = tokio::process::Command::new(program)
        .arg("migrate")
        .envs(environment.iter().cloned())
        .kill_on_drop(true)
        .output()
        .await
        .context("running berth migrate")?;
    if !output.status.success() {
        bail!(
            "berth migrate failed:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// Starts a process of the product; `ports` are the one that shows it is ready, and its metrics'.
async fn start(
    role: Role,
    program: &std::path::Path,
    environment: &[(String, String)],
    directory: &std::path::Path,
    ports: [u16; 2],
) -> anyhow::Result<Process> {
    let [answers, metrics] = ports;
    let environment = environment::of_role(environment, metrics)?;
    let spec = Spec {
        name: role.name().to_owned(),
        program: program.to_owned(),
        arguments: vec![role.name().into()],
        environment,
        inherit: true,
        directory: directory.to_owned(),
        log: directory.join("logs").join(format!("{}.log", role.name())),
        port: Some(answers),
        stop: StopSignal::Terminate,
        grace: Duration::from_secs(30),
        stage: EndStage::Product,
    };
    let mut process = Process::spawn(&spec, &Lifetime::Owned)?;
    let ready = || services::accepts(answers);
    process.wait_ready(READY_WITHIN, ready).await?;
    Ok(process)
}
