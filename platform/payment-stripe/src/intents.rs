//! Payment intents: direct charges on the tenant's account, the platform's share taken as an
//! application fee.

use std::collections::HashMap;

use berth_kernel::{Money, PaymentId};
use berth_payment::provider::{Intent, NewIntent};
use stripe_client_core::StripeRequest as _;
use stripe_core::payment_intent::{
    CancelPaymentIntent, CreatePaymentIntent, CreatePaymentIntentAutomaticPaymentMethods,
    ListPaymentIntent, RetrievePaymentIntent,
};
use stripe_types::{Currency, RangeQueryTs};

use crate::{
    amount,
    answers::{self, IntentPage, ListedIntent},
    failure::Failure,
    transport::{Sender, Transport, id},
};

/// Makes one call tell what a success did to the balance.
const WITH_BALANCE: &str = "latest_charge.balance_transaction";

/// The metadata key an intent is found by.
const PAYMENT: &str = "payment_id";

/// How far our clock and Stripe's may differ, in seconds.
const SKEW: i64 = 300;

/// A search that needs more pages of a hundred than this found no end.
const PAGES: usize = 50;

pub(crate) async fn create(stripe: &Transport, new: &NewIntent) -> Result<Intent, Failure> {
    let Money { currency, .. } = new.amount;
    let mut call = CreatePaymentIntent::new(amount::to_stripe(new.amount)?, wire(currency))
        .automatic_payment_methods(CreatePaymentIntentAutomaticPaymentMethods::new(true))
        .description(&new.description)
        .metadata(HashMap::from([
            (PAYMENT.into(), new.payment.to_string()),
            ("tenant_id".into(), new.tenant.to_string()),
        ]))
        .expand([WITH_BALANCE.to_owned()]);
    // `receipt_email` stays out: it would make Stripe send a receipt beside ours.
    let fee = amount::fee_to_stripe(new.application_fee_minor, currency)?;
    if fee != 0 {
        call = call.application_fee_amount(fee);
    }
    let sender = on(&new.account, Some(&new.idempotency_key))?;
    stripe
        .ask::<answers::Intent>(call.build(), sender)
        .await?
        .read()
}

pub(crate) async fn retrieve(
    stripe: &Transport,
    account: &str,
    intent: &str,
) -> Result<Intent, Failure> {
    let call = RetrievePaymentIntent::new(id(intent)?)
        .expand([WITH_BALANCE.to_owned()])
        .build();
    stripe
        .ask::<answers::Intent>(call, on(account, None)?)
        .await?
        .read()
}

pub(crate) async fn cancel(
    stripe: &Transport,
    account: &str,
    intent: &str,
    idempotency_key: &str,
) -> Result<Intent, Failure> {
    let call = CancelPaymentIntent::new(id(intent)?)
        .expand([WITH_BALANCE.to_owned()])
        .build();
    let sender = on(account, Some(idempotency_key))?;
    stripe.ask::<answers::Intent>(call, sender).await?.read()
}

/// Looks through the account's intents since the payment came to be. Stripe's search by metadata
/// would be one call, but lags behind by a minute and more, and "there is none" must be true.
pub(crate) async fn find(
    stripe: &Transport,
    account: &str,
    payment: PaymentId,
) -> Result<Option<Intent>, Failure> {
    let (wanted, sender) = (payment.to_string(), on(account, None)?);
    let mut best: Option<ListedIntent> = None;
    let mut after: Option<String> = None;
    for _ in 0..PAGES {
        let page: IntentPage = stripe.ask(listing(payment, after.take()), sender).await?;
        after = page
            .data
            .last()
            .filter(|_| page.has_more)
            .map(|intent| intent.id.clone());
        let ours = page
            .data
            .into_iter()
            .filter(|intent| intent.metadata.get(PAYMENT) == Some(&wanted));
        best = best
            .into_iter()
            .chain(ours)
            .min_by_key(|intent| rank(&intent.status));
        if after.is_none() {
            return match best {
                Some(found) => retrieve(stripe, account, &found.id).await.map(Some),
                None => Ok(None),
            };
        }
    }
    Err(Failure::unknown(format!(
        "too many intents since {payment} to look through"
    )))
}

fn listing(payment: PaymentId, after: Option<String>) -> stripe_client_core::RequestBuilder {
    let mut list = ListPaymentIntent::new().limit(100);
    // The id carries the time of its making.
    if let Some(made) = payment.uuid().get_timestamp() {
        let seconds = i64::try_from(made.to_unix().0).unwrap_or(0);
        list = list.created(RangeQueryTs::gte(seconds.saturating_sub(SKEW)));
    }
    if let Some(after) = after {
        list = list.starting_after(after);
    }
    list.build()
}

/// Among several intents of one payment the one that moved money matters most.
fn rank(status: &str) -> u8 {
    match status {
        "succeeded" => 0,
        "processing" | "requires_capture" => 1,
        "canceled" => 3,
        _ => 2,
    }
}

fn on<'a>(account: &'a str, key: Option<&'a str>) -> Result<Sender<'a>, Failure> {
    Ok(Sender {
        account: Some(id(account)?),
        idempotency_key: key,
    })
}

fn wire(currency: berth_kernel::Currency) -> Currency {
    match currency.code().to_ascii_lowercase().parse() {
        Ok(currency) => currency,
        Err(never) => match never {},
    }
}
