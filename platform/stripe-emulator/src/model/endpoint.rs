//! Webhook endpoints.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::object;
use crate::params::Metadata;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) url: String,
    pub(crate) secret: String,
    /// Events of connected accounts instead of the platform's own.
    pub(crate) connect: bool,
    pub(crate) enabled_events: Vec<String>,
    pub(crate) enabled: bool,
    pub(crate) description: Option<String>,
    pub(crate) api_version: Option<String>,
    pub(crate) metadata: Metadata,
    /// Named on the command line: not listed, and set anew at each start.
    pub(crate) configured: bool,
}

object!(Endpoint, "webhook_endpoint");

impl Endpoint {
    pub(crate) fn wants(&self, kind: &str) -> bool {
        self.enabled
            && self
                .enabled_events
                .iter()
                .any(|wanted| wanted == "*" || wanted == kind)
    }

    fn shown(&self, _now: i64) -> Value {
        json!({
            "id": self.id,
            "object": "webhook_endpoint",
            "api_version": self.api_version,
            "application": null,
            "created": self.created,
            "description": self.description,
            "enabled_events": self.enabled_events,
            "livemode": false,
            "metadata": self.metadata,
            "status": if self.enabled { "enabled" } else { "disabled" },
            "url": self.url,
        })
    }
}
