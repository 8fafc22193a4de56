//! The moment in which nobody can begin anything.

use std::time::{Duration, Instant};

use sqlx::PgConnection;

use super::{LOOK, Relocation, end_sessions, knows, run};
use crate::{Error, pools::bucket_login};

/// How long what is under way may take once it is frozen, before it is broken off.
const UNDER_WAY: Duration = Duration::from_millis(800);

/// Lets nobody begin anything more, and waits until what had begun is over.
pub(super) async fn freeze(
    source: &mut PgConnection,
    relocation: &Relocation,
) -> Result<(), Error> {
    let (role, login) = (&relocation.role, bucket_login(relocation.from.1));
    run(source, &format!("REVOKE {role} FROM {login}")).await?;
    // A right that another gave stays, with a warning that nobody reads.
    let still: bool = sqlx::query_scalar("SELECT pg_has_role($1, $2, 'MEMBER')")
        .bind(&login)
        .bind(role)
        .fetch_one(&mut *source)
        .await?;
    if still {
        return Err(Error::Invalid(format!(
            "{login} has the right to {role} from another login than the owner's; revoke it there"
        )));
    }
    let began = Instant::now();
    loop {
        // A transaction that has touched another tenant's tables is that one's; one that has touched
        // nothing yet may be anybody's.
        let break_off = began.elapsed() > UNDER_WAY;
        // One that is broken off is waited for all the same: it may be in the middle of its commit.
        let (left, _broken_off): (i64, i64) = sqlx::query_as(
            "SELECT count(*), count(*) FILTER (WHERE $3 AND pg_terminate_backend(pid))
             FROM pg_stat_activity a
             WHERE usename = $1 AND datname = current_database()
               AND xact_start < clock_timestamp() - make_interval(secs => $2)
               AND NOT EXISTS (
                   SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                   JOIN pg_namespace n ON n.oid = c.relnamespace
                   JOIN platform.tenant_schema s ON s.role = n.nspname
                   WHERE l.pid = a.pid AND s.role <> $4
                     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
        )
        .bind(&login)
        .bind(began.elapsed().as_secs_f64())
        .bind(break_off)
        .bind(role)
        .fetch_one(&mut *source)
        .await?;
        if left == 0 {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Lets the tenant's role be taken on again where it is. A node that was replaced by an empty one does not know it.
pub(super) async fn thaw(source: &mut PgConnection, relocation: &Relocation) -> Result<(), Error> {
    let (role, login) = (&relocation.role, bucket_login(relocation.from.1));
    // Who gave up, or died, may have left a session that freezes it a moment later.
    end_sessions(source, &format!("REVOKE {role} FROM {login}")).await?;
    match knows(source, role).await? {
        true => run(source, &format!("GRANT {role} TO {login}")).await,
        false => Ok(()),
    }
}
