//! The whole product for one test: its three processes, started as an operator would start them,
//! on a database, a mailbox and a Stripe emulator of their own.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use berth_devkit::{
    Endpoints, SignIn, Tenant,
    demo::{self, Cast, Client, Seeder},
    environment::{self, Facts, Role},
    files,
    mailbox::{self, Mailbox},
    ports::{self, Reservation},
    process::{Lifetime, Process, Spec, Stage, StopSignal},
    secrets::Secrets,
    services::{self, PrivateRabbit, RabbitOptions},
};
use berth_stripe_emulator as emulator;
use berth_testkit::TestPlatform;
use futures::future::join_all;
use tempfile::TempDir;

/// The program under test.
pub(crate) const BERTH: &str = env!("CARGO_BIN_EXE_berth");

/// A program of the release after it; see `examples/next_release.rs`.
fn next_release() -> PathBuf {
    let program = Path::new(BERTH).with_file_name("examples");
    program.join("next_release")
}

/// How long a process may take to be ready; the machine may be building other tests' houses.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// How long a bank takes over a debit, by the emulator's clock: no test waits for it, and webhooks
/// of an emulator that was put forward by that much are still believed.
pub(crate) const AT_THE_BANK: Duration = Duration::from_secs(200);

/// A running product with the two demo tenants: a clinic that takes appointments in euros and a gym
/// that sells places in dollars.
pub(crate) struct House {
    // Dropped in this order: the product before what it stands on.
    processes: Vec<(Role, Process)>,
    /// Of the next release, and where its server is.
    next: Vec<(Role, Process)>,
    next_api: Reservation,
    pub(crate) endpoints: Endpoints,
    pub(crate) mailbox: mailbox::Running,
    pub(crate) stripe: emulator::Running,
    pub(crate) rabbit: Option<PrivateRabbit>,
    pub(crate) platform: TestPlatform,
    environment: Vec<(String, String)>,
    ports: Ports,
    directory: TempDir,
}

/// Held until the house goes, so that a process that is killed finds its port again.
struct Ports {
    api: Reservation,
    /// In the order of [`Role::ALL`].
    metrics: [Reservation; 4],
}

/// What runs in every house. The provisioner has little to do in most, and would make schemas for
/// tenants that never come.
const ALWAYS: [Role; 3] = [Role::Serve, Role::Worker, Role::Relay];

impl House {
    /// Opens one on the broker that all tests share.
    pub(crate) async fn open() -> Self {
        Self::with(&[]).await
    }

    /// Opens one with settings beyond the usual.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        Self::build(tempfile::tempdir().unwrap(), None, settings).await
    }

    /// Opens one with a broker of its own, which the test may kill.
    pub(crate) async fn with_own_broker() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("rabbit");
        let rabbit = PrivateRabbit::start(&place, RabbitOptions::default())
            .await
            .unwrap();
        Self::build(directory, Some(rabbit), &[]).await
    }

    async fn build(
        directory: TempDir,
        rabbit: Option<PrivateRabbit>,
        settings: &[(&str, &str)],
    ) -> Self {
        let platform = TestPlatform::start().await;
        let at = directory.path();
        fs::create_dir_all(at.join("logs")).unwrap();
        fs::create_dir_all(at.join("store")).unwrap();
        fs::create_dir_all(at.join("secrets")).unwrap();
        // The logins of the tenants' data belong to the cluster, and so does what opens them.
        fs::write(
            at.join("secrets/bucket-secret"),
            platform.settings().bucket_secret.expose(),
        )
        .unwrap();
        let secrets = Secrets::ensure(&at.join("secrets")).unwrap();
        let reserve = || ports::reserve().unwrap();
        let ports = Ports {
            api: reserve(),
            metrics: [reserve(), reserve(), reserve(), reserve()],
        };
        let mailbox = Mailbox::start(mailbox::Config::local(at.join("mail")))
            .await
            .unwrap();
        let stripe = start_emulator(ports.api.port(), &secrets.webhook_secret).await;
        let amqp_url = rabbit
            .as_ref()
            .map_or_else(berth_testkit::environment::amqp_url, PrivateRabbit::url);
        let endpoints = endpoints(&platform, &ports, &mailbox, &stripe, amqp_url);
        let mut environment = environment::shared(&Facts {
            endpoints: &endpoints,
            secrets: &secrets,
            smtp_port: mailbox.smtp_addr.port(),
            api_port: ports.api.port(),
            store: &at.join("store"),
        });
        let own = [
            ("BERTH_NAMESPACE", platform.name()),
            // What is asked for here is more than any one visitor is allowed.
            ("BERTH_LIMITS", "off"),
        ];
        let own = own.iter().chain(settings);
        environment.extend(own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut house = Self {
            processes: Vec::new(),
            next: Vec::new(),
            next_api: reserve(),
            endpoints,
            mailbox,
            stripe,
            rabbit,
            platform,
            environment,
            ports,
            directory,
        };
        let started = join_all(ALWAYS.map(|role| house.launch(role))).await;
        house.processes.extend(ALWAYS.into_iter().zip(started));
        let seeder = house.seeder();
        house.endpoints.tenants = demo::seed(&house.endpoints, &seeder, Cast::Few)
            .await
            .unwrap();
        house
    }

    /// Runs the product's command line.
    pub(crate) fn seeder(&self) -> Seeder {
        Seeder::new(Path::new(BERTH), self.environment.clone())
    }

    /// The folder of files.
    pub(crate) fn store(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    /// Runs the product's command line as an operator does; what it prints, or how it fails.
    pub(crate) async fn berth(&self, arguments: &[&str]) -> Result<String, String> {
        self.command_line(Path::new(BERTH), arguments).await
    }

    /// That all of a tenant's books about what is taken agree.
    pub(crate) async fn agrees(&self, tenant: &Tenant) {
        let counted = self.berth(&["recount", "--slug", &tenant.slug]).await;
        assert!(counted.is_ok(), "{counted:?}");
    }

    /// The same with the program of the next release.
    pub(crate) async fn next_berth(&self, arguments: &[&str]) -> Result<String, String> {
        self.command_line(&next_release(), arguments).await
    }

    async fn command_line(&self, program: &Path, arguments: &[&str]) -> Result<String, String> {
        let run = tokio::process::Command::new(program)
            .args(arguments)
            .envs(self.environment.iter().cloned())
            .env("RUST_BACKTRACE", "0")
            .output()
            .await
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        match run.status.success() {
            true => Ok(text(run.stdout)),
            false => Err(text(run.stderr)),
        }
    }

    /// The same, killed after a while; whether it was still at work then.
    pub(crate) async fn berth_killed(&self, arguments: &[&str], after: Duration) -> bool {
        let mut run = tokio::process::Command::new(BERTH)
            .args(arguments)
            .envs(self.environment.iter().cloned())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        if tokio::time::timeout(after, run.wait()).await.is_ok() {
            return false;
        }
        run.kill().await.unwrap();
        true
    }

    /// The same, killed at the moment it wants to write to `table` for the first time. How it would have
    /// ended, if it ends without ever wanting that.
    pub(crate) async fn berth_killed_at(
        &self,
        arguments: &[&str],
        table: &str,
    ) -> Result<(), String> {
        let node = self.platform.admin_pool();
        self.berth_killed_on(node, arguments, table).await
    }

    /// The same for a table of another node.
    pub(crate) async fn berth_killed_on(
        &self,
        node: &sqlx::PgPool,
        arguments: &[&str],
        table: &str,
    ) -> Result<(), String> {
        let mut barrier = node.begin().await.unwrap();
        let lock = format!("LOCK TABLE {table} IN SHARE MODE");
        sqlx::raw_sql(sqlx::AssertSqlSafe(lock))
            .execute(&mut *barrier)
            .await
            .unwrap();
        let mut run = tokio::process::Command::new(BERTH)
            .args(arguments)
            .envs(self.environment.iter().cloned())
            .env("BERTH_METRICS_ADDR", "127.0.0.1:0")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity
                                    WHERE application_name LIKE $1 AND wait_event_type = 'Lock')";
        let victim = format!("berth% {}", run.id().unwrap());
        while !sqlx::query_scalar::<_, bool>(waits)
            .bind(&victim)
            .fetch_one(node)
            .await
            .unwrap()
        {
            if let Some(status) = run.try_wait().unwrap() {
                let output = run.wait_with_output().await.unwrap();
                let words = String::from_utf8(output.stderr).unwrap();
                return Err(format!("{status}: {words}"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        run.kill().await.unwrap();
        barrier.rollback().await.unwrap();
        Ok(())
    }

    /// Takes appointments, in euros.
    pub(crate) fn clinic(&self) -> &Tenant {
        &self.endpoints.tenants[0]
    }

    /// Sells places, in dollars.
    pub(crate) fn gym(&self) -> &Tenant {
        &self.endpoints.tenants[1]
    }

    /// Starts a process that does not run and waits until it is ready.
    pub(crate) async fn start(&mut self, role: Role) {
        let process = self.launch(role).await;
        self.processes.push((role, process));
    }

    async fn launch(&self, role: Role) -> Process {
        let index = Role::ALL.iter().position(|one| *one == role).unwrap();
        let (metrics, api) = (self.ports.metrics[index].port(), self.ports.api.port());
        self.run(Path::new(BERTH), role.name(), role, metrics, api)
            .await
    }

    /// Starts a process of the next release, beside whatever runs. A server answers where this
    /// release's does if that does not run.
    pub(crate) async fn start_next(&mut self, role: Role) {
        let (program, metrics) = (next_release(), ports::reserve().unwrap());
        let taken = self.processes.iter().any(|(one, _)| *one == Role::Serve);
        let api = if taken {
            &self.next_api
        } else {
            &self.ports.api
        };
        let (name, api) = (format!("next-{}", role.name()), api.port());
        let started = self.run(&program, &name, role, metrics.port(), api);
        let process = started.await;
        self.next.push((role, process));
    }

    /// Asks all processes of the next release in a role to end, and waits until they have.
    pub(crate) async fn stop_next(&mut self, role: Role) {
        for (one, process) in &mut self.next {
            if *one == role {
                process.stop().await;
            }
        }
        self.next.retain(|(one, _)| *one != role);
    }

    /// Whether all processes of the next release still run.
    pub(crate) fn next_is_well(&self) -> bool {
        let mut next = self.next.iter();
        next.all(|(_, process)| process.identity().is_alive())
    }

    /// The tenant as the next release's server answers for it.
    pub(crate) fn at_next(&self, tenant: &Tenant) -> Tenant {
        let (here, there) = (self.ports.api.port(), self.next_api.port());
        let moved = |address: &str| address.replace(&format!(":{here}"), &format!(":{there}"));
        Tenant {
            host: moved(&tenant.host),
            api: moved(&tenant.api),
            ..tenant.clone()
        }
    }

    /// A process, once it is ready.
    async fn run(&self, program: &Path, name: &str, role: Role, metrics: u16, api: u16) -> Process {
        let mut environment = match role {
            Role::Provisioner => environment::of_owner(&self.environment, metrics),
            _ => environment::of_role(&self.environment, metrics).unwrap(),
        };
        environment.push(("BERTH_HTTP_ADDR".to_owned(), format!("127.0.0.1:{api}")));
        let spec = Spec {
            name: name.to_owned(),
            program: program.to_owned(),
            arguments: vec![role.name().into()],
            environment,
            inherit: true,
            directory: self.directory.path().to_owned(),
            log: self.directory.path().join(format!("logs/{name}.log")),
            port: Some(metrics),
            stop: StopSignal::Terminate,
            grace: Duration::from_secs(30),
            stage: Stage::Product,
        };
        let mut process = Process::spawn(&spec, &Lifetime::Owned).unwrap();
        let ready = async || match role {
            Role::Serve => services::accepts(api).await,
            Role::Worker | Role::Relay | Role::Provisioner => services::accepts(metrics).await,
        };
        process.wait_ready(READY_WITHIN, ready).await.unwrap();
        process
    }

    /// Ends a process as `kill -9` does.
    pub(crate) async fn kill(&mut self, role: Role) {
        let index = self.index(role);
        let (_, mut process) = self.processes.remove(index);
        process.kill().await;
    }

    /// Asks a process to end, and waits until it has.
    pub(crate) async fn stop(&mut self, role: Role) {
        let index = self.index(role);
        let (_, mut process) = self.processes.remove(index);
        process.stop().await;
    }

    fn index(&self, role: Role) -> usize {
        let found = self.processes.iter().position(|(one, _)| *one == role);
        found.unwrap_or_else(|| panic!("{} does not run", role.name()))
    }

    /// The file a process writes its log to.
    pub(crate) fn log(&self, role: Role) -> PathBuf {
        let name = format!("logs/{}.log", role.name());
        self.directory.path().join(name)
    }

    /// Signs up and signs in a customer of `tenant`.
    pub(crate) async fn customer(&self, tenant: &Tenant, email: &str) -> Client {
        let who = SignIn {
            email: email.to_owned(),
            password: "correct-horse-battery".to_owned(),
        };
        let account =
            serde_json::json!({ "email": email, "password": who.password, "name": "Nils Holm" });
        let visitor = Client::new(tenant).unwrap();
        visitor.post("/v1/users", &account).await.unwrap();
        Client::sign_in(tenant, &who).await.unwrap()
    }

    /// Tells the provider's emulator to do something; see its control routes.
    pub(crate) async fn emulator(&self, what: &str, body: &serde_json::Value) {
        let url = format!("{}/_emulator/{what}", self.stripe.url);
        let answer = reqwest::Client::new().post(url).json(body).send().await;
        let answer = answer.unwrap();
        assert!(
            answer.status().is_success(),
            "{}",
            answer.text().await.unwrap()
        );
    }

    /// The schema of `tenant`, which is named as its role.
    pub(crate) async fn schema(&self, tenant: &Tenant) -> String {
        sqlx::query_scalar("SELECT role FROM platform.tenant WHERE slug = $1")
            .bind(&tenant.slug)
            .fetch_one(self.platform.admin_pool())
            .await
            .unwrap()
    }

    /// Runs `sql` as the database's owner, in the schema of `tenant`.
    pub(crate) async fn sql(&self, tenant: &Tenant, sql: &str) {
        let schema = self.schema(tenant).await;
        let script =
            format!("SET search_path = {schema}, platform, public; {sql}; RESET search_path");
        sqlx::raw_sql(sqlx::AssertSqlSafe(script))
            .execute(self.platform.admin_pool())
            .await
            .unwrap();
    }

    /// A transaction of the database's owner that has done `sql` in the schema of `tenant` and is not ended.
    pub(crate) async fn barrier(
        &self,
        tenant: &Tenant,
        sql: &str,
    ) -> sqlx::Transaction<'_, sqlx::Postgres> {
        let schema = self.schema(tenant).await;
        let mut barrier = self.platform.admin_pool().begin().await.unwrap();
        let script = format!("SET LOCAL search_path = {schema}, platform, public; {sql}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(script))
            .execute(&mut *barrier)
            .await
            .unwrap();
        barrier
    }

    /// Returns when `count` statements wait for a lock on a row of `tenant`, or for one who does.
    pub(crate) async fn waiting(&self, tenant: &Tenant, count: i64) {
        let waits = "SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_locks own USING (pid)
                     JOIN pg_class c ON c.oid = own.relation AND own.locktype = 'relation'
                     WHERE NOT l.granted AND c.relnamespace = $1::regnamespace";
        let schema = self.schema(tenant).await;
        let waiting = async || {
            let asked = sqlx::query_scalar::<_, i64>(waits).bind(&schema);
            asked.fetch_one(self.platform.admin_pool()).await.unwrap()
        };
        while waiting().await < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Counts what `query` selects in the schema of `tenant`, as the database's owner.
    pub(crate) async fn count(&self, tenant: &Tenant, query: &str) -> i64 {
        let schema = self.schema(tenant).await;
        let mut tx = self.platform.admin_pool().begin().await.unwrap();
        let path = format!("SET LOCAL search_path = {schema}, platform, public");
        sqlx::raw_sql(sqlx::AssertSqlSafe(path))
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query_scalar(sqlx::AssertSqlSafe(query.to_owned()))
            .fetch_one(&mut *tx)
            .await
            .unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for (role, _) in &self.processes {
            let role = *role;
            let tail = files::tail(&self.log(role), 0, 40);
            eprintln!("the last the {} wrote:\n{tail}\n", role.name());
        }
    }
}

async fn start_emulator(api_port: u16, secret: &str) -> emulator::Running {
    let webhook = emulator::WebhookTarget {
        url: format!("http://127.0.0.1:{api_port}/webhooks/stripe"),
        secret: secret.to_owned(),
        connect: true,
    };
    let config = emulator::Config {
        webhooks: vec![webhook],
        settle_after: AT_THE_BANK,
        ..Default::default()
    };
    emulator::Emulator::start(config).await.unwrap()
}

fn endpoints(
    platform: &TestPlatform,
    ports: &Ports,
    mailbox: &mailbox::Running,
    stripe: &emulator::Running,
    amqp_url: String,
) -> Endpoints {
    let api = format!("http://localhost:{}", ports.api.port());
    let metrics = |index: usize| {
        let port = ports.metrics[index].port();
        format!("http://127.0.0.1:{port}/metrics")
    };
    Endpoints {
        portal: format!("{api}/portal"),
        metrics: metrics(0),
        metrics_worker: Some(metrics(1)),
        metrics_relay: Some(metrics(2)),
        metrics_provisioner: Some(metrics(3)),
        stripe_emulator: stripe.url.clone(),
        mailbox: mailbox.http_url.clone(),
        database_url: platform.settings().url.expose().to_owned(),
        amqp_url,
        redis_url: berth_testkit::environment::redis_url(),
        tenants: Vec::new(),
        api,
    }
}
