//! Told by tenancy.

use berth_kernel::TenantId;
use serde::{Deserialize, Serialize};

use crate::event;

/// A business was given its schema.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Created {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Version after the change.
    pub version: i64,
    /// Its name in addresses.
    pub slug: String,
    /// Its name for people.
    pub name: String,
}
event!(Created, "tenant.tenant.created", tenant_id, version);

/// A tenant's particulars changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Updated {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Version after the change.
    pub version: i64,
}
event!(Updated, "tenant.tenant.updated", tenant_id, version);

/// A business is served no more for the time being.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Suspended {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Version after the change.
    pub version: i64,
    /// Why, in the operator's words.
    pub reason: String,
}
event!(Suspended, "tenant.tenant.suspended", tenant_id, version);

/// A business that was suspended is served again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resumed {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Version after the change.
    pub version: i64,
}
event!(Resumed, "tenant.tenant.resumed", tenant_id, version);

/// A business was put to rest; its data is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Archived {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Version after the change.
    pub version: i64,
}
event!(Archived, "tenant.tenant.archived", tenant_id, version);

/// A business and all its data are gone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deleted {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Version after the change, its last.
    pub version: i64,
}
event!(Deleted, "tenant.tenant.deleted", tenant_id, version);
