//! All of this service's SQL.

use berth_kernel::TenantId;
use berth_tenancy::{Error, PlatformTx};
use jiff::civil::Date;

use crate::{BookingDay, MoneyDay, Total};

pub(crate) async fn keep_bookings(
    tx: &mut PlatformTx,
    tenant: TenantId,
    days: &[BookingDay],
) -> Result<(), Error> {
    let day: Vec<_> = days
        .iter()
        .map(|one| jiff_sqlx::Date::from(one.day))
        .collect();
    let made: Vec<i64> = days.iter().map(|one| one.made).collect();
    let confirmed: Vec<i64> = days.iter().map(|one| one.confirmed).collect();
    let cancelled: Vec<i64> = days.iter().map(|one| one.cancelled).collect();
    sqlx::query!(
        "INSERT INTO platform.booking_day (tenant_id, day, made, confirmed, cancelled)
         SELECT $1, d.day, d.made, d.confirmed, d.cancelled
         FROM unnest($2::date[], $3::bigint[], $4::bigint[], $5::bigint[]) d (day, made, confirmed, cancelled)
         WHERE d.day >= coalesce((SELECT figures_from FROM platform.tenant WHERE id = $1), '-infinity')
         ON CONFLICT (day, tenant_id) DO UPDATE
         SET made = excluded.made, confirmed = excluded.confirmed, cancelled = excluded.cancelled",
        tenant.uuid(),
        &day as _,
        &made,
        &confirmed,
        &cancelled,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn keep_money(
    tx: &mut PlatformTx,
    tenant: TenantId,
    days: &[MoneyDay],
) -> Result<(), Error> {
    let day: Vec<_> = days
        .iter()
        .map(|one| jiff_sqlx::Date::from(one.day))
        .collect();
    let currency: Vec<String> = days.iter().map(|one| one.currency.clone()).collect();
    let of = |amount: fn(&MoneyDay) -> i64| -> Vec<i64> { days.iter().map(amount).collect() };
    sqlx::query!(
        "INSERT INTO platform.money_day
           (tenant_id, day, currency, sales, refunds, processing_fees, platform_fees)
         SELECT $1, d.day, d.currency, d.sales, d.refunds, d.processing, d.platform
         FROM unnest($2::date[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
              d (day, currency, sales, refunds, processing, platform)
         WHERE d.day >= coalesce((SELECT figures_from FROM platform.tenant WHERE id = $1), '-infinity')
         ON CONFLICT (day, tenant_id, currency) DO UPDATE
         SET sales = excluded.sales, refunds = excluded.refunds,
             processing_fees = excluded.processing_fees, platform_fees = excluded.platform_fees",
        tenant.uuid(),
        &day as _,
        &currency,
        &of(|one| one.sales),
        &of(|one| one.refunds),
        &of(|one| one.processing_fees),
        &of(|one| one.platform_fees),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn booking_totals(
    tx: &mut PlatformTx,
    from: Date,
    to: Date,
) -> Result<Vec<Total>, Error> {
    let rows = sqlx::query!(
        r#"SELECT day AS "day: jiff_sqlx::Date", count(*) AS "tenants!", sum(made)::bigint AS "made!",
                  sum(confirmed)::bigint AS "confirmed!", sum(cancelled)::bigint AS "cancelled!"
           FROM platform.booking_day WHERE day BETWEEN $1 AND $2 GROUP BY day ORDER BY day"#,
        jiff_sqlx::Date::from(from) as _,
        jiff_sqlx::Date::from(to) as _,
    )
    .fetch_all(tx.conn())
    .await?;
    let total = rows.into_iter().map(|row| Total {
        day: row.day.to_jiff(),
        tenants: row.tenants,
        made: row.made,
        confirmed: row.confirmed,
        cancelled: row.cancelled,
        money: Vec::new(),
    });
    Ok(total.collect())
}

pub(crate) async fn money_totals(
    tx: &mut PlatformTx,
    from: Date,
    to: Date,
) -> Result<Vec<MoneyDay>, Error> {
    let rows = sqlx::query!(
        r#"SELECT day AS "day: jiff_sqlx::Date", currency, sum(sales)::bigint AS "sales!", sum(refunds)::bigint AS "refunds!",
                  sum(processing_fees)::bigint AS "processing_fees!",
                  sum(platform_fees)::bigint AS "platform_fees!"
           FROM platform.money_day WHERE day BETWEEN $1 AND $2
           GROUP BY day, currency ORDER BY day, currency"#,
        jiff_sqlx::Date::from(from) as _,
        jiff_sqlx::Date::from(to) as _,
    )
    .fetch_all(tx.conn())
    .await?;
    let money = rows.into_iter().map(|row| MoneyDay {
        day: row.day.to_jiff(),
        currency: row.currency,
        sales: row.sales,
        refunds: row.refunds,
        processing_fees: row.processing_fees,
        platform_fees: row.platform_fees,
    });
    Ok(money.collect())
}
