//! A tenant's account at the provider: opened, completed on the provider's pages, watched.

use berth_access::{Context, Permission};
use berth_kernel::TenantId;
use berth_tenancy::Tenant;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Payments,
    model::Payment,
    provider::{Account, NewAccount},
    store,
};

/// How far a tenant's account is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountState {
    /// The provider's id; none before it is opened.
    pub account_id: Option<String>,
    /// Whether it may take money.
    pub charges_enabled: bool,
    /// Whether its money reaches a bank.
    pub payouts_enabled: bool,
    /// Whether everything asked at first was filled in.
    pub details_submitted: bool,
    /// What the provider still wants to know.
    pub requirements: Vec<String>,
}

impl From<Account> for AccountState {
    fn from(account: Account) -> Self {
        Self {
            account_id: Some(account.id),
            charges_enabled: account.charges_enabled,
            payouts_enabled: account.payouts_enabled,
            details_submitted: account.details_submitted,
            requirements: account.requirements,
        }
    }
}

/// Whether what was done about a payment may not be known here: the tenant's data is of an earlier moment, or of
/// another tenant.
pub(crate) fn was_put_back(tenant: &Tenant, payment: &Payment) -> bool {
    let own = tenant.account.as_ref();
    tenant.timeline > 0 || own.is_none_or(|own| own.id != payment.account_id)
}

impl Payments {
    /// The page where the tenant opens or completes the account. The way back proves nothing:
    /// what counts is what the provider says of the account afterwards.
    ///
    /// # Errors
    /// [`Error::Provider`].
    pub async fn onboard(
        &self,
        ctx: &Context,
        return_url: &str,
        refresh_url: &str,
        email: &str,
    ) -> Result<String, Error> {
        ctx.authorize(Permission::PaymentAccountManage)
            .map_err(Error::Denied)?;
        let known = self.stored_account(ctx.tenant.id).await?;
        let account = match known.account_id {
            Some(account) => account,
            None => {
                let new = NewAccount {
                    tenant: ctx.tenant.id,
                    business_name: ctx.tenant.legal_name.clone(),
                    email: email.to_owned(),
                    // Two clicks open one account. No longer: the provider would repeat a fault
                    // for a day, and refuse the key with another administrator's address.
                    idempotency_key: format!(
                        "account:{}:{email}:{}",
                        ctx.tenant.id,
                        self.clock.now().as_second() / 60
                    ),
                };
                let account = self.provider.create_account(&new).await?;
                self.store_account(ctx.tenant.id, &account).await?;
                account.id
            }
        };
        Ok(self
            .provider
            .onboarding_url(&account, return_url, refresh_url)
            .await?)
    }

    /// How far the account is, as last heard: from the provider's webhooks, and from asking while it
    /// is not complete.
    ///
    /// # Errors
    /// What the database says.
    pub async fn account_state(&self, ctx: &Context) -> Result<AccountState, Error> {
        ctx.authorize(Permission::PaymentAccountManage)
            .map_err(Error::Denied)?;
        self.stored_account(ctx.tenant.id).await
    }

    /// Asks the provider how far the account is.
    ///
    /// # Errors
    /// [`Error::Provider`].
    pub async fn refresh_account(&self, ctx: &Context) -> Result<AccountState, Error> {
        ctx.authorize(Permission::PaymentAccountManage)
            .map_err(Error::Denied)?;
        let known = self.stored_account(ctx.tenant.id).await?;
        let Some(id) = known.account_id else {
            return Ok(known);
        };
        let account = self.provider.account(&id).await?;
        self.store_account(ctx.tenant.id, &account).await?;
        Ok(account.into())
    }

    /// Takes over what the provider says of an account some tenant has.
    pub(crate) async fn account_moved(&self, id: &str) -> Result<(), Error> {
        let Some(tenant) = self.tenant_of(id).await? else {
            return Ok(());
        };
        let account = self.provider.account(id).await?;
        self.store_account(tenant, &account).await
    }

    async fn stored_account(&self, tenant: TenantId) -> Result<AccountState, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let known = store::account(&mut tx, tenant).await?;
        tx.rollback().await?;
        Ok(known.unwrap_or_default())
    }

    async fn store_account(&self, tenant: TenantId, account: &Account) -> Result<(), Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        store::save_account(&mut tx, tenant, account).await?;
        tx.commit().await?;
        // Other processes hear of it from the database.
        self.tenancy.registry().refresh(tenant).await?;
        Ok(())
    }

    /// Whose account it is.
    pub(crate) async fn tenant_of(&self, account: &str) -> Result<Option<TenantId>, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let tenant = store::owner_of(&mut tx, account).await?;
        tx.rollback().await?;
        Ok(tenant)
    }

    /// Whether a payment was taken on an account that is another tenant's by now: this one is a copy, and what it would
    /// do there would be done with another's money. An account that nobody has is still what it paid on.
    pub(crate) async fn is_elsewhere(
        &self,
        tenant: &Tenant,
        payment: &Payment,
    ) -> Result<bool, Error> {
        let own = tenant.account.as_ref();
        if own.is_some_and(|own| own.id == payment.account_id) {
            return Ok(false);
        }
        let owner = self.tenant_of(&payment.account_id).await?;
        Ok(owner.is_some_and(|owner| owner != tenant.id))
    }

    /// Asks about accounts that are not complete and of which nothing was heard.
    pub(crate) async fn look_accounts_over(&self) -> Result<(), Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let unfinished = store::unfinished(&mut tx).await?;
        tx.rollback().await?;
        for (tenant, id) in unfinished {
            match self.provider.account(&id).await {
                Ok(account) => self.store_account(tenant, &account).await?,
                Err(error) => {
                    tracing::warn!(
                        account_id = id,
                        error = berth_kernel::chain(&error),
                        "account {id} is put off: {error}"
                    );
                    let mut tx = self.tenancy.begin_platform().await?;
                    store::put_off(&mut tx, tenant).await?;
                    tx.commit().await?;
                }
            }
        }
        Ok(())
    }
}
