//! Asking the provider when no word comes from it, and ending what was not paid in time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use berth_messaging::rounds::Rounds;
use berth_tenancy::Tenant;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Payments, charge,
    model::{Payment, PaymentStatus},
    settle, store,
};

/// How often payments are looked over.
const ROUND: Duration = Duration::from_secs(2);

/// How long one tenant's may take in a round: the others wait for its end.
const BUDGET: Duration = Duration::from_secs(10);

impl Payments {
    /// Looks payments of all tenants over, until cancelled.
    pub async fn reconcile(&self, stop: CancellationToken) {
        let mut rounds = Rounds::new(self.tenancy.clone(), ROUND);
        loop {
            tokio::select! {
                () = tokio::time::sleep(ROUND) => {}
                () = stop.cancelled() => return,
            }
            if let Err(error) = self.reconcile_once(&mut rounds).await {
                tracing::warn!(
                    error = berth_kernel::chain(&error),
                    "payments were not looked over, will try again: {error}"
                );
            }
        }
    }

    /// One round.
    ///
    /// # Errors
    /// What the database says; the provider's silence only puts a payment off.
    pub async fn reconcile_once(&self, rounds: &mut Rounds) -> Result<(), Error> {
        self.look_accounts_over().await?;
        let look = |tenant: Arc<Tenant>| async move { self.reconcile_tenant(&tenant).await };
        Ok(rounds.go(look).await?)
    }

    /// Does what is due at a tenant; when something will be.
    async fn reconcile_tenant(&self, tenant: &Tenant) -> Result<Option<Timestamp>, Error> {
        let mut tx = self.tenancy.begin(tenant).await?;
        let next = store::next_due(&mut tx).await?;
        if next.is_none_or(|next| next > Timestamp::now()) {
            tx.rollback().await?;
            return Ok(next);
        }
        let due = store::due(&mut tx).await?;
        let refunds = store::open_refunds(&mut tx).await?;
        tx.rollback().await?;
        let began = Instant::now();
        for payment in due {
            if began.elapsed() > BUDGET {
                break;
            }
            let id = payment.id;
            if let Err(error) = self.look_over(tenant, payment).await {
                tracing::warn!(payment_id = %id, error = berth_kernel::chain(&error), "payment {id} is put off: {error}");
                let mut tx = self.tenancy.begin(tenant).await?;
                let later = self.clock.now() + charge::FIRST_CHECK;
                store::check_again(&mut tx, id, later).await?;
                tx.commit().await?;
            }
        }
        for refund in refunds {
            if began.elapsed() > BUDGET {
                break;
            }
            let id = refund.id;
            if let Err(error) = self.give_back(tenant, refund).await {
                tracing::warn!(refund_id = %id, error = berth_kernel::chain(&error), "refund {id} is put off: {error}");
            }
        }
        // There may be more, and more by now.
        Ok(Some(Timestamp::now()))
    }

    async fn look_over(&self, tenant: &Tenant, payment: Payment) -> Result<(), Error> {
        let (now, cause) = (self.clock.now(), payment.cause());
        let over = payment
            .expires_at
            .is_some_and(|expires_at| expires_at <= now);
        if payment.status.is_open() && self.is_elsewhere(tenant, &payment).await? {
            return self
                .call_off_intent(tenant, payment, "payment_elsewhere", &cause)
                .await
                .map(drop);
        }
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
