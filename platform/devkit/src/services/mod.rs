//! Private Postgres, Redis and RabbitMQ from the machine's own binaries, as
//! root or as anybody, on free ports of 127.0.0.1, without an init system.
//!
//! For `./dev` they are recorded in a ledger and outlive the program; for
//! tests they are owned by a value, may be killed and restarted on the same
//! port and data, and end when the value is dropped.

mod binaries;
mod postgres;
mod rabbit;
mod redis;
mod set;

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub use binaries::{find_program, postgres_program};
pub(crate) use postgres::remove_data as remove_postgres;
pub use postgres::{Durability, PostgresOptions, PrivatePostgres};
pub use rabbit::{PrivateRabbit, RabbitOptions};
pub use redis::{PrivateRedis, RedisOptions};
pub(crate) use set::answers;
pub use set::{Profile, ServiceSet, Urls};

use crate::ports::{self, Reservation};
use crate::process::StartError;

/// How long one readiness question may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a private service is not there.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A program is not installed.
    #[error("{program} was not found; {remedy}")]
    Missing {
        /// What was looked for.
        program: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A file or directory could not be prepared.
    #[error("{action}: {source}")]
    Files {
        /// What was being done.
        action: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A preparing command failed.
    #[error("{command} failed:\n{output}")]
    Command {
        /// The program's name.
        command: String,
        /// What it printed.
        output: String,
    },
    /// The server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl ServiceError {
    /// Turns an [`io::Error`] into one that says what was being done.
    fn doing(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Files { action, source }
    }
}

/// Reserves `wanted`, or any port where it is `None`.
fn reserve(wanted: Option<u16>) -> Result<Reservation, ServiceError> {
    let taken = |port| {
        io::Error::new(
            io::ErrorKind::AddrInUse,
            format!("port {port} is used by something else"),
        )
    };
    match wanted {
        None => ports::reserve(),
        Some(port) => ports::reserve_exactly(port).and_then(|got| got.ok_or_else(|| taken(port))),
    }
    .map_err(ServiceError::doing("reserving a port"))
}

/// Sends `question` and reads as many bytes as `answer` has; `None` when there
/// was no answer in time.
pub(crate) async fn ask<const N: usize>(port: u16, question: &[u8]) -> Option<[u8; N]> {
    let conversation = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.write_all(question).await?;
        let mut answer = [0; N];
        stream.read_exact(&mut answer).await?;
        io::Result::Ok(answer)
    };
    tokio::time::timeout(PROBE_TIMEOUT, conversation)
        .await
        .ok()?
        .ok()
}

/// Whether anything accepts connections on this port of 127.0.0.1.
pub async fn accepts(port: u16) -> bool {
    let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
    matches!(
        tokio::time::timeout(PROBE_TIMEOUT, connection).await,
        Ok(Ok(_))
    )
}

/// Makes a directory and returns its absolute path, with links resolved.
fn make_directory(path: &Path) -> Result<std::path::PathBuf, ServiceError> {
    std::fs::create_dir_all(path)
        .and_then(|()| path.canonicalize())
        .map_err(ServiceError::doing(format!("making {}", path.display())))
}

/// The environment every service gets: nothing of the caller's but the search
/// path, so that a `PGDATA` or `RABBITMQ_*` set elsewhere cannot mislead it.
fn clean_environment() -> Vec<(String, String)> {
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{path}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    vec![
        ("PATH".to_owned(), path),
        ("LANG".to_owned(), "C.UTF-8".to_owned()),
    ]
}
