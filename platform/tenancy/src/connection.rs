//! A pooled connection with an open transaction that never goes back dirty.
//!
//! Why not `pool.begin()`: a future can be dropped at any await. Dropped between the sending of
//! BEGIN and its answer, sqlx does not know that a transaction is open, returns the connection to
//! the pool, and the next borrower works as another tenant. So the flag `armed` is set *before*
//! BEGIN is sent and cleared only *after* COMMIT or ROLLBACK is acknowledged; an armed connection
//! is healed, or closed, before anybody else gets it.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor as _, PgConnection, Postgres, pool::PoolConnection};

use crate::shares::Share;

/// How long healing may take before the connection is closed instead.
const HEAL_WITHIN: Duration = Duration::from_secs(1);

/// A connection with an open transaction.
#[derive(Debug)]
pub(crate) struct ArmedConnection {
    /// `None` only after the end or during drop.
    conn: Option<PoolConnection<Postgres>>,
    armed: bool,
    /// The right of whoever uses it to one more connection, given back when this one is clean or gone.
    share: Option<Share>,
}

impl ArmedConnection {
    /// Sends `begin`, which opens a transaction and sets its role and path in one message.
    pub(crate) async fn begin(
        conn: PoolConnection<Postgres>,
        begin: &str,
    ) -> Result<Self, sqlx::Error> {
        let mut this = Self {
            conn: Some(conn),
            armed: true,
            share: None,
        };
        this.send(begin).await?;
        Ok(this)
    }

    /// The same, on a tenant's account.
    pub(crate) fn with(mut self, share: Share) -> Self {
        self.share = Some(share);
        self
    }

    /// The connection inside the transaction.
    ///
    /// # Panics
    /// Never for a caller outside this module: only `end` and `drop` take the connection, and
    /// both consume `self`.
    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        self.conn
            .as_mut()
            .expect("the connection is there until the end")
    }

    /// Commits; an error leaves the outcome unknown and the connection is healed or closed.
    pub(crate) async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.send("COMMIT").await?;
        self.armed = false;
        Ok(())
    }

    /// Rolls back.
    pub(crate) async fn rollback(mut self) -> Result<(), sqlx::Error> {
        self.send("ROLLBACK").await?;
        self.armed = false;
        Ok(())
    }

    async fn send(&mut self, message: &str) -> Result<(), sqlx::Error> {
        // Safe as SQL: either a constant or `begin_message`, made of a checked role name.
        self.conn()
            .execute(sqlx::raw_sql(AssertSqlSafe(message)))
            .await?;
        Ok(())
    }
}

impl Drop for ArmedConnection {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        if !self.armed {
            return;
        }
        // Detached from the pool it is closed when dropped: what must happen when nobody can heal.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(heal(conn, self.share.take()));
            }
            Err(_) => drop(conn.detach()),
        }
    }
}

/// Rolls back and looks whether the connection is bare again; else closes it.
async fn heal(mut conn: PoolConnection<Postgres>, share: Option<Share>) {
    let healed = tokio::time::timeout(HEAL_WITHIN, async {
        conn.execute("ROLLBACK").await?;
        let (role, path): (String, String) =
            sqlx::query_as("SELECT current_setting('role'), current_setting('search_path')")
                .fetch_one(&mut *conn)
                .await?;
        Ok::<bool, sqlx::Error>(role == "none" && path == super::pools::NOWHERE)
    })
    .await;
    if matches!(healed, Ok(Ok(true))) {
        metrics::counter!("berth_connections_healed_total").increment(1);
        return;
    }
    metrics::counter!("berth_connections_discarded_total").increment(1);
    drop(conn.detach());
    drop(share);
}
