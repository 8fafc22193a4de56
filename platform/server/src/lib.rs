//! `berth`, the one binary, as a library: its subcommands are the roles a process can have; each is stateless,
//! and any number of each may run.
//!
//! | command | what it does |
//! |---|---|
//! | `serve` | answers HTTP |
//! | `worker` | handles events and webhooks, expires holds, reconciles payments |
//! | `relay` | carries the outbox to the broker |
//! | `provisioner` | keeps schemas ready for new tenants, erases those that leave |
//! | `all` | the four in one process |
//! | `migrate` | brings the database up to date |
//! | `drift` | says where tenants' schemas were changed by hand |
//! | `acl` | says where roles and rights are not what isolation rests on |
//! | `recount` | proves that counters, claims and bookings agree |
//! | `tenant` | what operators do to tenants, from their making to their erasure |
//! | `plan` | what tenants can pay for, and how much of the machines each may take |
//! | `operator` | makes and revokes the keys of those who run the platform |
//! | `dead-letters` | lists what was given up, and hands it to its consumer again |
//! | `openapi` | prints the API's document |

mod attachments;
mod commands;
mod dns;
mod health;
mod housekeeping;
mod postman;
mod provisioner;
mod referee;
mod rollup;
mod serve;
mod settings;
mod tasks;
mod tls;
mod wire;
mod work;

use berth_tenancy::migrate::TenantFiles;
use clap::{Parser, Subcommand};

pub use settings::database;

/// Bookings and payments for many businesses.
#[derive(Parser)]
#[command(name = "berth", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer HTTP.
    Serve,
    /// Handle events and webhooks, expire holds, reconcile payments.
    Worker,
    /// Carry the outbox to the broker.
    Relay,
    /// Keep schemas ready for new tenants, and erase those that leave. Needs the owner's login.
    Provisioner,
    /// Serve, work, relay and provision in one process.
    All,
    /// Bring the database up to date.
    Migrate(commands::MigrateOptions),
    /// Say where tenants' schemas were changed by hand.
    Drift,
    /// Say where roles and rights are not what isolation rests on.
    Acl,
    /// Count again what is taken, and say what does not agree.
    Recount(commands::RecountOptions),
    /// Make, change, suspend, archive and erase tenants.
    #[command(subcommand)]
    Tenant(commands::TenantCommand),
    /// Look at what tenants can pay for, and set its limits.
    #[command(subcommand)]
    Plan(commands::PlanCommand),
    /// Make and revoke the keys of those who run the platform.
    #[command(subcommand)]
    Operator(commands::OperatorCommand),
    /// Look at events that were given up, and replay them.
    #[command(subcommand)]
    DeadLetters(commands::DeadLetterCommand),
    /// Print the API's document.
    Openapi,
}

/// Does what the command line asks for, as a program of the release that `files` are of.
///
/// # Errors
/// A setting is missing or wrong, or what was asked for failed.
pub async fn run(files: TenantFiles) -> anyhow::Result<()> {
    let cli = Cli::parse();
    settings::be_of(files);
    // One TLS backend for every client; an error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match cli.command {
        Command::Serve => {
            serve::run(serve::Roles {
                serve: true,
                ..Default::default()
            })
            .await
        }
        Command::Worker => {
            serve::run(serve::Roles {
                work: true,
                ..Default::default()
            })
            .await
        }
        Command::Relay => {
            serve::run(serve::Roles {
                relay: true,
                ..Default::default()
            })
            .await
        }
        Command::Provisioner => {
            serve::run(serve::Roles {
                provision: true,
                ..Default::default()
            })
            .await
        }
        Command::All => {
            serve::run(serve::Roles {
                serve: true,
                work: true,
                relay: true,
                provision: true,
            })
            .await
        }
        Command::Migrate(options) => commands::migrate(&options).await,
        Command::Drift => commands::drift().await,
        Command::Acl => commands::acl().await,
        Command::Recount(options) => commands::recount_all(&options).await,
        Command::Tenant(command) => commands::tenant(command).await,
        Command::Plan(command) => commands::plan(command).await,
        Command::Operator(command) => commands::operator(command).await,
        Command::DeadLetters(command) => commands::dead_letters(command).await,
        Command::Openapi => commands::openapi().await,
    }
}
