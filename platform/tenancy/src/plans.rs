//! Statements that connections have planned, and that a migration makes useless.
//!
//! A column that changes its type makes Postgres refuse what was planned before: `0A000`, *cached plan
//! must not change result type*. No file of ours changes a type in place; should one do so all the same,
//! each connection would refuse that statement until its end. So whoever meets it makes every older
//! connection of the process be replaced when it is next asked for. What met it is asked again by
//! whoever asked: it was refused as a whole, and the answer says to.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// When the process began to count.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
/// Connections older than this, in milliseconds since [`BEGAN`], are replaced.
static RENEWED: AtomicU64 = AtomicU64::new(0);

/// Whether `error` says that a plan fits no more.
pub(crate) fn is_stale(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(database)
        if database.code().as_deref() == Some("0A000") && database.message().starts_with("cached plan"))
}

/// Has every connection there is now replaced.
pub(crate) fn renew() {
    metrics::counter!("berth_plans_stale_total").increment(1);
    RENEWED.fetch_max(now().max(1), Ordering::Relaxed);
}

/// Whether a connection of that age may be used on.
pub(crate) fn may_serve(age: Duration) -> bool {
    let renewed = RENEWED.load(Ordering::Relaxed);
    let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    renewed == 0 || now().saturating_sub(age) > renewed
}

fn now() -> u64 {
    u64::try_from(BEGAN.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_made_before_are_replaced_and_those_made_after_are_not() {
        LazyLock::force(&BEGAN);
        assert!(may_serve(Duration::from_secs(60)));
        std::thread::sleep(Duration::from_millis(20));
        renew();
        assert!(!may_serve(Duration::from_millis(10)));
        std::thread::sleep(Duration::from_millis(20));
        assert!(may_serve(Duration::from_millis(5)));
    }
}
