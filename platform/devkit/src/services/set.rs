//! The three services together: those given by URL are used as they are, those
//! that run are used again, the others are started side by side.

use std::io;
use std::path::{Path, PathBuf};

use super::{
    Durability, PostgresOptions, PrivatePostgres, PrivateRabbit, PrivateRedis, RabbitOptions,
    RedisOptions, ServiceError, postgres, rabbit, redis,
};
use crate::ledger::Ledger;
use crate::ports::PortBook;
use crate::process::Lifetime;
use crate::progress;

/// The database the product uses on a private Postgres.
const DATABASE: &str = "berth";

/// Each test has some forty queues under names of its own, and a broker with ten thousand of them is out
/// of memory and blocks who publishes. So queues that were out of use for longer than any test may take
/// (ten minutes, in milliseconds) go away.
const FORGET_QUEUES: [&str; 6] = [
    "set_policy",
    "--apply-to",
    "queues",
    "forget",
    ".*",
    r#"{"expires": 600000}"#,
];

/// What the services are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// `./dev up`: data is kept and durable; one database for the product.
    Development,
    /// `./dev test`: fast, many databases, nothing kept.
    Test,
}

/// Where the services are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urls {
    /// `postgres://…`
    pub database: String,
    /// `redis://…`
    pub redis: String,
    /// `amqp://…`
    pub amqp: String,
}

/// Postgres, Redis and RabbitMQ of one directory.
#[derive(Debug)]
pub struct ServiceSet {
    directory: PathBuf,
    ledger: Ledger,
    profile: Profile,
}

impl ServiceSet {
    /// The set whose data, ports and ledger are under `directory`.
    #[must_use]
    pub fn new(directory: &Path, ledger: Ledger, profile: Profile) -> Self {
        Self {
            directory: directory.to_owned(),
            ledger,
            profile,
        }
    }

    /// The variable that gives a service from outside, by the profile.
    #[must_use]
    pub const fn variables(profile: Profile) -> [&'static str; 3] {
        match profile {
            Profile::Development => ["DATABASE_URL", "REDIS_URL", "AMQP_URL"],
            Profile::Test => [
                "BERTH_TEST_DATABASE_URL",
                "BERTH_TEST_REDIS_URL",
                "BERTH_TEST_AMQP_URL",
            ],
        }
    }

    /// Starts what is neither given nor running.
    ///
    /// # Errors
    /// One of them did not start; the others that did are in the ledger.
    pub async fn start(&self) -> Result<Urls, ServiceError> {
        let mut ports = PortBook::open(&self.directory.join("ports.json"))
            .map_err(ServiceError::doing("reading ports.json"))?;
        let [database, redis, amqp] = Self::variables(self.profile).map(given);
        let postgres_port = self.port(&mut ports, "postgres")?;
        let redis_port = self.port(&mut ports, "redis")?;
        self.end_orphaned_name_server().await?;
        let rabbit_ports = [
            self.port(&mut ports, "rabbitmq")?,
            self.port(&mut ports, "epmd")?,
            self.port(&mut ports, "rabbitmq_distribution")?,
        ];
        let (database, redis, amqp) = futures::try_join!(
            or_start("Postgres", database, self.postgres(postgres_port)),
            or_start("Redis", redis, self.redis(redis_port)),
            or_start("RabbitMQ", amqp, self.rabbit(rabbit_ports)),
        )?;
        Ok(Urls {
            database,
            redis,
            amqp,
        })
    }

    /// The URLs of services that run or are given; `None` for the others.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn running(&self) -> io::Result<[Option<String>; 3]> {
        let [database, redis, amqp] = Self::variables(self.profile).map(given);
        let port = |name: &str| -> io::Result<Option<u16>> {
            Ok(self.ledger.find(name)?.and_then(|entry| entry.port))
        };
        let private = [
            port("postgres")?.map(|port| PrivatePostgres::url_at(port, self.database())),
            port("redis")?.map(PrivateRedis::url_at),
            port("rabbitmq")?.map(PrivateRabbit::url_at),
        ];
        let [own_database, own_redis, own_amqp] = private;
        Ok([
            database.or(own_database),
            redis.or(own_redis),
            amqp.or(own_amqp),
        ])
    }

    /// Deletes the data of the stopped services.
    ///
    /// # Errors
    /// A directory cannot be deleted.
    pub fn remove_data(&self) -> Result<(), ServiceError> {
        postgres::remove_data(&self.directory.join("postgres"))?;
        for name in ["redis", "rabbitmq"] {
            postgres::remove_data(&self.directory.join(name))?;
        }
        Ok(())
    }

    const fn database(&self) -> &'static str {
        match self.profile {
            Profile::Development => DATABASE,
            Profile::Test => "postgres",
        }
    }

    /// The port a running service has, or one for it to start on.
    fn port(&self, ports: &mut PortBook, name: &str) -> Result<u16, ServiceError> {
        let running = self
            .ledger
            .find(name)
            .map_err(ServiceError::doing("reading pids.json"))?;
        if let Some(port) = running.and_then(|entry| entry.port) {
            return Ok(port);
        }
        let reserved = ports
            .reserve(name)
            .map_err(ServiceError::doing("reserving a port"))?;
        Ok(reserved.port())
    }

    /// After a broker was killed its name server still runs and holds the port
    /// that the next start wants.
    async fn end_orphaned_name_server(&self) -> Result<(), ServiceError> {
        let reading = || ServiceError::doing("reading pids.json");
        if self.runs("rabbitmq")? {
            return Ok(());
        }
        if let Some(orphan) = self.ledger.find("epmd").map_err(reading())? {
            orphan.stop().await;
        }
        Ok(())
    }

    fn runs(&self, name: &str) -> Result<bool, ServiceError> {
        let found = self
            .ledger
            .find(name)
            .map_err(ServiceError::doing("reading pids.json"))?;
        Ok(found.is_some())
    }

    fn lifetime(&self) -> Lifetime {
        Lifetime::Recorded(self.ledger.clone())
    }

    async fn postgres(&self, port: u16) -> Result<String, ServiceError> {
        if !self.runs("postgres")? {
            let options = match self.profile {
                Profile::Development => PostgresOptions {
                    port: Some(port),
                    durability: Durability::Kept,
                    lifetime: self.lifetime(),
                    ..PostgresOptions::default()
                },
                Profile::Test => PostgresOptions {
                    port: Some(port),
                    durability: Durability::Disposable,
                    max_connections: 400,
                    settings: [
                        "synchronous_commit=off",
                        "max_wal_size=4GB",
                        "checkpoint_timeout=30min",
                    ]
                    .map(str::to_owned)
                    .to_vec(),
                    lifetime: self.lifetime(),
                },
            };
            PrivatePostgres::start(&self.directory.join("postgres"), options).await?;
        }
        match self.profile {
            Profile::Development => postgres::ensure_database(port, DATABASE).await,
            Profile::Test => Ok(PrivatePostgres::url_at(port, self.database())),
        }
    }

    async fn redis(&self, port: u16) -> Result<String, ServiceError> {
        if !self.runs("redis")? {
            let options = RedisOptions {
                port: Some(port),
                lifetime: self.lifetime(),
            };
            PrivateRedis::start(&self.directory.join("redis"), options).await?;
        }
        Ok(PrivateRedis::url_at(port))
    }

    async fn rabbit(&self, ports: [u16; 3]) -> Result<String, ServiceError> {
        let [port, epmd_port, distribution_port] = ports;
        if !self.runs("rabbitmq")? {
            let options = RabbitOptions {
                port: Some(port),
                epmd_port: Some(epmd_port),
                distribution_port: Some(distribution_port),
                lifetime: self.lifetime(),
            };
            let rabbit = PrivateRabbit::start(&self.directory.join("rabbitmq"), options).await?;
            if self.profile == Profile::Test {
                rabbit.control(&FORGET_QUEUES).await?;
            }
        }
        Ok(PrivateRabbit::url_at(port))
    }
}

/// A service given by the environment; an empty variable gives none.
fn given(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|url| !url.is_empty())
}

async fn or_start(
    title: &str,
    given: Option<String>,
    start: impl Future<Output = Result<String, ServiceError>>,
) -> Result<String, ServiceError> {
    match given {
        Some(url) => {
            progress::note(&format!("{title}: as given by the environment"));
            Ok(url)
        }
        None => progress::timed(title, start).await,
    }
}

/// Whether a service of this ledger name answers on its port.
pub(crate) async fn answers(name: &str, port: u16) -> bool {
    match name {
        "postgres" => postgres::answers(port).await,
        "redis" => redis::answers(port).await,
        "rabbitmq" => rabbit::answers(port).await,
        _ => super::accepts(port).await,
    }
}
