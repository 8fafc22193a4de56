//! Events: what happened, with the object as it was then.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::object;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) kind: String,
    /// The whole envelope as JSON: far smaller in memory than a tree.
    pub(crate) body: Arc<str>,
    /// Endpoints that have not taken it yet.
    pub(crate) pending: u32,
}

object!(Event, "event");

impl Event {
    fn shown(&self, _now: i64) -> Value {
        let mut shown: Value = serde_json::from_str(&self.body).unwrap_or_default();
        shown["pending_webhooks"] = self.pending.into();
        shown
    }
}
