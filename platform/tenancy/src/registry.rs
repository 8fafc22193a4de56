//! Who the tenants are: looked up by name, id or API key, and remembered for a moment, or until the
//! database tells that they changed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use berth_kernel::{ApiKeyId, Currency, TenantId};
use moka::future::Cache;
use tokio_util::sync::CancellationToken;

use crate::{
    Database, Error, NodeId, Tenant, TenantKey,
    channel::{self, Follower},
    tenant::{Allowance, PaymentAccount, begin_message},
};

/// How long an answer is trusted when nothing can be heard.
const TRUSTED: Duration = Duration::from_secs(5);

/// How long it is trusted where a change would have been heard of. Not for ever: how far a tenant's schema
/// has moved is told to nobody.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Look-ups that are tried while others change what is looked for, before one is given out and not kept.
const LOOKS: usize = 3;

/// A tenant found, and the API key that named it if one did.
#[derive(Clone, Debug)]
pub struct Found {
    /// The tenant.
    pub tenant: Arc<Tenant>,
    /// The key, if the tenant was named by one.
    pub api_key: Option<ApiKeyId>,
}

/// The look-up, with its cache. Unknown names are remembered too, so that a flood of them costs
/// the database nothing.
#[derive(Clone, Debug)]
pub struct Registry {
    database: Database,
    cache: Cache<TenantKey, Remembered>,
    /// How often something was forgotten: what was looked up before and comes after is old already.
    forgotten: Arc<AtomicU64>,
    /// Up to when everything told was heard, in milliseconds since `began`.
    heard: Arc<AtomicU64>,
    began: Instant,
}

/// An answer, and when it was asked for.
#[derive(Clone, Debug)]
struct Remembered {
    found: Option<Found>,
    since: Instant,
    /// What had been forgotten by then.
    after: u64,
}

impl Registry {
    pub(crate) fn new(database: Database) -> Self {
        let cache = Cache::builder()
            .max_capacity(50_000)
            .time_to_live(REMEMBERED)
            .support_invalidation_closures()
            .build();
        Self {
            database,
            cache,
            forgotten: Arc::default(),
            heard: Arc::default(),
            began: Instant::now(),
        }
    }

    /// Whether nothing can have changed since without this process knowing.
    fn holds(&self, remembered: &Remembered) -> bool {
        let heard = self.began + Duration::from_millis(self.heard.load(Ordering::Relaxed));
        remembered.since.elapsed() < TRUSTED || heard.elapsed() < TRUSTED
    }

    async fn look(&self, key: &TenantKey) -> Result<Remembered, Error> {
        let (since, after) = (Instant::now(), self.forgotten.load(Ordering::SeqCst));
        let found = self.load(key).await?;
        Ok(Remembered {
            found,
            since,
            after,
        })
    }

    /// The tenant named by `key`, if there is one; whether it is served is the asker's to look at. One
    /// look-up serves all who ask at once.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find(&self, key: &TenantKey) -> Result<Option<Found>, Arc<Error>> {
        if let Some(remembered) = self.cache.get(key).await {
            if self.holds(&remembered) {
                return Ok(remembered.found);
            }
            self.cache.invalidate(key).await;
        }
        for _ in 0..LOOKS {
            let asked = self.forgotten.load(Ordering::SeqCst);
            let remembered = self.cache.try_get_with(key.clone(), self.look(key)).await?;
            // It may be the answer to somebody who asked before.
            if remembered.after >= asked
                && self.forgotten.load(Ordering::SeqCst) == remembered.after
            {
                return Ok(remembered.found);
            }
            // Something changed while it was looked up, perhaps this.
            self.cache.invalidate(key).await;
        }
        Ok(self.load(key).await?)
    }

    /// Whether an answer about `key` is at hand, so that looking it up asks nobody.
    #[must_use]
    pub fn remembers(&self, key: &TenantKey) -> bool {
        self.cache.contains_key(key)
    }

    /// The tenant with `id`, active or not being no question: for jobs that must finish.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get(&self, id: TenantId) -> Result<Option<Arc<Tenant>>, Arc<Error>> {
        Ok(self
            .find(&TenantKey::Id(id))
            .await?
            .map(|found| found.tenant))
    }

    /// Looks again: for a decision that must not rest on a remembered answer.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn refresh(&self, id: TenantId) -> Result<Option<Arc<Tenant>>, Error> {
        self.forget_tenant(id);
        let key = TenantKey::Id(id);
        let remembered = self.look(&key).await?;
        if self.forgotten.load(Ordering::SeqCst) == remembered.after {
            self.cache.insert(key, remembered.clone()).await;
        }
        Ok(remembered.found.map(|found| found.tenant))
    }

    /// Forgets tenants as they change, until cancelled.
    pub async fn follow_changes(&self, stop: CancellationToken) {
        channel::follow(&self.database, NodeId::HOME, self, stop).await;
    }

    /// Forgets what this process remembers.
    pub fn forget(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.cache.invalidate_all();
    }

    /// Forgets a tenant under every key it was found by.
    fn forget_tenant(&self, id: TenantId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        let of_tenant = move |_: &TenantKey, remembered: &Remembered| {
            let found = remembered.found.as_ref();
            found.is_some_and(|found| found.tenant.id == id)
        };
        // Fails only without the support asked for when the cache was made.
        if self.cache.invalidate_entries_if(of_tenant).is_err() {
            self.forget();
        }
    }

    /// Ids of all active tenants.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn active(&self) -> Result<Vec<TenantId>, Error> {
        let ids = sqlx::query_scalar!(
            "SELECT id FROM platform.tenant WHERE status = 'active' ORDER BY id"
        )
        .fetch_all(self.database.platform())
        .await?;
        Ok(ids.into_iter().map(TenantId::from).collect())
    }

    /// Ids of the next `limit` tenants after `after` for whom something may fall due, in their order: those that
    /// are served, and those that are not and have things under way.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn at_work_after(
        &self,
        after: Option<TenantId>,
        limit: usize,
    ) -> Result<Vec<TenantId>, Error> {
        let ids = sqlx::query_scalar!(
            "SELECT id FROM platform.tenant
             WHERE status IN ('active', 'suspended', 'archived') AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2",
            after.map(|id| id.uuid()),
            i64::try_from(limit).unwrap_or(i64::MAX),
        )
        .fetch_all(self.database.platform())
        .await?;
        Ok(ids.into_iter().map(TenantId::from).collect())
    }

    /// How many there are of them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_at_work(&self) -> Result<u64, Error> {
        let count = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM platform.tenant WHERE status IN ('active', 'suspended', 'archived')"#
        )
        .fetch_one(self.database.platform())
        .await?;
        Ok(count.unsigned_abs())
    }

    async fn load(&self, key: &TenantKey) -> Result<Option<Found>, Error> {
        let (slug, host, id, hash) = match key {
            TenantKey::Slug(slug) => (Some(slug.as_str()), None, None, None),
            TenantKey::Host(host) => (None, Some(host.as_str()), None, None),
            TenantKey::Id(id) => (None, None, Some(id.uuid()), None),
            TenantKey::ApiKey(hash) => (None, None, None, Some(hash.as_slice())),
        };
        let row = sqlx::query!(
            r#"SELECT t.id, t.slug, t.name, t.kind, t.role, t.timeline, t.schema_version, t.node, t.bucket, t.status, t.timezone, t.currency,
                      t.locale, t.color, t.accent_color, t.logo_url, t.legal_name, t.address, t.tax_id,
                      p.requests_per_second, p.concurrent_requests, p.concurrent_events,
                      s.account_id AS "account_id?", s.charges_enabled AS "charges_enabled?",
                      s.payouts_enabled AS "payouts_enabled?", k.id AS "api_key?"
               FROM platform.tenant t
               JOIN platform.plan p ON p.name = t.plan
               LEFT JOIN platform.stripe_account s ON s.tenant_id = t.id
               LEFT JOIN platform.api_key k
                 ON k.tenant_id = t.id AND k.key_hash = $3 AND k.revoked_at IS NULL
               WHERE ($1::text IS NULL OR t.slug = $1) AND ($2::uuid IS NULL OR t.id = $2)
                 AND ($3::bytea IS NULL OR k.id IS NOT NULL)
                 AND ($4::text IS NULL OR t.id = (
                     SELECT d.tenant_id FROM platform.domain d
                     WHERE d.host = $4 AND d.state IN ('verified', 'failing')))"#,
            slug,
            id,
            hash,
            host,
        )
        .fetch_optional(self.database.platform())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let currency = row
            .currency
            .parse::<Currency>()
            .map_err(|e| Error::Invalid(e.to_string()))?;
        let tenant = Tenant {
            id: row.id.into(),
            slug: row.slug,
            name: row.name,
            kind: row.kind,
            active: row.status == "active",
            held: matches!(row.status.as_str(), "held" | "leaving"),
            timezone: row.timezone,
            currency,
            locale: row.locale,
            color: row.color,
            accent_color: row.accent_color,
            legal_name: row.legal_name,
            address: row.address,
            logo_url: row.logo_url,
            tax_id: row.tax_id,
            allowance: Allowance {
                requests_per_second: row.requests_per_second.unsigned_abs(),
                concurrent_requests: row.concurrent_requests.unsigned_abs(),
                concurrent_events: row.concurrent_events.unsigned_abs(),
            },
            account: row.account_id.map(|id| PaymentAccount {
                id,
                charges_enabled: row.charges_enabled.unwrap_or(false),
                payouts_enabled: row.payouts_enabled.unwrap_or(false),
            }),
            timeline: row.timeline.unsigned_abs(),
            schema_version: row.schema_version,
            begin: begin_message(&row.role),
            role: row.role.into(),
            node: NodeId(u16::try_from(row.node).unwrap_or(u16::MAX)),
            bucket: u16::try_from(row.bucket).unwrap_or(u16::MAX),
        };
        Ok(Some(Found {
            tenant: Arc::new(tenant),
            api_key: row.api_key.map(Into::into),
        }))
    }
}

/// What is told when what changed is nobody's in particular.
const EVERYBODY: &str = "*";

impl Follower for Registry {
    const CHANNEL: &'static str = "berth_tenant_changed";

    async fn catch_up(&self) -> Result<(), Error> {
        self.forget();
        Ok(())
    }

    fn heard_all(&self, at: Instant) {
        let millis = at.saturating_duration_since(self.began).as_millis();
        let millis = u64::try_from(millis).unwrap_or(0);
        self.heard.store(millis, Ordering::Relaxed);
    }

    /// Forgets a tenant; told are its id and the names it has or had. Of a plan all its tenants.
    async fn hear(&self, told: &str) {
        if told == EVERYBODY {
            self.forget();
            return;
        }
        let mut words = told.split(' ');
        let Some(Ok(id)) = words.next().map(str::parse::<TenantId>) else {
            return;
        };
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        for name in words {
            // A name in addresses has no dot, a host has one.
            let key = match name.contains('.') {
                true => TenantKey::Host(name.to_owned()),
                false => TenantKey::Slug(name.to_owned()),
            };
            self.cache.invalidate(&key).await;
        }
        self.forget_tenant(id);
    }
}

#[cfg(test)]
mod tests {
    use berth_kernel::Secret;

    use super::*;
    use crate::DatabaseSettings;

    #[tokio::test]
    async fn what_is_remembered_is_trusted_for_as_long_as_a_change_would_be_heard_of() {
        let settings =
            DatabaseSettings::for_url("postgres://nobody@localhost/none", Secret::new("s"));
        let mut registry = Registry::new(Database::connect(&settings).unwrap());
        let now = Instant::now();
        registry.began = now.checked_sub(TRUSTED * 4).unwrap();
        let remembered = |ago: Duration| Remembered {
            found: None,
            after: 0,
            since: now.checked_sub(ago).unwrap(),
        };
        assert!(registry.holds(&remembered(Duration::ZERO)));
        assert!(!registry.holds(&remembered(TRUSTED * 2)), "nobody listens");
        registry.heard_all(now);
        assert!(registry.holds(&remembered(TRUSTED * 2)));
        registry.heard_all(now.checked_sub(TRUSTED * 2).unwrap());
        assert!(
            !registry.holds(&remembered(TRUSTED * 2)),
            "the channel is lost"
        );
    }
}
