//! The table `payment_attempt`: calls that move money or end its asking, written down before they
//! are made.

use berth_kernel::PaymentId;
use berth_tenancy::TenantTx;
use jiff::Timestamp;

use super::Result;

/// Lost answers after which the provider's replay of them is given up and another key is used.
const LOST_BEFORE_NEXT: i32 = 3;

/// The key of a call, written down before it is made, and how often its answer was lost: whoever
/// finds any lost looks first whether it was done. The provider answers a key as it did the first
/// time, a fault or a refusal too, so that a key that only gives faults is followed by another, and
/// one under which a payment could not be called off too.
pub(crate) async fn attempt_key(
    tx: &mut TenantTx,
    subject: &str,
    payment: PaymentId,
    action: &str,
    at: Timestamp,
) -> Result<(String, i32)> {
    let mut before = 0;
    for number in 1.. {
        let key = format!("{subject}:{number}");
        let (lost, refused) = attempt(tx, &key, payment, action, at).await?;
        before += lost;
        // What was refused for good moves no money again, whoever has not heard of it yet: only
        // calling off may be refused now and done later.
        let again = refused && action == "cancel";
        if lost <= LOST_BEFORE_NEXT && !again {
            return Ok((key, before));
        }
    }
    unreachable!("numbers do not end")
}

/// Writes a call down before it is made; how often its answer was lost before, and whether it was
/// refused.
async fn attempt(
    tx: &mut TenantTx,
    key: &str,
    payment: PaymentId,
    action: &str,
    at: Timestamp,
) -> Result<(i32, bool)> {
    let before = sqlx::query!(
        "INSERT INTO payment_attempt (idempotency_key, payment_id, action, started_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (idempotency_key) DO UPDATE
             SET started_at = CASE WHEN payment_attempt.outcome = 'FAILED' THEN payment_attempt.started_at
                                   ELSE excluded.started_at END
         RETURNING lost, outcome",
        key,
        payment.uuid(),
        action,
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((before.lost, before.outcome.as_deref() == Some("FAILED")))
}

/// Records what became of a call: `OK`, `FAILED` or `INDETERMINATE`.
pub(crate) async fn attempted(
    tx: &mut TenantTx,
    key: &str,
    outcome: &str,
    at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "UPDATE payment_attempt SET outcome = $2, finished_at = $3,
                lost = lost + CASE WHEN $2 = 'INDETERMINATE' THEN 1 ELSE 0 END
         WHERE idempotency_key = $1",
        key,
        outcome,
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
