//! From a tenant's birth to its being served. The registry and the tenant's own tables are reached with
//! different logins, so the two cannot be written in one transaction: the founder waits in the registry
//! until somebody has made the account, and whoever finds one waiting may go on with it.

use std::time::Duration;

use berth_events::tenant::Created;
use berth_kernel::{Clock, Secret, TenantId, UserId};
use serde_json::json;
use sqlx::PgConnection;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Lifecycle, audit, tell};
use crate::{Error, PlatformTx};

/// Who is to be a tenant's first administrator.
#[derive(Clone, Debug)]
pub struct Founder {
    /// The id the account is to have.
    pub account_id: UserId,
    /// Address, in the form accounts keep it.
    pub email: String,
    /// Name.
    pub name: String,
    /// BCP 47 tag of the language they read.
    pub locale: String,
    /// Argon2id in PHC form.
    pub password_hash: Secret,
}

/// A tenant whose founder has no account yet.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Its first administrator to be.
    pub founder: Founder,
}

/// How many a process makes at once: each keeps a connection while it needs another.
static MAKERS: Semaphore = Semaphore::const_new(2);

/// The right to make a tenant of a name.
#[derive(Debug)]
pub struct Making {
    // The lock goes with it, also where its maker is gone.
    tx: PlatformTx,
    _turn: Option<SemaphorePermit<'static>>,
}

impl Making {
    /// Gives it back.
    pub async fn end(self) {
        if let Err(error) = self.tx.rollback().await {
            tracing::warn!(
                error = berth_kernel::chain(&error),
                "the right to make a tenant ends with its connection: {error}"
            );
        }
    }
}

impl Lifecycle {
    /// What a tenant of that name still needs to be served; none if it is opened, or is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn opening_named(&self, slug: &str) -> Result<Option<Opening>, Error> {
        let found = self.openings("t.slug = $1", slug).await?;
        Ok(found.into_iter().next())
    }

    /// Lets nobody else begin to make a tenant of that name until it is dropped.
    ///
    /// # Errors
    /// [`Error::Busy`] when somebody is at it.
    pub async fn making(&self, slug: &str) -> Result<Making, Error> {
        let turn = MAKERS.acquire().await;
        let mut tx = self.tenancy.begin_platform().await?;
        let mine = "SELECT pg_try_advisory_xact_lock(hashtextextended('making ' || $1, 0))";
        let mine: bool = sqlx::query_scalar(mine)
            .bind(slug)
            .fetch_one(tx.conn())
            .await?;
        match mine {
            true => Ok(Making {
                tx,
                _turn: turn.ok(),
            }),
            false => Err(Error::Busy(format!("`{slug}` is being made just now"))),
        }
    }

    /// Tenants that have waited for longer than `age`: whoever was at them is gone, or failed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn left_opening(&self, age: Duration) -> Result<Vec<Opening>, Error> {
        let which = "f.since < clock_timestamp() - make_interval(secs => $1)";
        self.openings(which, age.as_secs_f64()).await
    }

    async fn openings<'q, T>(&self, which: &str, value: T) -> Result<Vec<Opening>, Error>
    where
        T: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + 'q,
    {
        type Row = (uuid::Uuid, uuid::Uuid, String, String, String, String);
        let sql = format!(
            "SELECT f.tenant_id, f.account_id, f.email, f.name, f.locale, f.password_hash
             FROM platform.founder f JOIN platform.tenant t ON t.id = f.tenant_id
             WHERE t.status = 'opening' AND {which} ORDER BY f.since LIMIT 100"
        );
        let mut tx = self.tenancy.begin_platform().await?;
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(value)
            .fetch_all(tx.conn())
            .await?;
        tx.rollback().await?;
        let opening = |(tenant, account, email, name, locale, hash): Row| Opening {
            tenant_id: tenant.into(),
            founder: Founder {
                account_id: account.into(),
                email,
                name,
                locale,
                password_hash: Secret::new(hash),
            },
        };
        Ok(rows.into_iter().map(opening).collect())
    }

    /// Lets a tenant whose founder has an account be served; `false` if it was not opening.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(&self, id: TenantId) -> Result<bool, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let opened = sqlx::query(
            "UPDATE platform.tenant SET status = 'active' WHERE id = $1 AND status = 'opening'",
        )
        .bind(id.uuid())
        .execute(tx.conn())
        .await?;
        if opened.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("DELETE FROM platform.founder WHERE tenant_id = $1")
            .bind(id.uuid())
            .execute(tx.conn())
            .await?;
        audit(tx.conn(), id, &self.by, "tenant.opened", &json!({})).await?;
        tell_created(tx.conn(), id, &self.clock).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Writes down who the tenant waits for.
pub(super) async fn await_founder(
    conn: &mut PgConnection,
    id: TenantId,
    founder: &Founder,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO platform.founder (tenant_id, account_id, email, name, locale, password_hash) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.uuid())
    .bind(founder.account_id.uuid())
    .bind(&founder.email)
    .bind(&founder.name)
    .bind(&founder.locale)
    // Exposed to be kept until the account has it.
    .bind(founder.password_hash.expose())
    .execute(conn)
    .await?;
    Ok(())
}

/// Tells that there is a tenant, once it is served.
pub(super) async fn tell_created(
    conn: &mut PgConnection,
    id: TenantId,
    clock: &Clock,
) -> Result<(), Error> {
    let (slug, name, version): (String, String, i64) =
        sqlx::query_as("SELECT slug, name, version FROM platform.tenant WHERE id = $1")
            .bind(id.uuid())
            .fetch_one(&mut *conn)
            .await?;
    let created = Created {
        tenant_id: id,
        version,
        slug,
        name,
    };
    tell(conn, id, &created, clock).await
}
