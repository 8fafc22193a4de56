//! Transactions dropped at every await: nothing of them may be left on the connection.
//!
//! Many tasks work for two tenants of one bucket, so that they share its connections. Each visit
//! looks whose data it sees, writes a row under a key of its own and commits; most are dropped
//! somewhere on the way. What was dropped before its commit was sent must not have happened: a
//! connection that goes back to the pool with the transaction still open has it committed by the
//! next visitor.

use std::{
    collections::HashSet,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use berth_kernel::Clock;
use berth_tenancy::{DatabaseSettings, Tenancy, Tenant, TenantKey, lifecycle};
use berth_testkit::TestPlatform;
use rand::RngExt as _;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, PgPool, postgres::PgPoolOptions};

use crate::{bucket_login, gym, login, tester};

const TASKS: usize = 12;
/// On a busy machine a visit takes about this many polls.
const BUSY: u32 = 16;
/// On an idle one it takes hardly more than its four messages.
const IDLE: u32 = 4;

/// Visits of the way the product has: a hundred thousand, or as many as `BERTH_FUZZ_VISITS` says.
fn visits() -> usize {
    let wanted = std::env::var("BERTH_FUZZ_VISITS").ok();
    wanted.map_or(100_000, |count| {
        count.parse().expect("BERTH_FUZZ_VISITS is a number")
    })
}

/// How a visit gets its transaction.
#[derive(Clone)]
enum Way {
    /// As the product does.
    Armoured(Tenancy),
    /// The same messages on a pooled connection, and nothing that mends it when dropped.
    Bare(PgPool),
}

/// What is known of the visits.
#[derive(Default)]
struct Ledger {
    /// Keys whose commit was acknowledged.
    committed: Mutex<HashSet<String>>,
    /// Keys whose visit was dropped before its commit was sent.
    dropped: Mutex<HashSet<String>>,
    /// Visits that saw another tenant's role, schema or rows.
    strayed: AtomicUsize,
    /// Visits that met an error.
    failed: AtomicUsize,
}

/// Polls `future` up to `polls` times and then drops it where it stands.
async fn cut<F: Future>(future: F, polls: u32) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Looks whose data `conn` sees and writes `key`; whether all of it was `tenant`'s.
async fn work(conn: &mut PgConnection, tenant: &Tenant, key: &str) -> Result<bool, sqlx::Error> {
    let (role, schema, foreign): (String, String, i64) = sqlx::query_as(
        "SELECT current_user::text, current_schema()::text, \
                (SELECT count(*) FROM idempotency WHERE principal <> $1)",
    )
    .bind(tenant.role())
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query(
        "INSERT INTO idempotency (principal, route, key, request_hash, body) \
         VALUES ($1, 'fuzz', $2, '', '')",
    )
    .bind(tenant.role())
    .bind(key)
    .execute(conn)
    .await?;
    Ok(role == tenant.role() && schema == tenant.role() && foreign == 0)
}

/// One visit; `sent` is set just before the commit is.
async fn visit(
    way: &Way,
    tenant: &Tenant,
    key: &str,
    sent: &AtomicBool,
) -> Result<bool, berth_tenancy::Error> {
    match way {
        Way::Armoured(tenancy) => {
            let mut tx = tenancy.begin(tenant).await?;
            let own = work(tx.conn(), tenant, key).await?;
            sent.store(true, Ordering::SeqCst);
            tx.commit().await?;
            Ok(own)
        }
        Way::Bare(pool) => {
            let mut conn = pool.acquire().await?;
            let role = tenant.role();
            let begin = format!(
                "BEGIN; SET LOCAL ROLE {role}; SET LOCAL search_path = {role}, public, pg_temp"
            );
            conn.execute(sqlx::raw_sql(AssertSqlSafe(begin))).await?;
            let own = work(&mut conn, tenant, key).await?;
            sent.store(true, Ordering::SeqCst);
            conn.execute("COMMIT").await?;
            Ok(own)
        }
    }
}

/// `visits` visits by [`TASKS`] tasks, most of them dropped on the way.
async fn fuzz(way: Way, tenants: [Arc<Tenant>; 2], visits: usize) -> Arc<Ledger> {
    let ledger = Arc::new(Ledger::default());
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (way, tenants, ledger) = (way.clone(), tenants.clone(), Arc::clone(&ledger));
            tokio::spawn(async move {
                for number in (task..visits).step_by(TASKS) {
                    let tenant = &tenants[rand::rng().random_range(0..2)];
                    let polls = patience();
                    one(&way, tenant, format!("{number}"), polls, &ledger).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    ledger
}

/// After how many polls a visit is dropped. One in four is let through and the rest is spread over
/// both an idle and a busy machine's visits, so that the outcomes mix whatever machine this is.
fn patience() -> u32 {
    match rand::rng().random_range(0..4) {
        0 => u32::MAX,
        1 => rand::rng().random_range(0..BUSY),
        _ => rand::rng().random_range(0..IDLE),
    }
}

async fn one(way: &Way, tenant: &Tenant, key: String, polls: u32, ledger: &Ledger) {
    let sent = AtomicBool::new(false);
    match cut(visit(way, tenant, &key, &sent), polls).await {
        Some(Ok(own)) => {
            ledger
                .strayed
                .fetch_add(usize::from(!own), Ordering::SeqCst);
            ledger.committed.lock().unwrap().insert(key);
        }
        Some(Err(_)) => {
            ledger.failed.fetch_add(1, Ordering::SeqCst);
        }
        None if !sent.load(Ordering::SeqCst) => {
            ledger.dropped.lock().unwrap().insert(key);
        }
        // Dropped while the commit was on its way: either outcome is right.
        None => {}
    }
}

/// What is found in the tables afterwards.
struct Found {
    /// Rows of visits that were dropped before their commit was sent.
    ghosts: usize,
    /// Acknowledged rows that are not there.
    lost: usize,
    /// Rows in another tenant's schema.
    misplaced: usize,
}

async fn inspect(platform: &TestPlatform, tenants: &[Arc<Tenant>; 2], ledger: &Ledger) -> Found {
    let mut present = HashSet::new();
    let mut misplaced = 0;
    for tenant in tenants {
        let sql = format!("SELECT principal, key FROM {}.idempotency", tenant.role());
        let rows: Vec<(String, String)> = sqlx::query_as(AssertSqlSafe(sql))
            .fetch_all(platform.admin_pool())
            .await
            .unwrap();
        misplaced += rows
            .iter()
            .filter(|(principal, _)| principal != tenant.role())
            .count();
        present.extend(rows.into_iter().map(|(_, key)| key));
    }
    let ghosts = ledger
        .dropped
        .lock()
        .unwrap()
        .intersection(&present)
        .count();
    let lost = ledger
        .committed
        .lock()
        .unwrap()
        .difference(&present)
        .count();
    Found {
        ghosts,
        lost,
        misplaced,
    }
}

/// A platform with two tenants in the one bucket of its tenancy.
async fn shared_bucket() -> (TestPlatform, Tenancy, [Arc<Tenant>; 2]) {
    let platform = TestPlatform::start().await;
    let settings = DatabaseSettings {
        buckets: 1,
        ..platform.settings().clone()
    };
    lifecycle::create(&settings, &gym("gamma-gym"), &tester(), &Clock::System)
        .await
        .unwrap();
    let tenancy = platform.tenancy().clone();
    let found = tenancy
        .registry()
        .find(&TenantKey::Slug("gamma-gym".into()))
        .await
        .unwrap();
    let tenants = [platform.alpha(), found.unwrap().tenant];
    let [one, two] = &tenants;
    assert_eq!(
        bucket_login(&platform, one).await,
        bucket_login(&platform, two).await
    );
    (platform, tenancy, tenants)
}

/// Waits until no connection of the buckets is left inside a transaction: healing goes on for a
/// moment after the last drop.
async fn all_healed(platform: &TestPlatform) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let open: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
               AND usename LIKE 'berth\\_b%' AND state <> 'idle'",
        )
        .fetch_one(platform.admin_pool())
        .await
        .unwrap();
        if open == 0 {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{open} connections are still in a transaction"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_dropped_anywhere_leaves_nothing_behind() {
    let (platform, tenancy, tenants) = shared_bucket().await;
    let ledger = fuzz(Way::Armoured(tenancy.clone()), tenants.clone(), visits()).await;
    all_healed(&platform).await;
    let found = inspect(&platform, &tenants, &ledger).await;
    let committed = ledger.committed.lock().unwrap().len();
    let dropped = ledger.dropped.lock().unwrap().len();
    assert_eq!(
        ledger.strayed.load(Ordering::SeqCst),
        0,
        "visits saw another tenant's data"
    );
    assert_eq!(
        (found.ghosts, found.lost, found.misplaced),
        (0, 0, 0),
        "ghosts, lost, misplaced"
    );
    assert!(
        committed > visits() / 20 && dropped > visits() / 5,
        "{committed} committed, {dropped} dropped"
    );
    assert_eq!(ledger.failed.load(Ordering::SeqCst), 0, "visits failed");
    // Every place of the pool still serves.
    let mut held = Vec::new();
    for (_, tenant) in (0..platform.settings().connections_per_bucket).zip(tenants.iter().cycle()) {
        held.push(tenancy.begin(tenant).await.unwrap());
    }
}

/// The control: without the healing the same check finds what it looks for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_finds_ghosts_where_nothing_heals() {
    let (platform, _, tenants) = shared_bucket().await;
    let role = bucket_login(&platform, &tenants[0]).await;
    let options = login(platform.settings(), &role).options([("search_path", "nowhere")]);
    let pool = PgPoolOptions::new()
        .max_connections(4)
        .connect_lazy_with(options);
    let ledger = fuzz(Way::Bare(pool.clone()), tenants.clone(), 2_000).await;
    pool.close().await;
    let found = inspect(&platform, &tenants, &ledger).await;
    assert!(
        found.ghosts > 0,
        "the check cannot fail: it proves nothing about the armoured way"
    );
}

/// Whoever is dropped leaves work behind, which is their tenant's until it is over.
#[tokio::test]
async fn a_connection_counts_for_its_tenant_until_it_is_clean() {
    const LEFT_AT: Duration = Duration::from_millis(600);
    let (platform, tenancy, [one, other]) = shared_bucket().await;
    let mut taken = Vec::new();
    // As many as one tenant may have.
    for _ in 0..platform.settings().connections_per_bucket {
        let begun = tokio::time::timeout(Duration::from_millis(100), tenancy.begin(&one));
        let Ok(begun) = begun.await else { break };
        taken.push(begun.unwrap());
    }
    assert!(taken.len() > 1, "{} connections", taken.len());
    let began = Instant::now();
    let leaving = taken.into_iter().map(|mut tx| async move {
        let busy = sqlx::query("SELECT pg_sleep($1)").bind(LEFT_AT.as_secs_f64());
        let left = tokio::time::timeout(Duration::from_millis(50), busy.execute(tx.conn()));
        left.await.unwrap_err();
    });
    futures::future::join_all(leaving).await;
    // Others find a connection, and it none before one of its own is over.
    tenancy
        .begin(&other)
        .await
        .unwrap()
        .rollback()
        .await
        .unwrap();
    assert!(began.elapsed() < LEFT_AT);
    tenancy.begin(&one).await.unwrap().rollback().await.unwrap();
    assert!(began.elapsed() >= LEFT_AT);
}
