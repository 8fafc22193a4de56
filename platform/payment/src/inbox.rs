//! The provider's webhooks: kept byte for byte and answered at once, acted on by a worker.

use std::time::Duration;

use berth_kernel::{Kind, PaymentId, Problem, RefundId};
use berth_tenancy::Tenant;
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::{
    Error, Payments, SignatureError,
    model::Payment,
    provider::{ProviderError, WebhookEvent},
    settle, signature,
    store::{self, WebhookState},
};

/// How soon an idle worker looks again.
const IDLE: Duration = Duration::from_millis(100);
/// Tries after which a webhook is left to lie, for an operator to see.
const MAX_TRIES: i32 = 40;
/// The same for one that waits for somebody: for the provider to answer, or a restored tenant to be released. A
/// month of tries five minutes apart.
const MAX_WAITS: i32 = 8_640;

/// The envelope of a webhook.
#[derive(Deserialize)]
struct Envelope {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    livemode: bool,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Value,
}

fn parse(body: &[u8]) -> Result<WebhookEvent, serde_json::Error> {
    let envelope: Envelope = serde_json::from_slice(body)?;
    Ok(WebhookEvent {
        id: envelope.id,
        kind: envelope.kind,
        account: envelope.account,
        livemode: envelope.livemode,
        object: envelope.data.object,
    })
}

impl Payments {
    /// Forgets webhooks that were acted on long ago.
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget_webhooks(&self) -> Result<(), Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        store::forget_webhooks(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// Takes a webhook: checks its signature on the raw bytes and keeps it. One that was kept
    /// before is welcome too, and changes nothing.
    ///
    /// # Errors
    /// 400 `WEBHOOK_SIGNATURE` or `WEBHOOK_MALFORMED`; 503 when it could not be kept.
    pub async fn take_webhook(&self, signature: &str, body: &[u8]) -> Result<(), Problem> {
        let mut secrets = vec![&self.settings.webhook_secret];
        secrets.extend(&self.settings.webhook_secret_previous);
        signature::verify(signature, body, &secrets, self.clock.now()).map_err(refused)?;
        let event = parse(body).map_err(|error| {
            Problem::new(
                Kind::Malformed,
                "WEBHOOK_MALFORMED",
                format!("No webhook: {error}."),
            )
        })?;
        self.keep(&event, body).await.map_err(Problem::from)
    }

    async fn keep(&self, event: &WebhookEvent, body: &[u8]) -> Result<(), Error> {
        let state = if event.livemode == self.settings.livemode {
            WebhookState::Waiting
        } else {
            WebhookState::Ignored
        };
        let (provider, account) = (self.provider.name(), event.account.as_deref());
        let mut tx = self.tenancy.begin_platform().await?;
        store::keep_webhook(&mut tx, provider, &event.id, account, body, state).await?;
        Ok(tx.commit().await?)
    }

    /// Acts on kept webhooks, until cancelled.
    pub async fn work_inbox(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.work_inbox_once().await {
                Ok(0) => IDLE,
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(
                        error = berth_kernel::chain(&error),
                        "webhooks wait: {error}"
                    );
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Acts on those that are due; how many there were.
    ///
    /// # Errors
    /// What the database says.
    pub async fn work_inbox_once(&self) -> Result<usize, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let claimed = store::claim_webhooks(&mut tx, self.provider.name()).await?;
        tx.commit().await?;
        let count = claimed.len();
        let acts = claimed.into_iter().map(|row| async move {
            let acted = match parse(&row.payload) {
                Ok(event) => self.act(&event).await,
                Err(_) => Ok(()),
            };
            self.acted(&row.event_id, acted, row.tries).await
        });
        for done in futures::future::join_all(acts).await {
            done?;
        }
        Ok(count)
    }

    async fn acted(
        &self,
        event_id: &str,
        acted: Result<(), Error>,
        tries: i32,
    ) -> Result<(), Error> {
        let (state, error) = match acted {
            Ok(()) => (WebhookState::Done, None),
            Err(error) if tries >= most_tries(&error) => {
                (WebhookState::Dead, Some(error.to_string()))
            }
            Err(error) => (WebhookState::Waiting, Some(error.to_string())),
        };
        if let Some(error) = &error {
            tracing::warn!(
                webhook_id = event_id,
                error,
                tries,
                "webhook {event_id} failed: {error}"
            );
        }
        let (provider, error) = (self.provider.name(), error.as_deref());
        let mut tx = self.tenancy.begin_platform().await?;
        store::save_webhook(&mut tx, provider, event_id, state, error).await?;
        metrics::counter!("berth_webhooks_total", "state" => state.as_str()).increment(1);
        Ok(tx.commit().await?)
    }

    /// Acts on one webhook: it only says where to look.
    async fn act(&self, event: &WebhookEvent) -> Result<(), Error> {
        let object = |name: &str| event.object.get(name).and_then(Value::as_str);
        let Some(account) = event.account.as_deref() else {
            return Ok(());
        };
        if event.kind == "account.updated" {
            return self.account_moved(account).await;
        }
        if event.kind.starts_with("payment_intent.") {
            let ours = event
                .object
                .pointer("/metadata/payment_id")
                .and_then(Value::as_str);
            let ours = ours.and_then(|id| id.parse::<PaymentId>().ok());
            return match object("id") {
                Some(intent) => self.intent_moved(account, intent, ours).await,
                None => Ok(()),
            };
        }
        if event.kind.starts_with("refund.") {
            return match object("id") {
                Some(refund) => {
                    let ours = event.object.pointer("/metadata/refund_id");
                    let ours = ours.and_then(Value::as_str).and_then(|id| id.parse().ok());
                    self.refund_moved(account, refund, ours).await
                }
                None => Ok(()),
            };
        }
        Ok(())
    }

    async fn intent_moved(
        &self,
        account: &str,
        intent: &str,
        ours: Option<PaymentId>,
    ) -> Result<(), Error> {
        let Some(tenant) = self.tenant(account).await? else {
            return Ok(());
        };
        let mut tx = self.tenancy.begin(&tenant).await?;
        let mut payment: Option<Payment> = store::by_ref(&mut tx, intent).await?;
        if payment.is_none()
            && let Some(id) = ours
        {
            payment = store::find(&mut tx, id).await?;
        }
        tx.rollback().await?;
        let Some(payment) = payment.filter(|payment| payment.account_id == account) else {
            return Ok(());
        };
        if payment.provider_ref.is_none() {
            // Word came before the answer to our own call was noted; that call will be repeated
            // and finds the intent. Asking again later is all there is to do.
            let early = "the intent is not noted yet".to_owned();
            return Err(ProviderError::Unavailable(early).into());
        }
        // Logged under the id of the request that the payment began with.
        let span = tracing::info_span!("webhook", correlation_id = %payment.correlation_id);
        self.look_at(&tenant, &payment, intent)
            .instrument(span)
            .await
    }

    /// Brings a payment to where the provider says its intent is.
    async fn look_at(&self, tenant: &Tenant, payment: &Payment, intent: &str) -> Result<(), Error> {
        let state = self.provider.intent(&payment.account_id, intent).await?;
        let mut tx = self.tenancy.begin(tenant).await?;
        let (now, cause) = (self.clock.now(), payment.cause());
        settle::settle(&mut tx, payment.id, &state, now, &cause, "canceled").await?;
        Ok(tx.commit().await?)
    }

    /// A refund is known by the provider's id, or by ours when the answer that told it was lost.
    async fn refund_moved(
        &self,
        account: &str,
        id: &str,
        ours: Option<RefundId>,
    ) -> Result<(), Error> {
        let Some(tenant) = self.tenant(account).await? else {
            return Ok(());
        };
        let mut tx = self.tenancy.begin(&tenant).await?;
        let mut known = store::refund_by_ref(&mut tx, id).await?;
        if known.is_none()
            && let Some(ours) = ours
        {
            known = store::refund(&mut tx, ours).await?;
        }
        let payment = match &known {
            Some(refund) => store::find(&mut tx, refund.payment_id).await?,
            None => None,
        };
        tx.rollback().await?;
        let of_account = |payment: &Payment| payment.account_id == account;
        match known.filter(|_| payment.as_ref().is_some_and(of_account)) {
            Some(known) => {
                let span = tracing::info_span!("webhook", correlation_id = %known.correlation_id);
                self.look_at_refund(&tenant, known, account, id)
                    .instrument(span)
                    .await
            }
            None => Ok(()),
        }
    }

    async fn tenant(&self, account: &str) -> Result<Option<std::sync::Arc<Tenant>>, Error> {
        let Some(id) = self.tenant_of(account).await? else {
            return Ok(None);
        };
        match self.tenancy.registry().get(id).await {
            Ok(Some(tenant)) if tenant.held => {
                let held = "the tenant is held until it is released";
                Err(ProviderError::Unavailable(held.to_owned()).into())
            }
            Ok(tenant) => Ok(tenant),
            Err(error) => Err(ProviderError::Unavailable(error.to_string()).into()),
        }
    }
}

/// Tries after which a webhook that failed for `error` is given up.
fn most_tries(error: &Error) -> i32 {
    match error {
        Error::Provider(ProviderError::Unavailable(_)) => MAX_WAITS,
        _ => MAX_TRIES,
    }
}

fn refused(error: SignatureError) -> Problem {
    Problem::new(
        Kind::Malformed,
        "WEBHOOK_SIGNATURE",
        format!("Not accepted: {error}."),
    )
}
