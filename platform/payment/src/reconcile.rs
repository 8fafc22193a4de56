//! Asking the provider when no word comes from it, and ending what was not paid in time.

use std::time::Duration;

use berth_tenancy::Tenant;
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Payments, charge,
    model::{Payment, PaymentStatus},
    settle, store,
};

/// How often payments are looked over.
const ROUND: Duration = Duration::from_secs(2);

impl Payments {
    /// Looks payments of all tenants over, until cancelled.
    pub async fn reconcile(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(ROUND) => {}
                () = stop.cancelled() => return,
            }
            if let Err(error) = self.reconcile_once().await {
                tracing::warn!(error = %error, "payments were not looked over, will try again: {error}");
            }
        }
    }

    /// One round over all tenants.
    ///
    /// # Errors
    /// What the database says; the provider's silence only puts a payment off.
    pub async fn reconcile_once(&self) -> Result<(), Error> {
        self.look_accounts_over().await?;
        for id in self.tenancy.registry().active().await? {
            if let Ok(Some(tenant)) = self.tenancy.registry().get(id).await {
                // The others' payments are no less due.
                if let Err(error) = self.reconcile_tenant(&tenant).await {
                    tracing::warn!(
                        tenant_id = %id,
                        error = %error,
                        "payments of {id} were not looked over, will try again: {error}"
                    );
                }
            }
        }
        Ok(())
    }

    async fn reconcile_tenant(&self, tenant: &Tenant) -> Result<(), Error> {
        let mut tx = self.tenancy.begin(tenant).await?;
        let due = store::due(&mut tx).await?;
        let refunds = store::open_refunds(&mut tx).await?;
        tx.rollback().await?;
        for payment in due {
            let id = payment.id;
            if let Err(error) = self.look_over(tenant, payment).await {
                tracing::warn!(payment_id = %id, error = %error, "payment {id} is put off: {error}");
                let mut tx = self.tenancy.begin(tenant).await?;
                let later = self.clock.now() + charge::FIRST_CHECK;
                store::check_again(&mut tx, id, later).await?;
                tx.commit().await?;
            }
        }
        for refund in refunds {
            let id = refund.id;
            if let Err(error) = self.give_back(tenant, refund).await {
                tracing::warn!(refund_id = %id, error = %error, "refund {id} is put off: {error}");
            }
        }
        Ok(())
    }

    async fn look_over(&self, tenant: &Tenant, payment: Payment) -> Result<(), Error> {
        let (now, cause) = (self.clock.now(), payment.cause());
        let over = payment
            .expires_at
            .is_some_and(|expires_at| expires_at <= now);
        // What the bank is at is only asked about: it can no more be called off.
        if payment.status.is_open() && payment.status != PaymentStatus::Processing && over {
            return self
                .call_off_intent(tenant, payment, "hold_expired", &cause)
                .await
                .map(drop);
        }
        let Some(known) = payment.provider_ref else {
            let mut tx = self.tenancy.begin(tenant).await?;
            let next = payment.expires_at.unwrap_or(now + charge::FIRST_CHECK);
            store::check_again(&mut tx, payment.id, next).await?;
            return Ok(tx.commit().await?);
        };
        let intent = self.provider.intent(&payment.account_id, &known).await?;
        let mut tx = self.tenancy.begin(tenant).await?;
        settle::settle(&mut tx, payment.id, &intent, now, &cause, "canceled").await?;
        Ok(tx.commit().await?)
    }
}
