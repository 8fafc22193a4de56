//! A private RabbitMQ with a name server of its own.
//!
//! Each instance has its own node name, cookie, home and epmd port, so that
//! any number run beside each other and beside the machine's own. Readiness is
//! seen on the AMQP port itself: the command line tool boots a whole Erlang
//! machine to answer the same question.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rand::RngExt;
use sha2::{Digest, Sha256};

use super::{
    ServiceError, accepts, ask, binaries, clean_environment, find_program, make_directory, reserve,
};
use crate::files;
use crate::ports::Reservation;
use crate::process::{Lifetime, Process, Spec, Stage, StopSignal};

const START_DEADLINE: Duration = Duration::from_secs(180);
const SETTLE: Duration = Duration::from_secs(5);
const EPMD_DEADLINE: Duration = Duration::from_secs(10);

/// Two schedulers that wait briefly before they sleep: never to spin doubles
/// the time of a start, which hands thousands of file reads from thread to
/// thread, and to spin for long would keep an idle broker busy.
const ERLANG_ARGUMENTS: &str =
    "+S 2:2 +sbwt short +sbwtdcpu none +sbwtdio short -kernel inet_dist_use_interface {127,0,0,1}";

/// What a client sends first; the broker answers with a method frame (type 1)
/// on channel 0.
const PROTOCOL_HEADER: &[u8; 8] = b"AMQP\x00\x00\x09\x01";

/// How a private RabbitMQ is started.
#[derive(Debug, Clone)]
pub struct RabbitOptions {
    /// The AMQP port; a free one where `None`.
    pub port: Option<u16>,
    /// The name server's port; a free one where `None`.
    pub epmd_port: Option<u16>,
    /// The port Erlang nodes talk on; a free one where `None`.
    pub distribution_port: Option<u16>,
    /// Who ends it.
    pub lifetime: Lifetime,
}

impl Default for RabbitOptions {
    fn default() -> Self {
        Self {
            port: None,
            epmd_port: None,
            distribution_port: None,
            lifetime: Lifetime::Owned,
        }
    }
}

/// A running private RabbitMQ.
#[derive(Debug)]
pub struct PrivateRabbit {
    node: Node,
    lifetime: Lifetime,
    broker: Process,
    // Declared after the broker: fields are dropped in order, and the name
    // server goes last.
    name_server: Process,
    _reservations: [Reservation; 3],
}

impl PrivateRabbit {
    /// Starts one with data and logs under `directory`, and waits until it
    /// speaks AMQP.
    ///
    /// # Errors
    /// RabbitMQ is not installed, or did not start; with the end of its log.
    pub async fn start(directory: &Path, options: RabbitOptions) -> Result<Self, ServiceError> {
        let amqp = reserve(options.port)?;
        let epmd = reserve(options.epmd_port)?;
        let distribution = reserve(options.distribution_port)?;
        let node = Node {
            directory: make_directory(directory)?,
            port: amqp.port(),
            epmd_port: epmd.port(),
            distribution_port: distribution.port(),
        };
        node.write_files()?;
        let name_server = node.launch_name_server(&options.lifetime).await?;
        let broker = node.launch_broker(&options.lifetime).await?;
        Ok(Self {
            node,
            lifetime: options.lifetime,
            broker,
            name_server,
            _reservations: [amqp, epmd, distribution],
        })
    }

    /// `amqp://…` of the default virtual host, as its guest.
    #[must_use]
    pub fn url(&self) -> String {
        Self::url_at(self.port())
    }

    /// The URL of a private RabbitMQ on this port.
    #[must_use]
    pub fn url_at(port: u16) -> String {
        format!("amqp://guest:guest@127.0.0.1:{port}/%2f")
    }

    /// The AMQP port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.node.port
    }

    /// Ends broker and name server in order.
    pub async fn stop(&mut self) {
        self.broker.stop().await;
        self.name_server.stop().await;
    }

    /// Ends the broker as a crash would (SIGKILL). The name server stays.
    pub async fn kill(&mut self) {
        self.broker.kill().await;
    }

    /// Starts it again on the same ports and data, ending it first if it runs.
    ///
    /// # Errors
    /// It did not start; with the end of its log.
    pub async fn restart(&mut self) -> Result<(), ServiceError> {
        self.broker.stop().await;
        if !self.name_server.identity().is_alive() {
            self.name_server = self.node.launch_name_server(&self.lifetime).await?;
        }
        self.broker = self.node.launch_broker(&self.lifetime).await?;
        Ok(())
    }

    /// Runs `rabbitmqctl` against this node and returns what it printed.
    ///
    /// # Errors
    /// The tool is not installed or the command failed.
    pub async fn control(&self, arguments: &[&str]) -> Result<String, ServiceError> {
        let program = find_program(&["/usr/lib/rabbitmq/bin/rabbitmqctl", "rabbitmqctl"]).ok_or(
            ServiceError::Missing {
                program: "rabbitmqctl",
                remedy: "it comes with RabbitMQ",
            },
        )?;
        let output = tokio::process::Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(self.node.environment())
            .current_dir(&self.node.directory)
            .output()
            .await
            .map_err(ServiceError::doing("running rabbitmqctl"))?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(printed);
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        Err(ServiceError::Command {
            command: format!("rabbitmqctl {}", arguments.join(" ")),
            output: format!("{printed}{complaint}"),
        })
    }
}

/// Whether a broker on this port speaks AMQP 0-9-1.
pub(super) async fn answers(port: u16) -> bool {
    ask::<3>(port, PROTOCOL_HEADER).await == Some([1, 0, 0])
}

/// One Erlang node: where its files are and which ports it uses.
#[derive(Debug)]
struct Node {
    directory: PathBuf,
    port: u16,
    epmd_port: u16,
    distribution_port: u16,
}

impl Node {
    fn path(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    /// The data of a node is tied to its name, so the name follows from where
    /// the data is.
    fn name(&self) -> String {
        let digest = Sha256::digest(self.directory.as_os_str().as_encoded_bytes());
        format!("berth-{}@localhost", hex::encode(&digest[..5]))
    }

    fn write_files(&self) -> Result<(), ServiceError> {
        let home = make_directory(&self.directory.join("home"))?;
        let cookie = home.join(".erlang.cookie");
        let write = |name: &str, text: &str| {
            files::write_atomic(&self.directory.join(name), text.as_bytes(), 0o644)
        };
        let config = format!(
            "listeners.tcp.default = 127.0.0.1:{}\n\
             disk_free_limit.absolute = 256MB\n\
             vm_memory_high_watermark.absolute = 1GB\n",
            self.port
        );
        let written = write("rabbitmq.conf", &config)
            .and_then(|()| write("advanced.config", "[].\n"))
            .and_then(|()| write("enabled_plugins", "[].\n"))
            .and_then(|()| write("environment.conf", ""));
        let written = written.and_then(|()| {
            if cookie.exists() {
                return Ok(());
            }
            // Erlang refuses a cookie that others can read.
            let secret = hex::encode(rand::rng().random::<[u8; 20]>());
            files::write_atomic(&cookie, secret.as_bytes(), 0o400)
        });
        written.map_err(ServiceError::doing(format!(
            "writing {}",
            self.directory.display()
        )))
    }

    fn environment(&self) -> Vec<(String, String)> {
        let mut environment = clean_environment();
        let mut set = |name: &str, value: String| environment.push((name.to_owned(), value));
        set("HOME", self.path("home"));
        set("ERL_EPMD_PORT", self.epmd_port.to_string());
        set("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned());
        set("ERL_CRASH_DUMP_SECONDS", "0".to_owned());
        set("RABBITMQ_NODENAME", self.name());
        set("RABBITMQ_NODE_PORT", self.port.to_string());
        set("RABBITMQ_DIST_PORT", self.distribution_port.to_string());
        set("RABBITMQ_MNESIA_BASE", self.path("data"));
        set("RABBITMQ_LOG_BASE", self.path("log"));
        set("RABBITMQ_LOGS", "-".to_owned());
        set("RABBITMQ_CONFIG_FILE", self.path("rabbitmq.conf"));
        set(
            "RABBITMQ_ADVANCED_CONFIG_FILE",
            self.path("advanced.config"),
        );
        set("RABBITMQ_GENERATED_CONFIG_DIR", self.path("generated"));
        set(
            "RABBITMQ_ENABLED_PLUGINS_FILE",
            self.path("enabled_plugins"),
        );
        set("RABBITMQ_CONF_ENV_FILE", self.path("environment.conf"));
        set("RABBITMQ_FEATURE_FLAGS_FILE", self.path("feature_flags"));
        set("RABBITMQ_PID_FILE", self.path("rabbitmq.pid"));
        set(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            ERLANG_ARGUMENTS.to_owned(),
        );
        // The start script then replaces itself by the Erlang machine: the pid
        // we know is the broker's, and SIGTERM stops it in order.
        set("RUNNING_UNDER_SYSTEMD", "1".to_owned());
        environment
    }

    async fn launch_name_server(&self, lifetime: &Lifetime) -> Result<Process, ServiceError> {
        let port = self.epmd_port.to_string();
        let spec = Spec {
            name: "epmd".to_owned(),
            program: binaries::epmd()?,
            arguments: ["-port", &port, "-address", "127.0.0.1"]
                .iter()
                .map(Into::into)
                .collect(),
            environment: self.environment(),
            inherit: false,
            directory: self.directory.clone(),
            log: self.directory.join("epmd.log"),
            port: Some(self.epmd_port),
            stop: StopSignal::Terminate,
            grace: Duration::from_secs(5),
            stage: Stage::NameServer,
        };
        let mut process = Process::spawn(&spec, lifetime)?;
        // A broker that finds no name server would start one that nobody stops.
        process
            .wait_ready(EPMD_DEADLINE, || accepts(self.epmd_port))
            .await?;
        Ok(process)
    }

    async fn launch_broker(&self, lifetime: &Lifetime) -> Result<Process, ServiceError> {
        let spec = Spec {
            name: "rabbitmq".to_owned(),
            program: binaries::rabbit_server()?,
            arguments: Vec::new(),
            environment: self.environment(),
            inherit: false,
            directory: self.directory.clone(),
            log: self.directory.join("rabbitmq.log"),
            port: Some(self.port),
            stop: StopSignal::Terminate,
            grace: Duration::from_secs(30),
            stage: Stage::Service,
        };
        let mut process = Process::spawn(&spec, lifetime)?;
        process
            .wait_ready(START_DEADLINE, || answers(self.port))
            .await?;
        settle(&process).await;
        Ok(process)
    }
}

/// The listener opens a moment before the node counts itself as running, and
/// until then it finds no node to put a quorum queue on. The broker's own word
/// is waited for, though not for ever: another version may word it otherwise.
async fn settle(broker: &Process) {
    let said = async {
        while !broker.has_said("Server startup complete") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // Without the word it has had its time all the same.
    drop(tokio::time::timeout(SETTLE, said).await);
}
