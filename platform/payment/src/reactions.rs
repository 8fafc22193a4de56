//! What the payment service does when bookings are made and cancelled.

use async_trait::async_trait;
use berth_events::booking;
use berth_kernel::{BookingId, Cause};
use berth_messaging::{Consumer, Done, Failure, Work};
use berth_tenancy::Tenant;

use crate::{
    Error, Payments,
    model::{Payment, PaymentStatus},
    provider::ProviderError,
    refund::{Share, Wish},
    settle, store,
};

/// The consumer of booking events.
#[derive(Debug)]
pub struct Reactions {
    payments: Payments,
}

impl Reactions {
    /// Reactions through `payments`.
    #[must_use]
    pub fn new(payments: Payments) -> Self {
        Self { payments }
    }
}

#[async_trait]
impl Consumer for Reactions {
    fn name(&self) -> &'static str {
        "payment"
    }

    fn subscriptions(&self) -> &'static [&'static str] {
        &["booking.booking.*"]
    }

    async fn handle(&self, work: &Work) -> Result<Done, Failure> {
        if let Some(event) = work.event.open::<booking::Created>()? {
            return self.created(work, &event.booking).await;
        }
        if let Some(event) = work.event.open::<booking::Cancelled>()? {
            self.payments
                .called_off(&work.tenant, &event, &work.cause())
                .await?;
        }
        if let Some(event) = work.event.open::<booking::Updated>()? {
            return self.changed(work, &event).await;
        }
        work.ignore().await
    }
}

impl Reactions {
    /// What it pays for is kept as it now is: receipt and mail speak of it.
    async fn changed(&self, work: &Work, event: &booking::Updated) -> Result<Done, Failure> {
        let mut tx = work.begin().await?;
        let longer = (event.change == booking::HOLD_PROLONGED).then_some(event.booking.expires_at);
        store::keep_booking(&mut tx, &event.booking, longer.flatten()).await?;
        work.finish(tx).await
    }

    async fn created(&self, work: &Work, booking: &booking::Booking) -> Result<Done, Failure> {
        match self
            .payments
            .ensure(&work.tenant, booking, &work.cause())
            .await
        {
            // Refused for good: the payment has ended and said so.
            Ok(_) | Err(Error::NothingToPay | Error::Provider(ProviderError::Refused { .. })) => {
                work.ignore().await
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Payments {
    /// The booking is off: an unpaid intent is ended, and of what was paid goes back what booking
    /// says is due. Booking alone decides that, also of money that came too late: two who decide
    /// would confirm and refund the same booking. Each step is safe to repeat, so that a crash
    /// between them is mended by coming again.
    async fn called_off(
        &self,
        tenant: &Tenant,
        event: &booking::Cancelled,
        cause: &Cause,
    ) -> Result<(), Error> {
        let booking = event.booking.booking_id;
        let payment = {
            let mut tx = self.tenancy.begin(tenant).await?;
            let payment = store::of_booking(&mut tx, booking).await?;
            tx.rollback().await?;
            payment
        };
        let Some(payment) = payment else {
            return Ok(());
        };
        if payment.status.is_open() {
            // If it turns out to be paid, that is told, and booking says what is due back.
            self.call_off_intent(tenant, payment, "canceled", cause)
                .await?;
            return Ok(());
        }
        let paid = matches!(
            payment.status,
            PaymentStatus::Succeeded | PaymentStatus::PartiallyRefunded
        );
        if !paid || event.refund_due.amount == 0 {
            return Ok(());
        }
        let wish = Wish {
            source: format!("cancel:{booking}"),
            share: Share::UpTo(event.refund_due),
            reason: format!("Booking {} cancelled", event.booking.reference),
        };
        match self.wish(tenant, payment.id, &wish, cause).await {
            Ok(refund) => self.give_back(tenant, refund).await.map(drop),
            // Staff gave that much back by hand before; or it is a copy, and the other gives it back.
            Err(Error::RefundRefused(_) | Error::Elsewhere) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Sees to it that a booking can no more be paid; `false` when it was paid, or the bank is at it.
    ///
    /// # Errors
    /// [`Error::Provider`] when that cannot be found out now.
    pub async fn stop(&self, tenant: &Tenant, booking: BookingId) -> Result<bool, Error> {
        let mut tx = self.tenancy.begin(tenant).await?;
        let payment = store::of_booking(&mut tx, booking).await?;
        tx.rollback().await?;
        let Some(payment) = payment else {
            return Ok(true);
        };
        let status = match payment.status {
            open if open.is_open() => {
                let cause = payment.cause();
                self.call_off_intent(tenant, payment, "hold_expired", &cause)
                    .await?
                    .status
            }
            ended => ended,
        };
        Ok(status == PaymentStatus::Canceled)
    }

    /// Ends an open payment. The provider is the referee: if it was paid in the meantime, it is
    /// paid; if the bank is at it, it stays open.
    pub(crate) async fn call_off_intent(
        &self,
        tenant: &Tenant,
        payment: Payment,
        reason: &str,
        cause: &Cause,
    ) -> Result<Payment, Error> {
        let elsewhere = self.is_elsewhere(tenant, &payment).await?;
        if payment.status == PaymentStatus::Processing && !elsewhere {
            // What the bank is at can no more be called off; it is asked about in its turn.
            return Ok(payment);
        }
        let account = payment.account_id.as_str();
        let known = match &payment.provider_ref {
            // What is another's is not called off: here it has ended, and there it goes on.
            _ if elsewhere => None,
            Some(known) => Some(known.clone()),
            // A call may have gone out whose answer was never seen.
            None => self
                .provider
                .find_intent(account, payment.id)
                .await?
                .map(|intent| intent.id),
        };
        let Some(known) = known else {
            let mut tx = self.tenancy.begin(tenant).await?;
            let mut locked = store::lock(&mut tx, payment.id).await?;
            if locked.status.is_open() {
                settle::end(&mut tx, &mut locked, reason, self.clock.now(), cause).await?;
            }
            tx.commit().await?;
            return Ok(locked);
        };
        let mut tx = self.tenancy.begin(tenant).await?;
        let (subject, now) = (format!("cancel:{}", payment.id), self.clock.now());
        let (key, _) = store::attempt_key(&mut tx, &subject, payment.id, "cancel", now).await?;
        tx.commit().await?;
        let canceled = self.provider.cancel_intent(account, &known, &key).await;
        let (intent, outcome) = match canceled {
            Ok(intent) => (intent, "OK"),
            Err(error @ ProviderError::Unavailable(_)) => return Err(error.into()),
            Err(ProviderError::Refused { .. }) => {
                (self.provider.intent(account, &known).await?, "FAILED")
            }
            Err(ProviderError::Indeterminate(_)) => (
                self.provider.intent(account, &known).await?,
                "INDETERMINATE",
            ),
        };
        let mut tx = self.tenancy.begin(tenant).await?;
        let now = self.clock.now();
        store::attempted(&mut tx, &key, outcome, now).await?;
        let payment = settle::settle(&mut tx, payment.id, &intent, now, cause, reason).await?;
        tx.commit().await?;
        Ok(payment)
    }
}
