//! What the tests ask for, and an emulator to ask.

use berth_kernel::{Money, PaymentId, TenantId};
use berth_payment::provider::{NewAccount, NewIntent, Provider as _, ProviderError};
use berth_payment_stripe::{Stripe, StripeSettings};
use berth_stripe_emulator::{Config, Emulator, Running};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

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
        tenant: "0192f0c1-2345-7abc-8def-0123456789ab".parse().unwrap(),
        amount: Money::new(4_905, "EUR".parse().unwrap()),
        application_fee_minor: 150,
        description: "Yoga & tea, 7 March".into(),
        customer_email: "ada@example.org".into(),
        idempotency_key: format!("intent:{payment}:1"),
    }
}

/// The refusal's code; anything else fails the test.
#[track_caller]
pub fn refusal<T: std::fmt::Debug>(result: Result<T, ProviderError>) -> String {
    match result {
        Err(ProviderError::Refused { code, .. }) => code,
        other => panic!("not refused: {other:?}"),
    }
}

/// An emulator, the adapter, and a bare client for what the adapter does not do.
pub struct Bench {
    pub emulator: Running,
    pub stripe: Stripe,
    pub http: Client,
}

impl Bench {
    pub async fn start() -> Self {
        let emulator = Emulator::start(Config::default()).await.unwrap();
        let stripe = stripe(&emulator.url);
        let http = Client::builder().no_proxy().build().unwrap();
        Self {
            emulator,
            stripe,
            http,
        }
    }

    pub fn new_account(&self) -> NewAccount {
        let tenant = TenantId::new();
        NewAccount {
            tenant,
            business_name: "Lagoon Yoga".into(),
            email: "owner@example.org".into(),
            idempotency_key: format!("account:{tenant}"),
        }
    }

    /// An account that takes money.
    pub async fn account(&self) -> String {
        let account = self
            .stripe
            .create_account(&self.new_account())
            .await
            .unwrap()
            .id;
        self.complete(&account).await;
        account
    }

    /// Goes through the account's onboarding.
    pub async fn complete(&self, account: &str) {
        self.control(&format!("accounts/{account}/complete"), &json!({}))
            .await;
    }

    /// Sets a fault.
    pub async fn fault(&self, fault: &Value) {
        self.control("faults", fault).await;
    }

    /// Puts the emulator's clock forward.
    pub async fn advance(&self, seconds: u64) {
        self.control("clock", &json!({ "advance_seconds": seconds }))
            .await;
    }

    async fn control(&self, path: &str, body: &Value) {
        let url = format!("{}/_emulator/{path}", self.emulator.url);
        let answer = self.http.post(url).json(body).send().await.unwrap();
        let status = answer.status();
        assert!(
            status.is_success(),
            "{path}: {status} {}",
            answer.text().await.unwrap()
        );
    }

    /// An intent with one try to pay it by `card`: account and intent.
    pub async fn paid(&self, card: &str) -> (String, String) {
        let account = self.account().await;
        let new = new_intent(&account, PaymentId::new());
        let intent = self.stripe.create_intent(&new).await.unwrap().id;
        self.pay(&account, &intent, card).await;
        (account, intent)
    }

    /// Does the customer's part; a decline is an answer too.
    pub async fn pay(&self, account: &str, intent: &str, card: &str) {
        let url = format!("{}/v1/payment_intents/{intent}/confirm", self.emulator.url);
        let form = [
            ("payment_method", card),
            ("return_url", "https://a.example/back"),
        ];
        let answer = self
            .sign(self.http.post(url), Some(account))
            .form(&form)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        assert!(
            matches!(status, 200 | 402),
            "{status} {}",
            answer.text().await.unwrap()
        );
    }

    /// An object as the API shows it.
    pub async fn get(&self, path: &str, account: Option<&str>) -> Value {
        let request = self.http.get(format!("{}{path}", self.emulator.url));
        let answer = self.sign(request, account).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    fn sign(&self, request: RequestBuilder, account: Option<&str>) -> RequestBuilder {
        let request = request.bearer_auth("sk_test_berth");
        match account {
            Some(account) => request.header("Stripe-Account", account),
            None => request,
        }
    }
}
