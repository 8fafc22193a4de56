//! Whose pages are asked for, by the host alone: a browser sends no headers of ours.

use std::sync::Arc;

use berth_kernel::{Kind, Problem};
use berth_tenancy::Tenant;
use berth_web::Web;
use poem::{Request, http::header};

use crate::brand::Brand;

/// Under whose name a page is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A business's own host.
    Tenant(Arc<Tenant>),
    /// The platform's host, or its bare address.
    Platform,
}

impl Place {
    /// Reads the host of `request`.
    ///
    /// # Errors
    /// 404 for a host below the platform's that is no business's; 503 when that cannot be told.
    pub(crate) async fn of(web: &Web, request: &Request) -> Result<Self, Problem> {
        let host = request
            .headers()
            .get(header::HOST)
            .and_then(|value| value.to_str().ok());
        let host = host.or_else(|| request.uri().host()).unwrap_or_default();
        let Some(slug) = slug(host, &web.host) else {
            return Ok(Self::Platform);
        };
        let tenant = web.tenant_by_slug(&slug).await?;
        tenant.map(Self::Tenant).ok_or_else(|| {
            Problem::new(
                Kind::NotFound,
                "TENANT_UNKNOWN",
                "There is no business at this address.",
            )
        })
    }

    /// How a page looks here when nobody is signed in.
    pub(crate) fn brand(&self) -> Brand {
        match self {
            Self::Tenant(tenant) => Brand::new(&tenant.name, &tenant.color),
            Self::Platform => Brand::own(),
        }
    }

    /// The business's name in addresses, on its own host.
    pub(crate) fn slug(&self) -> Option<&str> {
        match self {
            Self::Tenant(tenant) => Some(&tenant.slug),
            Self::Platform => None,
        }
    }
}

/// The name before the platform's host.
fn slug(authority: &str, platform: &str) -> Option<String> {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.to_ascii_lowercase();
    let below = host
        .strip_suffix(&platform.to_ascii_lowercase())?
        .strip_suffix('.')?;
    Some(below.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_business_is_named_by_what_stands_before_the_platforms_host() {
        let named = |host| slug(host, "book.example");
        assert_eq!(named("alpha.book.example"), Some("alpha".into()));
        assert_eq!(named("Alpha.Book.Example:8080"), Some("alpha".into()));
        assert_eq!(named("book.example:8080"), None);
        assert_eq!(named("127.0.0.1:8080"), None);
        assert_eq!(named("[::1]"), None);
        assert_eq!(named("alphabook.example"), None);
        assert_eq!(named("book.example.evil.example"), None);
    }
}
