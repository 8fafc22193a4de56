//! A provider that opens no account and moves no money: it only says how accounts are, and keeps count
//! of who asked.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use berth_kernel::{PaymentId, RefundId};
use berth_payment::provider::{
    Account, Intent, NewAccount, NewIntent, NewRefund, Provider, ProviderError, ProviderRefund,
};

#[derive(Default)]
pub struct Teller {
    asked: Mutex<Vec<String>>,
}

impl Teller {
    /// The accounts asked about since the last look.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn none<T>() -> Result<T, ProviderError> {
    Err(ProviderError::Unavailable("not in these tests".to_owned()))
}

#[async_trait]
impl Provider for Teller {
    fn name(&self) -> &'static str {
        "stripe"
    }

    async fn create_account(&self, _: &NewAccount) -> Result<Account, ProviderError> {
        none()
    }

    async fn account(&self, account: &str) -> Result<Account, ProviderError> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push(account.to_owned());
        Ok(Account {
            id: account.to_owned(),
            charges_enabled: true,
            payouts_enabled: true,
            details_submitted: true,
            requirements: Vec::new(),
            livemode: false,
        })
    }

    async fn onboarding_url(&self, _: &str, _: &str, _: &str) -> Result<String, ProviderError> {
        none()
    }

    async fn create_intent(&self, _: &NewIntent) -> Result<Intent, ProviderError> {
        none()
    }

    async fn intent(&self, _: &str, _: &str) -> Result<Intent, ProviderError> {
        none()
    }

    async fn find_intent(&self, _: &str, _: PaymentId) -> Result<Option<Intent>, ProviderError> {
        none()
    }

    async fn cancel_intent(&self, _: &str, _: &str, _: &str) -> Result<Intent, ProviderError> {
        none()
    }

    async fn refund(&self, _: &NewRefund) -> Result<ProviderRefund, ProviderError> {
        none()
    }

    async fn find_refund(
        &self,
        _: &str,
        _: &str,
        _: RefundId,
    ) -> Result<Option<ProviderRefund>, ProviderError> {
        none()
    }

    async fn refund_state(&self, _: &str, _: &str) -> Result<ProviderRefund, ProviderError> {
        none()
    }
}
