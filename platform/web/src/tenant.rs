//! Which tenant a request is for: by the host it was sent to, by its API key, or, on the
//! platform's own host, by the `X-Tenant` header.

use std::{borrow::Cow, sync::Arc};

use berth_kernel::{ApiKeyId, Kind, Problem};
use berth_tenancy::{Tenant, TenantKey, lifecycle::hash_api_key, registry::Found};
use poem::Request;

use crate::Web;

/// The header that names a tenant on the platform's own host.
pub const TENANT_HEADER: &str = "X-Tenant";
/// The header that carries an API key.
pub const KEY_HEADER: &str = "X-Api-Key";

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
    /// 404 `TENANT_UNKNOWN`; 401 for a key that is none, or is another tenant's.
    pub async fn resolve(&self, request: &Request) -> Result<Resolved, Problem> {
        // Found already when the request was let in.
        if let Some(resolved) = request.extensions().get::<Resolved>() {
            return Ok(resolved.clone());
        }
        let named = self.slug(request);
        if let Some(key) = header(request, KEY_HEADER) {
            let found = self.find(TenantKey::ApiKey(hash_api_key(key))).await?;
            let here = |found: &Found| named.is_none_or(|slug| slug == found.tenant.slug);
            let found = found.filter(here);
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
        let slug = named.ok_or_else(unknown)?;
        let found = self
            .find(TenantKey::Slug(slug.into_owned()))
            .await?
            .ok_or_else(unknown)?;
        Ok(Resolved {
            tenant: found.tenant,
            api_key: None,
        })
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
        // A name no tenant can have is answered without asking anybody.
        if let TenantKey::Slug(slug) = &key
            && (slug.len() > 40 || !slug.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        {
            return Ok(None);
        }
        let found = self.tenancy.registry().find(&key).await.map_err(|error| {
            let detail = "The service is briefly unavailable; please try again.";
            Problem::unavailable("DATABASE_UNAVAILABLE", detail, error)
        })?;
        Ok(found.filter(|found| found.tenant.active))
    }

    /// The tenant's name, as the request has it; hosts are the same in capitals.
    fn slug<'r>(&self, request: &'r Request) -> Option<Cow<'r, str>> {
        let authority = header(request, "Host").or_else(|| request.uri().host())?;
        let host = authority
            .rsplit_once(':')
            .map_or(authority, |(host, _port)| host);
        let dot = host.len().checked_sub(self.host.len() + 1);
        let below = dot.filter(|dot| {
            let (_, platform) = host.split_at(*dot);
            platform.starts_with('.') && platform[1..].eq_ignore_ascii_case(&self.host)
        });
        let named = match below {
            Some(dot) => &host[..dot],
            None => header(request, TENANT_HEADER)?,
        };
        Some(if named.bytes().any(|byte| byte.is_ascii_uppercase()) {
            named.to_ascii_lowercase().into()
        } else {
            named.into()
        })
    }
}

fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request.headers().get(name)?.to_str().ok()
}

fn unknown() -> Problem {
    let detail = "There is no such business here. Use its own address, or name it in X-Tenant.";
    Problem::new(Kind::NotFound, "TENANT_UNKNOWN", detail)
}
