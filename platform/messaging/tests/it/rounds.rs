//! Whom a sweep looks at.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use berth_kernel::TenantId;
use berth_messaging::rounds::Rounds;
use berth_tenancy::Tenant;
use berth_testkit::TestPlatform;
use jiff::{SignedDuration, Timestamp};

/// A sweep that notes whom it looked at, and is told when something is due there.
#[derive(Default)]
struct Sweep {
    looked: Mutex<Vec<TenantId>>,
    due: Mutex<HashMap<TenantId, Result<Timestamp, std::fmt::Error>>>,
}

impl Sweep {
    async fn round(&self, rounds: &mut Rounds) -> Vec<TenantId> {
        let look = |tenant: Arc<Tenant>| async move {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            looked.push(tenant.id);
            let due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
            due.get(&tenant.id).cloned().transpose()
        };
        rounds.go(look).await.unwrap();
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let mut looked = std::mem::take(&mut *looked);
        // Those of a round are looked at side by side, in whatever order.
        looked.sort_unstable();
        looked
    }

    fn due(&self, id: TenantId, at: Result<Timestamp, std::fmt::Error>) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.insert(id, at);
    }
}

fn rounds(platform: &TestPlatform) -> Rounds {
    // A round a minute: of a few tenants one is in each.
    Rounds::new(platform.tenancy().clone(), Duration::from_secs(60)).at_least(1)
}

fn in_order(platform: &TestPlatform) -> (TenantId, TenantId) {
    let (alpha, beta) = (platform.alpha().id, platform.beta().id);
    (alpha.min(beta), alpha.max(beta))
}

/// A sweep that has begun: it looked at everybody, and nobody is due.
async fn begun(platform: &TestPlatform, sweep: &Sweep) -> Rounds {
    let (first, second) = in_order(platform);
    let mut rounds = rounds(platform);
    forget_told(platform).await;
    assert_eq!(sweep.round(&mut rounds).await, [first, second]);
    rounds
}

#[tokio::test]
async fn everybody_is_looked_at_first_and_then_in_turn() {
    let platform = TestPlatform::start().await;
    let (first, second) = in_order(&platform);
    let sweep = Sweep::default();
    let mut rounds = begun(&platform, &sweep).await;
    assert_eq!(sweep.round(&mut rounds).await, [first]);
    assert_eq!(sweep.round(&mut rounds).await, [second]);
    assert_eq!(sweep.round(&mut rounds).await, []);
    assert_eq!(sweep.round(&mut rounds).await, [first]);
    // What is under way for who is served no more is finished; for who is held nothing is done.
    stand(&platform, second, "suspended").await;
    assert_eq!(sweep.round(&mut rounds).await, [second]);
    assert_eq!(sweep.round(&mut rounds).await, []);
    stand(&platform, second, "archived").await;
    assert_eq!(sweep.round(&mut rounds).await, [first]);
    assert_eq!(sweep.round(&mut rounds).await, [second]);
    stand(&platform, second, "held").await;
    assert_eq!(sweep.round(&mut rounds).await, []);
    assert_eq!(sweep.round(&mut rounds).await, [first]);
    assert_eq!(sweep.round(&mut rounds).await, []);
}

#[tokio::test]
async fn who_is_due_and_of_whom_something_is_told_is_looked_at_out_of_turn() {
    let platform = TestPlatform::start().await;
    let (first, second) = in_order(&platform);
    let sweep = Sweep::default();
    let past = Timestamp::now() - SignedDuration::from_secs(1);
    let future = Timestamp::now() + SignedDuration::from_secs(3_600);
    sweep.due(first, Ok(past));
    let mut rounds = begun(&platform, &sweep).await;
    assert_eq!(sweep.round(&mut rounds).await, [first]);
    // Due, and in turn.
    assert_eq!(sweep.round(&mut rounds).await, [first, second]);
    sweep.due(first, Ok(future));
    assert_eq!(sweep.round(&mut rounds).await, [first]);
    assert_eq!(sweep.round(&mut rounds).await, [first], "its turn");
    assert_eq!(sweep.round(&mut rounds).await, [second], "its turn");
    assert_eq!(sweep.round(&mut rounds).await, []);
    // Whoever tells something is heard, published or not, and once.
    tell(&platform, second).await;
    assert_eq!(sweep.round(&mut rounds).await, [first, second]);
    publish(&platform).await;
    assert_eq!(sweep.round(&mut rounds).await, [second]);
    age(&platform).await;
    assert_eq!(sweep.round(&mut rounds).await, []);
    assert_eq!(sweep.round(&mut rounds).await, [first]);
}

#[tokio::test]
async fn one_that_fails_is_looked_at_again_and_holds_up_nobody() {
    let platform = TestPlatform::start().await;
    let (first, second) = in_order(&platform);
    let sweep = Sweep::default();
    sweep.due(first, Err(std::fmt::Error));
    let mut rounds = begun(&platform, &sweep).await;
    assert_eq!(sweep.round(&mut rounds).await, [first]);
    assert_eq!(sweep.round(&mut rounds).await, [first, second]);
    assert_eq!(sweep.round(&mut rounds).await, [first]);
}

async fn run(platform: &TestPlatform, sql: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(platform.admin_pool())
        .await
        .unwrap();
}

async fn forget_told(platform: &TestPlatform) {
    run(platform, "DELETE FROM platform.outbox".into()).await;
}

async fn tell(platform: &TestPlatform, tenant: TenantId) {
    let sql = format!(
        "INSERT INTO platform.outbox (event_id, tenant_id, event_type, entity_id, envelope)
         VALUES (gen_random_uuid(), '{tenant}', 'test', gen_random_uuid(), '{{}}')"
    );
    run(platform, sql).await;
}

async fn publish(platform: &TestPlatform) {
    let sql = "UPDATE platform.outbox SET published_at = clock_timestamp()";
    run(platform, sql.into()).await;
}

/// As if all that was told had been told a minute earlier.
async fn age(platform: &TestPlatform) {
    let sql = "UPDATE platform.outbox SET published_at = published_at - interval '1 minute'";
    run(platform, sql.into()).await;
}

async fn stand(platform: &TestPlatform, tenant: TenantId, status: &str) {
    let sql = format!("UPDATE platform.tenant SET status = '{status}' WHERE id = '{tenant}'");
    run(platform, sql).await;
    platform.tenancy().registry().forget();
}
