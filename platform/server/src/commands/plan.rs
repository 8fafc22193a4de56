//! `berth plan`.

use berth_kernel::Clock;
use berth_tenancy::{
    Database, Tenancy,
    lifecycle::{Lifecycle, Plan},
};
use clap::{Args, Subcommand};
use serde_json::json;

use super::tenant::operator;
use crate::settings;

/// What tenants can pay for.
#[derive(Subcommand)]
pub(crate) enum PlanCommand {
    /// List all plans with their limits.
    List,
    /// Make a plan, or give the one of that name other limits; prints it as JSON.
    Set(SetPlan),
}

/// A plan's limits.
#[derive(Args)]
pub(crate) struct SetPlan {
    /// Its name: a-z, 0-9 and -.
    #[arg(long)]
    name: String,
    /// Requests a second of each server, on average; twice as many in one second.
    #[arg(long)]
    requests_per_second: i32,
    /// Requests answered at once by each server.
    #[arg(long)]
    concurrent_requests: i32,
    /// Events handled at once by each worker's consumer.
    #[arg(long)]
    concurrent_events: i32,
}

/// Runs a plan command.
pub(crate) async fn plan(command: PlanCommand) -> anyhow::Result<()> {
    let tenancy = Tenancy::new(Database::connect(&settings::database()?)?);
    let lifecycle = Lifecycle::new(tenancy, operator(), Clock::System);
    match command {
        PlanCommand::List => {
            for plan in lifecycle.plans().await? {
                println!(
                    "{:20}  {:>6} requests/s  {:>5} requests at once  {:>4} events at once",
                    plan.name,
                    plan.requests_per_second,
                    plan.concurrent_requests,
                    plan.concurrent_events
                );
            }
        }
        PlanCommand::Set(set) => {
            let plan = Plan {
                name: set.name,
                requests_per_second: set.requests_per_second,
                concurrent_requests: set.concurrent_requests,
                concurrent_events: set.concurrent_events,
            };
            lifecycle.set_plan(&plan).await?;
            println!("{}", json!(plan));
        }
    }
    Ok(())
}
