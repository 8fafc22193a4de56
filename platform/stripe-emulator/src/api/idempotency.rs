//! `Idempotency-Key`: the first answer to a key is the answer to it for a day.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    error::{ApiError, ErrorKind},
    world::Owner,
};

/// How long a key is remembered, in seconds.
const REMEMBERED: i64 = 24 * 60 * 60;

/// Old keys are looked for once this many have come in since the last time.
const SWEEP_EVERY: usize = 4_096;

/// A kept answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Saved {
    digest: String,
    path: String,
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) request_id: String,
    at: i64,
}

/// A request about to be executed, or answered from memory.
#[derive(Debug)]
pub(crate) enum Verdict {
    Execute,
    Replay(Arc<Saved>),
}

/// All remembered keys.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Idempotency {
    saved: HashMap<Arc<str>, Arc<Saved>>,
    #[serde(skip)]
    running: HashSet<Arc<str>>,
    #[serde(skip)]
    since_sweep: usize,
}

/// A key as its owner means it: two accounts may use the same text.
pub(crate) fn scoped(owner: &Owner, key: &str) -> Arc<str> {
    Arc::from(format!("{}/{key}", owner.account().unwrap_or_default()))
}

impl Idempotency {
    /// Decides what a request with this key gets; on `Execute` the key counts
    /// as running until [`Self::release`].
    ///
    /// # Errors
    /// Other parameters or another path than before (400), or still running (409).
    pub(crate) fn begin(
        &mut self,
        key: &Arc<str>,
        path: &str,
        digest: &str,
        now: i64,
    ) -> Result<Verdict, ApiError> {
        if let Some(saved) = self
            .saved
            .get(key)
            .filter(|saved| now - saved.at < REMEMBERED)
        {
            return match saved.digest == digest {
                true => Ok(Verdict::Replay(Arc::clone(saved))),
                false => Err(mismatch(key, &saved.path, path)),
            };
        }
        if !self.running.insert(Arc::clone(key)) {
            return Err(in_flight(key));
        }
        Ok(Verdict::Execute)
    }

    /// Keeps the answer to a key that is running.
    pub(crate) fn save(
        &mut self,
        key: &Arc<str>,
        path: &str,
        digest: String,
        (status, body): (u16, String),
        request_id: &str,
        now: i64,
    ) {
        let saved = Saved {
            digest,
            path: path.to_owned(),
            status,
            body,
            request_id: request_id.to_owned(),
            at: now,
        };
        self.saved.insert(Arc::clone(key), Arc::new(saved));
        self.since_sweep += 1;
        if self.since_sweep >= SWEEP_EVERY {
            self.since_sweep = 0;
            self.saved.retain(|_, saved| now - saved.at < REMEMBERED);
        }
    }

    pub(crate) fn release(&mut self, key: &Arc<str>) {
        self.running.remove(key);
    }

    pub(crate) fn frozen(&self) -> Self {
        Self {
            saved: self.saved.clone(),
            ..Self::default()
        }
    }
}

/// The text that the client sent, without the scope.
fn sent(key: &str) -> &str {
    key.split_once('/').map_or(key, |(_, sent)| sent)
}

fn mismatch(key: &str, before: &str, path: &str) -> ApiError {
    let key = sent(key);
    let same = if before == path {
        "with the same parameters they were first used with".to_owned()
    } else {
        format!("for the same endpoint they were first used for ('{path}' was not '{before}')")
    };
    ApiError::new(
        400,
        ErrorKind::Idempotency,
        format!(
            "Keys for idempotent requests can only be used {same}. Try using a key other than \
             '{key}' if you meant to execute a different request."
        ),
    )
}

fn in_flight(key: &str) -> ApiError {
    ApiError::new(
        409,
        ErrorKind::Idempotency,
        format!(
            "There is currently another in-progress request using this Idempotent Key (that \
             probably means you submitted twice, and the other request is still going through): \
             {}. Please try again later.",
            sent(key)
        ),
    )
    .code("idempotency_key_in_use")
}
