//! Whose webhooks are acted on first.

use crate::Stage;

/// Keeps so many webhooks that say how an account is, received in this order.
async fn keep(stage: &Stage, account: &str, count: i64) {
    sqlx::query(
        "INSERT INTO platform.webhook_inbox (provider, event_id, account, payload)
         SELECT 'stripe', 'evt_' || $1 || n, $1, convert_to(json_build_object(
                    'id', 'evt_' || $1 || n, 'type', 'account.updated', 'account', $1,
                    'data', json_build_object('object', json_build_object()))::text, 'utf8')
         FROM generate_series(1, $2) n",
    )
    .bind(account)
    .bind(count)
    .execute(stage.platform.admin_pool())
    .await
    .unwrap();
}

async fn waiting(stage: &Stage, account: &str) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM platform.webhook_inbox WHERE account = $1 AND state = 'waiting'",
    )
    .bind(account)
    .fetch_one(stage.platform.admin_pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn what_is_said_of_an_account_that_nobody_has_is_not_kept() {
    let stage = Stage::set().await;
    keep(&stage, "acct_of_nobody", 1).await;
    stage.payments.work_inbox_once().await.unwrap();
    let kept: (String, i32) = sqlx::query_as(
        "SELECT state, length(payload) FROM platform.webhook_inbox WHERE account = 'acct_of_nobody'",
    )
    .fetch_one(stage.platform.admin_pool())
    .await
    .unwrap();
    assert_eq!(kept, ("done".to_owned(), 0));
}

#[tokio::test]
async fn an_account_with_thousands_of_webhooks_keeps_no_others_waiting() {
    let stage = Stage::set().await;
    keep(&stage, "acct_alpha", 3_000).await;
    keep(&stage, "acct_beta", 3).await;
    let acted_on = stage.payments.work_inbox_once().await.unwrap();
    assert_eq!(
        waiting(&stage, "acct_beta").await,
        0,
        "beta waits for alpha"
    );
    // Nor may all that is acted on at once be one account's.
    let left = waiting(&stage, "acct_alpha").await;
    assert_eq!((acted_on, left), (13, 2_990));
    let asked = stage.teller.asked();
    let of_beta = asked.iter().filter(|asked| *asked == "acct_beta").count();
    assert_eq!((asked.len(), of_beta), (13, 3));
}

#[tokio::test]
async fn workers_side_by_side_take_different_webhooks_and_all_are_acted_on() {
    let stage = Stage::set().await;
    keep(&stage, "acct_alpha", 25).await;
    keep(&stage, "acct_beta", 25).await;
    let work = async || {
        let mut done = 0;
        loop {
            match stage.payments.work_inbox_once().await.unwrap() {
                0 => return done,
                some => done += some,
            }
        }
    };
    let (one, other) = futures::join!(work(), work());
    assert_eq!(one + other, 50);
    let left = waiting(&stage, "acct_alpha").await + waiting(&stage, "acct_beta").await;
    assert_eq!((left, stage.teller.asked().len()), (0, 50));
}
