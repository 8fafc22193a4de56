//! Reckons each tenant's figures of the last days for the platform's own books, in the background and
//! one tenant after the other: whoever looks at them later asks no tenant.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Context as _;
use berth_admin::{BookingDay, Figures, MoneyDay};
use berth_booking as booking;
use berth_kernel::{Clock, TenantId};
use berth_messaging::rounds::told_since;
use berth_payment as payment;
use berth_tenancy::{NodeId, Tenancy};
use jiff::{Timestamp, ToSpan as _};
use tokio_util::sync::CancellationToken;

/// Days that are reckoned anew; of those before, the ones with a booking that changed later than that, as
/// a stay does that is called off months after it was booked.
const DAYS: i64 = 40;

/// Reckons every `round`, until cancelled. Two who do it at once do no harm. A node that is away keeps
/// nobody else's figures from being reckoned, and is made up for when it is back.
pub(crate) async fn run(
    tenancy: Tenancy,
    figures: Figures,
    clock: Clock,
    round: Duration,
    stop: CancellationToken,
) {
    // Whatever happened in the last day is still told of in the outbox.
    let first = clock.now() - 24.hours();
    let mut since: Vec<(NodeId, Timestamp)> = tenancy
        .database()
        .node_ids()
        .map(|node| (node, first))
        .collect();
    // Whose figures could not be kept: nobody else remembers them.
    let mut behind = BTreeSet::new();
    while !stop.is_cancelled() {
        for (node, since) in &mut since {
            match told_since(&tenancy, *node, Some(*since)).await {
                Ok((touched, asked)) => {
                    behind.extend(touched);
                    *since = asked;
                }
                Err(error) => {
                    tracing::warn!(%node, error = berth_kernel::chain(&error), "node {node} is not asked for figures, will try again: {error}");
                }
            }
        }
        reckon_all(&tenancy, &figures, &mut behind, clock.now()).await;
        tokio::select! {
            () = tokio::time::sleep(round) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Leaves those in `behind` whose figures could not be kept.
async fn reckon_all(
    tenancy: &Tenancy,
    figures: &Figures,
    behind: &mut BTreeSet<TenantId>,
    now: Timestamp,
) {
    for id in std::mem::take(behind) {
        if let Err(error) = reckon(tenancy, figures, id, now).await {
            metrics::counter!("berth_figures_failed_total").increment(1);
            tracing::warn!(tenant_id = %id, error = berth_kernel::chain(&*error), "the figures of {id} are not kept, will try again: {error:#}");
            behind.insert(id);
        }
    }
}

/// Reckons the figures of a tenant and keeps them. Nothing happens for one that is gone.
///
/// # Errors
/// When it cannot be asked, or they cannot be kept.
pub(crate) async fn reckon(
    tenancy: &Tenancy,
    figures: &Figures,
    id: TenantId,
    now: Timestamp,
) -> anyhow::Result<()> {
    let Some(tenant) = tenancy.registry().get(id).await? else {
        return Ok(());
    };
    // From midnight on: a day is reckoned whole or not at all.
    let day = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let first = day.checked_sub(DAYS.days())?;
    let since = first.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp();
    let mut tx = tenancy.begin(&tenant).await?;
    let bookings = booking::days(&mut tx, since).await.context("bookings")?;
    let money = payment::days(&mut tx, since).await.context("money")?;
    tx.rollback().await?;
    let bookings: Vec<BookingDay> = bookings.into_iter().map(booking_day).collect();
    let money: Vec<MoneyDay> = money.into_iter().map(money_day).collect();
    figures.keep(id, &bookings, &money).await?;
    Ok(())
}

fn booking_day(row: booking::DayRow) -> BookingDay {
    BookingDay {
        day: row.day,
        made: row.made,
        confirmed: row.confirmed,
        cancelled: row.cancelled,
    }
}

fn money_day(row: payment::DayRow) -> MoneyDay {
    MoneyDay {
        day: row.day,
        currency: row.currency.code().to_owned(),
        sales: row.sales,
        refunds: row.refunds,
        processing_fees: row.processing_fees,
        platform_fees: row.platform_fees,
    }
}
