//! The command line of `berth-dev`, which `./dev` hands its arguments to.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::bench::BenchOptions;
use crate::commands::{self, logs::LogsOptions, play::PlayOptions, up::UpOptions};
use crate::mailbox::{Config, Mailbox};
use crate::workspace::Workspace;

/// Starts, tests and checks Berth on this machine.
///
/// `./dev up` needs Postgres, Redis and RabbitMQ. It uses DATABASE_URL,
/// REDIS_URL and AMQP_URL where they are set, and private instances under
/// .dev/ on free ports of 127.0.0.1 otherwise.
#[derive(Debug, Parser)]
#[command(name = "./dev", bin_name = "./dev", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build and start everything; stays until Ctrl-C, then stops it again.
    Up(UpOptions),
    /// Play a booking from the first request to the conversion, step by step.
    Play(PlayOptions),
    /// Stop everything `up` and `services start` left running.
    Down,
    /// Show each process, its port and whether it answers.
    Status,
    /// Stop everything and delete the data under .dev/.
    Reset,
    /// Show the end of one log, or of all.
    Logs(LogsOptions),
    /// Open a SQL prompt on the development database.
    Psql {
        /// Arguments for psql, after `--`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Start or stop only Postgres, Redis and RabbitMQ.
    Services {
        #[command(subcommand)]
        action: Services,
    },
    /// Run every test on services of their own.
    Test {
        /// Arguments for `cargo nextest run`, after `--`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Measure bookings and look-ups over HTTP beside pgbench doing the same.
    Bench(BenchOptions),
    /// Format, lints, arrows between crates, golden files, dependency rules.
    Check {
        /// Also fetch and check the advisory database.
        #[arg(long)]
        online: bool,
    },
    /// Regenerate `.sqlx`, the checked queries that a build needs no database for.
    Prepare {
        /// Change nothing; fail if `.sqlx` is not what the code needs.
        #[arg(long)]
        check: bool,
    },
    /// Run the development mailbox alone.
    Mailbox {
        /// Where mail is received.
        #[arg(long, default_value = "127.0.0.1:2525")]
        smtp: SocketAddr,
        /// Where it is shown.
        #[arg(long, default_value = "127.0.0.1:8025")]
        http: SocketAddr,
        /// Where it is kept.
        #[arg(long)]
        dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum Services {
    /// Start them and print `export` lines: eval "$(./dev services start)".
    Start,
    /// Stop them.
    Stop,
}

/// Runs the command line; the exit code is that of the command.
pub async fn run() -> ExitCode {
    // A second installation is refused, which changes nothing.
    drop(rustls::crypto::ring::default_provider().install_default());
    match dispatch(Arguments::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up(options) => commands::up::run(&here()?, &options).await,
        Command::Play(options) => commands::play::run(&here()?, &options).await,
        Command::Down => commands::down::run(&here()?).await,
        Command::Status => commands::status::run(&here()?).await,
        Command::Reset => commands::down::reset(&here()?).await,
        Command::Logs(options) => commands::logs::run(&here()?, &options),
        Command::Psql { arguments } => commands::psql::run(&here()?, &arguments),
        Command::Services {
            action: Services::Start,
        } => commands::services::start(&here()?).await,
        Command::Services {
            action: Services::Stop,
        } => commands::services::stop(&here()?).await,
        Command::Test { arguments } => commands::test::run(&here()?, &arguments).await,
        Command::Bench(options) => commands::bench::run(&here()?, options).await,
        Command::Check { online } => commands::check::run(&here()?, online).await,
        Command::Prepare { check } => commands::prepare::run(&here()?, check).await,
        Command::Mailbox { smtp, http, dir } => {
            mailbox(Config {
                smtp,
                http,
                directory: dir,
            })
            .await
        }
    }
}

/// The checkout that all commands but `mailbox` are about.
fn here() -> anyhow::Result<Workspace> {
    let workspace = Workspace::locate()?;
    workspace.prepare()?;
    Ok(workspace)
}

async fn mailbox(config: Config) -> anyhow::Result<ExitCode> {
    let running = Mailbox::start(config).await?;
    eprintln!(
        "mail is received at {} and shown at {}",
        running.smtp_addr, running.http_url
    );
    tokio::select! {
        () = commands::interrupted() => Ok(ExitCode::SUCCESS),
        () = running.ended() => anyhow::bail!("the mailbox' sockets failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_follows_two_dashes_goes_to_the_test_runner() {
        let parsed = Arguments::parse_from(["./dev", "test", "--", "-p", "berth-kernel"]);
        let Command::Test { arguments } = parsed.command else {
            panic!("not the test command")
        };
        assert_eq!(arguments, ["-p", "berth-kernel"]);
    }
}
