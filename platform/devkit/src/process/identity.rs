//! Which process is meant, and ending it surely and only it.
//!
//! A pid alone may belong to somebody else by the time it is signalled; an
//! [`Identity`] carries the start time beside it and is checked before each
//! signal.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::StopSignal;

/// Between two looks at a process that is starting or ending.
pub(super) const POLL: Duration = Duration::from_millis(40);

/// How long a SIGKILL may take to be carried out.
pub(super) const KILL_GRACE: Duration = Duration::from_secs(10);

/// A process that cannot be mistaken for another: its pid and its start time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The process id.
    pub pid: i32,
    /// Start time in clock ticks since boot (field 22 of `/proc/PID/stat`).
    pub started: u64,
}

impl Identity {
    /// The identity of a running (or unreaped) process.
    #[must_use]
    pub fn of(pid: i32) -> Option<Self> {
        stat(pid).map(|stat| Self {
            pid,
            started: stat.started,
        })
    }

    /// Whether this very process still runs. A zombie does not.
    #[must_use]
    pub fn is_alive(self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.started == self.started && !stat.ended)
    }

    /// Sends a signal if this very process still runs; says whether it did.
    pub fn signal(self, signal: Signal) -> bool {
        self.is_alive() && signal::kill(Pid::from_raw(self.pid), signal).is_ok()
    }

    /// Sends SIGKILL to the process and all its descendants.
    pub fn kill_tree(self) {
        let descendants = descendants(self.pid);
        self.signal(Signal::SIGKILL);
        for descendant in descendants {
            descendant.signal(Signal::SIGKILL);
        }
    }

    /// Waits until the process is gone; says whether it went in time.
    pub async fn wait_gone(self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(POLL).await;
        }
        true
    }

    /// Asks the process to end, and after `grace` makes it.
    pub async fn stop(self, stop: StopSignal, grace: Duration) -> Stopped {
        if !self.signal(stop.signal()) {
            return Stopped::WasGone;
        }
        if self.wait_gone(grace).await {
            return Stopped::Orderly;
        }
        self.kill_tree();
        if self.wait_gone(KILL_GRACE).await {
            Stopped::Killed
        } else {
            Stopped::StillThere
        }
    }
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It had ended before.
    WasGone,
    /// It ended when asked.
    Orderly,
    /// It had to be killed.
    Killed,
    /// It survived SIGKILL so far (stuck in the kernel).
    StillThere,
}

struct Stat {
    parent: i32,
    started: u64,
    ended: bool,
}

/// Reads `/proc/PID/stat`. The command name may hold spaces and brackets, so
/// fields are counted from its closing bracket on.
fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    // State is field 3 of the whole line, the parent 4, the number of threads
    // 20, the start time 22.
    let threads: u32 = fields.nth(15)?.parse().ok()?;
    let started = fields.nth(1)?.parse().ok()?;
    // The first thread of a dying process may be a zombie while others still
    // hold its sockets.
    let ended = matches!(state, "Z" | "X") && threads <= 1;
    Some(Stat {
        parent,
        started,
        ended,
    })
}

/// Every process below `ancestor`, at this moment.
pub(crate) fn descendants(ancestor: i32) -> Vec<Identity> {
    let mut found: Vec<(i32, Stat)> = Vec::new();
    let listing = fs::read_dir(Path::new("/proc"))
        .into_iter()
        .flatten()
        .flatten();
    let all: Vec<(i32, Stat)> = listing
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(pid)?)))
        .collect();
    let mut parents = vec![ancestor];
    let mut rest = all;
    while let Some(parent) = parents.pop() {
        let (children, others): (Vec<_>, Vec<_>) = rest
            .into_iter()
            .partition(|(_, stat)| stat.parent == parent);
        parents.extend(children.iter().map(|(pid, _)| *pid));
        found.extend(children);
        rest = others;
    }
    found
        .into_iter()
        .map(|(pid, stat)| Identity {
            pid,
            started: stat.started,
        })
        .collect()
}
