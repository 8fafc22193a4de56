//! What the tenants hold: bookings of the next two months, and those of years gone by. Written by
//! SQL, because two hundred thousand bookings through the API would take longer than measuring.

use anyhow::Context;
use tokio_postgres::Client;

/// Half-hours of a working day of 09:00-12:30 and 13:00-17:00.
const STARTS_A_DAY: usize = 15;

/// Which days are filled, counted from today.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fill {
    pub first_day: i64,
    pub last_day: i64,
    /// Every how many-th start is taken.
    pub every: usize,
}

/// Half of what can be booked in the next 62 days.
pub(super) const HALF: Fill = Fill {
    first_day: 0,
    last_day: 62,
    every: 2,
};

/// As many full days of the past as hold `bookings` of `staff`.
pub(super) fn past(bookings: usize, staff: usize) -> Fill {
    let days = bookings.div_ceil(staff * STARTS_A_DAY);
    Fill {
        first_day: -i64::try_from(days).unwrap_or(i64::MAX),
        last_day: -1,
        every: 1,
    }
}

/// Books the starts of a fill, with the rows the product writes for a confirmed booking.
pub(super) async fn fill(client: &Client, schema: &str, fill: Fill) -> anyhow::Result<()> {
    let Fill {
        first_day,
        last_day,
        every,
    } = fill;
    let sql = format!(
        "SET search_path = {schema}, platform, public;
         CREATE TEMP TABLE taken ON COMMIT DROP AS
         SELECT gen_random_uuid() AS id, who.id AS resource_id, product.id AS product_id,
                ((current_date + day) + time '09:00' + n * interval '30 minutes'
                 + CASE WHEN n >= 7 THEN interval '30 minutes' ELSE interval '0' END)
                    AT TIME ZONE 'Europe/Berlin' AS starts_at
         FROM product,
              (SELECT id, row_number() OVER (ORDER BY id) AS k FROM resource) AS who,
              generate_series({first_day}, {last_day}) AS day,
              generate_series(0, {STARTS_A_DAY} - 1) AS n
         WHERE (n + day + who.k) % {every} = 0;
         INSERT INTO booking (id, reference, product_id, product_name, resource_id, customer_name,
             customer_email, customer_locale, status, version, starts_at, ends_at, local_start,
             timezone, quantity, price_minor, currency, policy, attribution, created_at, updated_at)
         SELECT id, upper(left(replace(id::text, '-', ''), 20)), product_id, 'Half an hour', resource_id,
                'Lena Vogt', 'lena@example.test', 'en', 'CONFIRMED', 2, starts_at,
                starts_at + interval '30 minutes', starts_at AT TIME ZONE 'Europe/Berlin',
                'Europe/Berlin', 1, 4900, 'EUR', '[]', '{{}}', now(), now()
         FROM taken;
         INSERT INTO claim (holder_id, holder, resource_id, starts_at, ends_at, state)
         SELECT id, 'booking', resource_id, starts_at, starts_at + interval '30 minutes', 'confirmed'
         FROM taken;"
    );
    client
        .batch_execute(&format!("BEGIN; {sql} COMMIT; RESET search_path"))
        .await
        .context("filling a tenant")
}

/// What pgbench writes bookings into: numbered resources and a counter of starts.
pub(super) async fn prepare_peak(
    client: &Client,
    schema: &str,
    staff: usize,
) -> anyhow::Result<()> {
    let sql = format!(
        "CREATE TABLE {schema}.bench_resource AS
         SELECT k, gen_random_uuid() AS id FROM generate_series(0, {staff} - 1) AS k;
         ALTER TABLE {schema}.bench_resource ADD PRIMARY KEY (k);
         CREATE SEQUENCE {schema}.bench_start CACHE 100"
    );
    client
        .batch_execute(&sql)
        .await
        .context("preparing the ceiling's tables")
}

/// Gives every tenant something to sell; a transaction for a hundred of them, so that locks suffice.
pub(super) async fn stock(client: &Client) -> anyhow::Result<()> {
    let sql = "DO $$ DECLARE t record; BEGIN
        FOR t IN SELECT role, row_number() OVER () AS n FROM platform.tenant WHERE status = 'active' LOOP
            EXECUTE format('INSERT INTO %I.product (id, kind, name, duration_min, step_min, timezone,
                    price_minor, currency, created_at, updated_at)
                VALUES (gen_random_uuid(), ''appointment'', ''Half an hour'', 30, 15, ''Europe/Berlin'',
                    4900, ''EUR'', now(), now())', t.role);
            IF t.n % 100 = 0 THEN COMMIT; END IF;
        END LOOP; END $$";
    client
        .batch_execute(sql)
        .await
        .context("filling all tenants")
}

/// Leaves nothing for the measurement to trip over: fresh statistics, no old rows to vacuum. Of the catalogs, of
/// what is shared and of these schemas: there may be very many others.
pub(super) async fn settle(client: &Client, schemas: &[&str]) -> anyhow::Result<()> {
    let tables = client
        .query(
            "SELECT format('VACUUM (ANALYZE) %I.%I', nspname, relname)
             FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
             WHERE (nspname IN ('pg_catalog', 'platform') OR nspname = ANY($1)) AND relkind = 'r' ORDER BY 1",
            &[&schemas],
        )
        .await?;
    for vacuum in tables {
        client.batch_execute(vacuum.get(0)).await?;
    }
    client.batch_execute("CHECKPOINT").await?;
    Ok(())
}
