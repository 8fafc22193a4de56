//! Connected accounts: the tenant is the merchant, Stripe collects what it must know and bears
//! the losses, the tenant pays Stripe's fees and has Stripe's whole dashboard.

use std::collections::HashMap;

use berth_payment::provider::{Account, NewAccount};
use stripe_client_core::{RequestBuilder, StripeRequest as _};
use stripe_connect::{
    account::{
        CreateAccount, CreateAccountBusinessProfile, CreateAccountController,
        CreateAccountControllerFees, CreateAccountControllerFeesPayer,
        CreateAccountControllerLosses, CreateAccountControllerLossesPayments,
        CreateAccountControllerRequirementCollection, CreateAccountControllerStripeDashboard,
        CreateAccountControllerStripeDashboardType, RetrieveAccount,
    },
    account_link::{CreateAccountLink, CreateAccountLinkType},
};

use crate::{
    answers,
    failure::Failure,
    transport::{Sender, Transport, id},
};

const PLATFORM: Sender<'_> = Sender {
    account: None,
    idempotency_key: None,
};

pub(crate) async fn create(stripe: &Transport, new: &NewAccount) -> Result<Account, Failure> {
    let call = CreateAccount::new()
        .business_profile(CreateAccountBusinessProfile {
            name: Some(new.business_name.clone()),
            ..CreateAccountBusinessProfile::new()
        })
        .email(&new.email)
        .controller(controller())
        .metadata(HashMap::from([(
            "tenant_id".into(),
            new.tenant.to_string(),
        )]))
        .build();
    let sender = Sender {
        idempotency_key: Some(&new.idempotency_key),
        ..PLATFORM
    };
    let account: answers::Account = stripe.ask(call, sender).await?;
    Ok(account.read(stripe.live()))
}

fn controller() -> CreateAccountController {
    CreateAccountController {
        stripe_dashboard: Some(CreateAccountControllerStripeDashboard {
            type_: Some(CreateAccountControllerStripeDashboardType::Full),
        }),
        fees: Some(CreateAccountControllerFees {
            payer: Some(CreateAccountControllerFeesPayer::Account),
        }),
        losses: Some(CreateAccountControllerLosses {
            payments: Some(CreateAccountControllerLossesPayments::Stripe),
        }),
        requirement_collection: Some(CreateAccountControllerRequirementCollection::Stripe),
    }
}

pub(crate) async fn retrieve(stripe: &Transport, account: &str) -> Result<Account, Failure> {
    let call: RequestBuilder = RetrieveAccount::new(id(account)?).build();
    let account: answers::Account = stripe.ask(call, PLATFORM).await?;
    Ok(account.read(stripe.live()))
}

/// A link is good once and for minutes, so a key would only bring back a used one.
pub(crate) async fn onboarding_url(
    stripe: &Transport,
    account: &str,
    return_url: &str,
    refresh_url: &str,
) -> Result<String, Failure> {
    let call = CreateAccountLink::new(id(account)?, CreateAccountLinkType::AccountOnboarding)
        .return_url(return_url)
        .refresh_url(refresh_url)
        .build();
    let link: answers::Link = stripe.ask(call, PLATFORM).await?;
    Ok(link.url)
}
