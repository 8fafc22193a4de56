//! Transactions: a tenant's and the platform's, two types that cannot be taken for each other.

use berth_kernel::TenantId;
use sqlx::PgConnection;

use crate::{Database, Error, NodeId, Tenant, connection::ArmedConnection, shares::Share};

/// An open transaction in one tenant's schema, as that tenant's role.
///
/// Dropping it rolls back; whatever happens to the future that holds it, the connection is clean
/// before anyone else uses it.
#[derive(Debug)]
pub struct TenantTx {
    inner: ArmedConnection,
    tenant: TenantId,
    timeline: u32,
}

impl TenantTx {
    pub(crate) async fn begin(database: &Database, tenant: &Tenant) -> Result<Self, Error> {
        let conn = database
            .bucket(tenant.node, tenant.bucket)?
            .acquire(tenant.id)
            .await?;
        let inner = ArmedConnection::begin(conn, &tenant.begin).await?;
        Ok(Self {
            inner,
            tenant: tenant.id,
            timeline: tenant.timeline,
        })
    }

    pub(crate) fn with(mut self, share: Share) -> Self {
        self.inner = self.inner.with(share);
        self
    }

    /// Whose data this is.
    #[must_use]
    pub fn tenant_id(&self) -> TenantId {
        self.tenant
    }

    /// On which timeline of its tenant this happens; see [`crate::data`].
    #[must_use]
    pub fn timeline(&self) -> u32 {
        self.timeline
    }

    /// The connection, for a store's statements: unqualified names, explicit columns.
    pub fn conn(&mut self) -> &mut PgConnection {
        self.inner.conn()
    }

    /// Makes it last.
    ///
    /// # Errors
    /// When the answer is lost the outcome is unknown; repeat under the same idempotency key.
    pub async fn commit(self) -> Result<(), Error> {
        Ok(self.inner.commit().await?)
    }

    /// Undoes it at once; dropping does the same a moment later.
    ///
    /// # Errors
    /// When the connection is gone; nothing was changed then either.
    pub async fn rollback(self) -> Result<(), Error> {
        Ok(self.inner.rollback().await?)
    }
}

/// An open transaction on the tables all tenants share.
#[derive(Debug)]
pub struct PlatformTx {
    inner: ArmedConnection,
}

impl PlatformTx {
    /// Whether there is such a tenant. If so there will be until this ends: what is written of it goes
    /// with it when it is erased.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_tenant(&mut self, id: TenantId) -> Result<bool, Error> {
        let found: Option<bool> =
            sqlx::query_scalar("SELECT true FROM platform.tenant WHERE id = $1 FOR KEY SHARE")
                .bind(id.uuid())
                .fetch_optional(self.conn())
                .await?;
        Ok(found.is_some())
    }
}

impl PlatformTx {
    pub(crate) async fn begin(database: &Database, node: NodeId) -> Result<Self, Error> {
        // Ends by itself if its process stops in the middle: the relay holds rows while it
        // publishes them, and they must come free for another.
        const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = '15s'; \
             SET LOCAL lock_timeout = '2s'; SET LOCAL idle_in_transaction_session_timeout = '60s'";
        let conn = database.platform_of(node)?.acquire().await?;
        Ok(Self {
            inner: ArmedConnection::begin(conn, BEGIN).await?,
        })
    }

    /// The connection, for statements that name `platform.` tables in full.
    pub fn conn(&mut self) -> &mut PgConnection {
        self.inner.conn()
    }

    /// Makes it last.
    ///
    /// # Errors
    /// When the answer is lost the outcome is unknown.
    pub async fn commit(self) -> Result<(), Error> {
        Ok(self.inner.commit().await?)
    }

    /// Undoes it at once.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn rollback(self) -> Result<(), Error> {
        Ok(self.inner.rollback().await?)
    }
}
