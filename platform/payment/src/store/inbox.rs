//! The table `platform.webhook_inbox`.

use berth_tenancy::PlatformTx;

use super::Result;

/// Webhooks acted on at once.
const BATCH: i64 = 20;

/// A webhook to be acted on.
pub(crate) struct Kept {
    pub(crate) event_id: String,
    pub(crate) payload: Vec<u8>,
    /// This one included.
    pub(crate) tries: i32,
}

/// Where a webhook stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WebhookState {
    /// To be acted on.
    Waiting,
    /// Acted on.
    Done,
    /// Not for this installation.
    Ignored,
    /// Given up; an operator looks at it.
    Dead,
}

impl WebhookState {
    /// Its name in the table and in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Ignored => "ignored",
            Self::Dead => "dead",
        }
    }
}

/// Keeps a webhook, unless it was kept before.
pub(crate) async fn keep_webhook(
    tx: &mut PlatformTx,
    provider: &str,
    event_id: &str,
    account: Option<&str>,
    payload: &[u8],
    state: WebhookState,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO platform.webhook_inbox (provider, event_id, account, payload, state)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        provider,
        event_id,
        account,
        payload,
        state.as_str(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes webhooks that are due by putting their next try off: a worker that dies leaves them to be
/// tried then.
pub(crate) async fn claim_webhooks(tx: &mut PlatformTx, provider: &str) -> Result<Vec<Kept>> {
    let claimed = sqlx::query_as!(
        Kept,
        "UPDATE platform.webhook_inbox SET tries = tries + 1,
                due_at = clock_timestamp() + make_interval(secs => least(15 * (tries + 1), 300))
         WHERE (provider, event_id) IN (
             SELECT provider, event_id FROM platform.webhook_inbox
             WHERE state = 'waiting' AND due_at <= clock_timestamp() AND provider = $1
             ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
         RETURNING event_id, payload, tries",
        provider,
        BATCH,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(claimed)
}

/// Notes what became of a webhook.
pub(crate) async fn save_webhook(
    tx: &mut PlatformTx,
    provider: &str,
    event_id: &str,
    state: WebhookState,
    error: Option<&str>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE platform.webhook_inbox SET state = $3, last_error = $4
         WHERE provider = $1 AND event_id = $2",
        provider,
        event_id,
        state.as_str(),
        error,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets webhooks acted on more than 30 days ago, a bounded number at a time: Stripe sends one
/// again for three days, and shows its own for thirty.
pub(crate) async fn forget_webhooks(tx: &mut PlatformTx) -> Result<()> {
    sqlx::query!(
        "DELETE FROM platform.webhook_inbox WHERE (provider, event_id) IN (
             SELECT provider, event_id FROM platform.webhook_inbox
             WHERE state IN ('done', 'ignored') AND received_at < clock_timestamp() - interval '30 days'
             LIMIT 20000)",
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
