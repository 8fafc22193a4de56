//! How far the tenants' schemas are.

use berth_access::Permission;
use berth_tenancy::migrate;
use berth_web::{Refusal, refuse};
use poem_openapi::{Object, OpenApi, payload::Json};

use crate::{OperatorApi, OperatorScheme, shapes::Tag};

/// How many tenants' schemas have a version.
#[derive(Debug, Object)]
pub struct VersionCount {
    /// The version.
    pub version: i64,
    /// How many tenants are at it.
    pub tenants: i64,
}

/// A tenant whose schema could not be migrated; it is served as it is.
#[derive(Debug, Object)]
pub struct Quarantined {
    /// Its name in addresses.
    pub slug: String,
    /// The version it has.
    pub version: i64,
    /// The version it could not be brought to.
    pub wanted: i64,
    /// What the database said.
    pub reason: String,
}

impl From<migrate::Quarantined> for Quarantined {
    fn from(one: migrate::Quarantined) -> Self {
        Self {
            slug: one.slug,
            version: one.version,
            wanted: one.wanted,
            reason: one.reason,
        }
    }
}

/// How far the fleet is.
#[derive(Debug, Object)]
pub struct MigrationStatus {
    /// Whether the shared tables are as this server expects; nothing is known of tenants if not.
    pub platform_current: bool,
    /// The version this server wants schemas at.
    pub newest: i64,
    /// How many tenants have each version, lowest first.
    pub versions: Vec<VersionCount>,
    /// Those that could not be migrated, by name.
    pub quarantined: Vec<Quarantined>,
}

impl From<migrate::Status> for MigrationStatus {
    fn from(status: migrate::Status) -> Self {
        let count = |(version, tenants)| VersionCount { version, tenants };
        Self {
            platform_current: status.platform_current,
            newest: status.wanted,
            versions: status.versions.into_iter().map(count).collect(),
            quarantined: status.quarantined.into_iter().map(Into::into).collect(),
        }
    }
}

/// The operations.
pub(crate) struct MigrationsApi(pub(crate) OperatorApi);

#[OpenApi(tag = "Tag::Migrations")]
impl MigrationsApi {
    /// How far the tenants' schemas are, and whose could not be migrated.
    #[oai(path = "/migrations", method = "get", operation_id = "get_migrations")]
    async fn migrations(
        &self,
        _operator: OperatorScheme,
    ) -> Result<Json<MigrationStatus>, Refusal> {
        self.0.authorize(Permission::TenantRead)?;
        let status = self.0.web.tenancy.fleet().await.map_err(refuse)?;
        Ok(Json(status.into()))
    }
}
