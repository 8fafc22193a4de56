//! How the fleet stands: who has which version, and who could not be brought to it.

use sqlx::{Connection as _, PgConnection};

use super::platform;
use crate::{DatabaseSettings, Error, NodeId, Tenancy};

/// A tenant that could not be migrated.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// How the fleet stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether the shared tables are as this program expects.
    pub platform_current: bool,
    /// The version this program wants tenants at.
    pub wanted: i64,
    /// How many tenants have each version, lowest first.
    pub versions: Vec<(i64, i64)>,
    /// Those that could not be migrated.
    pub quarantined: Vec<Quarantined>,
}

/// How the fleet stands, and so what a run would do.
///
/// # Errors
/// What the database says.
pub async fn status(settings: &DatabaseSettings) -> Result<Status, Error> {
    let mut conn = settings.connect(NodeId::HOME).await?;
    let status = standing(&mut conn, settings.files.latest()).await?;
    conn.close().await?;
    Ok(status)
}

impl Tenancy {
    /// How the fleet stands, for those who do not have the owner's login.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn fleet(&self) -> Result<Status, Error> {
        let mut tx = self.begin_platform().await?;
        let status = standing(tx.conn(), self.database.newest()).await?;
        tx.rollback().await?;
        Ok(status)
    }
}

async fn standing(conn: &mut PgConnection, wanted: i64) -> Result<Status, Error> {
    let mut status = Status {
        platform_current: platform::is_current(conn).await?,
        wanted,
        versions: Vec::new(),
        quarantined: Vec::new(),
    };
    if status.platform_current {
        status.versions = sqlx::query_as(
            "SELECT schema_version, count(*) FROM platform.tenant GROUP BY 1 ORDER BY 1",
        )
        .fetch_all(&mut *conn)
        .await?;
        status.quarantined = quarantined(conn, wanted).await?;
    }
    Ok(status)
}

/// Those in quarantine for a version up to `newest`, by their names: what a later release could not do
/// is none of this one's business.
pub(super) async fn quarantined(
    conn: &mut PgConnection,
    newest: i64,
) -> Result<Vec<Quarantined>, Error> {
    let rows: Vec<(String, i64, i64, String)> = sqlx::query_as(
        "SELECT t.slug, t.schema_version, q.wanted, q.reason
         FROM platform.migration_quarantine q JOIN platform.tenant t ON t.id = q.tenant_id
         WHERE q.wanted <= $1 ORDER BY t.slug",
    )
    .bind(newest)
    .fetch_all(conn)
    .await?;
    let quarantined = |(slug, version, wanted, reason)| Quarantined {
        slug,
        version,
        wanted,
        reason,
    };
    Ok(rows.into_iter().map(quarantined).collect())
}
