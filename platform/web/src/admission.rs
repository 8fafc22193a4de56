//! One tenant's requests kept from taking what others need: so many a second and so many at once, by
//! its plan, on each server.
//!
//! Whoever asks for tenants and keys that there are not is counted too, by address, so that guessing costs the database
//! no more than a few look-ups a second.
//!
//! Beside the [`Limits`](crate::Limits), which are about what one visitor may try, and are counted over
//! all servers.

use std::{
    collections::HashSet,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use berth_kernel::{Kind, Problem, TenantId};
use berth_tenancy::tenant::Allowance;
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use moka::sync::Cache;
use poem::{Endpoint, IntoResponse as _, Request, Response, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Web, refuse, tenant::Stranger};

/// How long a request waits for others of its tenant to end before it is refused.
const PATIENCE: Duration = Duration::from_millis(250);
/// Tenants that are named in metrics; what others do is counted together.
const NAMED: usize = 100;

/// Names and keys that do not exist for which one address may ask at once, and then a second.
const MISSES: u32 = 100;
/// See [`MISSES`].
const MISSES_A_SECOND: u32 = 20;
/// Seconds for which nothing is looked up for who asked for more.
pub(crate) const STRANGERS_WAIT: u32 = 10;

/// Lets requests in, tenant by tenant.
#[derive(Clone, Debug)]
pub struct Admission {
    gates: Cache<TenantId, Arc<Gate>>,
    /// What an address has asked for that there is not.
    misses: Cache<IpAddr, Arc<DefaultDirectRateLimiter>>,
    /// Who asked for too much of it.
    strangers: Cache<IpAddr, ()>,
    named: Arc<Mutex<HashSet<TenantId>>>,
    enabled: bool,
}

/// What a tenant has used of its allowance.
#[derive(Debug)]
struct Gate {
    allowance: Allowance,
    rate: DefaultDirectRateLimiter,
    places: Arc<Semaphore>,
}

impl Gate {
    fn new(allowance: Allowance) -> Self {
        let rate = NonZeroU32::new(allowance.requests_per_second).unwrap_or(NonZeroU32::MIN);
        let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(1));
        let places = usize::try_from(allowance.concurrent_requests).unwrap_or(1);
        Self {
            allowance,
            rate: RateLimiter::direct(Quota::per_second(rate).allow_burst(burst)),
            places: Arc::new(Semaphore::new(places)),
        }
    }
}

impl Admission {
    /// One that lets everybody in unless it is enabled.
    #[must_use]
    pub fn new(enabled: bool) -> Self {
        Self {
            // Of a tenant that asked for nothing so long, nothing has to be remembered.
            gates: Cache::builder()
                .max_capacity(50_000)
                .time_to_idle(Duration::from_secs(60))
                .build(),
            misses: Cache::builder()
                .max_capacity(50_000)
                .time_to_idle(Duration::from_secs(60))
                .build(),
            strangers: Cache::builder()
                .max_capacity(50_000)
                .time_to_live(Duration::from_secs(STRANGERS_WAIT.into()))
                .build(),
            named: Arc::default(),
            enabled,
        }
    }

    /// Notes that somebody asked for a tenant or with a key that there is not.
    fn missed(&self, from: IpAddr) {
        let burst = NonZeroU32::new(MISSES).unwrap_or(NonZeroU32::MIN);
        let rate = NonZeroU32::new(MISSES_A_SECOND).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(rate).allow_burst(burst);
        let misses = self
            .misses
            .get_with(from, || Arc::new(RateLimiter::direct(quota)));
        if self.enabled && misses.check().is_err() {
            self.strangers.insert(from, ());
        }
    }

    fn is_stranger(&self, from: IpAddr) -> bool {
        self.strangers.contains_key(&from)
    }

    /// Lets a request of a tenant's in; it has left when what is returned is dropped.
    ///
    /// # Errors
    /// 429 `TENANT_RATE_EXCEEDED` or `TENANT_CONCURRENCY_EXCEEDED`.
    async fn enter(
        &self,
        tenant: TenantId,
        allowance: Allowance,
    ) -> Result<Option<OwnedSemaphorePermit>, Problem> {
        if !self.enabled {
            return Ok(None);
        }
        let entered = self.pass(tenant, allowance).await;
        let outcome = if entered.is_ok() {
            "admitted"
        } else {
            "refused"
        };
        metrics::counter!("berth_tenant_requests_total",
            "tenant" => self.label(tenant), "outcome" => outcome)
        .increment(1);
        entered.map(Some)
    }

    async fn pass(
        &self,
        tenant: TenantId,
        allowance: Allowance,
    ) -> Result<OwnedSemaphorePermit, Problem> {
        let mut gate = self
            .gates
            .get_with(tenant, || Arc::new(Gate::new(allowance)));
        if gate.allowance != allowance {
            gate = Arc::new(Gate::new(allowance));
            self.gates.insert(tenant, Arc::clone(&gate));
        }
        if let Err(early) = gate.rate.check() {
            let wait = early.wait_time_from(DefaultClock::default().now());
            return Err(too_many(
                "TENANT_RATE_EXCEEDED",
                "This business is asked for more than its plan allows; please wait a moment.",
                wait,
            ));
        }
        let entering = Arc::clone(&gate.places).acquire_owned();
        match tokio::time::timeout(PATIENCE, entering).await {
            Ok(Ok(place)) => Ok(place),
            // Neither time nor a closed semaphore, which this one never is, gives a place.
            Ok(Err(_)) | Err(_) => Err(too_many(
                "TENANT_CONCURRENCY_EXCEEDED",
                "This business has as many requests at work as its plan allows; please wait a moment.",
                Duration::from_secs(1),
            )),
        }
    }

    /// A tenant's name in metrics: its id, if it is among the first so many of this process.
    fn label(&self, tenant: TenantId) -> String {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named.contains(&tenant) || (named.len() < NAMED && named.insert(tenant)) {
            return tenant.to_string();
        }
        "other".to_owned()
    }
}

fn too_many(code: &'static str, detail: &str, wait: Duration) -> Problem {
    let mut problem = Problem::new(Kind::TooMany, code, detail);
    problem.retry_after = Some(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).max(1));
    problem
}

/// Wraps everything tenants are asked for. What names no tenant passes, and is answered within.
pub struct Admitted<E> {
    inner: E,
    web: Web,
    admission: Admission,
}

impl<E> Admitted<E> {
    /// Wraps `inner`.
    pub fn new(inner: E, web: Web, admission: Admission) -> Self {
        Self {
            inner,
            web,
            admission,
        }
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Admitted<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let from = self.web.proxies.counted(&request);
        if from.is_some_and(|from| self.admission.is_stranger(from)) {
            request.extensions_mut().insert(Stranger);
        }
        let resolved = match self.web.resolve(&request).await {
            Ok(resolved) => resolved,
            Err(problem) => {
                let missed = matches!(problem.kind, Kind::NotFound | Kind::Unauthenticated)
                    && self.web.is_named(&request);
                if let Some(from) = from.filter(|_| missed) {
                    self.admission.missed(from);
                }
                return self.inner.call(request).await;
            }
        };
        let tenant = &resolved.tenant;
        let place = match self.admission.enter(tenant.id, tenant.allowance).await {
            Ok(place) => place,
            Err(problem) => return Ok(refuse(problem).into_response()),
        };
        // Found once: within, it is not looked for again.
        request.extensions_mut().insert(resolved);
        let response = self.inner.call(request).await;
        drop(place);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Allowance = Allowance {
        requests_per_second: 5,
        concurrent_requests: 2,
        concurrent_events: 1,
    };

    #[tokio::test]
    async fn a_tenant_at_its_rate_is_refused_and_others_are_not() {
        let admission = Admission::new(true);
        let (busy, calm) = (TenantId::new(), TenantId::new());
        for _ in 0..10 {
            admission.enter(busy, SMALL).await.unwrap();
        }
        let refused = admission.enter(busy, SMALL).await.unwrap_err();
        assert_eq!(refused.code, "TENANT_RATE_EXCEEDED");
        assert_eq!(refused.retry_after, Some(1));
        admission.enter(calm, SMALL).await.unwrap();
        // A larger plan holds at once.
        let larger = Allowance {
            requests_per_second: 50,
            ..SMALL
        };
        admission.enter(busy, larger).await.unwrap();
    }

    #[test]
    fn who_asks_for_too_much_that_there_is_not_is_a_stranger() {
        let admission = Admission::new(true);
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|from| from.parse().unwrap());
        for _ in 0..MISSES {
            admission.missed(one);
            assert!(!admission.is_stranger(one));
        }
        // As long as this takes, some may be forgiven.
        for _ in 0..MISSES {
            admission.missed(one);
        }
        assert!(admission.is_stranger(one) && !admission.is_stranger(other));
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_with_too_many_at_once_waits_and_is_then_refused() {
        let admission = Admission::new(true);
        let tenant = TenantId::new();
        let one = admission.enter(tenant, SMALL).await.unwrap();
        let _two = admission.enter(tenant, SMALL).await.unwrap();
        let refused = admission.enter(tenant, SMALL).await.unwrap_err();
        assert_eq!(refused.code, "TENANT_CONCURRENCY_EXCEEDED");
        drop(one);
        admission.enter(tenant, SMALL).await.unwrap();
    }

    #[test]
    fn only_so_many_tenants_are_named_in_metrics() {
        let admission = Admission::new(true);
        let first = TenantId::new();
        let name = admission.label(first);
        assert_eq!(name, first.to_string());
        for _ in 0..NAMED * 2 {
            admission.label(TenantId::new());
        }
        assert_eq!(admission.label(TenantId::new()), "other");
        assert_eq!(admission.label(first), name);
    }
}
