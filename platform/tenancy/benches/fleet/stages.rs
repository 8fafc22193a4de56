//! What is measured, one stage after the other on one growing fleet.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use berth_kernel::{Clock, Currency, TenantId};
use berth_tenancy::{
    TenantKey, data,
    lifecycle::{self, Lifecycle, NewTenant, Operator},
    migrate::{self, Pace},
    provision::{Provisioner, Stock, make_ready},
};
use berth_testkit::{NoBooks, NoFiles};
use rand::RngExt as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio_util::sync::CancellationToken;

use crate::{
    Bench,
    figures::{Figures, percentile, sorted_ms},
    folder::Folder,
    load,
};

/// What figures with many tenants are held against.
const FEW: usize = 100;
/// Tenants whose making or claiming is measured: so many that the 99th of a hundred is not the worst.
const SAMPLE: usize = 300;
/// Seconds of each load.
const SECONDS: f64 = 4.0;
/// Loads of which the median counts.
const TURNS: usize = 5;
/// The same beside what makes schemas: as long as it rests, so that there is one in each.
const BESIDE: f64 = 60.0;
/// How often each tenant is asked before requests to all of them are measured.
const TOUCHES: usize = 6;
/// Megabytes of the tenant that is exported.
const MEGABYTES: f64 = 100.0;
/// Files it has, and how many bytes each.
const FILES: (usize, usize) = (200, 50_000);

/// What a next release may do: two columns, an index, a table.
const NEXT: &str = "
    ALTER TABLE booking ADD COLUMN channel text, ADD COLUMN priority integer NOT NULL DEFAULT 0;
    CREATE INDEX booking_channel ON booking (channel);
    CREATE TABLE channel (name text PRIMARY KEY)";

pub(crate) async fn run(
    bench: &Arc<Bench>,
    tenants: usize,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let mut fleet = Fleet::default();
    fleet.grow(bench, FEW).await?;
    settle(bench).await?;
    let few = warm(bench, &fleet.ids).await?;
    // Of those that are not measured each index would wait for the disk.
    keep_at_once(bench, false).await?;
    fleet.grow(bench, tenants.saturating_sub(SAMPLE)).await?;
    keep_at_once(bench, true).await?;
    settle(bench).await?;
    let took = fleet.grow(bench, tenants).await?;
    let last = sorted_ms(&took);
    figures.add(
        "making a tenant cold, two at once, p99",
        percentile(&last, 99),
        "ms",
        1_000.0,
    );
    figures.note(
        "making a tenant cold, two at once, p50",
        percentile(&last, 50),
        "ms",
    );
    settle(bench).await?;

    let again = warm(bench, &fleet.ids[..FEW]).await?;
    let many = warm(bench, &fleet.ids).await?;
    figures.note("warm request, 100 tenants, p50", few.p50, "ms");
    figures.note("the same 100 of all of them, p50", again.p50, "ms");
    figures.note("warm request, all tenants, p50", many.p50, "ms");
    figures.note("warm request, all tenants, p99", many.p99, "ms");
    figures.add(
        "all tenants by 100 tenants, p50",
        many.p50 / few.p50,
        "×",
        1.5,
    );
    role_switch(bench, &fleet, figures).await?;
    figures.add(
        "largest backend",
        largest_backend(bench).await?,
        "MB",
        256.0,
    );

    claims(bench, figures).await?;
    builder(bench, &fleet, figures).await?;
    export_and_delete(bench, figures).await?;
    fleet_migration(bench, tenants, figures).await
}

/// The tenants there are.
#[derive(Default)]
struct Fleet {
    ids: Vec<TenantId>,
}

impl Fleet {
    /// Makes tenants until there are so many, two at once; how long each took.
    async fn grow(&mut self, bench: &Arc<Bench>, to: usize) -> anyhow::Result<Vec<Duration>> {
        let next = Arc::new(AtomicUsize::new(self.ids.len()));
        let makers = [(); 2].map(|()| {
            let (bench, next) = (Arc::clone(bench), Arc::clone(&next));
            tokio::spawn(async move {
                let mut made = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= to {
                        return anyhow::Ok(made);
                    }
                    let began = Instant::now();
                    let new = tenant(&format!("fleet-{}", letters(number)));
                    let tenant =
                        lifecycle::create(&bench.settings, &new, &operator(), &Clock::System)
                            .await?;
                    made.push((number, tenant.id, began.elapsed()));
                    if number % 500 == 499 {
                        println!("  {} tenants", number + 1);
                    }
                }
            })
        });
        let mut made = Vec::new();
        for maker in makers {
            made.extend(maker.await??);
        }
        made.sort_unstable_by_key(|(number, _, _)| *number);
        self.ids.extend(made.iter().map(|(_, id, _)| *id));
        Ok(made.into_iter().map(|(_, _, took)| took).collect())
    }
}

/// A number in letters, none of which looks like another.
fn letters(mut number: usize) -> String {
    let mut text = String::new();
    loop {
        text.push(char::from(b"bcdfghkpqst"[number % 11]));
        number /= 11;
        if number == 0 {
            return text;
        }
    }
}

fn operator() -> Operator {
    Operator("bench".to_owned())
}

fn tenant(slug: &str) -> NewTenant {
    NewTenant {
        slug: slug.to_owned(),
        name: "Fleet".to_owned(),
        kind: "gym".to_owned(),
        timezone: "Europe/Berlin".to_owned(),
        currency: Currency::EUR,
        locale: "de".to_owned(),
        color: "#334155".to_owned(),
        legal_name: "Fleet".to_owned(),
        address: String::new(),
        accent_color: None,
        logo_url: None,
        tax_id: None,
        plan: None,
        founder: None,
    }
}

/// Requests, after some to each tenant that are not counted: what is measured is a fleet at work, not
/// the first touch of each schema. Of several turns the one whose p50 is the median.
async fn warm(bench: &Arc<Bench>, ids: &[TenantId]) -> anyhow::Result<load::Took> {
    load::touch(bench, ids, TOUCHES).await?;
    let mut turns = Vec::new();
    for _ in 0..TURNS {
        turns.push(load::requests(bench, ids, SECONDS).await?);
    }
    turns.sort_unstable_by(|a, b| a.p50.total_cmp(&b.p50));
    Ok(turns.swap_remove(TURNS / 2))
}

/// Lets what the mass making left behind be over: without this autovacuum works through the catalogs
/// beside all that is measured, and who reads a row of them first has to mark it.
async fn settle(bench: &Bench) -> anyhow::Result<()> {
    let mut conn = owner(bench).await?;
    let catalogs: Vec<String> = sqlx::query_scalar(
        "SELECT format('VACUUM (ANALYZE) %I.%I', nspname, relname)
         FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
         WHERE nspname IN ('pg_catalog', 'platform') AND relkind = 'r' ORDER BY 1",
    )
    .fetch_all(&mut conn)
    .await?;
    for vacuum in catalogs {
        sqlx::query(AssertSqlSafe(vacuum))
            .execute(&mut conn)
            .await?;
    }
    sqlx::query("CHECKPOINT").execute(&mut conn).await?;
    Ok(conn.close().await?)
}

/// Whether the server waits until what it commits is on the disk.
async fn keep_at_once(bench: &Bench, wanted: bool) -> anyhow::Result<()> {
    let wanted = if wanted { "on" } else { "off" };
    let mut conn = owner(bench).await?;
    let set = format!("ALTER SYSTEM SET fsync = {wanted}");
    sqlx::query(AssertSqlSafe(set)).execute(&mut conn).await?;
    sqlx::query("SELECT pg_reload_conf()")
        .execute(&mut conn)
        .await?;
    let began = Instant::now();
    let mut is = String::new();
    while is != wanted {
        ensure!(
            began.elapsed() < Duration::from_secs(10),
            "the server does not read its settings again"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
        is = sqlx::query_scalar("SHOW fsync")
            .fetch_one(&mut conn)
            .await?;
    }
    if wanted == "on" {
        // What was not waited for is the system's to write, and not beside what is measured.
        let synced = tokio::process::Command::new("sync").status().await?;
        ensure!(synced.success(), "`sync` failed");
    }
    Ok(conn.close().await?)
}

async fn owner(bench: &Bench) -> anyhow::Result<PgConnection> {
    Ok(PgConnection::connect(bench.settings.url.expose()).await?)
}

/// Taking on a tenant's role, alone: BEGIN with its settings. The worst is after a role was made: what
/// each backend knows of memberships is worth nothing then.
async fn role_switch(bench: &Bench, fleet: &Fleet, figures: &mut Figures) -> anyhow::Result<()> {
    let mut took = Vec::new();
    for _ in 0..3_000 {
        took.push(switch(bench, fleet).await?);
    }
    let ms = sorted_ms(&took);
    figures.note("role switch, p50", percentile(&ms, 50), "ms");
    figures.note("role switch, p99", percentile(&ms, 99), "ms");
    let mut conn = owner(bench).await?;
    let mut took = Vec::new();
    for _ in 0..100 {
        for sql in [
            "CREATE ROLE berth_bench_passing",
            "DROP ROLE berth_bench_passing",
        ] {
            sqlx::query(sql).execute(&mut conn).await?;
        }
        took.push(switch(bench, fleet).await?);
    }
    conn.close().await?;
    let ms = sorted_ms(&took);
    figures.note(
        "role switch after a role was made, p50",
        percentile(&ms, 50),
        "ms",
    );
    figures.add(
        "role switch after a role was made, worst of 100",
        ms[ms.len() - 1],
        "ms",
        3.0,
    );
    Ok(())
}

async fn switch(bench: &Bench, fleet: &Fleet) -> anyhow::Result<Duration> {
    let id = fleet.ids[rand::rng().random_range(0..fleet.ids.len())];
    let tenant = bench
        .tenancy
        .registry()
        .get(id)
        .await?
        .context("a tenant is gone")?;
    let began = Instant::now();
    let tx = bench.tenancy.begin(&tenant).await?;
    let took = began.elapsed();
    tx.rollback().await?;
    Ok(took)
}

/// Memory of its own of the largest backend that serves tenants, in MB.
async fn largest_backend(bench: &Bench) -> anyhow::Result<f64> {
    let mut conn = owner(bench).await?;
    let pids: Vec<i32> =
        sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE usename LIKE 'berth\\_b%'")
            .fetch_all(&mut conn)
            .await?;
    conn.close().await?;
    ensure!(!pids.is_empty(), "no backend serves tenants");
    let private = |pid: &i32| -> anyhow::Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let kib = |name: &str| -> f64 {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
            kib.and_then(|kib| kib.trim().parse().ok()).unwrap_or(0.0)
        };
        Ok((kib("Private_Clean:") + kib("Private_Dirty:")) / 1_024.0)
    };
    let all = pids
        .iter()
        .map(private)
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(all.into_iter().fold(0.0, f64::max))
}

/// A provisioner at work until the token is cancelled.
fn provisioner(bench: &Bench, stock: Stock) -> (CancellationToken, tokio::task::JoinHandle<()>) {
    let provisioner = Provisioner {
        settings: bench.settings.clone(),
        stock,
        files: Arc::new(NoFiles),
        books: Arc::new(NoBooks),
        clock: Clock::System,
    };
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let running = tokio::spawn(async move { provisioner.run(stopped).await });
    (stop, running)
}

/// Claiming schemas that are ready.
async fn claims(bench: &Bench, figures: &mut Figures) -> anyhow::Result<()> {
    let stock = Stock {
        wanted: SAMPLE,
        rest: 0,
    };
    let (stop, running) = provisioner(bench, stock);
    let mut conn = owner(bench).await?;
    loop {
        if usize::try_from(ready_schemas(&mut conn).await?)? >= SAMPLE {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    conn.close().await?;
    stop.cancel();
    running.await?;
    let lifecycle = Lifecycle::new(bench.tenancy.clone(), operator(), Clock::System);
    let mut took = Vec::new();
    for number in 0..SAMPLE {
        let new = tenant(&format!("claimed-{}", letters(number)));
        let began = Instant::now();
        lifecycle.claim(&new).await?;
        took.push(began.elapsed());
    }
    let ms = sorted_ms(&took);
    figures.note("claiming a ready tenant, p50", percentile(&ms, 50), "ms");
    figures.add(
        "claiming a ready tenant, p99",
        percentile(&ms, 99),
        "ms",
        25.0,
    );
    Ok(())
}

/// What making schemas ready does to requests: in turns, with and without.
async fn builder(bench: &Arc<Bench>, fleet: &Fleet, figures: &mut Figures) -> anyhow::Result<()> {
    let ids = &fleet.ids[..FEW];
    let mut conn = owner(bench).await?;
    let mut ratios = Vec::new();
    let mut made = 0;
    load::touch(bench, ids, TOUCHES).await?;
    // The first ones are made without rest: nobody is to wait for them.
    make_ready(&bench.settings, 4).await?;
    for _ in 0..5 {
        let without = load::requests(bench, ids, BESIDE).await?;
        let before = ready_schemas(&mut conn).await?;
        let stock = Stock {
            wanted: 10_000,
            ..Stock::default()
        };
        let (stop, running) = provisioner(bench, stock);
        let with = load::requests(bench, ids, BESIDE).await?;
        stop.cancel();
        running.await?;
        let after = ready_schemas(&mut conn).await?;
        ensure!(after > before, "no schema was made meanwhile");
        made += after - before;
        ratios.push(with.p95 / without.p95);
    }
    conn.close().await?;
    ratios.sort_unstable_by(f64::total_cmp);
    figures.note("schemas made beside requests in 300 s", f64::from(made), "");
    figures.add(
        "requests beside the builder, p95, median of 5",
        ratios[2],
        "×",
        1.1,
    );
    Ok(())
}

async fn ready_schemas(conn: &mut PgConnection) -> anyhow::Result<i32> {
    let count = "SELECT count(*)::int FROM platform.ready_schema";
    Ok(sqlx::query_scalar(count).fetch_one(conn).await?)
}

/// A next release's files over the whole fleet, and then nothing to do.
async fn fleet_migration(
    bench: &Bench,
    tenants: usize,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let mut idle = Vec::new();
    for _ in 0..9 {
        let began = Instant::now();
        migrate::run(&bench.settings, Pace::default(), &|_| {}).await?;
        idle.push(began.elapsed());
    }
    figures.add(
        "nothing to migrate, median of 9",
        percentile(&sorted_ms(&idle), 50),
        "ms",
        50.0,
    );
    let mut next = bench.settings.clone();
    next.files = next.files.and(NEXT);
    let pace = Pace {
        workers: 8,
        ..Pace::default()
    };
    let began = Instant::now();
    let report = migrate::run(&next, pace, &|_| {}).await?;
    let took = began.elapsed().as_secs_f64();
    ensure!(report.quarantined.is_empty(), "{:?}", report.quarantined);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let (moved, wanted) = (report.tenants as f64, tenants as f64);
    figures.add(
        "a migration of all, 8 workers",
        took,
        "s",
        60.0 * (wanted / 10_000.0).max(0.1),
    );
    figures.note("tenants migrated a second", moved / took, "/s");
    Ok(())
}

/// A tenant with a hundred megabytes: taken out, and erased.
async fn export_and_delete(bench: &Bench, figures: &mut Figures) -> anyhow::Result<()> {
    let slug = "claimed-b";
    let key = TenantKey::Slug(slug.to_owned());
    let found = bench
        .tenancy
        .registry()
        .find(&key)
        .await?
        .context("it is gone")?;
    let role = found.tenant.role().to_owned();
    let mut conn = owner(bench).await?;
    // Rows as bookings leave them: events handled and answers kept, some of them long.
    let fill = format!(
        "INSERT INTO {role}.idempotency (principal, route, key, request_hash, body)
         SELECT 'user:' || gen_random_uuid(), 'POST /v1/bookings', gen_random_uuid()::text,
                decode(md5(n::text), 'hex'), repeat(md5(n::text), 24)
         FROM generate_series(1, 110000) n"
    );
    sqlx::query(AssertSqlSafe(fill)).execute(&mut conn).await?;
    conn.close().await?;
    let place = tempfile::tempdir()?;
    let files = Folder(place.path().join("store"));
    give_files(&files, found.tenant.id).await?;
    let began = Instant::now();
    let folder = place.path().join("export");
    let manifest = data::export(
        &bench.settings,
        slug,
        &folder,
        &files,
        &operator(),
        &Clock::System,
    )
    .await?;
    let took = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let megabytes =
        manifest.tables.iter().map(|table| table.bytes).sum::<u64>() as f64 / 1e6 + bytes_of(FILES);
    figures.note("exported", megabytes, "MB");
    figures.add("export of 100 MB", took * MEGABYTES / megabytes, "s", 5.0);
    let began = Instant::now();
    let (by, clock) = (operator(), Clock::System);
    let new = Some("restored-b");
    let restored = data::restore_as_new(&bench.settings, &folder, new, &files, &by, &clock);
    restored.await?;
    figures.note(
        "restore of it, compared",
        began.elapsed().as_secs_f64(),
        "s",
    );

    // The one with a hundred megabytes, then others beside it.
    let lifecycle = Lifecycle::new(bench.tenancy.clone(), operator(), Clock::System);
    let mut took = Vec::new();
    for slug in [slug, "claimed-c", "claimed-d", "claimed-f", "claimed-g"] {
        give_files(&files, lifecycle.particulars(slug).await?.id).await?;
        lifecycle.archive(slug).await?;
        lifecycle.erase(slug).await?;
        let began = Instant::now();
        lifecycle::erase_leaving(&bench.settings, &files, &NoBooks, &Clock::System).await?;
        took.push(began.elapsed().as_secs_f64());
    }
    let worst = took.iter().copied().fold(0.0, f64::max);
    figures.note("erasing the one of 100 MB", took[0], "s");
    figures.add("erasing a tenant, worst of 5", worst, "s", 1.0);
    Ok(())
}

/// Gives a tenant its files.
async fn give_files(files: &Folder, tenant: TenantId) -> anyhow::Result<()> {
    let (count, bytes) = FILES;
    let filled = files.fill(tenant, count, bytes).await;
    filled.map_err(|error| anyhow::anyhow!("{error}"))
}

/// Megabytes of so many files.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn bytes_of((count, bytes): (usize, usize)) -> f64 {
    (count * bytes) as f64 / 1e6
}
