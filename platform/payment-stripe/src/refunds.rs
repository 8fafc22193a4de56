//! Refunds, whole or in part, from the tenant's own balance.

use std::collections::HashMap;

use berth_kernel::RefundId;
use berth_payment::provider::{NewRefund, ProviderRefund};
use stripe_client_core::StripeRequest as _;
use stripe_core::refund::{CreateRefund, ListRefund, RetrieveRefund};

use crate::{
    amount,
    answers::{self, RefundPage},
    failure::Failure,
    transport::{Sender, Transport, id},
};

/// Make one call tell what the refund did to the balance, and what its coming back did.
const WITH_BALANCE: [&str; 2] = ["balance_transaction", "failure_balance_transaction"];

/// The metadata key a refund is found by.
const REFUND: &str = "refund_id";

/// A payment with more pages of a hundred refunds than this is none of ours.
const PAGES: usize = 20;

/// `fee_back` gives the platform's share back too, in proportion.
pub(crate) async fn create(
    stripe: &Transport,
    new: &NewRefund,
    fee_back: bool,
) -> Result<ProviderRefund, Failure> {
    let mut call = CreateRefund::new()
        .payment_intent(id(&new.intent)?)
        .amount(amount::to_stripe(new.amount)?)
        .metadata(HashMap::from([(REFUND.into(), new.refund.to_string())]))
        .expand(WITH_BALANCE.map(str::to_owned));
    if fee_back {
        call = call.refund_application_fee(true);
    }
    let sender = Sender {
        account: Some(id(&new.account)?),
        idempotency_key: Some(&new.idempotency_key),
    };
    stripe
        .ask::<answers::Refund>(call.build(), sender)
        .await?
        .read()
}

pub(crate) async fn retrieve(
    stripe: &Transport,
    account: &str,
    refund: &str,
) -> Result<ProviderRefund, Failure> {
    let call = RetrieveRefund::new(id(refund)?)
        .expand(WITH_BALANCE.map(str::to_owned))
        .build();
    let sender = reading(account)?;
    stripe.ask::<answers::Refund>(call, sender).await?.read()
}

/// Looks through the refunds of the intent.
pub(crate) async fn find(
    stripe: &Transport,
    account: &str,
    intent: &str,
    refund: RefundId,
) -> Result<Option<ProviderRefund>, Failure> {
    let (wanted, sender) = (refund.to_string(), reading(account)?);
    let mut after: Option<String> = None;
    for _ in 0..PAGES {
        let mut list = ListRefund::new().payment_intent(id(intent)?).limit(100);
        if let Some(after) = after.take() {
            list = list.starting_after(after);
        }
        let page: RefundPage = stripe.ask(list.build(), sender).await?;
        after = page
            .data
            .last()
            .filter(|_| page.has_more)
            .map(|refund| refund.id.clone());
        let ours = page
            .data
            .into_iter()
            .find(|refund| refund.metadata.get(REFUND) == Some(&wanted));
        if let Some(found) = ours {
            return retrieve(stripe, account, &found.id).await.map(Some);
        }
        if after.is_none() {
            return Ok(None);
        }
    }
    Err(Failure::unknown(format!(
        "too many refunds of {intent} to look through"
    )))
}

fn reading(account: &str) -> Result<Sender<'_>, Failure> {
    Ok(Sender {
        account: Some(id(account)?),
        idempotency_key: None,
    })
}
