//! Free ports on 127.0.0.1, reserved against other development processes.
//!
//! Asking the kernel for port 0 and closing the socket hands the same port to
//! the next asker. So ports come from a range below the ephemeral one (no
//! outgoing connection takes them) and each is held by a lock on a small file
//! until its service listens: tests that start brokers in parallel never meet
//! on a port.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use rand::RngExt;

use crate::files;

/// Ports are chosen here: unprivileged, and below Linux' ephemeral range
/// (which starts at 32768).
const RANGE: std::ops::Range<u16> = 20_000..30_000;

/// Choices to try before giving up; the range would have to be nearly full.
const ATTEMPTS: usize = 500;

/// A port nobody listens on, held until this value is dropped.
#[derive(Debug)]
pub struct Reservation {
    port: u16,
    _lock: File,
}

impl Reservation {
    /// The reserved port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

/// Reserves any free port.
///
/// # Errors
/// No free port was found, or the lock directory cannot be used.
pub fn reserve() -> io::Result<Reservation> {
    let mut random = rand::rng();
    for _ in 0..ATTEMPTS {
        if let Some(reservation) = reserve_exactly(random.random_range(RANGE))? {
            return Ok(reservation);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AddrNotAvailable,
        format!(
            "no free port found between {} and {}",
            RANGE.start, RANGE.end
        ),
    ))
}

/// Reserves this port, or says `None` when it is taken.
///
/// # Errors
/// The lock directory cannot be used.
pub fn reserve_exactly(port: u16) -> io::Result<Option<Reservation>> {
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(lock_directory()?.join(port.to_string()))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Ok(None),
        Err(fs::TryLockError::Error(error)) => return Err(error),
    }
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    Ok(free.then_some(Reservation { port, _lock: lock }))
}

/// One directory per user, so that nobody is kept out by another's files.
fn lock_directory() -> io::Result<PathBuf> {
    let user = nix::unistd::geteuid();
    let directory = std::env::temp_dir().join(format!("berth-ports-{user}"));
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// Ports by name, kept in a file so that a restart uses the same ones.
#[derive(Debug)]
pub struct PortBook {
    path: PathBuf,
    ports: BTreeMap<String, u16>,
}

impl PortBook {
    /// Opens the book at `path`; a missing file is an empty book.
    ///
    /// # Errors
    /// The file is there but cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let ports = files::read_json(path)?.unwrap_or_default();
        Ok(Self {
            path: path.to_owned(),
            ports,
        })
    }

    /// The port kept under `name`, free or not.
    #[must_use]
    pub fn kept(&self, name: &str) -> Option<u16> {
        self.ports.get(name).copied()
    }

    /// Reserves the port kept under `name`; where there is none, or somebody
    /// else listens on it, another one, which is kept from then on.
    ///
    /// # Errors
    /// No port is free, or the book cannot be written.
    pub fn reserve(&mut self, name: &str) -> io::Result<Reservation> {
        if let Some(port) = self.kept(name)
            && let Some(reservation) = reserve_exactly(port)?
        {
            return Ok(reservation);
        }
        let reservation = loop {
            let candidate = reserve()?;
            // A service that is down at the moment still owns its port.
            if !self.ports.values().any(|kept| *kept == candidate.port) {
                break candidate;
            }
        };
        self.ports.insert(name.to_owned(), reservation.port);
        files::write_json(&self.path, &self.ports)?;
        Ok(reservation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_is_not_given_twice() {
        let first = reserve().unwrap();
        assert!(reserve_exactly(first.port()).unwrap().is_none());
        let port = first.port();
        drop(first);
        assert!(reserve_exactly(port).unwrap().is_some());
    }

    #[test]
    fn a_port_somebody_listens_on_is_not_given() {
        let held = reserve().unwrap();
        let port = held.port();
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        drop(held);
        assert!(reserve_exactly(port).unwrap().is_none());
    }

    #[test]
    fn a_book_keeps_its_ports_until_another_takes_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ports.json");
        let api = PortBook::open(&path)
            .unwrap()
            .reserve("api")
            .unwrap()
            .port();
        let again = PortBook::open(&path)
            .unwrap()
            .reserve("api")
            .unwrap()
            .port();
        assert_eq!(api, again);

        let _intruder = TcpListener::bind((Ipv4Addr::LOCALHOST, api)).unwrap();
        let moved = PortBook::open(&path)
            .unwrap()
            .reserve("api")
            .unwrap()
            .port();
        assert_ne!(api, moved);
        assert_eq!(PortBook::open(&path).unwrap().kept("api"), Some(moved));
    }
}
