//! Connections to systems outside, and what is passed on to them.
//!
//! Owns the tables `connection` and `conversion`. A tenant connects its TikTok pixel; from then on
//! each purchase that analytics tells of goes to TikTok's Events API, server to server, under the
//! id the pixel in the browser uses, by which TikTok counts the two as one.
//!
//! The call is made with no transaction open; its outcome and the event's being handled are then
//! noted in one. If the process ends in between, the same call is made again and TikTok, knowing
//! the id, counts nothing twice. What TikTok refuses for good is noted as refused: there is nothing
//! to be gained from asking again. What it cannot take just now waits.
//!
//! Must not know: how purchases are counted, who the customer is beyond a hash.
//!
//! An access token is kept for the call alone: it is in no answer and no log. To add a system
//! outside: a folder like [`tiktok`], a kind in the table, a line in [`reactions`].

mod connect;
mod error;
pub mod model;
mod queries;
pub mod reactions;
mod store;
pub mod tiktok;

use berth_tenancy::Tenancy;

pub use error::Error;
pub use model::{Connection, Conversion};
pub use reactions::Reactions;
pub use tiktok::{IntegrationSettings, TikTok};

/// The connections of all tenants; cheap to clone.
#[derive(Clone, Debug)]
pub struct Integrations {
    tenancy: Tenancy,
}

impl Integrations {
    /// Connections as `tenancy` keeps them.
    #[must_use]
    pub fn new(tenancy: Tenancy) -> Self {
        Self { tenancy }
    }
}
