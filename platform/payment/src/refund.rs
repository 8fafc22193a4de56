//! Giving money back: the wish is a row first, then the provider is called under the wish's key,
//! then the outcome is taken over.

use berth_access::{Context, Permission};
use berth_events::payment::{RefundFailed, Refunded};
use berth_kernel::{Cause, Money, PaymentId, RefundId};
use berth_messaging::outbox;
use berth_tenancy::{IdempotencyKey, Tenant, TenantTx, idempotency::IdempotencyError};

use crate::{
    Error, Payments,
    accounts::was_put_back,
    model::{Payment, PaymentStatus, Refund, RefundState},
    provider::{NewRefund, ProviderError, ProviderRefund, RefundStatus},
    store::{self, Against},
};

/// A wish to give money back.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// What wished for it; the same wish is one refund.
    pub(crate) source: String,
    /// How much.
    pub(crate) share: Share,
    /// Why, for people.
    pub(crate) reason: String,
}

/// How much of a payment is to go back.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Share {
    /// Everything that is left.
    Left,
    /// So much, no more and no less.
    Exactly(Money),
    /// So much in all, with what went back before.
    UpTo(Money),
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
            share: amount.map_or(Share::Left, Share::Exactly),
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
        if self.is_elsewhere(tenant, &payment).await? {
            return Err(Error::Elsewhere);
        }
        let (left, gone) = split(&mut tx, &payment).await?;
        let amount = match wish.share {
            Share::Left => left,
            Share::Exactly(amount) => amount,
            Share::UpTo(due) => {
                let more = (due.amount - gone.amount).min(left.amount);
                Money::new(more, due.currency)
            }
        };
        if amount.currency != payment.amount.currency {
            return Err(Error::RefundRefused(
                "The payment was made in another currency.",
            ));
        }
        if !amount.is_payable() {
            return Err(Error::RefundRefused(
                "The last decimal of an amount in this currency must be 0.",
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
        tx.commit().await?;
        Ok(refund)
    }

    /// Carries a wish out, or finds out what became of it.
    pub(crate) async fn give_back(&self, tenant: &Tenant, refund: Refund) -> Result<Refund, Error> {
        if !refund.state.is_open() {
            return Ok(refund);
        }
        let mut tx = self.tenancy.begin(tenant).await?;
        let payment = store::find(&mut tx, refund.payment_id).await?;
        let payment = payment.ok_or(Error::NotFound)?;
        let elsewhere = self.is_elsewhere(tenant, &payment).await?;
        if let Some(known) = refund.provider_ref.clone().filter(|_| !elsewhere) {
            tx.rollback().await?;
            let answer = self.provider.refund_state(&payment.account_id, &known);
            let answer = answer.await;
            return self.take_over(tenant, refund, answer, None).await;
        }
        let (subject, now) = (format!("refund:{}", refund.id), self.clock.now());
        let (key, lost) = store::attempt_key(&mut tx, &subject, payment.id, "refund", now).await?;
        tx.commit().await?;
        let may_be_done = lost > 0 || was_put_back(tenant, &payment);
        let answer = match elsewhere {
            // Money of another's is not asked for.
            true => Err(ProviderError::Refused {
                code: "payment_elsewhere".to_owned(),
                message: Error::Elsewhere.to_string(),
            }),
            false => self.carry_out(&payment, &refund, &key, may_be_done).await,
        };
        self.take_over(tenant, refund, answer, Some(&key)).await
    }

    async fn carry_out(
        &self,
        payment: &Payment,
        refund: &Refund,
        key: &str,
        may_be_done: bool,
    ) -> Result<ProviderRefund, ProviderError> {
        let (account, intent) = (payment.account_id.as_str(), payment.provider_ref.as_deref());
        let intent = intent
            .ok_or_else(|| ProviderError::Unavailable("the intent is not noted yet".to_owned()))?;
        if may_be_done
            && let Some(found) = self
                .provider
                .find_refund(account, intent, refund.id)
                .await?
        {
            return Ok(found);
        }
        let new = NewRefund {
            account: account.to_owned(),
            intent: intent.to_owned(),
            amount: refund.amount,
            refund: refund.id,
            idempotency_key: key.to_owned(),
        };
        self.provider.refund(&new).await
    }

    /// Takes over what the provider says of a refund now: also that one which had arrived came back.
    pub(crate) async fn look_at_refund(
        &self,
        tenant: &Tenant,
        refund: Refund,
        account: &str,
        id: &str,
    ) -> Result<(), Error> {
        let answer = self.provider.refund_state(account, id).await;
        self.take_over(tenant, refund, answer, None).await.map(drop)
    }

    /// Takes over what the provider says of a refund, under the payment's row lock. `key` is that of
    /// the call that was answered, if one was made.
    async fn take_over(
        &self,
        tenant: &Tenant,
        refund: Refund,
        answer: Result<ProviderRefund, ProviderError>,
        key: Option<&str>,
    ) -> Result<Refund, Error> {
        let mut tx = self.tenancy.begin(tenant).await?;
        let mut payment = store::lock(&mut tx, refund.payment_id).await?;
        let mut refund = store::refund(&mut tx, refund.id)
            .await?
            .ok_or(Error::NotFound)?;
        let now = self.clock.now();
        if let Some(key) = key {
            let outcome = match &answer {
                Ok(_) => Some("OK"),
                Err(ProviderError::Refused { .. }) => Some("FAILED"),
                Err(ProviderError::Indeterminate(_)) => Some("INDETERMINATE"),
                Err(ProviderError::Unavailable(_)) => None,
            };
            if let Some(outcome) = outcome {
                store::attempted(&mut tx, key, outcome, now).await?;
            }
        }
        let was = refund.state;
        let lost = match answer {
            Ok(answer) => {
                follow(&mut refund, &answer);
                for effect in [&answer.balance, &answer.returned].into_iter().flatten() {
                    store::post(&mut tx, payment.id, effect, Against::Refunds, now).await?;
                }
                None
            }
            Err(ProviderError::Refused { code, .. }) if key.is_some() && was.is_open() => {
                refund.state = RefundState::Failed;
                refund.failure_code = Some(code);
                None
            }
            Err(lost) => Some(lost),
        };
        store::save_refund(&mut tx, &refund, now).await?;
        if refund.state != was {
            self.tell(&mut tx, &mut payment, &refund, was).await?;
        }
        tx.commit().await?;
        match lost {
            Some(lost) => Err(lost.into()),
            None => Ok(refund),
        }
    }

    /// Brings the payment in line with a refund whose state has moved, and tells of its end.
    async fn tell(
        &self,
        tx: &mut TenantTx,
        payment: &mut Payment,
        refund: &Refund,
        was: RefundState,
    ) -> Result<(), Error> {
        let given = refund.state == RefundState::Succeeded;
        if given {
            payment.refunded.amount += refund.amount.amount;
        } else if was == RefundState::Succeeded {
            payment.refunded.amount -= refund.amount.amount;
        } else if refund.state.is_open() {
            return Ok(());
        }
        let in_full = payment.refunded.amount >= payment.amount.amount;
        payment.status = match payment.refunded.amount {
            0 => PaymentStatus::Succeeded,
            _ if in_full => PaymentStatus::Refunded,
            _ => PaymentStatus::PartiallyRefunded,
        };
        payment.version += 1;
        payment.updated_at = self.clock.now();
        store::save_refunded(tx, payment).await?;
        let outcome = if given { "refunded" } else { "refund_failed" };
        metrics::counter!("berth_payments_total", "outcome" => outcome).increment(1);
        let (told, at, cause) = (payment.told(), payment.updated_at, refund.cause());
        if given {
            let event = Refunded {
                payment: told,
                refund_id: refund.id,
                refunded: refund.amount,
                in_full,
            };
            return Ok(outbox::push(tx, &event, at, &cause).await?);
        }
        tracing::error!(
            refund_id = %refund.id,
            payment_id = %payment.id,
            "refund {} failed: the money is the business's again and still due", refund.id
        );
        let event = RefundFailed {
            payment: told,
            refund_id: refund.id,
            amount_due: refund.amount,
            failure_code: refund.failure_code.clone(),
        };
        Ok(outbox::push(tx, &event, at, &cause).await?)
    }
}

/// Takes over what the provider says: forward only, but that what had arrived may come back.
fn follow(refund: &mut Refund, answer: &ProviderRefund) {
    let next = match answer.status {
        RefundStatus::Pending => RefundState::Pending,
        RefundStatus::Succeeded => RefundState::Succeeded,
        RefundStatus::Failed => RefundState::Failed,
        RefundStatus::Canceled => RefundState::Canceled,
    };
    let came_back = refund.state == RefundState::Succeeded && !next.is_open();
    if refund.state.is_open() || came_back {
        refund.state = next;
        refund.provider_ref = Some(answer.id.clone());
        refund.failure_code.clone_from(&answer.failure_code);
    }
}

/// What is neither given back nor on its way back, and what is.
async fn split(tx: &mut TenantTx, payment: &Payment) -> Result<(Money, Money), Error> {
    let currency = payment.amount.currency;
    if payment.status.is_open() || payment.status == PaymentStatus::Canceled {
        return Ok((Money::new(0, currency), Money::new(0, currency)));
    }
    let refunds = store::refunds(tx, payment.id).await?;
    let open = refunds.iter().filter(|refund| refund.state.is_open());
    let under_way: i64 = open.map(|refund| refund.amount.amount).sum();
    let gone = payment.refunded.amount + under_way;
    let left = payment.amount.amount - gone;
    Ok((Money::new(left, currency), Money::new(gone, currency)))
}
