//! `berth-dev`: the program behind `./dev`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    berth_devkit::cli::run().await
}
