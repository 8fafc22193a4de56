//! Money: asked, taken, given back, and accounted for. Owns payments, refunds, the ledger, the
//! tenants' payment accounts and the inbox of the provider's webhooks.
//!
//! Every call to the provider is written down before it is made and carries a key fixed in
//! advance; no transaction is open while it runs. What a webhook says is only a hint: the object
//! is fetched and a forward-only step taken under a row lock, so order and repetition of webhooks
//! do not matter. A payment's version moves exactly with the events it tells.
//!
//! Must not know bookings beyond the events they tell: each payment keeps the booking as told.
//!
//! To add a provider: implement [`provider::Provider`] in a crate of its own. To act on another
//! webhook: `inbox.rs`.

mod accounts;
mod charge;
mod days;
mod error;
mod inbox;
mod model;
pub mod provider;
mod reactions;
mod read;
mod reconcile;
mod refund;
mod settle;
mod signature;
mod store;

use std::sync::Arc;

use berth_kernel::{Clock, Secret};
use berth_tenancy::Tenancy;
use serde::Deserialize;

pub use accounts::AccountState;
pub use days::{DayRow, days};
pub use error::Error;
pub use model::{Payment, PaymentStatus, Refund, RefundState};
pub use reactions::Reactions;
pub use signature::SignatureError;

/// How payments are taken.
#[derive(Clone, Debug, Deserialize)]
pub struct PaymentSettings {
    /// The platform's share of each payment, in hundredths of a percent.
    #[serde(default = "default_fee")]
    pub application_fee_basis_points: u32,
    /// Secrets the provider signs webhooks with; the second is for the time of a change.
    pub webhook_secret: Secret,
    /// The second webhook secret.
    #[serde(default)]
    pub webhook_secret_previous: Option<Secret>,
    /// The key the browser uses; public.
    pub publishable_key: String,
    /// Whether real money moves; webhooks of the other kind are dropped.
    #[serde(default)]
    pub livemode: bool,
}

const fn default_fee() -> u32 {
    150
}

/// The payment service's commands and queries.
#[derive(Clone)]
pub struct Payments {
    tenancy: Tenancy,
    provider: Arc<dyn provider::Provider>,
    settings: Arc<PaymentSettings>,
    clock: Clock,
}

impl std::fmt::Debug for Payments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payments")
            .field("provider", &self.provider.name())
            .finish_non_exhaustive()
    }
}

impl Payments {
    /// Payments through `provider`.
    #[must_use]
    pub fn new(
        tenancy: Tenancy,
        provider: Arc<dyn provider::Provider>,
        settings: PaymentSettings,
        clock: Clock,
    ) -> Self {
        Self {
            tenancy,
            provider,
            settings: Arc::new(settings),
            clock,
        }
    }

    /// The key the browser uses; public.
    #[must_use]
    pub fn publishable_key(&self) -> &str {
        &self.settings.publishable_key
    }
}
