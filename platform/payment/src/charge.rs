//! Asking for money: from a booking to an intent the customer can pay.

use berth_events::{booking::Booking, payment::Created};
use berth_kernel::{Cause, Money, PaymentId};
use berth_messaging::outbox;
use berth_tenancy::{Tenant, TenantTx};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Error, Payments,
    accounts::was_put_back,
    model::{Payment, PaymentStatus},
    provider::{Intent, NewIntent, ProviderError},
    settle, store,
};

/// How soon a payment is asked about when no word comes.
pub(crate) const FIRST_CHECK: SignedDuration = SignedDuration::from_secs(120);

impl Payments {
    /// The booking's payment, ready to be paid: made if there is none yet. Called any number of
    /// times, by the event and by an impatient client, it asks the provider once.
    ///
    /// # Errors
    /// [`Error::NothingToPay`], [`Error::NoAccount`], [`Error::Provider`].
    pub async fn ensure(
        &self,
        tenant: &Tenant,
        booking: &Booking,
        cause: &Cause,
    ) -> Result<Payment, Error> {
        let (payment, key, lost) = {
            let mut tx = self.tenancy.begin(tenant).await?;
            let payment = self.written_down(&mut tx, tenant, booking, cause).await?;
            if payment.status.is_open() && self.is_elsewhere(tenant, &payment).await? {
                tx.rollback().await?;
                let ended = self.call_off_intent(tenant, payment, "payment_elsewhere", cause);
                return ended.await;
            }
            if payment.status != PaymentStatus::Created {
                return Ok(payment);
            }
            let (subject, now) = (format!("charge:{}", payment.id), self.clock.now());
            let (key, lost) =
                store::attempt_key(&mut tx, &subject, payment.id, "create", now).await?;
            tx.commit().await?;
            (payment, key, lost)
        };
        let may_be_done = lost > 0 || was_put_back(tenant, &payment);
        let intent = match self.ask(tenant, &payment, &key, may_be_done).await {
            Ok(intent) => intent,
            Err(error) => return self.not_asked(tenant, &payment, &key, error, cause).await,
        };
        let mut tx = self.tenancy.begin(tenant).await?;
        store::attempted(&mut tx, &key, "OK", self.clock.now()).await?;
        let payment = self.asked(&mut tx, payment.id, &intent, cause).await?;
        tx.commit().await?;
        Ok(payment)
    }

    /// The payment's row, made if need be; committed before any call.
    async fn written_down(
        &self,
        tx: &mut TenantTx,
        tenant: &Tenant,
        booking: &Booking,
        cause: &Cause,
    ) -> Result<Payment, Error> {
        if let Some(payment) = store::of_booking(tx, booking.booking_id).await? {
            return Ok(payment);
        }
        if booking.price.amount <= 0 || booking.expires_at.is_none() {
            return Err(Error::NothingToPay);
        }
        let account = tenant.account.as_ref().ok_or(Error::NoAccount)?;
        let now = self.clock.now();
        let fee = booking
            .price
            .share(self.settings.application_fee_basis_points);
        let payment = Payment {
            id: PaymentId::new(),
            status: PaymentStatus::Created,
            version: 0,
            amount: booking.price,
            refunded: Money::new(0, booking.price.currency),
            fee_minor: fee.amount,
            account_id: account.id.clone(),
            provider_ref: None,
            client_secret: None,
            method: None,
            failure_code: None,
            booking: booking.clone(),
            expires_at: booking.expires_at,
            correlation_id: cause.correlation_id,
            created_at: now,
            updated_at: now,
        };
        store::insert(tx, &payment, self.provider.name()).await?;
        store::of_booking(tx, booking.booking_id)
            .await?
            .ok_or(Error::NotFound)
    }

    async fn ask(
        &self,
        tenant: &Tenant,
        payment: &Payment,
        key: &str,
        may_be_done: bool,
    ) -> Result<Intent, ProviderError> {
        if may_be_done
            && let Some(found) = self
                .provider
                .find_intent(&payment.account_id, payment.id)
                .await?
        {
            return Ok(found);
        }
        let booking = &payment.booking;
        let new = NewIntent {
            account: payment.account_id.clone(),
            payment: payment.id,
            tenant: tenant.id,
            amount: payment.amount,
            application_fee_minor: payment.fee_minor,
            description: format!("{} ({})", booking.product_name, booking.reference),
            customer_email: booking.customer.email.clone(),
            idempotency_key: key.to_owned(),
        };
        self.provider.create_intent(&new).await
    }

    /// The call failed: refused for good ends the payment, anything else is tried again.
    async fn not_asked(
        &self,
        tenant: &Tenant,
        payment: &Payment,
        key: &str,
        error: ProviderError,
        cause: &Cause,
    ) -> Result<Payment, Error> {
        let mut tx = self.tenancy.begin(tenant).await?;
        let now = self.clock.now();
        match &error {
            ProviderError::Refused { code, .. } => {
                store::attempted(&mut tx, key, "FAILED", now).await?;
                let mut locked = store::lock(&mut tx, payment.id).await?;
                if locked.status == PaymentStatus::Created {
                    locked.failure_code = Some(code.clone());
                    settle::end(&mut tx, &mut locked, code, now, cause).await?;
                }
            }
            ProviderError::Indeterminate(_) => {
                store::attempted(&mut tx, key, "INDETERMINATE", now).await?;
            }
            ProviderError::Unavailable(_) => {}
        }
        tx.commit().await?;
        Err(error.into())
    }

    /// Notes the intent and tells that the payment can be made; a second caller finds it noted.
    async fn asked(
        &self,
        tx: &mut TenantTx,
        id: PaymentId,
        intent: &Intent,
        cause: &Cause,
    ) -> Result<Payment, Error> {
        let mut payment = store::lock(tx, id).await?;
        if payment.status == PaymentStatus::Created {
            let now = self.clock.now();
            payment.provider_ref = Some(intent.id.clone());
            payment.client_secret.clone_from(&intent.client_secret);
            payment.status = PaymentStatus::RequiresPayment;
            payment.version += 1;
            payment.updated_at = now;
            store::save(tx, &payment, Some(next_check(&payment, now))).await?;
            outbox::push(
                tx,
                &Created {
                    payment: payment.told(),
                },
                now,
                cause,
            )
            .await?;
        }
        Ok(payment)
    }
}

/// When to ask about an open payment, if no word comes: soon, but at the end of its time for sure,
/// and at once when that was while the bank was at it and the bank has refused.
pub(crate) fn next_check(payment: &Payment, now: Timestamp) -> Timestamp {
    let soon = now + FIRST_CHECK;
    match payment.expires_at {
        Some(over) if over <= now && payment.status == PaymentStatus::Processing => soon,
        Some(expires_at) => expires_at.clamp(now, soon),
        None => soon,
    }
}
