//! Taking over what the provider says of an intent: forward only, under the payment's row lock.

use berth_events::payment::{Failed, Processing, Succeeded};
use berth_kernel::{Cause, PaymentId};
use berth_messaging::outbox;
use berth_tenancy::TenantTx;
use jiff::{SignedDuration, Timestamp};

use crate::{
    Error, charge,
    model::{Payment, PaymentStatus},
    provider::Intent,
    store::{self, Against},
};

/// The longest a bank takes over a debit: Stripe gives up to 14 days for the slowest methods.
const BANK_TIME: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Brings a payment to where its intent is. Done twice, the second changes nothing.
pub(crate) async fn settle(
    tx: &mut TenantTx,
    id: PaymentId,
    intent: &Intent,
    now: Timestamp,
    cause: &Cause,
    end_reason: &str,
) -> Result<Payment, Error> {
    let mut payment = store::lock(tx, id).await?;
    let was = payment.status;
    let next = was.after(intent.status);
    if payment.provider_ref.is_none() {
        payment.provider_ref = Some(intent.id.clone());
        payment.client_secret.clone_from(&intent.client_secret);
    }
    payment.failure_code.clone_from(&intent.failure_code);
    match next {
        PaymentStatus::Succeeded if was != next => {
            succeed(tx, &mut payment, intent, now, cause).await?;
        }
        PaymentStatus::Canceled if was != next => {
            end(tx, &mut payment, end_reason, now, cause).await?;
        }
        _ if next.is_open() => {
            if next == PaymentStatus::Processing && was != next {
                payment.version += 1;
                let event = Processing {
                    payment: payment.told(),
                    until: now + BANK_TIME,
                };
                outbox::push(tx, &event, now, cause).await?;
            }
            payment.status = next;
            payment.updated_at = now;
            let check = charge::next_check(&payment, now);
            store::save(tx, &payment, Some(check)).await?;
        }
        _ => post_late(tx, &payment, intent, now).await?,
    }
    Ok(payment)
}

async fn succeed(
    tx: &mut TenantTx,
    payment: &mut Payment,
    intent: &Intent,
    now: Timestamp,
    cause: &Cause,
) -> Result<(), Error> {
    payment.status = PaymentStatus::Succeeded;
    payment.method.clone_from(&intent.method);
    payment.failure_code = None;
    payment.version += 1;
    payment.updated_at = now;
    // Without its effect on the balance the payment is asked about again until that is known.
    let check = intent.balance.is_none().then(|| now + charge::FIRST_CHECK);
    store::save(tx, payment, check).await?;
    if let Some(balance) = &intent.balance {
        store::post(tx, payment.id, balance, Against::Sales, now).await?;
    }
    let event = Succeeded {
        payment: payment.told(),
        method: payment.method.clone(),
    };
    outbox::push(tx, &event, now, cause).await?;
    metrics::counter!("berth_payments_total", "outcome" => "succeeded").increment(1);
    tracing::info!(payment_id = %payment.id, "payment {} succeeded", payment.id);
    Ok(())
}

/// Ends an unpaid payment and tells of it.
pub(crate) async fn end(
    tx: &mut TenantTx,
    payment: &mut Payment,
    reason: &str,
    now: Timestamp,
    cause: &Cause,
) -> Result<(), Error> {
    payment.status = PaymentStatus::Canceled;
    payment.version += 1;
    payment.updated_at = now;
    store::save(tx, payment, None).await?;
    let event = Failed {
        payment: payment.told(),
        reason: reason.to_owned(),
    };
    outbox::push(tx, &event, now, cause).await?;
    metrics::counter!("berth_payments_total", "outcome" => "failed").increment(1);
    Ok(())
}

/// Posts a sale whose effect on the balance was not known when it was made, or asks again later.
async fn post_late(
    tx: &mut TenantTx,
    payment: &Payment,
    intent: &Intent,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(balance) = &intent.balance else {
        return store::check_again(tx, payment.id, now + charge::FIRST_CHECK).await;
    };
    store::post(tx, payment.id, balance, Against::Sales, now).await?;
    store::checked(tx, payment.id).await
}
