//! `./dev play`: one more booking, from the first request to the conversion.

use std::process::ExitCode;

use anyhow::Context;

use crate::demo::{self, Step};
use crate::endpoints::{Endpoints, Tenant};
use crate::workspace::Workspace;

/// What `./dev play` is asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct PlayOptions {
    /// At which demo tenant; the first unless named.
    #[arg(long)]
    tenant: Option<String>,
}

/// Plays a booking against what runs.
///
/// # Errors
/// Nothing runs, or a step failed.
pub async fn run(workspace: &Workspace, options: &PlayOptions) -> anyhow::Result<ExitCode> {
    let endpoints = Endpoints::load(workspace)
        .context("reading endpoints.json")?
        .context("nothing runs yet: `./dev up` starts it")?;
    let wanted = |tenant: &&Tenant| {
        options
            .tenant
            .as_ref()
            .is_none_or(|slug| *slug == tenant.slug)
    };
    let tenant = endpoints
        .tenants
        .iter()
        .find(wanted)
        .context("there is no such demo tenant; .dev/endpoints.json lists them")?;
    show(&endpoints, tenant).await?;
    Ok(ExitCode::SUCCESS)
}

/// Plays a booking and prints each step as it is done.
///
/// # Errors
/// A step failed.
pub async fn show(endpoints: &Endpoints, tenant: &Tenant) -> anyhow::Result<()> {
    println!("\nPlaying a booking at {}:", tenant.slug);
    let played = demo::play(endpoints, tenant, print).await?;
    println!("  Booking {} went all the way.", played.reference);
    Ok(())
}

fn print(step: &Step) {
    let Step {
        number,
        title,
        after,
        evidence,
    } = step;
    println!(
        "  ✓ {number:>2}  {:>6} ms  {title:<38} {evidence}",
        after.as_millis()
    );
}
