//! Whose pages are asked for, by the host alone: a browser sends no headers of ours.

use std::sync::Arc;

use berth_kernel::{Kind, Problem};
use berth_tenancy::Tenant;
use berth_web::{Host, Web};
use poem::Request;

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
    /// 404 for a host that is no business's, but for the platform's own and bare addresses; 503 when that cannot be told.
    pub(crate) async fn of(web: &Web, request: &Request) -> Result<Self, Problem> {
        let tenant = match Host::of(request, &web.host) {
            Host::Below(slug) => web.tenant_by_slug(&slug).await?,
            Host::Foreign(host) => web.tenant_at(&host).await?,
            Host::Own => return Ok(Self::Platform),
        };
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
            Self::Tenant(tenant) => Brand::of(tenant),
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
