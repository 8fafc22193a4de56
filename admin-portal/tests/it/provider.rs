//! A payment provider that keeps its books in memory.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use async_trait::async_trait;
use berth_kernel::{PaymentId, RefundId};
use berth_payment::provider::{
    Account, Intent, IntentStatus, NewAccount, NewIntent, NewRefund, Provider, ProviderError,
    ProviderRefund, RefundStatus,
};

use crate::{House, admin};

/// The provider of one test.
#[derive(Default)]
pub(crate) struct Till {
    /// Whether accounts are complete.
    pub(crate) complete: AtomicBool,
    /// Whether nothing answers.
    pub(crate) down: AtomicBool,
    /// How many refunds were carried out, by their keys.
    pub(crate) refunds: Mutex<Vec<String>>,
    /// How many onboarding links were made.
    pub(crate) links: AtomicU32,
    paid: AtomicBool,
}

impl Till {
    /// Opens and completes the first tenant's account.
    pub(crate) async fn connect(&self, house: &House) {
        self.complete.store(true, Ordering::SeqCst);
        let ctx = house.platform.context(&house.alpha(), admin());
        house
            .payments
            .onboard(&ctx, "http://a/", "http://b/", "boss@example.org")
            .await
            .unwrap();
        house.payments.refresh_account(&ctx).await.unwrap();
    }

    /// All intents are paid from now on.
    pub(crate) fn pay(&self) {
        self.paid.store(true, Ordering::SeqCst);
    }

    fn answers(&self) -> Result<(), ProviderError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(ProviderError::Unavailable("no route".into()));
        }
        Ok(())
    }

    fn account_named(&self, id: &str) -> Account {
        let complete = self.complete.load(Ordering::SeqCst);
        Account {
            id: id.to_owned(),
            charges_enabled: complete,
            payouts_enabled: complete,
            details_submitted: complete,
            requirements: if complete {
                vec![]
            } else {
                vec!["external_account".into()]
            },
            livemode: false,
        }
    }
}

#[async_trait]
impl Provider for Till {
    fn name(&self) -> &'static str {
        "stripe"
    }

    async fn create_account(&self, new: &NewAccount) -> Result<Account, ProviderError> {
        self.answers()?;
        Ok(self.account_named(&format!("acct_{}", new.tenant.uuid().simple())))
    }

    async fn account(&self, account: &str) -> Result<Account, ProviderError> {
        self.answers()?;
        Ok(self.account_named(account))
    }

    async fn onboarding_url(
        &self,
        account: &str,
        return_url: &str,
        refresh_url: &str,
    ) -> Result<String, ProviderError> {
        self.answers()?;
        let number = self.links.fetch_add(1, Ordering::SeqCst);
        Ok(format!(
            "http://127.0.0.1:12111/{account}/{number}?back={return_url}&again={refresh_url}"
        ))
    }

    async fn create_intent(&self, new: &NewIntent) -> Result<Intent, ProviderError> {
        self.answers()?;
        Ok(Intent {
            id: format!("pi_{}", new.payment.uuid().simple()),
            status: IntentStatus::RequiresPayment,
            amount: new.amount,
            client_secret: Some("pi_secret_of_the_intent".into()),
            method: None,
            failure_code: None,
            balance: None,
            livemode: false,
        })
    }

    async fn intent(&self, _account: &str, intent: &str) -> Result<Intent, ProviderError> {
        self.answers()?;
        let paid = self.paid.load(Ordering::SeqCst);
        Ok(Intent {
            id: intent.to_owned(),
            status: if paid {
                IntentStatus::Succeeded
            } else {
                IntentStatus::RequiresPayment
            },
            amount: berth_kernel::Money::new(8_950, berth_kernel::Currency::EUR),
            client_secret: Some("pi_secret_of_the_intent".into()),
            method: paid.then(|| "visa •••• 4242".into()),
            failure_code: None,
            balance: None,
            livemode: false,
        })
    }

    async fn find_intent(
        &self,
        _account: &str,
        _payment: PaymentId,
    ) -> Result<Option<Intent>, ProviderError> {
        self.answers()?;
        Ok(None)
    }

    async fn cancel_intent(
        &self,
        _account: &str,
        intent: &str,
        _idempotency_key: &str,
    ) -> Result<Intent, ProviderError> {
        let intent = self.intent("", intent).await?;
        Ok(Intent {
            status: IntentStatus::Canceled,
            ..intent
        })
    }

    async fn refund(&self, new: &NewRefund) -> Result<ProviderRefund, ProviderError> {
        self.answers()?;
        let mut refunds = self.refunds.lock().unwrap_or_else(PoisonError::into_inner);
        if !refunds.contains(&new.idempotency_key) {
            refunds.push(new.idempotency_key.clone());
        }
        Ok(ProviderRefund {
            id: format!("re_{}", new.refund.uuid().simple()),
            status: RefundStatus::Succeeded,
            amount: new.amount,
            failure_code: None,
            balance: None,
            returned: None,
        })
    }

    async fn find_refund(
        &self,
        _account: &str,
        _intent: &str,
        _refund: RefundId,
    ) -> Result<Option<ProviderRefund>, ProviderError> {
        Ok(None)
    }

    async fn refund_state(
        &self,
        _account: &str,
        _refund: &str,
    ) -> Result<ProviderRefund, ProviderError> {
        Err(ProviderError::Unavailable("never asked for here".into()))
    }
}
