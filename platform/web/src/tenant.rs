//! Which tenant a request is for: by the host it was sent to, which is below the platform's or the
//! tenant's own, by its API key, or, on the platform's own host, by the path or the `X-Tenant` header.

use std::sync::Arc;

use berth_kernel::{ApiKeyId, Kind, Problem};
use berth_tenancy::{Tenant, TenantKey, lifecycle::hash_api_key, registry::Found};
use poem::Request;

use crate::{Host, Web, admission::STRANGERS_WAIT, by_path::InPath, limits::too_many};

/// The header that names a tenant on the platform's own host.
pub const TENANT_HEADER: &str = "X-Tenant";
/// The header that carries an API key.
pub const KEY_HEADER: &str = "X-Api-Key";

/// Marks a request of somebody who has asked for what there is not too often of late: nothing is looked up for them
/// that is not remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stranger;

/// A request's tenant.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The tenant.
    pub tenant: Arc<Tenant>,
    /// The API key the request carries, if it is one of the tenant's.
    pub api_key: Option<ApiKeyId>,
}

impl Web {
    /// Finds the request's tenant.
    ///
    /// # Errors
    /// 404 `TENANT_UNKNOWN`; 401 for a key that is none, or is another tenant's; 429 for who tries too many.
    pub async fn resolve(&self, request: &Request) -> Result<Resolved, Problem> {
        // Found already when the request was let in.
        if let Some(resolved) = request.extensions().get::<Resolved>() {
            return Ok(resolved.clone());
        }
        let stranger = request.extensions().get::<Stranger>().copied();
        let named = self.named(request, stranger).await?;
        if let Some(key) = header(request, KEY_HEADER) {
            let key = TenantKey::ApiKey(hash_api_key(key));
            let found = self.look_up(key, stranger).await?;
            let found = match (found, named) {
                (Some(found), Some(named)) if !self.is(&found, &named, stranger).await? => None,
                (found, _) => found,
            };
            let found = found.ok_or_else(|| {
                Problem::new(
                    Kind::Unauthenticated,
                    "API_KEY_INVALID",
                    "This API key is not valid here.",
                )
            })?;
            return Ok(Resolved {
                tenant: found.tenant,
                api_key: found.api_key,
            });
        }
        let found = self.look_up(named.ok_or_else(unknown)?, stranger).await?;
        Ok(Resolved {
            tenant: found.ok_or_else(unknown)?.tenant,
            api_key: None,
        })
    }

    /// Whether a request names a tenant at all, in whatever way.
    pub(crate) fn is_named(&self, request: &Request) -> bool {
        request.extensions().get::<InPath>().is_some()
            || [TENANT_HEADER, KEY_HEADER]
                .iter()
                .any(|name| request.headers().contains_key(*name))
            || !matches!(Host::of(request, &self.host), Host::Own)
    }

    /// Whether a tenant is the one that is named.
    async fn is(
        &self,
        found: &Found,
        named: &TenantKey,
        stranger: Option<Stranger>,
    ) -> Result<bool, Problem> {
        if let TenantKey::Slug(slug) = named {
            return Ok(*slug == found.tenant.slug);
        }
        let there = self.look_up(named.clone(), stranger).await?;
        Ok(there.is_some_and(|there| there.tenant.id == found.tenant.id))
    }

    /// The active tenant at a host, if it is one's own.
    ///
    /// # Errors
    /// 503 when the database does not answer.
    pub async fn tenant_at(&self, host: &str) -> Result<Option<Arc<Tenant>>, Problem> {
        let found = self.find(TenantKey::Host(host.to_owned())).await?;
        Ok(found.map(|found| found.tenant))
    }

    /// The active tenant of that name, if there is one.
    ///
    /// # Errors
    /// 503 when the database does not answer.
    pub async fn tenant_by_slug(&self, slug: &str) -> Result<Option<Arc<Tenant>>, Problem> {
        Ok(self
            .find(TenantKey::Slug(slug.to_owned()))
            .await?
            .map(|found| found.tenant))
    }

    async fn find(&self, key: TenantKey) -> Result<Option<Found>, Problem> {
        self.look_up(key, None).await
    }

    async fn look_up(
        &self,
        key: TenantKey,
        stranger: Option<Stranger>,
    ) -> Result<Option<Found>, Problem> {
        // A name no tenant can have is answered without asking anybody.
        let possible = |text: &str, most: usize, more: &[u8]| {
            let sign = |byte: u8| byte.is_ascii_alphanumeric() || more.contains(&byte);
            text.len() <= most && text.bytes().all(sign)
        };
        let possible = match &key {
            TenantKey::Slug(slug) => possible(slug, 40, b"-"),
            TenantKey::Host(host) => possible(host, 253, b"-."),
            TenantKey::Id(_) | TenantKey::ApiKey(_) => true,
        };
        if !possible {
            return Ok(None);
        }
        if stranger.is_some() && !self.tenancy.registry().remembers(&key) {
            return Err(too_many(STRANGERS_WAIT));
        }
        let found = self.tenancy.registry().find(&key).await.map_err(|error| {
            let detail = "The service is briefly unavailable; please try again.";
            Problem::unavailable("DATABASE_UNAVAILABLE", detail, error)
        })?;
        Ok(found.filter(|found| found.tenant.active))
    }

    /// How the request names its tenant: by the host, or where that is no tenant's, by the path or else the
    /// header. At a tenant's own host no header leads to another.
    async fn named(
        &self,
        request: &Request,
        stranger: Option<Stranger>,
    ) -> Result<Option<TenantKey>, Problem> {
        let by_header = || header(request, TENANT_HEADER).map(str::to_ascii_lowercase);
        if let Some(InPath(slug)) = request.extensions().get() {
            return Ok(Some(TenantKey::Slug(slug.clone())));
        }
        Ok(match Host::of(request, &self.host) {
            Host::Below(slug) => Some(TenantKey::Slug(slug.into_owned())),
            Host::Own => by_header().map(TenantKey::Slug),
            Host::Foreign(host) => {
                let key = TenantKey::Host(host.into_owned());
                match by_header() {
                    Some(slug) if self.look_up(key.clone(), stranger).await?.is_none() => {
                        Some(TenantKey::Slug(slug))
                    }
                    _ => Some(key),
                }
            }
        })
    }
}

fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request.headers().get(name)?.to_str().ok()
}

fn unknown() -> Problem {
    let detail = "There is no such business here. Use its own address, or name it in X-Tenant or in the path.";
    Problem::new(Kind::NotFound, "TENANT_UNKNOWN", detail)
}
