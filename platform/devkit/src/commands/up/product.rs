//! The processes of `./dev up` beyond the services: what each is started with
//! and how it is seen to be ready.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::demo::Seeder;
use crate::endpoints::Endpoints;
use crate::environment::{self, Facts, Role};
use crate::files;
use crate::ports::PortBook;
use crate::process::{Lifetime, Process, Spec, Stage, StopSignal};
use crate::progress;
use crate::secrets::Secrets;
use crate::services::{accepts, ask};
use crate::workspace::Workspace;

const TOOL_DEADLINE: Duration = Duration::from_secs(20);
const PRODUCT_DEADLINE: Duration = Duration::from_secs(60);

/// The product drains for up to 25 s after SIGTERM.
const PRODUCT_GRACE: Duration = Duration::from_secs(30);

/// A log beyond this size, in bytes, is put aside before the next start.
const LARGE_LOG: u64 = 20 * 1024 * 1024;

/// The ports of everything beyond the services.
#[derive(Debug)]
pub(super) struct Ports {
    pub api: u16,
    /// In the order of [`Role::ALL`].
    pub metrics: [u16; 4],
    pub emulator: u16,
    pub mailbox: u16,
    pub smtp: u16,
}

impl Ports {
    pub fn reserve(book: &mut PortBook) -> io::Result<Self> {
        let mut port = |name: &str| book.reserve(name).map(|reserved| reserved.port());
        let [serve, worker, relay, provisioner] = Role::ALL.map(Role::metrics_port_name);
        Ok(Self {
            api: port("api")?,
            metrics: [
                port(serve)?,
                port(worker)?,
                port(relay)?,
                port(provisioner)?,
            ],
            emulator: port("stripe_emulator")?,
            mailbox: port("mailbox")?,
            smtp: port("smtp")?,
        })
    }
}

/// How to start each process.
pub(super) struct Plan<'a> {
    workspace: &'a Workspace,
    ports: &'a Ports,
    secrets: &'a Secrets,
    environment: Vec<(String, String)>,
    lifetime: Lifetime,
}

impl<'a> Plan<'a> {
    pub fn new(
        workspace: &'a Workspace,
        ports: &'a Ports,
        secrets: &'a Secrets,
        endpoints: &'a Endpoints,
    ) -> Self {
        let environment = environment::shared(&Facts {
            endpoints,
            secrets,
            smtp_port: ports.smtp,
            api_port: ports.api,
            store: &workspace.dev("store"),
        });
        let lifetime = Lifetime::Recorded(workspace.ledger());
        Self {
            workspace,
            ports,
            secrets,
            environment,
            lifetime,
        }
    }

    /// Starts the mailbox.
    pub async fn mailbox(&self) -> anyhow::Result<()> {
        let arguments = [
            OsString::from("mailbox"),
            "--smtp".into(),
            local(self.ports.smtp).into(),
            "--http".into(),
            local(self.ports.mailbox).into(),
            "--dir".into(),
            self.workspace.dev("mail").into(),
        ];
        let spec = self.spec(
            "mailbox",
            "berth-dev",
            arguments.to_vec(),
            self.ports.mailbox,
        )?;
        self.start_tool(spec).await
    }

    /// Starts the Stripe emulator.
    pub async fn emulator(&self) -> anyhow::Result<()> {
        let webhooks = format!("http://{}/webhooks/stripe", local(self.ports.api));
        let arguments = [
            OsString::from("--listen"),
            local(self.ports.emulator).into(),
            "--state".into(),
            self.workspace.dev("stripe.json").into(),
            "--webhook-url".into(),
            webhooks.into(),
            "--webhook-secret".into(),
            self.secrets.webhook_secret.clone().into(),
        ];
        let (name, program) = ("stripe-emulator", "berth-stripe-emulator");
        let spec = self.spec(name, program, arguments.to_vec(), self.ports.emulator)?;
        self.start_tool(spec).await
    }

    /// Runs `berth migrate` to its end.
    pub async fn migrate(&self) -> anyhow::Result<()> {
        let log = self.workspace.log("migrate");
        let file = fs::File::create(&log).context("opening migrate.log")?;
        let program = self.program("berth")?;
        let status = tokio::process::Command::new(program)
            // A database that is given may have been another checkout's, with other secrets.
            .args(["migrate", "--renew-logins"])
            .current_dir(self.workspace.root())
            .envs(self.environment.iter().cloned())
            // The end of its log is shown: that must be the error.
            .env("RUST_BACKTRACE", "0")
            .stdin(std::process::Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .kill_on_drop(true)
            .status()
            .await
            .context("running berth migrate")?;
        if status.success() {
            return Ok(());
        }
        bail!(
            "`berth migrate` failed ({status}):\n{}\nThe database is kept; after a fix `./dev up` \
             goes on from here, `./dev reset` starts from nothing",
            files::tail(&log, 0, 25)
        )
    }

    /// Runs the product's command line, to make the demo tenants.
    pub fn seeder(&self) -> anyhow::Result<Seeder> {
        Ok(Seeder::new(
            &self.program("berth")?,
            self.environment.clone(),
        ))
    }

    /// Starts the product's processes together and waits until all are ready.
    pub async fn processes(&self) -> anyhow::Result<()> {
        let mut waits = Vec::new();
        for (role, metrics_port) in Role::ALL.into_iter().zip(self.ports.metrics) {
            let port = if role == Role::Serve {
                self.ports.api
            } else {
                metrics_port
            };
            let mut spec = self.spec(role.name(), "berth", vec![role.name().into()], port)?;
            spec.stage = Stage::Product;
            spec.grace = PRODUCT_GRACE;
            spec.environment = match role {
                Role::Provisioner => environment::of_owner(&self.environment, metrics_port),
                _ => environment::of_role(&self.environment, metrics_port)?,
            };
            let process = Process::spawn(&spec, &self.lifetime)?;
            waits.push(progress::timed(role.name(), wait(process, role, port)));
        }
        futures::future::try_join_all(waits).await.map(drop)
    }

    async fn start_tool(&self, spec: Spec) -> anyhow::Result<()> {
        let port = spec.port.unwrap_or_default();
        let mut process = Process::spawn(&spec, &self.lifetime)?;
        process.wait_ready(TOOL_DEADLINE, || accepts(port)).await?;
        Ok(())
    }

    fn spec(
        &self,
        name: &str,
        program: &str,
        arguments: Vec<OsString>,
        port: u16,
    ) -> anyhow::Result<Spec> {
        let log = self.workspace.log(name);
        put_aside_if_large(&log).context("putting a large log aside")?;
        Ok(Spec {
            name: name.to_owned(),
            program: self.program(program)?,
            arguments,
            environment: Vec::new(),
            inherit: true,
            directory: self.workspace.root().to_owned(),
            log,
            port: Some(port),
            stop: StopSignal::Terminate,
            grace: Duration::from_secs(5),
            stage: Stage::Tool,
        })
    }

    fn program(&self, name: &str) -> anyhow::Result<std::path::PathBuf> {
        let program = self.workspace.built(name);
        if program.is_file() {
            return Ok(program);
        }
        bail!(
            "{} is not there although the build succeeded; if cargo builds elsewhere, set \
             CARGO_TARGET_DIR to that directory",
            program.display()
        )
    }
}

async fn wait(mut process: Process, role: Role, port: u16) -> anyhow::Result<()> {
    let ready = async || match role {
        Role::Serve => is_ready(port).await,
        Role::Worker | Role::Relay | Role::Provisioner => accepts(port).await,
    };
    process.wait_ready(PRODUCT_DEADLINE, ready).await.with_context(|| {
        let name = role.name();
        let asked = if role == Role::Serve { "GET /readyz" } else { "its metrics port" };
        format!(
            "{name} did not become ready ({asked} on port {port}); everything is stopped again. \
             `./dev logs {name}` shows the whole log, `./dev up` tries again"
        )
    })
}

/// Whether the server on this port says that it is ready.
pub(in crate::commands) async fn is_ready(port: u16) -> bool {
    let question =
        format!("GET /readyz HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    ask::<12>(port, question.as_bytes())
        .await
        .is_some_and(|answer| answer.ends_with(b" 200"))
}

fn local(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn put_aside_if_large(log: &Path) -> io::Result<()> {
    match fs::metadata(log) {
        Ok(file) if file.len() > LARGE_LOG => fs::rename(log, log.with_extension("log.1")),
        _ => Ok(()),
    }
}
