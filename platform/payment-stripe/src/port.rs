//! The port, method by method.

use async_trait::async_trait;
use berth_kernel::{PaymentId, RefundId};
use berth_payment::provider::{
    Account, Intent, NewAccount, NewIntent, NewRefund, Provider, ProviderError, ProviderRefund,
};

use crate::{
    accounts, intents, refunds,
    settings::{SettingsError, StripeSettings},
    transport::Transport,
};

/// Stripe, spoken to with one platform key. Cheap to share behind an `Arc`; keeps its connections.
pub struct Stripe {
    transport: Transport,
    refund_application_fee: bool,
}

impl Stripe {
    /// Checks the settings and makes the connection pool; calls nobody yet.
    ///
    /// # Errors
    /// [`SettingsError`] for a key or address that cannot be right, above all for a live key with
    /// an address that is not Stripe's.
    pub fn new(settings: &StripeSettings) -> Result<Self, SettingsError> {
        Ok(Self {
            transport: Transport::new(settings.check()?)?,
            refund_application_fee: settings.refund_application_fee,
        })
    }

    /// Whether the key moves real money.
    #[must_use]
    pub const fn live(&self) -> bool {
        self.transport.live()
    }
}

#[async_trait]
impl Provider for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    async fn create_account(&self, new: &NewAccount) -> Result<Account, ProviderError> {
        Ok(accounts::create(&self.transport, new).await?)
    }

    async fn account(&self, account: &str) -> Result<Account, ProviderError> {
        Ok(accounts::retrieve(&self.transport, account).await?)
    }

    async fn onboarding_url(
        &self,
        account: &str,
        return_url: &str,
        refresh_url: &str,
    ) -> Result<String, ProviderError> {
        Ok(accounts::onboarding_url(&self.transport, account, return_url, refresh_url).await?)
    }

    async fn create_intent(&self, new: &NewIntent) -> Result<Intent, ProviderError> {
        Ok(intents::create(&self.transport, new).await?)
    }

    async fn intent(&self, account: &str, intent: &str) -> Result<Intent, ProviderError> {
        Ok(intents::retrieve(&self.transport, account, intent).await?)
    }

    async fn find_intent(
        &self,
        account: &str,
        payment: PaymentId,
    ) -> Result<Option<Intent>, ProviderError> {
        Ok(intents::find(&self.transport, account, payment).await?)
    }

    async fn cancel_intent(
        &self,
        account: &str,
        intent: &str,
        idempotency_key: &str,
    ) -> Result<Intent, ProviderError> {
        Ok(intents::cancel(&self.transport, account, intent, idempotency_key).await?)
    }

    async fn refund(&self, new: &NewRefund) -> Result<ProviderRefund, ProviderError> {
        Ok(refunds::create(&self.transport, new, self.refund_application_fee).await?)
    }

    async fn find_refund(
        &self,
        account: &str,
        intent: &str,
        refund: RefundId,
    ) -> Result<Option<ProviderRefund>, ProviderError> {
        Ok(refunds::find(&self.transport, account, intent, refund).await?)
    }

    async fn refund_state(
        &self,
        account: &str,
        refund: &str,
    ) -> Result<ProviderRefund, ProviderError> {
        Ok(refunds::retrieve(&self.transport, account, refund).await?)
    }
}
