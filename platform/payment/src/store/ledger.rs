//! The book: `ledger_journal` and `ledger_entry`.

use berth_kernel::PaymentId;
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Result, currency};
use crate::{DayRow, provider::BalanceTransaction};

/// What an effect on the balance is booked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    /// Money that came in.
    Sales,
    /// Money that went back, or came back of that.
    Refunds,
}

/// Posts what the provider did to the account's balance, once: the balance takes what came in net
/// of fees, the fees are costs, and sales or refunds are the other side.
pub(crate) async fn post(
    tx: &mut TenantTx,
    payment: PaymentId,
    balance: &BalanceTransaction,
    against: Against,
    at: Timestamp,
) -> Result<()> {
    let against = match against {
        Against::Sales => "sales",
        Against::Refunds => "refunds",
    };
    let entries = [
        ("provider_balance", balance.net_minor),
        ("processing_fees", balance.processing_fee_minor),
        ("platform_fees", balance.platform_fee_minor),
        (against, -balance.amount.amount),
    ];
    let entries: Vec<_> = entries
        .into_iter()
        .filter(|(_, minor)| *minor != 0)
        .collect();
    let ids: Vec<Uuid> = entries.iter().map(|_| Uuid::now_v7()).collect();
    let accounts: Vec<&str> = entries.iter().map(|(account, _)| *account).collect();
    let amounts: Vec<i64> = entries.iter().map(|(_, minor)| *minor).collect();
    sqlx::query!(
        "WITH journal AS (
             INSERT INTO ledger_journal (id, source, payment_id, posted_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (source) DO NOTHING RETURNING id
         )
         INSERT INTO ledger_entry (id, journal_id, account, amount_minor, currency)
         SELECT e.id, journal.id, e.account, e.minor, $8
         FROM journal, unnest($5::uuid[], $6::text[], $7::bigint[]) AS e (id, account, minor)",
        Uuid::now_v7(),
        balance.id,
        payment.uuid(),
        jiff_sqlx::Timestamp::from(at) as _,
        &ids,
        &accounts as _,
        &amounts,
        balance.amount.currency.code(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What was posted since, by day and currency.
pub(crate) async fn days(tx: &mut TenantTx, since: Timestamp) -> Result<Vec<DayRow>> {
    let rows = sqlx::query!(
        r#"SELECT (j.posted_at AT TIME ZONE 'UTC')::date AS "day!: jiff_sqlx::Date", e.currency,
                  coalesce(sum(-e.amount_minor) FILTER (WHERE e.account = 'sales'), 0)::bigint AS "sales!",
                  coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 'refunds'), 0)::bigint AS "refunds!",
                  coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 'processing_fees'), 0)::bigint
                    AS "processing_fees!",
                  coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 'platform_fees'), 0)::bigint
                    AS "platform_fees!"
           FROM ledger_journal j JOIN ledger_entry e ON e.journal_id = j.id
           WHERE j.posted_at >= $1 GROUP BY 1, 2 ORDER BY 1, 2"#,
        jiff_sqlx::Timestamp::from(since) as _,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(DayRow {
                day: row.day.to_jiff(),
                currency: currency(&row.currency)?,
                sales: row.sales,
                refunds: row.refunds,
                processing_fees: row.processing_fees,
                platform_fees: row.platform_fees,
            })
        })
        .collect()
}
