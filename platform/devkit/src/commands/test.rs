//! `./dev test`.

use std::process::ExitCode;

use anyhow::Context;

use crate::process::Stage;
use crate::progress;
use crate::services::Urls;
use crate::workspace::Workspace;

use super::{build, cargo, down, interrupted};

const BUSY: &str =
    "another `./dev test` runs in this checkout; wait for it, or use a second checkout";

/// Runs every test on services of their own; the exit code is the runner's.
///
/// # Errors
/// The build, a service or the runner could not be started.
pub async fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(workspace.dev("test"))?;
    let _lock = workspace.lock("test/run", BUSY)?;
    let ledger = workspace.test_ledger();
    // What a run that was killed left behind.
    down::stop(&ledger, Stage::NameServer).await?;
    workspace.test_services().remove_data()?;
    let started = tokio::select! {
        started = build_and_start(workspace) => started,
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    let outcome = match started {
        Ok(urls) => run_tests(workspace, arguments, urls).await,
        Err(error) => Err(error),
    };
    progress::heading("Stopping the test services");
    down::stop(&ledger, Stage::NameServer).await?;
    if let Ok(ExitCode::SUCCESS) = outcome {
        // After a failure the services' logs may be wanted.
        workspace.test_services().remove_data()?;
    }
    outcome
}

async fn build_and_start(workspace: &Workspace) -> anyhow::Result<Urls> {
    build(workspace, &["--tests"]).await?;
    progress::heading("Test services");
    Ok(workspace.test_services().start().await?)
}

async fn run_tests(
    workspace: &Workspace,
    arguments: &[String],
    urls: Urls,
) -> anyhow::Result<ExitCode> {
    let Urls {
        database,
        redis,
        amqp,
    } = urls;
    progress::heading("Tests");
    let programs = workspace.target().join("debug");
    let mut command = cargo(
        workspace,
        &["nextest", "run", "--workspace", "--no-fail-fast"],
    );
    command
        .args(arguments)
        .env("BERTH_TEST_DATABASE_URL", database)
        .env("BERTH_TEST_REDIS_URL", redis)
        .env("BERTH_TEST_AMQP_URL", amqp)
        .env("BERTH_TEST_BIN_DIR", programs);
    let mut runner = command.spawn().context("running cargo nextest")?;
    let status = tokio::select! {
        status = runner.wait() => status?,
        // The runner got the same signal from the terminal and ends its tests;
        // it needs the services until then.
        () = interrupted() => runner.wait().await?,
    };
    let code = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1);
    Ok(ExitCode::from(code))
}
