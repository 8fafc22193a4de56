//! Events between services: written with the business change, carried by RabbitMQ, applied once
//! and in order.
//!
//! ```text
//! business tx ── outbox row ─▶ relay ─▶ ev ─▶ w.<consumer>.<shard> ─▶ worker ─▶ inbox row + effect
//!                                              ▲                       │ failed        (one tx)
//!                                              └── retry.<delay> ◀─────┤
//!                                                                      └▶ dlq.<consumer> ─▶ dead_letter
//! ```
//!
//! - [`outbox`]: an event is a row in the transaction that makes it true.
//! - [`relay`]: publishes rows with confirms; a crash publishes again, never less.
//! - [`worker`]: hands each event to its [`consumer`]. The inbox row commits with the effect, so an
//!   event published twice acts once; an entity's versions are applied one after the other; no
//!   tenant has more than its share in flight.
//! - [`rounds`]: which tenants are looked at for what falls due by time alone.
//! - [`dead_letter`]: what failed three times rests, can be looked at and replayed.
//!
//! Must not know: any event by name. To add a consumer, implement [`Consumer`] in your service
//! and name it in the server's wiring.

pub mod broker;
pub mod consumer;
pub mod dead_letter;
pub mod inbox;
mod lanes;
pub mod outbox;
mod queue;
pub mod relay;
pub mod rounds;
pub mod topology;
pub mod worker;

use std::error::Error as StdError;

use berth_kernel::{Kind, Problem};

pub use broker::Broker;
pub use consumer::{Consumer, Done, Work};

/// Why an event could not be handled, and what is to be done with it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It failed; counted, tried again, and laid to rest after three tries.
    #[error("handling failed: {0}")]
    Retry(#[source] Box<dyn StdError + Send + Sync>),
    /// Something it needs is down; tried again for as long as that lasts, not counted.
    #[error("something it needs is unavailable: {0}")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// It can never be handled; laid to rest at once.
    #[error("refused: {0}")]
    Reject(String),
}

impl Failure {
    /// A failure that is counted.
    pub fn retry(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Retry(error.into())
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        match problem.kind {
            Kind::Unavailable | Kind::TooMany => Self::Unavailable(problem.into()),
            _ => Self::Retry(problem.into()),
        }
    }
}

impl From<berth_tenancy::Error> for Failure {
    fn from(error: berth_tenancy::Error) -> Self {
        Problem::from(error).into()
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        berth_tenancy::Error::from(error).into()
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Reject(format!(
            "the event's data does not have its type's shape: {error}"
        ))
    }
}
