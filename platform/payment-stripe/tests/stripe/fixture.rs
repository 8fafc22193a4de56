//! What the tests ask for.

use berth_kernel::{Money, PaymentId, TenantId};
use berth_payment::provider::{NewIntent, ProviderError};
use berth_payment_stripe::{Stripe, StripeSettings};

/// A client of the API at `url` with a test key.
pub fn stripe(url: &str) -> Stripe {
    let settings = StripeSettings {
        api_url: url.into(),
        timeout_seconds: 2,
        ..StripeSettings::new("sk_test_berth")
    };
    Stripe::new(&settings).unwrap()
}

/// 49.05 EUR with 1.50 for the platform.
pub fn new_intent(account: &str, payment: PaymentId) -> NewIntent {
    NewIntent {
        account: account.into(),
        payment,
        tenant: TenantId::new(),
        amount: Money::new(4_905, "EUR".parse().unwrap()),
        application_fee_minor: 150,
        description: "Yoga & tea, 7 March".into(),
        customer_email: "ada@example.org".into(),
        idempotency_key: format!("intent:{payment}:1"),
    }
}

/// The refusal's code; anything else fails the test.
pub fn refusal<T: std::fmt::Debug>(result: Result<T, ProviderError>) -> String {
    match result {
        Err(ProviderError::Refused { code, .. }) => code,
        other => panic!("not refused: {other:?}"),
    }
}
