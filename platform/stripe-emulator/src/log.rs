//! The most recent requests, for tests that ask what was sent.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

/// Older requests are forgotten.
const KEPT: usize = 5_000;

/// One request, once it was answered, or given up.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Logged {
    /// Milliseconds since 1970 on the machine's clock.
    pub(crate) at_ms: i64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) account: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    /// `null` if it was never answered.
    pub(crate) status: Option<u16>,
    /// The fault that stood in the way.
    pub(crate) fault: Option<crate::faults::Kind>,
}

#[derive(Debug, Default)]
pub(crate) struct RequestLog(Mutex<VecDeque<Logged>>);

impl RequestLog {
    pub(crate) fn push(&self, request: Logged) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() == KEPT {
            log.pop_front();
        }
        log.push_back(request);
    }

    /// Newest first.
    pub(crate) fn recent(&self, limit: usize) -> Vec<Logged> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().rev().take(limit).cloned().collect()
    }
}
