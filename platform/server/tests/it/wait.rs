//! Waiting for what has to come.

use std::time::{Duration, Instant};

/// How long anything may take that comes at all, a webhook's second try included.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until `holds`; `what` says what never came, if it does not.
pub(crate) async fn once(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < PATIENCE, "never {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
