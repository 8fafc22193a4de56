//! Refunds, whole or in part, from the tenant's own balance.

use std::collections::HashMap;

use berth_payment::provider::{NewRefund, ProviderRefund};
use stripe_client_core::StripeRequest as _;
use stripe_core::refund::{CreateRefund, RetrieveRefund};

use crate::{
    amount, answers,
    failure::Failure,
    transport::{Sender, Transport, id},
};

const WITH_BALANCE: &str = "balance_transaction";

/// `fee_back` gives the platform's share back too, in proportion.
pub(crate) async fn create(
    stripe: &Transport,
    new: &NewRefund,
    fee_back: bool,
) -> Result<ProviderRefund, Failure> {
    let mut call = CreateRefund::new()
        .payment_intent(id(&new.intent)?)
        .amount(amount::to_stripe(new.amount)?)
        .metadata(HashMap::from([(
            "refund_id".into(),
            new.refund.to_string(),
        )]))
        .expand([WITH_BALANCE.to_owned()]);
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
        .expand([WITH_BALANCE.to_owned()])
        .build();
    let sender = Sender {
        account: Some(id(account)?),
        idempotency_key: None,
    };
    stripe.ask::<answers::Refund>(call, sender).await?.read()
}
