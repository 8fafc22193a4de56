//! A private Postgres cluster.
//!
//! Postgres refuses to run as root: there it runs as the user `postgres`,
//! which needs a data directory it can reach. A checkout under a closed
//! directory (`/root`) is answered by a directory under `/var/lib`, named
//! after the one that was asked for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ServiceError, ask, binaries::postgres_program, clean_environment, reserve};
use crate::ports::Reservation;
use crate::process::{Identity, Lifetime, Process, Spec, Stage, StopSignal};

mod account;

use account::{ACCOUNT, fallback_directory, switch_user, usable_directory};

const START_DEADLINE: Duration = Duration::from_secs(60);

/// The superuser of a private cluster.
const USER: &str = "app";

/// Whether committed data must survive a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It must: what `./dev up` keeps, and whatever is measured.
    Kept,
    /// It need not: tests. A crash of Postgres alone still loses nothing, unless
    /// the settings turn `synchronous_commit` off too.
    Disposable,
}

/// How a private Postgres is started.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The port; a free one where `None`.
    pub port: Option<u16>,
    /// Whether commits reach the disk.
    pub durability: Durability,
    /// Connections allowed at once.
    pub max_connections: u32,
    /// Settings beyond those, as `name=value`.
    pub settings: Vec<String>,
    /// Who ends it.
    pub lifetime: Lifetime,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            port: None,
            durability: Durability::Disposable,
            max_connections: 200,
            settings: Vec::new(),
            lifetime: Lifetime::Owned,
        }
    }
}

/// A running private Postgres.
#[derive(Debug)]
pub struct PrivatePostgres {
    cluster: Cluster,
    options: PostgresOptions,
    reservation: Reservation,
    process: Process,
}

impl PrivatePostgres {
    /// Starts one with its data under `directory` (made on the first start)
    /// and waits until it accepts sign-ins.
    ///
    /// # Errors
    /// Postgres is not installed, or the cluster could not be made or started;
    /// with the end of its log.
    pub async fn start(directory: &Path, options: PostgresOptions) -> Result<Self, ServiceError> {
        let cluster = Cluster::prepare(directory, options.durability).await?;
        let reservation = reserve(options.port)?;
        let process = cluster.launch(reservation.port(), &options).await?;
        Ok(Self {
            cluster,
            options,
            reservation,
            process,
        })
    }

    /// The URL of the database `postgres`, as the cluster's superuser.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of another database of this cluster.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        Self::url_at(self.port(), database)
    }

    /// The URL of a database of a private Postgres on this port.
    #[must_use]
    pub fn url_at(port: u16, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{port}/{database}")
    }

    /// The server's process; its backends are below it.
    #[must_use]
    pub const fn identity(&self) -> Identity {
        self.process.identity()
    }

    /// The port it answers on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.reservation.port()
    }

    /// Makes a database if there is none of this name, and returns its URL.
    ///
    /// # Errors
    /// Postgres refused.
    pub async fn ensure_database(&self, name: &str) -> Result<String, ServiceError> {
        ensure_database(self.port(), name).await
    }

    /// Ends it in order, without waiting for its clients (a fast shutdown).
    pub async fn stop(&mut self) {
        self.process.stop().await;
    }

    /// Ends it as a crash would (SIGKILL to the server and its backends).
    pub async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// Starts it again on the same port and data, ending it first if it runs.
    ///
    /// # Errors
    /// It did not start; with the end of its log.
    pub async fn restart(&mut self) -> Result<(), ServiceError> {
        self.process.stop().await;
        self.process = self.cluster.launch(self.port(), &self.options).await?;
        Ok(())
    }
}

/// Makes a database on the private Postgres of this port if there is none of
/// this name, and returns its URL.
pub(super) async fn ensure_database(port: u16, name: &str) -> Result<String, ServiceError> {
    let found = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
    if query(port, &found).await?.trim().is_empty() {
        query(port, &format!("CREATE DATABASE \"{name}\"")).await?;
    }
    Ok(PrivatePostgres::url_at(port, name))
}

/// Runs one statement in the database `postgres` and returns its bare output.
async fn query(port: u16, statement: &str) -> Result<String, ServiceError> {
    let url = PrivatePostgres::url_at(port, "postgres");
    let mut command = tokio::process::Command::new(postgres_program("psql", None)?);
    command.args([
        "-X",
        "-q",
        "-t",
        "-A",
        "-v",
        "ON_ERROR_STOP=1",
        "-d",
        &url,
        "-c",
        statement,
    ]);
    command.env_clear().envs(clean_environment());
    run("psql", command).await
}

/// Whether a server on this port lets the superuser in: a start-up message is
/// answered by an authentication request (`R`) rather than an error.
pub(super) async fn answers(port: u16) -> bool {
    let mut parameters = Vec::new();
    for word in ["user", USER, "database", "postgres"] {
        parameters.extend(word.as_bytes());
        parameters.push(0);
    }
    parameters.push(0);
    let length = u32::try_from(parameters.len() + 8).unwrap_or(u32::MAX);
    let mut message = length.to_be_bytes().to_vec();
    message.extend(196_608_u32.to_be_bytes());
    message.extend(parameters);
    ask::<1>(port, &message).await == Some(*b"R")
}

/// The files of a cluster and the account that runs it.
#[derive(Debug)]
struct Cluster {
    directory: PathBuf,
    data: PathBuf,
    major: u32,
    account: Option<&'static str>,
}

impl Cluster {
    async fn prepare(directory: &Path, durability: Durability) -> Result<Self, ServiceError> {
        let account = nix::unistd::geteuid().is_root().then_some(ACCOUNT);
        let directory = usable_directory(directory, account).await?;
        let data = directory.join("data");
        if !data.join("PG_VERSION").exists() {
            initialise(&directory, &data, account, durability).await?;
        }
        let version = std::fs::read_to_string(data.join("PG_VERSION"));
        let version = version.map_err(ServiceError::doing("reading PG_VERSION"))?;
        let major = version.trim().parse().map_err(|_| ServiceError::Command {
            command: "reading PG_VERSION".to_owned(),
            output: version.clone(),
        })?;
        Ok(Self {
            directory,
            data,
            major,
            account,
        })
    }

    async fn launch(&self, port: u16, options: &PostgresOptions) -> Result<Process, ServiceError> {
        let postgres = postgres_program("postgres", Some(self.major))?;
        let mut words = switch_user(self.account);
        words.extend([postgres.into(), "-D".into(), self.data.clone().into()]);
        for setting in settings(port, options) {
            words.extend(["-c".into(), setting.into()]);
        }
        let program = PathBuf::from(words.remove(0));
        let spec = Spec {
            name: "postgres".to_owned(),
            program,
            arguments: words,
            environment: clean_environment(),
            inherit: false,
            directory: self.directory.clone(),
            log: self.directory.join("postgres.log"),
            port: Some(port),
            stop: StopSignal::Interrupt,
            grace: Duration::from_secs(30),
            stage: Stage::Service,
        };
        let mut process = Process::spawn(&spec, &options.lifetime)?;
        process.wait_ready(START_DEADLINE, || answers(port)).await?;
        Ok(process)
    }
}

fn settings(port: u16, options: &PostgresOptions) -> Vec<String> {
    let mut settings = vec![
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        // A socket's path may not exceed 107 bytes; nothing here needs one.
        "unix_socket_directories=".to_owned(),
        format!("max_connections={}", options.max_connections),
        // Tenants are moved away by logical replication.
        "wal_level=logical".to_owned(),
        "max_locks_per_transaction=256".to_owned(),
        "timezone=UTC".to_owned(),
        "log_timezone=UTC".to_owned(),
    ];
    if options.durability == Durability::Disposable {
        settings.extend(["fsync=off", "full_page_writes=off"].map(str::to_owned));
    }
    settings.extend(options.settings.iter().cloned());
    settings
}

async fn initialise(
    directory: &Path,
    data: &Path,
    account: Option<&'static str>,
    durability: Durability,
) -> Result<(), ServiceError> {
    // Made aside and moved: an interrupted run leaves no half-made cluster.
    let aside = directory.join("data.new");
    remove(&aside)?;
    let mut words = switch_user(account);
    words.extend([
        postgres_program("initdb", None)?.into(),
        "-D".into(),
        aside.clone().into(),
    ]);
    words.extend(
        [
            "-U",
            USER,
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
        ]
        .map(Into::into),
    );
    if durability == Durability::Disposable {
        words.push("--no-sync".into());
    }
    let mut command = tokio::process::Command::new(&words[0]);
    command
        .args(&words[1..])
        .env_clear()
        .envs(clean_environment())
        .current_dir(directory);
    run("initdb", command).await?;
    std::fs::rename(&aside, data).map_err(ServiceError::doing("moving the new cluster into place"))
}

/// Deletes the data of a stopped cluster that was asked for under `directory`,
/// wherever it is.
pub(crate) fn remove_data(directory: &Path) -> Result<(), ServiceError> {
    if let Ok(real) = directory.canonicalize() {
        remove(&fallback_directory(&real))?;
        remove(&real)?;
    }
    Ok(())
}

fn remove(directory: &Path) -> Result<(), ServiceError> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(ServiceError::doing(
            format!("deleting {}", directory.display()),
        )(error)),
        _ => Ok(()),
    }
}

async fn run(name: &str, mut command: tokio::process::Command) -> Result<String, ServiceError> {
    let output = command
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    let output = output.map_err(ServiceError::doing(format!("running {name}")))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(ServiceError::Command {
        command: name.to_owned(),
        output: format!("{printed}{complaint}"),
    })
}
