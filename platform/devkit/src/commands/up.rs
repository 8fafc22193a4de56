//! `./dev up`: services, build, secrets, mailbox, Stripe emulator, migration,
//! then the product's four processes, until Ctrl-C.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::demo::{self, Cast, Seeder};
use crate::endpoints::Endpoints;
use crate::ledger::{Entry, Ledger};
use crate::ports::PortBook;
use crate::process::{Identity, Stage, StopSignal};
use crate::progress;
use crate::secrets::Secrets;
use crate::services::Urls;
use crate::workspace::Workspace;

use super::{build, down, interrupted, play, services::BUSY};

mod product;

pub(super) use product::is_ready;
use product::{Plan, Ports};

/// The ledger name of the `./dev up` that stays in the foreground.
const SUPERVISOR: &str = "up";

/// Between two looks at the processes while everything runs.
const WATCH: Duration = Duration::from_secs(1);

/// What `./dev up` is asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct UpOptions {
    /// Leave everything running and return; `./dev down` stops it.
    #[arg(long)]
    detach: bool,
    /// Make a demo tenant of every kind of business, not just a clinic and a gym.
    #[arg(long)]
    all_kinds: bool,
}

impl UpOptions {
    const fn cast(&self) -> Cast {
        match self.all_kinds {
            true => Cast::AllKinds,
            false => Cast::Few,
        }
    }
}

/// Starts everything, and unless detached stays until it is told to stop.
///
/// # Errors
/// It runs already, or a step failed; what was started is stopped again.
pub async fn run(workspace: &Workspace, options: &UpOptions) -> anyhow::Result<ExitCode> {
    let ledger = workspace.ledger();
    refuse_if_running(&ledger)?;
    let lock = workspace.lock("start", BUSY)?;
    // A crash may have left some of them: nobody watches those any more.
    down::stop(&ledger, Stage::Tool).await?;
    // Services that ran before are not this command's to stop.
    let stop_from = if ledger.alive()?.is_empty() {
        Stage::NameServer
    } else {
        Stage::Tool
    };
    ledger.record(supervisor(workspace)?)?;

    let started = tokio::select! {
        started = start(workspace, options.cast()) => started,
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    drop(lock);
    match started {
        Ok(endpoints) => announce(&endpoints, options.detach),
        Err(error) => {
            progress::heading("Stopping what was started");
            down::stop(&ledger, stop_from).await?;
            ledger.forget(SUPERVISOR)?;
            return Err(error);
        }
    }
    if !options.detach {
        watch(&ledger).await?;
        progress::heading("Stopping");
        down::stop(&ledger, stop_from).await?;
    }
    ledger.forget(SUPERVISOR)?;
    Ok(ExitCode::SUCCESS)
}

fn refuse_if_running(ledger: &Ledger) -> anyhow::Result<()> {
    for name in ["serve", SUPERVISOR] {
        if let Some(entry) = ledger.find(name)? {
            bail!(
                "Berth already runs from this checkout ({name}, pid {}): `./dev status` shows it, \
                 `./dev down` stops it",
                entry.identity.pid
            );
        }
    }
    Ok(())
}

/// The whole start, in its visible order.
async fn start(workspace: &Workspace, cast: Cast) -> anyhow::Result<Endpoints> {
    progress::heading("Services");
    let urls = workspace.services().start().await?;
    build(workspace, &[]).await?;

    progress::heading("Starting");
    let secrets = Secrets::ensure(&workspace.dev("secrets")).context("making the secrets")?;
    let mut book = PortBook::open(&workspace.dev("ports.json")).context("reading ports.json")?;
    let ports = Ports::reserve(&mut book).context("reserving ports")?;
    let endpoints = endpoints(workspace, &ports, urls)?;
    let plan = Plan::new(workspace, &ports, &secrets, &endpoints);
    progress::timed("mailbox", plan.mailbox()).await?;
    progress::timed("Stripe emulator", plan.emulator()).await?;
    progress::timed("migration", plan.migrate()).await?;
    plan.processes().await?;
    endpoints
        .save(workspace)
        .context("writing endpoints.json")?;
    let seeder = plan.seeder()?;
    demo(workspace, endpoints, &seeder, cast).await
}

/// Everything answers from here on: the demo tenants are made, and a booking is played.
async fn demo(
    workspace: &Workspace,
    mut endpoints: Endpoints,
    seeder: &Seeder,
    cast: Cast,
) -> anyhow::Result<Endpoints> {
    progress::heading("Demo");
    let seeding = demo::seed(&endpoints, seeder, cast);
    endpoints.tenants = progress::timed("demo tenants", seeding).await?;
    endpoints
        .save(workspace)
        .context("writing endpoints.json")?;
    if let Some(tenant) = endpoints.tenants.first() {
        play::show(&endpoints, tenant).await?;
    }
    Ok(endpoints)
}

/// Where everything will be; tenants made earlier are kept.
fn endpoints(workspace: &Workspace, ports: &Ports, urls: Urls) -> anyhow::Result<Endpoints> {
    let kept = Endpoints::load(workspace).context("reading endpoints.json")?;
    let api = format!("http://localhost:{}", ports.api);
    Ok(Endpoints {
        portal: format!("{api}/portal"),
        metrics: format!("http://127.0.0.1:{}/metrics", ports.metrics[0]),
        metrics_worker: Some(format!("http://127.0.0.1:{}/metrics", ports.metrics[1])),
        metrics_relay: Some(format!("http://127.0.0.1:{}/metrics", ports.metrics[2])),
        metrics_provisioner: Some(format!("http://127.0.0.1:{}/metrics", ports.metrics[3])),
        stripe_emulator: format!("http://127.0.0.1:{}", ports.emulator),
        mailbox: format!("http://127.0.0.1:{}", ports.mailbox),
        database_url: urls.database,
        amqp_url: urls.amqp,
        redis_url: urls.redis,
        tenants: kept.map(|kept| kept.tenants).unwrap_or_default(),
        api,
    })
}

/// This process, so that `./dev down` can ask it to stop everything.
fn supervisor(workspace: &Workspace) -> anyhow::Result<Entry> {
    let pid = i32::try_from(std::process::id()).context("an impossible pid")?;
    Ok(Entry {
        name: SUPERVISOR.to_owned(),
        identity: Identity::of(pid).context("/proc does not show this process")?,
        port: None,
        log: workspace.log(SUPERVISOR),
        stop: StopSignal::Terminate,
        grace_seconds: 120,
        stage: Stage::Supervisor,
    })
}

fn announce(endpoints: &Endpoints, detached: bool) {
    println!("\nBerth is running.");
    let lines = [
        ("API", &endpoints.api),
        ("Portal", &endpoints.portal),
        ("Mailbox", &endpoints.mailbox),
        ("Stripe emulator", &endpoints.stripe_emulator),
        ("Metrics", &endpoints.metrics),
        ("Database", &endpoints.database_url),
    ];
    for (title, url) in lines {
        println!("  {title:<16} {url}");
    }
    for tenant in &endpoints.tenants {
        println!(
            "\n  {} http://{} (or X-Tenant: {})",
            tenant.slug, tenant.host, tenant.slug
        );
        println!(
            "    admin     {} / {}",
            tenant.admin.email, tenant.admin.password
        );
        println!(
            "    customer  {} / {}",
            tenant.customer.email, tenant.customer.password
        );
        println!("    API key   {}", tenant.api_key);
    }
    println!("\nAll of it is in .dev/endpoints.json; `./dev logs` shows the logs.");
    let end = if detached {
        "`./dev down` stops it."
    } else {
        "Ctrl-C stops it."
    };
    println!("{end}");
}

/// Waits for the signal to stop; says once of each process that ends early.
async fn watch(ledger: &Ledger) -> anyhow::Result<()> {
    let stop = interrupted();
    tokio::pin!(stop);
    let mut missing: Vec<String> = Vec::new();
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            () = tokio::time::sleep(WATCH) => {}
        }
        let entries = ledger.entries().context("reading pids.json")?;
        for entry in entries
            .into_iter()
            .filter(|entry| !entry.identity.is_alive())
        {
            if missing.contains(&entry.name) {
                continue;
            }
            progress::warning(&format!(
                "{} has ended; `./dev logs {}` shows why. The others go on; `./dev down` and \
                 `./dev up` start all again",
                entry.name, entry.name
            ));
            missing.push(entry.name);
        }
    }
}
