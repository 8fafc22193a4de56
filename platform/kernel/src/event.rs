//! What a service tells the others: an event in its envelope.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{EventId, TenantId};

/// A fact one service publishes. The types live in the crate `berth-events`, one file a service.
pub trait Event: Serialize + DeserializeOwned + Send + Sync {
    /// `{service}.{entity}.{action}`, as in `booking.booking.created`.
    const TYPE: &'static str;
    /// Version of the data's shape; raised when a field changes its meaning.
    const VERSION: u16 = 1;

    /// The thing the event is about.
    fn entity_id(&self) -> Uuid;

    /// The thing's version after the change. Versions of one entity run 1, 2, 3 … without a gap
    /// and each is published exactly once: consumers keep order by it.
    fn entity_version(&self) -> i64;
}

/// Why something happens: the request it began with, and the event that led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// One id from the first request to the last mail.
    pub correlation_id: Uuid,
    /// The event being handled, when one is.
    pub causation_id: Option<EventId>,
    /// W3C `traceparent` of the span at work, when traces are on.
    pub trace_parent: Option<String>,
}

impl Cause {
    /// A cause that starts here: a request without an id of its own, or a timer.
    #[must_use]
    pub fn fresh() -> Self {
        Self {
            correlation_id: Uuid::now_v7(),
            causation_id: None,
            trace_parent: None,
        }
    }
}

/// The wrapping every event travels in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Envelope {
    /// Unique id of this event; the message id on the broker.
    pub event_id: EventId,
    /// `{service}.{entity}.{action}`.
    pub event_type: String,
    /// Version of `data`'s shape.
    pub event_version: u16,
    /// When it happened.
    pub timestamp: Timestamp,
    /// Whose event it is.
    pub tenant_id: TenantId,
    /// One id from the first request to the last mail.
    pub correlation_id: Uuid,
    /// The event that led to this one.
    pub causation_id: Option<EventId>,
    /// The event's own fields.
    pub data: serde_json::Value,
    /// What carriers need.
    pub metadata: Metadata,
}

/// What carriers need to know of an event without reading its data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Metadata {
    /// The thing the event is about.
    pub entity_id: Uuid,
    /// The thing's version after the change.
    pub entity_version: i64,
    /// Which timeline of its tenant it is of: a tenant whose data was put back to an earlier state goes on
    /// in a new one, and what the old one told is not heard any more.
    #[serde(default, skip_serializing_if = "is_first")]
    pub timeline: u32,
    /// W3C `traceparent` of the span that published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "what serde calls is given a reference"
)]
const fn is_first(timeline: &u32) -> bool {
    *timeline == 0
}

impl Envelope {
    /// Wraps `event` as it happened `at` in `tenant` because of `cause`.
    ///
    /// # Errors
    /// When the event cannot be written as JSON.
    pub fn wrap<E: Event>(
        event: &E,
        tenant: TenantId,
        at: Timestamp,
        cause: &Cause,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            event_id: EventId::new(),
            event_type: E::TYPE.to_owned(),
            event_version: E::VERSION,
            timestamp: at,
            tenant_id: tenant,
            correlation_id: cause.correlation_id,
            causation_id: cause.causation_id,
            data: serde_json::to_value(event)?,
            metadata: Metadata {
                entity_id: event.entity_id(),
                entity_version: event.entity_version(),
                timeline: 0,
                trace_parent: cause.trace_parent.clone(),
            },
        })
    }

    /// The same as told on a timeline of its tenant.
    #[must_use]
    pub fn on(mut self, timeline: u32) -> Self {
        self.metadata.timeline = timeline;
        self
    }

    /// The event inside, if it is an `E`.
    ///
    /// # Errors
    /// When the type is right but the data does not have its shape.
    pub fn open<E: Event>(&self) -> Result<Option<E>, serde_json::Error> {
        if self.event_type != E::TYPE {
            return Ok(None);
        }
        E::deserialize(&self.data).map(Some)
    }

    /// The cause of whatever follows from this event.
    #[must_use]
    pub fn as_cause(&self) -> Cause {
        Cause {
            correlation_id: self.correlation_id,
            causation_id: Some(self.event_id),
            trace_parent: self.metadata.trace_parent.clone(),
        }
    }

    /// `{service}.{entity}`: what versions are counted by.
    #[must_use]
    pub fn entity_type(&self) -> &str {
        self.event_type
            .rsplit_once('.')
            .map_or(self.event_type.as_str(), |(entity, _)| entity)
    }
}
