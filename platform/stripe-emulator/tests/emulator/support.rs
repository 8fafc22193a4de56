//! An emulator for one test, and short words for what tests do with it.

use std::time::Duration;

use anyhow::{Context, ensure};
use berth_stripe_emulator::{Config, Emulator, Running};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

pub(crate) const SECRET_KEY: &str = "sk_test_tests";

/// Fast enough for tests; otherwise as usual.
pub(crate) fn config() -> Config {
    Config {
        first_retry: Duration::from_millis(20),
        longest_retry: Duration::from_millis(100),
        settle_after: Duration::from_millis(150),
        ..Config::default()
    }
}

/// A running emulator and a client of it.
pub(crate) struct Bench {
    pub(crate) emulator: Running,
    pub(crate) http: Client,
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Reply {
    /// The object, if it is one.
    pub(crate) fn ok(self) -> anyhow::Result<Value> {
        ensure!(self.status == 200, "{}: {}", self.status, self.text);
        Ok(self.body)
    }

    pub(crate) fn error_code(&self) -> Option<&str> {
        self.body["error"]["code"].as_str()
    }
}

/// A text field of an object.
pub(crate) fn text<'v>(value: &'v Value, field: &str) -> anyhow::Result<&'v str> {
    value[field]
        .as_str()
        .with_context(|| format!("no {field} in {value}"))
}

pub(crate) async fn send(request: RequestBuilder) -> anyhow::Result<Reply> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Reply {
        status,
        headers,
        body,
        text,
    })
}

impl Bench {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::with(config()).await
    }

    pub(crate) async fn with(config: Config) -> anyhow::Result<Self> {
        let emulator = Emulator::start(config).await?;
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .build()?;
        Ok(Self { emulator, http })
    }

    /// A request with the secret key, on `account` unless that is empty.
    pub(crate) fn request(&self, method: Method, path: &str, account: &str) -> RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}{path}", self.emulator.url))
            .bearer_auth(SECRET_KEY);
        if account.is_empty() {
            request
        } else {
            request.header("Stripe-Account", account)
        }
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        account: &str,
        form: &[(&str, &str)],
    ) -> anyhow::Result<Reply> {
        send(self.request(Method::POST, path, account).form(form)).await
    }

    pub(crate) async fn get(&self, path: &str, account: &str) -> anyhow::Result<Reply> {
        send(self.request(Method::GET, path, account)).await
    }

    /// A call of the control API; a `Null` body makes it a GET.
    pub(crate) async fn control(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        let url = format!("{}/_emulator{path}", self.emulator.url);
        let request = match body {
            Value::Null => self.http.get(url),
            body => self.http.post(url).json(&body),
        };
        send(request).await?.ok()
    }

    pub(crate) async fn fault(&self, fault: Value) -> anyhow::Result<()> {
        self.control("/faults", fault).await.map(drop)
    }

    /// A connected account that takes payments; returns its id.
    pub(crate) async fn account(&self) -> anyhow::Result<String> {
        let form = [
            ("country", "DE"),
            ("email", "owner@example.test"),
            ("controller[stripe_dashboard][type]", "full"),
            ("controller[fees][payer]", "account"),
            ("controller[losses][payments]", "stripe"),
            ("controller[requirement_collection]", "stripe"),
        ];
        let account = self.post("/v1/accounts", "", &form).await?.ok()?;
        let id = text(&account, "id")?.to_owned();
        self.control(&format!("/accounts/{id}/complete"), json!({}))
            .await?;
        Ok(id)
    }

    /// Creates and confirms a payment of 100.00 € with an application fee of 5.00 €.
    pub(crate) async fn pay(&self, account: &str, method: &str) -> anyhow::Result<Reply> {
        let form = [
            ("amount", "10000"),
            ("currency", "eur"),
            ("application_fee_amount", "500"),
            ("payment_method", method),
            ("confirm", "true"),
            ("metadata[booking]", "b-1"),
        ];
        self.post("/v1/payment_intents", account, &form).await
    }

    /// A payment that went through; returns the intent.
    pub(crate) async fn paid(&self, account: &str) -> anyhow::Result<Value> {
        let intent = self.pay(account, "pm_card_visa").await?.ok()?;
        ensure!(intent["status"] == "succeeded", "{intent}");
        Ok(intent)
    }

    /// Asks again until `fits`; the object that did.
    pub(crate) async fn until(
        &self,
        path: &str,
        account: &str,
        fits: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let asking = async {
            loop {
                let object = self.get(path, account).await?.ok()?;
                if fits(&object) {
                    return Ok(object);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), asking)
            .await
            .context("never came")?
    }
}
