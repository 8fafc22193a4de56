//! Which connection serves a tenant.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use berth_tenancy::{Tenant, TenantTx};
use berth_testkit::TestPlatform;

async fn begin(platform: &TestPlatform, tenant: &Arc<Tenant>) -> (TenantTx, i32) {
    let mut tx = platform.tenancy().begin(tenant).await.unwrap();
    let pid = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(tx.conn())
        .await
        .unwrap();
    (tx, pid)
}

/// Waits until everything but what `busy` transactions use is free again.
async fn settled(platform: &TestPlatform, busy: usize) {
    let began = Instant::now();
    loop {
        let (open, idle) = platform.tenancy().database().usage();
        if usize::try_from(open).unwrap() <= idle + busy {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{open} open, {idle} idle"
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Who serves the tenant then.
async fn served_by(platform: &TestPlatform, tenant: &Arc<Tenant>, busy: usize) -> i32 {
    settled(platform, busy).await;
    let (tx, pid) = begin(platform, tenant).await;
    tx.commit().await.unwrap();
    pid
}

#[tokio::test]
async fn a_tenant_comes_back_to_the_connection_that_served_it_and_waits_for_none() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    // As many as are needed at once are opened, and no more.
    let first = served_by(&platform, &alpha, 0).await;
    assert_eq!(served_by(&platform, &alpha, 0).await, first);
    let mut at_once = Vec::new();
    for _ in 0..3 {
        at_once.push(begin(&platform, &alpha).await);
    }
    let mut pids: Vec<i32> = at_once.iter().map(|(_, pid)| *pid).collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 3);
    for (tx, _) in at_once {
        tx.rollback().await.unwrap();
    }

    let favourite = served_by(&platform, &alpha, 0).await;
    for _ in 0..10 {
        assert_eq!(served_by(&platform, &alpha, 0).await, favourite);
    }
    // While that one is busy another serves, always the same; and then it does again.
    settled(&platform, 0).await;
    let (busy, pid) = begin(&platform, &alpha).await;
    assert_eq!(pid, favourite);
    let second = served_by(&platform, &alpha, 1).await;
    assert!(second != favourite && pids.contains(&second));
    assert_eq!(served_by(&platform, &alpha, 1).await, second);
    busy.commit().await.unwrap();
    assert_eq!(served_by(&platform, &alpha, 0).await, favourite);
}
