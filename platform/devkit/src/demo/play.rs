//! One booking from its first request to the last thing that follows from it, step by step.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Evidence,
    client::{self, Client},
};
use crate::endpoints::{Endpoints, Tenant};

/// How long one step may take.
const STEP_WITHIN: Duration = Duration::from_secs(60);
/// Between two looks for a step's evidence.
const LOOK: Duration = Duration::from_millis(20);

/// One of the twelve steps, done.
#[derive(Debug, Clone)]
pub struct Step {
    /// 1 to 12.
    pub number: usize,
    /// What happened.
    pub title: &'static str,
    /// Since the first request.
    pub after: Duration,
    /// What shows it: ids, states, paths, subjects.
    pub evidence: String,
}

/// A booking that went all the way.
#[derive(Debug, Clone)]
pub struct Played {
    /// The booking's id.
    pub booking_id: String,
    /// Its short code.
    pub reference: String,
    /// What the tracking pixel named the purchase.
    pub pixel: String,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// Plays one booking at `tenant`; `told` hears of each step as it is done.
///
/// # Errors
/// A step was refused or did not show within a minute; the error names it.
pub async fn play(
    endpoints: &Endpoints,
    tenant: &Tenant,
    mut told: impl FnMut(&Step),
) -> anyhow::Result<Played> {
    let customer = Client::sign_in(tenant, &tenant.customer)
        .await
        .context("signing in")?;
    let evidence = Evidence::connect(&endpoints.database_url).await?;
    let wish = wish(&customer, tenant)
        .await
        .context("looking for something free")?;
    let mut stage = Stage {
        started: Instant::now(),
        steps: Vec::new(),
        told: &mut told,
    };

    let pixel = format!("pixel-{}", Uuid::new_v4());
    let request = with_attribution(wish, &pixel);
    let booked = customer
        .post_once("/v1/bookings", &request, &Uuid::new_v4().to_string())
        .await;
    let booked = booked.context("step 1, booking")?;
    let (id, reference) = (word(&booked, "id")?, word(&booked, "reference")?);
    stage.done(
        "customer books",
        format!("booking {id}, reference {reference}"),
    );

    let saved = customer
        .get(&format!("/v1/bookings/{id}"))
        .await
        .context("step 2")?;
    let held = format!(
        "{} until {}",
        word(&saved, "status")?,
        saved["expires_at"].as_str().unwrap_or("-")
    );
    stage.done("saved with its hold", held);

    let event = stage
        .wait(3, || evidence.event("booking.booking.created", &id))
        .await?;
    stage.done(
        "booking.booking.created published",
        format!("event {event}"),
    );

    let payments = format!("/v1/payments?booking_id={id}");
    let payment = stage.wait(4, || intent(&customer, &payments)).await?;
    let intent = word(&payment, "provider_ref")?;
    stage.done(
        "PaymentIntent created",
        format!("{intent}, payment {}", word(&payment, "id")?),
    );

    let checkout = word(&booked, "checkout_url")?;
    let page = customer
        .bytes(&checkout)
        .await
        .context("step 5, the checkout page")?;
    let secret = word(&payment, "client_secret")?;
    if !String::from_utf8_lossy(&page).contains(&secret) {
        bail!("step 5: the checkout page does not offer to pay {intent}");
    }
    stage.done("checkout shows the Payment Element", checkout);

    let paid = pay(endpoints, &payment, &intent, &secret)
        .await
        .context("step 6, paying")?;
    stage.done("customer pays", paid);

    let webhook = stage
        .wait(7, || evidence.webhook("payment_intent.succeeded", &intent))
        .await?;
    stage.done(
        "signed webhook taken and acted on",
        format!("webhook {webhook}"),
    );

    let payment_id = word(&payment, "id")?;
    let event = stage
        .wait(8, || {
            evidence.event("payment.payment.succeeded", &payment_id)
        })
        .await?;
    stage.done(
        "payment.payment.succeeded published",
        format!("event {event}"),
    );

    let path = format!("/v1/bookings/{id}");
    let confirmed = stage.wait(9, || confirmed(&customer, &path)).await?;
    let state = format!(
        "{}, version {}",
        word(&confirmed, "status")?,
        confirmed["version"]
    );
    stage.done("booking confirmed", state);

    let path = format!("/v1/receipts?booking_id={id}");
    let receipt = stage.wait(10, || stored_receipt(&customer, &path)).await?;
    let pdf = customer
        .bytes(&format!("/v1/receipts/{}/pdf", word(&receipt, "id")?))
        .await?;
    if !pdf.starts_with(b"%PDF") {
        bail!("step 10: the receipt is no PDF");
    }
    let (number, path) = (word(&receipt, "number")?, word(&receipt, "path")?);
    let stored = format!("{number}, {} bytes at {path}", pdf.len());
    stage.done("receipt PDF stored", stored);

    let mail = stage
        .wait(11, || mail(endpoints, &tenant.customer.email, &number))
        .await?;
    stage.done("e-mail with the receipt sent", mail);

    let conversion = stage.wait(12, || conversion(endpoints, &pixel)).await?;
    stage.done("conversion sent to TikTok", conversion);
    Ok(Played {
        booking_id: id,
        reference,
        pixel,
        steps: stage.steps,
    })
}

/// The steps so far.
struct Stage<'a> {
    started: Instant,
    steps: Vec<Step>,
    told: &'a mut dyn FnMut(&Step),
}

impl Stage<'_> {
    fn done(&mut self, title: &'static str, evidence: String) {
        let number = self.steps.len() + 1;
        let step = Step {
            number,
            title,
            after: self.started.elapsed(),
            evidence,
        };
        (self.told)(&step);
        self.steps.push(step);
    }

    /// Looks until there is something to see.
    async fn wait<T, L: Future<Output = anyhow::Result<Option<T>>>>(
        &self,
        step: usize,
        look: impl Fn() -> L,
    ) -> anyhow::Result<T> {
        let deadline = Instant::now() + STEP_WITHIN;
        loop {
            if let Some(seen) = look().await.with_context(|| format!("step {step}"))? {
                return Ok(seen);
            }
            if Instant::now() > deadline {
                bail!(
                    "step {step} did not happen within {STEP_WITHIN:?}; `./dev logs worker` shows why"
                );
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// The first free slot or session from tomorrow on, as a booking request.
async fn wish(customer: &Client, tenant: &Tenant) -> anyhow::Result<Value> {
    let product = tenant
        .product_ids
        .first()
        .context("the tenant offers nothing")?;
    let zone = TimeZone::get(&tenant.timezone)?;
    let tomorrow = Timestamp::now()
        .to_zoned(zone)
        .date()
        .checked_add(1.day())?;
    let until = tomorrow.checked_add(30.days())?;
    let path = format!("/v1/products/{product}/slots?from={tomorrow}&to={until}");
    let slots = customer.get(&path).await?;
    let slot = slots["slots"].get(0).with_context(|| {
        format!(
            "nothing is free at {} in the next 30 days; `./dev up` adds to the programme, `./dev reset` makes a new demo",
            tenant.slug
        )
    })?;
    Ok(match slot["session_id"].as_str() {
        Some(session) => json!({ "product_id": product, "session_id": session }),
        None => json!({ "product_id": product, "starts_at": slot["starts_at"] }),
    })
}

fn with_attribution(mut wish: Value, pixel: &str) -> Value {
    wish["attribution"] = json!({
        "pixel_event_id": pixel, "ttclid": "demo-click", "utm_source": "tiktok", "utm_campaign": "demo",
    });
    wish
}

async fn intent(customer: &Client, path: &str) -> anyhow::Result<Option<Value>> {
    let page = customer.get(path).await?;
    let payment = page["items"]
        .get(0)
        .filter(|payment| payment["client_secret"].is_string());
    Ok(payment.cloned())
}

/// Pays as the browser does: with the publishable key and the intent's secret.
async fn pay(
    endpoints: &Endpoints,
    payment: &Value,
    intent: &str,
    secret: &str,
) -> anyhow::Result<String> {
    let url = format!(
        "{}/v1/payment_intents/{intent}/confirm",
        endpoints.stripe_emulator
    );
    let answer = client::http()
        .build()?
        .post(url)
        .bearer_auth(word(payment, "publishable_key")?)
        .header("Stripe-Account", word(payment, "account_id")?)
        .form(&[
            ("client_secret", secret),
            ("payment_method", "pm_card_visa"),
        ])
        .send()
        .await?;
    let status = answer.status();
    let body: Value = answer.json().await?;
    if !status.is_success() {
        bail!("the provider refused: {body}");
    }
    Ok(format!("{} {} {}", body["status"], body["amount"], body["currency"]).replace('"', ""))
}

async fn confirmed(customer: &Client, path: &str) -> anyhow::Result<Option<Value>> {
    let booking = customer.get(path).await?;
    match booking["status"].as_str() {
        Some("CONFIRMED") => Ok(Some(booking)),
        Some("PENDING") => Ok(None),
        other => bail!("the booking is {other:?}"),
    }
}

async fn stored_receipt(customer: &Client, path: &str) -> anyhow::Result<Option<Value>> {
    let list = customer.get(path).await?;
    Ok(list["items"]
        .get(0)
        .filter(|receipt| receipt["stored"] == true)
        .cloned())
}

/// The customer's mail that names the receipt in its subject; numbers are each tenant's own.
async fn mail(endpoints: &Endpoints, to: &str, receipt: &str) -> anyhow::Result<Option<String>> {
    let http = client::http().build()?;
    let list: Value = http
        .get(format!("{}/api/messages", endpoints.mailbox))
        .query(&[("to", to), ("subject", receipt)])
        .send()
        .await?
        .json()
        .await?;
    let messages = list.as_array().or_else(|| list["messages"].as_array());
    Ok(messages
        .and_then(|messages| messages.first())
        .map(|message| {
            let attachments = message["attachments"].as_array().map_or(0, Vec::len);
            let subject = message["subject"].as_str().unwrap_or_default();
            format!("“{subject}”, {attachments} attachment")
        }))
}

/// The conversion under the pixel's own id, as the emulator received it.
async fn conversion(endpoints: &Endpoints, pixel: &str) -> anyhow::Result<Option<String>> {
    let url = format!("{}/_emulator/tiktok/events", endpoints.stripe_emulator);
    let body: Value = client::http()
        .build()?
        .get(url)
        .send()
        .await?
        .json()
        .await?;
    let events = body.as_array().or_else(|| body["events"].as_array());
    let found = events.and_then(|events| events.iter().find(|event| event["event_id"] == pixel));
    Ok(found.map(|event| format!("{} with event_id {pixel}", event["event"]).replace('"', "")))
}

fn word(value: &Value, name: &str) -> anyhow::Result<String> {
    let text = value[name]
        .as_str()
        .with_context(|| format!("no `{name}` in {value}"))?;
    Ok(text.to_owned())
}
