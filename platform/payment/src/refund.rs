//! Giving money back: the wish is a row first, then the provider is called under the wish's key,
//! then the outcome is taken over.

use berth_access::{Context, Permission};
use berth_events::payment::Refunded;
use berth_kernel::{Cause, Money, PaymentId, RefundId};
use berth_messaging::outbox;
use berth_tenancy::{IdempotencyKey, Tenant, TenantTx, idempotency::IdempotencyError};

use crate::{
    Error, Payments,
    model::{Payment, PaymentStatus, Refund, RefundState},
    provider::{NewRefund, ProviderError, ProviderRefund, RefundStatus},
    store,
};

/// A wish to give money back.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// What wished for it; the same wish is one refund.
    pub(crate) source: String,
    /// How much; everything that is left if none is named.
    pub(crate) amount: Option<Money>,
    /// Why, for people.
    pub(crate) reason: String,
}

impl Payments {
    /// Gives money of a payment back: `amount`, or all that is left.
    ///
    /// # Errors
    /// [`Error::RefundRefused`] when that much is not left, [`Error::Idempotency`] when the key was
    /// used for another wish.
    pub async fn refund(
        &self,
        ctx: &Context,
        payment: PaymentId,
        amount: Option<Money>,
        reason: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Refund, Error> {
        ctx.authorize(Permission::PaymentRefund)
            .map_err(Error::Denied)?;
        // The same key is the same wish: the answer is the refund as it stands.
        let source = match key {
            Some(key) => format!("api:{}:{}:{}", key.principal, payment, key.key),
            None => format!("api:{}", RefundId::new()),
        };
        let wish = Wish {
            source,
            amount,
            reason: reason.to_owned(),
        };
        let refund = self.wish(&ctx.tenant, payment, &wish, &ctx.cause).await?;
        let same = amount.is_none_or(|amount| amount == refund.amount);
        if !same || refund.reason != wish.reason {
            return Err(IdempotencyError::Mismatch.into());
        }
        self.give_back(&ctx.tenant, refund).await
    }

    /// Writes a wish down, if that much is left; a wish known already is returned as it stands.
    pub(crate) async fn wish(
        &self,
        tenant: &Tenant,
        id: PaymentId,
        wish: &Wish,
        cause: &Cause,
    ) -> Result<Refund, Error> {
        let mut tx = self.tenancy.begin(tenant).await?;
        let payment = store::lock(&mut tx, id).await?;
        if let Some(refund) = store::refund_of(&mut tx, &wish.source).await? {
            return Ok(refund);
        }
        let left = left(&mut tx, &payment).await?;
        let amount = wish.amount.unwrap_or(left);
        if amount.currency != payment.amount.currency {
            return Err(Error::RefundRefused(
                "The payment was made in another currency.",
            ));
        }
        if amount.amount <= 0 || amount.amount > left.amount {
            return Err(Error::RefundRefused(
                "That much is not left of the payment.",
            ));
        }
        let refund = Refund {
            id: RefundId::new(),
            payment_id: id,
            source: wish.source.clone(),
            state: RefundState::Requested,
            amount,
            reason: wish.reason.clone(),
            provider_ref: None,
            failure_code: None,
            correlation_id: cause.correlation_id,
            created_at: self.clock.now(),
        };
        store::insert_refund(&mut tx, &refund).await?;
        let key = format!("refund:{}", refund.id);
        store::attempt(&mut tx, &key, id, "refund", refund.created_at).await?;
        tx.commit().await?;
        Ok(refund)
    }

    /// Carries a wish out, or finds out what became of it.
    pub(crate) async fn give_back(&self, tenant: &Tenant, refund: Refund) -> Result<Refund, Error> {
        if !refund.state.is_open() {
            return Ok(refund);
        }
        let payment = {
            let mut tx = self.tenancy.begin(tenant).await?;
            let payment = store::find(&mut tx, refund.payment_id)
                .await?
                .ok_or(Error::NotFound)?;
            tx.rollback().await?;
            payment
        };
        let answer = match &refund.provider_ref {
            Some(known) => self.provider.refund_state(&payment.account_id, known).await,
            None => self.provider.refund(&self.call(&payment, &refund)?).await,
        };
        self.take_over(tenant, refund, answer).await
    }

    fn call(&self, payment: &Payment, refund: &Refund) -> Result<NewRefund, Error> {
        Ok(NewRefund {
            account: payment.account_id.clone(),
            intent: payment.provider_ref.clone().ok_or(Error::NotFound)?,
            amount: refund.amount,
            refund: refund.id,
            idempotency_key: format!("refund:{}", refund.id),
        })
    }

    /// Takes over what the provider says of a refund, under the payment's row lock.
    pub(crate) async fn take_over(
        &self,
        tenant: &Tenant,
        refund: Refund,
        answer: Result<ProviderRefund, ProviderError>,
    ) -> Result<Refund, Error> {
        let mut tx = self.tenancy.begin(tenant).await?;
        let mut payment = store::lock(&mut tx, refund.payment_id).await?;
        let mut refund = store::refund_of(&mut tx, &refund.source)
            .await?
            .ok_or(Error::NotFound)?;
        if !refund.state.is_open() {
            return Ok(refund);
        }
        let now = self.clock.now();
        let key = format!("refund:{}", refund.id);
        let answer = match answer {
            Ok(answer) => answer,
            Err(ProviderError::Refused { code, .. }) => {
                refund.state = RefundState::Failed;
                refund.failure_code = Some(code);
                store::attempted(&mut tx, &key, "FAILED", now).await?;
                store::save_refund(&mut tx, &refund, now).await?;
                tx.commit().await?;
                return Ok(refund);
            }
            Err(lost) => {
                store::attempted(&mut tx, &key, "INDETERMINATE", now).await?;
                store::save_refund(&mut tx, &refund, now).await?;
                tx.commit().await?;
                return Err(lost.into());
            }
        };
        refund.provider_ref = Some(answer.id);
        refund.failure_code = answer.failure_code;
        refund.state = match answer.status {
            RefundStatus::Pending => RefundState::Pending,
            RefundStatus::Succeeded => RefundState::Succeeded,
            RefundStatus::Failed => RefundState::Failed,
            RefundStatus::Canceled => RefundState::Canceled,
        };
        store::attempted(&mut tx, &key, "OK", now).await?;
        store::save_refund(&mut tx, &refund, now).await?;
        if let Some(balance) = &answer.balance {
            store::post(&mut tx, payment.id, balance, now).await?;
        }
        if refund.state == RefundState::Succeeded {
            self.refunded(&mut tx, &mut payment, &refund).await?;
        }
        tx.commit().await?;
        Ok(refund)
    }

    async fn refunded(
        &self,
        tx: &mut TenantTx,
        payment: &mut Payment,
        refund: &Refund,
    ) -> Result<(), Error> {
        payment.refunded.amount += refund.amount.amount;
        let in_full = payment.refunded.amount >= payment.amount.amount;
        payment.status = if in_full {
            PaymentStatus::Refunded
        } else {
            PaymentStatus::PartiallyRefunded
        };
        payment.version += 1;
        payment.updated_at = self.clock.now();
        store::save(tx, payment, None).await?;
        let event = Refunded {
            payment: payment.told(),
            refund_id: refund.id,
            refunded: refund.amount,
            in_full,
        };
        metrics::counter!("berth_payments_total", "outcome" => "refunded").increment(1);
        Ok(outbox::push(tx, &event, payment.updated_at, &refund.cause()).await?)
    }
}

/// What is neither given back nor on its way back.
async fn left(tx: &mut TenantTx, payment: &Payment) -> Result<Money, Error> {
    if payment.status.is_open() || payment.status == PaymentStatus::Canceled {
        return Ok(Money::new(0, payment.amount.currency));
    }
    let refunds = store::refunds(tx, payment.id).await?;
    let open = refunds.iter().filter(|refund| refund.state.is_open());
    let under_way: i64 = open.map(|refund| refund.amount.amount).sum();
    let left = payment.amount.amount - payment.refunded.amount - under_way;
    Ok(Money::new(left, payment.amount.currency))
}
