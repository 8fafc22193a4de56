//! How often something may be asked: counted in Redis, so that all servers count together; counted
//! in this process, more strictly, while Redis is away.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use berth_kernel::{Kind, Problem};
use deadpool_redis::{Pool, redis::Script};
use governor::{DefaultKeyedRateLimiter, Quota};

/// So many in so long.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// What is counted; part of the counter's name.
    pub name: &'static str,
    /// How many are let through.
    pub count: u32,
    /// In how long.
    pub window: Duration,
}

/// How long Redis may take before this process counts by itself.
const REDIS_WITHIN: Duration = Duration::from_millis(100);

/// Counts by key in this process.
type Counter = Arc<DefaultKeyedRateLimiter<String>>;

/// The counters.
#[derive(Clone)]
pub struct Limits {
    redis: Pool,
    namespace: Arc<str>,
    script: Arc<Script>,
    /// A counter for each limit, of half of what it lets through.
    local: Arc<Mutex<HashMap<&'static str, Counter>>>,
    enabled: bool,
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits")
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

impl Limits {
    /// Counters in `redis`, under `namespace`. Disabled ones let everything through.
    #[must_use]
    pub fn new(redis: Pool, namespace: &str, enabled: bool) -> Self {
        // Counts, and sets the window's end with the first: one step, so that none is left without.
        let script = Script::new(
            "local n = redis.call('INCR', KEYS[1]) \
             if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end \
             return {n, redis.call('PTTL', KEYS[1])}",
        );
        Self {
            redis,
            namespace: namespace.into(),
            script: Arc::new(script),
            local: Arc::default(),
            enabled,
        }
    }

    /// Counts one of `limit` for `key`.
    ///
    /// # Errors
    /// 429 `TOO_MANY_REQUESTS`, with the seconds to wait.
    pub async fn check(&self, limit: Limit, key: &str) -> Result<(), Problem> {
        if !self.enabled {
            return Ok(());
        }
        let name = format!("{}:limit:{}:{key}", self.namespace, limit.name);
        let counted = tokio::time::timeout(REDIS_WITHIN, self.count(&name, limit.window)).await;
        match counted {
            Ok(Ok((count, left_ms))) if count > u64::from(limit.count) => {
                let wait = u32::try_from(left_ms.max(0) / 1_000 + 1).unwrap_or(1);
                Err(too_many(wait))
            }
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => {
                metrics::counter!("berth_limits_without_redis_total").increment(1);
                let counter = self.local(limit);
                counter
                    .check_key(&name)
                    .map_err(|_| too_many(u32::try_from(limit.window.as_secs()).unwrap_or(1)))
            }
        }
    }

    /// This process's own counter of `limit`.
    fn local(&self, limit: Limit) -> Counter {
        let mut counters = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = counters.entry(limit.name).or_insert_with(|| {
            let half = NonZeroU32::new(limit.count / 2).unwrap_or(NonZeroU32::MIN);
            let quota = Quota::with_period(limit.window / half.get())
                .map_or(Quota::per_hour(half), |quota| quota.allow_burst(half));
            Arc::new(DefaultKeyedRateLimiter::keyed(quota))
        });
        Arc::clone(counter)
    }

    async fn count(&self, name: &str, window: Duration) -> Result<(u64, i64), LimitError> {
        let mut connection = self.redis.get().await.map_err(|_| LimitError)?;
        let millis = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        let mut call = self.script.key(name);
        call.arg(millis)
            .invoke_async(&mut connection)
            .await
            .map_err(|_| LimitError)
    }
}

/// Redis did not count.
struct LimitError;

pub(crate) fn too_many(wait: u32) -> Problem {
    let mut problem = Problem::new(
        Kind::TooMany,
        "TOO_MANY_REQUESTS",
        "Too often; please wait a moment.",
    );
    problem.retry_after = Some(wait);
    problem
}
