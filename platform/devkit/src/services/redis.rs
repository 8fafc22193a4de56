//! A private Redis. It keeps nothing on disk: the product holds no business
//! fact there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ServiceError, ask, binaries, clean_environment, make_directory, reserve};
use crate::ports::Reservation;
use crate::process::{Lifetime, Process, Spec, Stage, StopSignal};

const START_DEADLINE: Duration = Duration::from_secs(20);

/// How a private Redis is started.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// The port; a free one where `None`.
    pub port: Option<u16>,
    /// Who ends it.
    pub lifetime: Lifetime,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            port: None,
            lifetime: Lifetime::Owned,
        }
    }
}

/// A running private Redis.
#[derive(Debug)]
pub struct PrivateRedis {
    directory: PathBuf,
    lifetime: Lifetime,
    reservation: Reservation,
    process: Process,
}

impl PrivateRedis {
    /// Starts one with its log under `directory`, and waits until it answers.
    ///
    /// # Errors
    /// Redis is not installed, or did not start; with the end of its log.
    pub async fn start(directory: &Path, options: RedisOptions) -> Result<Self, ServiceError> {
        let directory = make_directory(directory)?;
        let reservation = reserve(options.port)?;
        let process = launch(&directory, reservation.port(), &options.lifetime).await?;
        Ok(Self {
            directory,
            lifetime: options.lifetime,
            reservation,
            process,
        })
    }

    /// `redis://…` of database 0.
    #[must_use]
    pub fn url(&self) -> String {
        Self::url_at(self.port())
    }

    /// The URL of a private Redis on this port.
    #[must_use]
    pub fn url_at(port: u16) -> String {
        format!("redis://127.0.0.1:{port}/0")
    }

    /// The port it answers on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.reservation.port()
    }

    /// Ends it in order.
    pub async fn stop(&mut self) {
        self.process.stop().await;
    }

    /// Ends it as a crash would (SIGKILL).
    pub async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// Starts it again on the same port, empty, ending it first if it runs.
    ///
    /// # Errors
    /// It did not start; with the end of its log.
    pub async fn restart(&mut self) -> Result<(), ServiceError> {
        self.process.stop().await;
        self.process = launch(&self.directory, self.port(), &self.lifetime).await?;
        Ok(())
    }
}

async fn launch(directory: &Path, port: u16, lifetime: &Lifetime) -> Result<Process, ServiceError> {
    let port_text = port.to_string();
    let arguments = [
        "--port",
        &port_text,
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
    ];
    let spec = Spec {
        name: "redis".to_owned(),
        program: binaries::redis_server()?,
        arguments: arguments.iter().map(Into::into).collect(),
        environment: clean_environment(),
        inherit: false,
        directory: directory.to_owned(),
        log: directory.join("redis.log"),
        port: Some(port),
        stop: StopSignal::Terminate,
        grace: Duration::from_secs(10),
        stage: Stage::Service,
    };
    let mut process = Process::spawn(&spec, lifetime)?;
    process.wait_ready(START_DEADLINE, || answers(port)).await?;
    Ok(process)
}

/// Whether a Redis on this port answers a PING.
pub(super) async fn answers(port: u16) -> bool {
    ask::<5>(port, b"PING\r\n")
        .await
        .is_some_and(|answer| &answer == b"+PONG")
}
