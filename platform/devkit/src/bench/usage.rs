//! Processor time and memory of processes, from the kernel's own books.

use std::fs;
use std::io;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use crate::process::{self, Identity};

/// Processor time used so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    /// By the product's processes.
    pub app: Duration,
    /// By Postgres, all of its processes.
    pub database: Duration,
    /// How many processes Postgres had.
    pub backends: usize,
}

impl Usage {
    /// What was used since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            app: self.app.saturating_sub(earlier.app),
            database: self.database.saturating_sub(earlier.database),
            backends: self.backends,
        }
    }
}

/// What a server takes by being there.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Standing {
    /// Milliseconds from the start of the process to an answer from the database.
    pub start_ms: f64,
    /// MiB after its first answer; what it shares with others is its share (PSS).
    pub idle_mib: f64,
    /// MiB after all works.
    pub loaded_mib: f64,
}

/// MiB that a process holds: its own, and its share of what it shares.
pub(super) fn memory(process: Identity) -> anyhow::Result<f64> {
    rollup(process.pid, &["Pss:"])
}

/// MiB that a process has for itself.
pub(super) fn private(pid: i32) -> anyhow::Result<f64> {
    rollup(pid, &["Private_Clean:", "Private_Dirty:"])
}

/// MiB of these lines of a process's `smaps_rollup`.
fn rollup(pid: i32, names: &[&str]) -> anyhow::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .context("reading what memory a process holds")?;
    let mut total = 0.0;
    for name in names {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
        let kib: f64 = kib.context("an unknown form of smaps_rollup")?.parse()?;
        total += kib / 1_024.0;
    }
    Ok(total)
}

/// Processor time of a process, of all below it, and of those below it that have ended.
pub(super) fn of(process: Identity) -> anyhow::Result<Duration> {
    let mut total = ended_children(process.pid)?;
    for one in process::descendants(process.pid)
        .into_iter()
        .chain([process])
    {
        // One that ended meanwhile is among its parent's ended children the next time.
        total += threads(one.pid).unwrap_or_default();
    }
    Ok(total)
}

/// How many processes there are below one, those included that ended and were not waited for.
pub(super) fn below(process: Identity) -> usize {
    process::descendants(process.pid).len()
}

/// Nanoseconds on a processor of all threads: the first field of `schedstat`.
fn threads(pid: i32) -> io::Result<Duration> {
    let mut total = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let spent = text.split_ascii_whitespace().next();
        total += spent.and_then(|text| text.parse().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(total))
}

/// Ticks of children that were waited for: fields 16 and 17 of `/proc/PID/stat`.
fn ended_children(pid: i32) -> anyhow::Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).context("a process has ended")?;
    let (_, fields) = text.rsplit_once(')').context("an unknown form of stat")?;
    let ticks = fields
        .split_ascii_whitespace()
        .skip(13)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum::<u64>();
    // The kernel's tick towards programs is 10 ms everywhere Linux runs today.
    Ok(Duration::from_millis(ticks * 10))
}
