//! How fast the product is, held against what Postgres itself can do in the same minutes.
//!
//! Each work is measured in turns: `pgbench` doing the same rows or the same query on the same
//! cluster (the ceiling), then the product over HTTP, several rounds. A ratio of two figures taken
//! side by side holds on a noisy machine, where a rate alone does not.
//!
//! - [`stage`]: a cluster that syncs to disk, the release build, tenants and their data.
//! - [`works`]: what is measured, and the ceiling of each.
//! - [`load`]: the HTTP side; [`pgbench`]: the other; [`usage`]: who used the processor.
//! - [`report`]: the table and the JSON. [`tenancy`]: what many tenants cost, [`warm`] and
//!   [`neighbours`] of it over HTTP.
//!
//! To measure something else, add a [`works::Work`].

mod data;
mod dropped;
mod load;
mod neighbours;
mod pgbench;
mod report;
mod stage;
mod tenancy;
mod usage;
mod warm;
mod works;

use std::time::Duration;

use anyhow::Context;

use crate::progress;
use crate::workspace::Workspace;
pub(crate) use tenancy::run as tenancy;

use report::{Report, Round};
use stage::{Limits, Stage};
use works::Work;

/// Connections of either side: what one small server's pool would hold.
const CONNECTIONS: usize = 8;

/// How long each side warms up before the first round.
const WARM_UP: Duration = Duration::from_secs(1);

/// How much is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct BenchOptions {
    #[command(subcommand)]
    pub(crate) subject: Option<Subject>,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Turns of ceiling and product, for each work.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Something else that is measured.
#[derive(Debug, Clone, Copy, clap::Subcommand)]
pub(crate) enum Subject {
    /// What many tenants cost: making, claiming, switching, migrating, exporting, erasing them.
    Tenancy {
        /// How many there are at the end.
        #[arg(long, default_value_t = 1_000)]
        tenants: usize,
    },
}

/// Measures every work, prints the table and saves the figures; returns the file.
///
/// # Errors
/// Something did not start, or a request was refused: a refusal is not a result.
pub async fn run(workspace: &Workspace, options: BenchOptions) -> anyhow::Result<()> {
    let mut stage = Stage::set(workspace, Limits::None).await?;
    progress::heading("Measuring");
    let seconds = Duration::from_secs(options.seconds.max(1));
    let mut report = Report::new(CONNECTIONS, seconds);
    for work in works::all(&stage) {
        if work.relay {
            stage.start_relay().await?;
        }
        let rounds = measure(&stage, &work, seconds, options.rounds.max(1)).await;
        let rounds = rounds.with_context(|| format!("measuring {}", work.name))?;
        report.add(&work, &rounds);
        if work.relay {
            stage.stop_relay().await;
        }
    }
    report.stands(stage.restart().await.context("starting the server again")?);
    let file = workspace.dev("bench/results.json");
    report.save(&file).context("saving the figures")?;
    report.print();
    println!("\nSaved in {}", file.display());
    stage.strike().await;
    Ok(())
}

/// Takes turns: ceiling, product, ceiling, product, …
async fn measure(
    stage: &Stage,
    work: &Work,
    seconds: Duration,
    rounds: usize,
) -> anyhow::Result<Vec<Round>> {
    // Long works outlive an access token.
    let tokens = stage.sign_in(work.tenant, work.asker).await?;
    let load = load::Load::new(stage.api(), CONNECTIONS, work, tokens);
    load.run(WARM_UP).await?;
    pgbench::run(stage, &work.ceiling, CONNECTIONS, WARM_UP).await?;
    let mut all = Vec::new();
    for turn in 1..=rounds {
        let before = stage.usage()?;
        let ceiling = pgbench::run(stage, &work.ceiling, CONNECTIONS, seconds).await?;
        stage.settled(before.backends).await?;
        let between = stage.usage()?;
        let product = load.run(seconds).await?;
        let after = stage.usage()?;
        let round = Round {
            ceiling_used: between.since(&before),
            product_used: after.since(&between),
            ceiling,
            product,
        };
        progress::note(&format!("{} {turn}/{rounds}: {}", work.name, round.line()));
        all.push(round);
    }
    Ok(all)
}
