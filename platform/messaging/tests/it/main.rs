//! Relay and worker on a real broker, with a consumer that does what consumers should not.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod rounds;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use berth_kernel::{Cause, Envelope, Event, TenantId};
use berth_messaging::{Consumer, Done, Failure, Work, outbox, relay, worker};
use berth_tenancy::Tenant;
use berth_testkit::TestPlatform;
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(60);

/// Something happened once to something of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Happened {
    thing: Uuid,
}

impl Event for Happened {
    const TYPE: &'static str = "test.thing.happened";

    fn entity_id(&self) -> Uuid {
        self.thing
    }

    fn entity_version(&self) -> i64 {
        1
    }
}

/// Treats one tenant's events badly and everybody else's well.
struct Uneven {
    badly: TenantId,
    how: How,
    /// Events treated badly at this moment, and the most there ever were.
    now: AtomicUsize,
    most: AtomicUsize,
}

enum How {
    Panic,
    /// Handles one for each permit.
    WaitFor(Semaphore),
}

#[async_trait]
impl Consumer for Uneven {
    fn name(&self) -> &'static str {
        "uneven"
    }

    fn subscriptions(&self) -> &'static [&'static str] {
        &["test.thing.*"]
    }

    async fn handle(&self, work: &Work) -> Result<Done, Failure> {
        if work.tenant.id == self.badly {
            match &self.how {
                How::Panic => panic!("a consumer at its end"),
                How::WaitFor(gate) => {
                    let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
                    self.most.fetch_max(now, Ordering::SeqCst);
                    gate.acquire().await.unwrap().forget();
                    self.now.fetch_sub(1, Ordering::SeqCst);
                }
            }
        }
        work.ignore().await
    }
}

/// Relay and worker at work for [`Uneven`].
struct Post {
    platform: Arc<TestPlatform>,
    consumer: Arc<Uneven>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Post {
    async fn open(how: How) -> Self {
        let platform = Arc::new(TestPlatform::start().await);
        let consumer = Arc::new(Uneven {
            badly: platform.alpha().id,
            how,
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let consumers: Vec<Arc<dyn Consumer>> = vec![Arc::clone(&consumer) as _];
        let tenancy = || platform.tenancy().clone();
        let relay = relay::run(
            tenancy(),
            platform.broker(),
            consumers.clone(),
            stop.clone(),
        );
        tasks.spawn(relay);
        tasks.spawn(worker::run(
            tenancy(),
            platform.broker(),
            consumers,
            stop.clone(),
        ));
        Self {
            platform,
            consumer,
            stop,
            tasks,
        }
    }

    async fn tell(&self, tenant: &Tenant, events: usize) {
        let mut tx = self.platform.tenancy().begin(tenant).await.unwrap();
        for _ in 0..events {
            let event = Happened {
                thing: Uuid::now_v7(),
            };
            let at = self.platform.clock().now();
            outbox::push(&mut tx, &event, at, &Cause::fresh())
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// Waits until the tenant's `table` has `expected` rows.
    async fn until(&self, tenant: &Tenant, table: &str, expected: i64) {
        let started = Instant::now();
        loop {
            let found = rows(&self.platform, tenant, table).await;
            if found == expected {
                return;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "{table}: {found}, not {expected}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn close(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// How many rows a tenant's `table` has.
async fn rows(platform: &TestPlatform, tenant: &Tenant, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {}.{table}", tenant.role());
    let found = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(platform.admin_pool());
    found.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_panics_has_failed_and_holds_nobody_up() {
    let post = Post::open(How::Panic).await;
    let (alpha, beta) = (post.platform.alpha(), post.platform.beta());
    post.tell(&alpha, 20).await;
    post.until(&alpha, "inbox_failure", 20).await;
    post.tell(&beta, 20).await;
    post.until(&beta, "inbox", 20).await;
    post.until(&alpha, "inbox", 0).await;
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_whose_events_take_long_has_its_share_and_no_more() {
    let post = Post::open(How::WaitFor(Semaphore::new(0))).await;
    let (alpha, beta) = (post.platform.alpha(), post.platform.beta());
    post.tell(&alpha, 60).await;
    let started = Instant::now();
    while post.consumer.now.load(Ordering::SeqCst) < 20 {
        assert!(started.elapsed() < PATIENCE, "the share is not used");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    post.tell(&beta, 20).await;
    post.until(&beta, "inbox", 20).await;
    post.until(&alpha, "inbox", 0).await;
    let How::WaitFor(gate) = &post.consumer.how else {
        unreachable!()
    };
    gate.add_permits(60);
    post.until(&alpha, "inbox", 60).await;
    assert_eq!(post.consumer.most.load(Ordering::SeqCst), 20);
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_handled_for_a_tenant_that_is_held_until_it_is_released() {
    let post = Post::open(How::Panic).await;
    let (alpha, beta) = (post.platform.alpha(), post.platform.beta());
    let stand = async |status: &str| {
        sqlx::query("UPDATE platform.tenant SET status = $2 WHERE id = $1")
            .bind(beta.id.uuid())
            .bind(status)
            .execute(post.platform.admin_pool())
            .await
            .unwrap();
        post.platform
            .tenancy()
            .registry()
            .refresh(beta.id)
            .await
            .unwrap();
    };
    stand("held").await;
    post.tell(&beta, 5).await;
    // Told later, and given up by now: those before it have had their turn.
    post.tell(&alpha, 1).await;
    post.until(&alpha, "inbox_failure", 1).await;
    post.until(&beta, "inbox", 0).await;
    stand("active").await;
    post.until(&beta, "inbox", 5).await;
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_timeline_told_that_was_given_up_is_dropped() {
    let post = Post::open(How::Panic).await;
    let beta = post.platform.beta();
    let turn = async |timeline: i32| {
        sqlx::query("UPDATE platform.tenant SET timeline = $2 WHERE id = $1")
            .bind(beta.id.uuid())
            .bind(timeline)
            .execute(post.platform.admin_pool())
            .await
            .unwrap();
    };
    // Told on a timeline this process has not heard of: it asks.
    turn(1).await;
    let found = post.platform.tenancy().registry().refresh(beta.id).await;
    let on_one = found.unwrap().unwrap();
    turn(0).await;
    let registry = post.platform.tenancy().registry();
    registry.refresh(beta.id).await.unwrap();
    turn(1).await;
    post.tell(&on_one, 3).await;
    post.until(&beta, "inbox", 3).await;
    // The next is on: what is told on the one before is heard by nobody.
    turn(2).await;
    let on_two = registry.refresh(beta.id).await.unwrap().unwrap();
    post.tell(&on_one, 20).await;
    post.tell(&on_two, 20).await;
    post.until(&beta, "inbox", 23).await;
    let platform = Arc::clone(&post.platform);
    post.close().await;
    assert_eq!(rows(&platform, &beta, "inbox").await, 23);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tenants_role_wrote_in_anothers_name_is_not_told() {
    let post = Post::open(How::Panic).await;
    let (alpha, beta) = (post.platform.alpha(), post.platform.beta());
    // By the row, by the envelope alone, and by the row alone.
    for (row, envelope) in [(beta.id, beta.id), (alpha.id, beta.id), (beta.id, alpha.id)] {
        let mut tx = post.platform.tenancy().begin(&alpha).await.unwrap();
        let event = Happened {
            thing: Uuid::now_v7(),
        };
        let at = post.platform.clock().now();
        let told = Envelope::wrap(&event, envelope, at, &Cause::fresh()).unwrap();
        sqlx::query(
            "INSERT INTO platform.outbox (event_id, tenant_id, event_type, entity_id, envelope)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(told.event_id.uuid())
        .bind(row.uuid())
        .bind(Happened::TYPE)
        .bind(event.thing)
        .bind(serde_json::to_string(&told).unwrap())
        .execute(tx.conn())
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }
    // Told after them, and heard: their turn is over.
    post.tell(&beta, 20).await;
    post.until(&beta, "inbox", 20).await;
    post.until(&alpha, "inbox_failure", 0).await;
    let platform = Arc::clone(&post.platform);
    post.close().await;
    assert_eq!(rows(&platform, &beta, "inbox").await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_role_cannot_say_who_wrote_its_rows() {
    let platform = TestPlatform::start().await;
    let (alpha, beta) = (platform.alpha(), platform.beta());
    let mut tx = platform.tenancy().begin(&alpha).await.unwrap();
    let refused = sqlx::query(
        "INSERT INTO platform.outbox (event_id, tenant_id, event_type, entity_id, envelope, written_by)
         VALUES ($1, $2, 'test.thing.happened', $1, '{}', $3)",
    )
    .bind(Uuid::now_v7())
    .bind(beta.id.uuid())
    .bind(beta.role())
    .execute(tx.conn())
    .await
    .unwrap_err();
    let code = refused.as_database_error().and_then(|error| error.code());
    assert_eq!(code.as_deref(), Some("42501"));
}
