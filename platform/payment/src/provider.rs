//! The port to whoever moves the money, in the payment service's own words.
//!
//! An adapter (Stripe is one, in a crate of its own because it is slow to build) makes the call
//! once, under the key it is given, and says which of three things happened: done, refused, or
//! unknown. It never decides what follows.

use async_trait::async_trait;
use berth_kernel::{Money, PaymentId, RefundId, TenantId};
use serde_json::Value;

/// Moves money and knows what became of it.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// Its name in our tables: `stripe`.
    fn name(&self) -> &'static str;

    /// Opens an account for a tenant.
    async fn create_account(&self, new: &NewAccount) -> Result<Account, ProviderError>;

    /// The account as it stands.
    async fn account(&self, account: &str) -> Result<Account, ProviderError>;

    /// A page of the provider's where the tenant completes the account; good for a few minutes.
    async fn onboarding_url(
        &self,
        account: &str,
        return_url: &str,
        refresh_url: &str,
    ) -> Result<String, ProviderError>;

    /// Asks for money: a direct charge on the tenant's account.
    async fn create_intent(&self, new: &NewIntent) -> Result<Intent, ProviderError>;

    /// The intent as it stands, with what it did to the account's balance if it succeeded.
    async fn intent(&self, account: &str, intent: &str) -> Result<Intent, ProviderError>;

    /// The intent made for `payment`, if one was: for when a call's answer was lost.
    async fn find_intent(
        &self,
        account: &str,
        payment: PaymentId,
    ) -> Result<Option<Intent>, ProviderError>;

    /// Ends an unpaid intent. One that was paid in the meantime is refused; look it up then.
    async fn cancel_intent(
        &self,
        account: &str,
        intent: &str,
        idempotency_key: &str,
    ) -> Result<Intent, ProviderError>;

    /// Gives money back.
    async fn refund(&self, new: &NewRefund) -> Result<ProviderRefund, ProviderError>;

    /// The refund made of `intent` for our `refund`, if one was: for when a call's answer was lost.
    async fn find_refund(
        &self,
        account: &str,
        intent: &str,
        refund: RefundId,
    ) -> Result<Option<ProviderRefund>, ProviderError>;

    /// A refund as it stands.
    async fn refund_state(
        &self,
        account: &str,
        refund: &str,
    ) -> Result<ProviderRefund, ProviderError>;
}

/// A call did not give what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The provider understood and said no; asking the same again is useless.
    #[error("the payment provider refused: {code}: {message}")]
    Refused {
        /// The provider's code, as in `charge_already_refunded`.
        code: String,
        /// Its sentence.
        message: String,
    },
    /// The provider certainly did nothing: it could not be reached, or said to slow down.
    #[error("the payment provider is unavailable: {0}")]
    Unavailable(String),
    /// It may or may not have been done: the answer was lost, late, or no answer of the API.
    #[error("the payment provider's answer is unknown: {0}")]
    Indeterminate(String),
}

/// An account to be opened.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// For whom.
    pub tenant: TenantId,
    /// The business's name.
    pub business_name: String,
    /// Whom the provider writes to.
    pub email: String,
    /// The same key opens one account.
    pub idempotency_key: String,
}

/// A tenant's account as the provider sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The provider's id.
    pub id: String,
    /// Whether it may take money.
    pub charges_enabled: bool,
    /// Whether its money reaches a bank.
    pub payouts_enabled: bool,
    /// Whether the tenant filled in everything asked at first.
    pub details_submitted: bool,
    /// What the provider still wants to know: its field names.
    pub requirements: Vec<String>,
    /// Whether real money moves.
    pub livemode: bool,
}

/// Money to be asked for.
#[derive(Clone, Debug)]
pub struct NewIntent {
    /// On whose account.
    pub account: String,
    /// Our payment; kept in the intent's metadata as `payment_id`.
    pub payment: PaymentId,
    /// The tenant; kept in the metadata as `tenant_id`.
    pub tenant: TenantId,
    /// How much.
    pub amount: Money,
    /// The platform's share of it, in the same currency's minor units.
    pub application_fee_minor: i64,
    /// What it is for, on statements and in the provider's dashboard.
    pub description: String,
    /// Where the provider's own receipt would go; it sends none, ours goes there.
    pub customer_email: String,
    /// The same key asks once.
    pub idempotency_key: String,
}

/// Where an intent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntentStatus {
    /// Waits for the customer to pay, perhaps after a decline.
    RequiresPayment,
    /// Waits for the customer to prove who they are.
    RequiresAction,
    /// The bank is at it.
    Processing,
    /// Paid.
    Succeeded,
    /// Ended unpaid.
    Canceled,
}

/// Money asked for, as the provider sees it.
#[derive(Clone, Debug)]
pub struct Intent {
    /// The provider's id.
    pub id: String,
    /// Where it stands.
    pub status: IntentStatus,
    /// How much was asked.
    pub amount: Money,
    /// What the browser needs to pay it.
    pub client_secret: Option<String>,
    /// What paid it, for people: `visa •••• 4242`.
    pub method: Option<String>,
    /// Why the last try was declined.
    pub failure_code: Option<String>,
    /// The charge's effect on the account's balance, once it succeeded and is known.
    pub balance: Option<BalanceTransaction>,
    /// Whether real money moved.
    pub livemode: bool,
}

/// What a charge or refund did to an account's balance, in the account's own currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceTransaction {
    /// The provider's id.
    pub id: String,
    /// What came in (positive) or went out (negative) before fees.
    pub amount: Money,
    /// What the provider kept for processing.
    pub processing_fee_minor: i64,
    /// What the platform kept.
    pub platform_fee_minor: i64,
    /// What the balance changed by: `amount` less both fees.
    pub net_minor: i64,
}

/// Money to be given back.
#[derive(Clone, Debug)]
pub struct NewRefund {
    /// From whose account.
    pub account: String,
    /// Of which intent.
    pub intent: String,
    /// How much.
    pub amount: Money,
    /// Our refund's id; kept in the metadata as `refund_id`.
    pub refund: RefundId,
    /// The same key refunds once.
    pub idempotency_key: String,
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundStatus {
    /// On its way.
    Pending,
    /// Given back.
    Succeeded,
    /// Came back from the bank.
    Failed,
    /// Called off.
    Canceled,
}

/// A refund as the provider sees it.
#[derive(Clone, Debug)]
pub struct ProviderRefund {
    /// The provider's id.
    pub id: String,
    /// Where it stands.
    pub status: RefundStatus,
    /// How much.
    pub amount: Money,
    /// Why it failed.
    pub failure_code: Option<String>,
    /// Its effect on the account's balance, once known.
    pub balance: Option<BalanceTransaction>,
    /// The effect of its coming back, if it did.
    pub returned: Option<BalanceTransaction>,
}

/// The parts of a webhook event we act on; everything else is fetched anew.
#[derive(Clone, Debug)]
pub struct WebhookEvent {
    /// The provider's id of the event.
    pub id: String,
    /// Its type, as in `payment_intent.succeeded`.
    pub kind: String,
    /// The connected account it happened on.
    pub account: Option<String>,
    /// Whether real money moved.
    pub livemode: bool,
    /// The object as it was then.
    pub object: Value,
}
