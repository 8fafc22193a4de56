//! The table `platform.webhook_inbox`.

use berth_tenancy::PlatformTx;

use super::Result;

/// Webhooks acted on at once.
const BATCH: i64 = 20;
/// Of those, how many may be one account's: all wait for the slowest of them.
const OF_ONE: i64 = 10;
/// Accounts looked at for them, where there are more with something to be acted on; at most twice as many.
const LOOKED_AT: i32 = 100;

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
/// tried then. The accounts take turns, so that one with thousands keeps no other waiting: they are
/// found by skipping in the index from each to the next, by their hashes and from a random one on, and
/// only some accounts, of each the oldest, are looked at.
pub(crate) async fn claim_webhooks(tx: &mut PlatformTx, provider: &str) -> Result<Vec<Kept>> {
    let claimed = sqlx::query_as!(
        Kept,
        "WITH RECURSIVE start AS (
             SELECT (random() * 4294967295)::bigint - 2147483648 AS hash
         ), waiting AS (
             -- Up to the last account, and again from the first.
             SELECT lap.after AS hash, lap.until, 0 AS nth
             FROM start CROSS JOIN LATERAL
                  (VALUES (start.hash - 1, 2147483648), (-2147483649, start.hash)) lap (after, until)
           UNION ALL
             SELECT one.hash, waiting.until, waiting.nth + 1
             FROM waiting CROSS JOIN LATERAL (
                 SELECT hashtext(coalesce(w.account, ''))::bigint AS hash
                 FROM platform.webhook_inbox w
                 WHERE w.state = 'waiting' AND w.provider = $1
                   AND hashtext(coalesce(w.account, '')) > waiting.hash
                   AND hashtext(coalesce(w.account, '')) < waiting.until
                 ORDER BY hashtext(coalesce(w.account, '')) LIMIT 1) one
             WHERE waiting.nth < $4
         ), next AS (
             -- More than are taken: others may be taking some just now.
             SELECT due.event_id, due.turn, due.due_at
             FROM (SELECT hash FROM waiting WHERE nth > 0) account CROSS JOIN LATERAL (
                 SELECT w.event_id, w.due_at, row_number() OVER (ORDER BY w.due_at) AS turn
                 FROM platform.webhook_inbox w
                 WHERE w.state = 'waiting' AND w.provider = $1
                   AND hashtext(coalesce(w.account, '')) = account.hash
                   AND w.due_at <= statement_timestamp()
                 ORDER BY w.due_at LIMIT $3) due
             ORDER BY due.turn, due.due_at LIMIT 5 * $2::bigint
         ), taken AS (
             SELECT w.provider, w.event_id
             FROM next JOIN platform.webhook_inbox w ON w.provider = $1 AND w.event_id = next.event_id
             WHERE w.state = 'waiting' AND w.due_at <= statement_timestamp()
             ORDER BY next.turn, next.due_at LIMIT $2 FOR UPDATE OF w SKIP LOCKED
         )
         UPDATE platform.webhook_inbox w SET tries = w.tries + 1,
                due_at = clock_timestamp() + make_interval(secs => least(15 * (w.tries + 1), 300))
         FROM taken WHERE w.provider = taken.provider AND w.event_id = taken.event_id
         RETURNING w.event_id, w.payload, w.tries",
        provider,
        BATCH,
        OF_ONE,
        LOOKED_AT,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(claimed)
}

/// Notes what became of a webhook. Of one that was acted on and is of an account that nobody has, such as that of an
/// erased tenant, what it says is not kept.
pub(crate) async fn save_webhook(
    tx: &mut PlatformTx,
    provider: &str,
    event_id: &str,
    state: WebhookState,
    error: Option<&str>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE platform.webhook_inbox w SET state = $3, last_error = $4,
                payload = CASE WHEN $3 = 'done' AND account IS NOT NULL
                                    AND NOT EXISTS (SELECT FROM platform.stripe_account s WHERE s.account_id = w.account)
                               THEN '' ELSE payload END
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
