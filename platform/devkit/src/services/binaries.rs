//! Where Debian and Ubuntu put the servers.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::ServiceError;

/// The oldest Postgres the product's SQL runs on.
const OLDEST_POSTGRES: u32 = 14;

const POSTGRES_HOME: &str = "/usr/lib/postgresql";
const RABBIT_SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
/// Holds `rabbitmq_server-3.10.8` and the like.
const RABBIT_LIBRARIES: &str = "/usr/lib/rabbitmq/lib";

/// The oldest RabbitMQ whose quorum queues let messages grow old, which the retry queues are made of.
const OLDEST_RABBIT: (u32, u32) = (3, 10);

/// Directories searched beyond `PATH`, which leaves `sbin` out for most users.
const EXTRA_DIRECTORIES: [&str; 4] = ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin"];

/// The first of `names` that is installed.
#[must_use]
pub fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = std::env::split_paths(&path)
        .chain(EXTRA_DIRECTORIES.map(PathBuf::from))
        .collect();
    names
        .iter()
        .flat_map(|name| {
            directories
                .iter()
                .map(move |directory| directory.join(name))
        })
        .find(|candidate| is_executable(candidate))
}

/// A Postgres program (`initdb`, `postgres`, `psql`, …) of the newest installed
/// version; of version `major` where one is given.
///
/// # Errors
/// No such version is installed.
pub fn postgres_program(name: &str, major: Option<u32>) -> Result<PathBuf, ServiceError> {
    let listing = std::fs::read_dir(POSTGRES_HOME)
        .into_iter()
        .flatten()
        .flatten();
    listing
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|version| *version >= OLDEST_POSTGRES && major.is_none_or(|it| it == *version))
        .map(|version| {
            (
                version,
                Path::new(POSTGRES_HOME).join(format!("{version}/bin/{name}")),
            )
        })
        .filter(|(_, program)| is_executable(program))
        .max_by_key(|(version, _)| *version)
        .map(|(_, program)| program)
        .ok_or(ServiceError::Missing {
            program: "Postgres (14 or newer, under /usr/lib/postgresql)",
            remedy: "install the package `postgresql` or set DATABASE_URL; data made by another \
                     version is given up with `./dev reset`",
        })
}

pub(super) fn redis_server() -> Result<PathBuf, ServiceError> {
    find_program(&["redis-server", "valkey-server"]).ok_or(ServiceError::Missing {
        program: "redis-server",
        remedy: "install the package `redis-server` or set REDIS_URL",
    })
}

/// The broker's start script itself: the one on the search path insists on a
/// user of its own.
pub(super) fn rabbit_server() -> Result<PathBuf, ServiceError> {
    let script = PathBuf::from(RABBIT_SERVER);
    if !is_executable(&script) {
        return Err(ServiceError::Missing {
            program: RABBIT_SERVER,
            remedy: "install the package `rabbitmq-server` or set AMQP_URL",
        });
    }
    let listing = std::fs::read_dir(RABBIT_LIBRARIES)
        .into_iter()
        .flatten()
        .flatten();
    let names = listing.filter_map(|entry| entry.file_name().into_string().ok());
    if is_too_old(names) {
        return Err(ServiceError::Missing {
            program: "RabbitMQ 3.10 or newer",
            remedy: "the one under /usr/lib/rabbitmq is older: install a newer release \
                     (https://www.rabbitmq.com/docs/install-debian) or set AMQP_URL",
        });
    }
    Ok(script)
}

/// Whether what is installed, by the names of its libraries, is surely too old.
fn is_too_old(libraries: impl Iterator<Item = String>) -> bool {
    let versions = libraries.filter_map(|name| {
        let version = name.strip_prefix("rabbitmq_server-")?;
        let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
        Some((parts.next()??, parts.next()??))
    });
    versions.max().is_some_and(|newest| newest < OLDEST_RABBIT)
}

pub(super) fn epmd() -> Result<PathBuf, ServiceError> {
    find_program(&["epmd"]).ok_or(ServiceError::Missing {
        program: "epmd",
        remedy: "install the package `erlang-base`, which RabbitMQ needs",
    })
}

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_without_what_the_retries_need_is_refused() {
        let too_old = |names: &[&str]| is_too_old(names.iter().map(|name| (*name).to_owned()));
        assert!(too_old(&["rabbitmq_server-3.9.13"]));
        assert!(too_old(&[
            "bin",
            "rabbitmq_server-3.8.9",
            "rabbitmq_server-3.9.27"
        ]));
        assert!(!too_old(&["rabbitmq_server-3.10.8"]));
        assert!(!too_old(&[
            "rabbitmq_server-3.9.13",
            "rabbitmq_server-4.0.5"
        ]));
        assert!(!too_old(&["rabbitmq_server-next"]), "not known to be");
    }
}
