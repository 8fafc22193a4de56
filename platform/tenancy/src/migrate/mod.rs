//! Brings the shared tables, and then every tenant's schema, to the state this program expects.
//!
//! Our own runner, because sqlx's takes one lock per database and leaves it behind when it fails.
//! A tenant's DDL and its version move in one transaction: a run that is killed goes on where it
//! stopped. Files expand or contract, never both in one release: while half of the fleet has moved,
//! this program and the one before both work.
//!
//! - [`files`]: what is applied. [`fleet`]: the tenants, in waves, side by side, each for itself.
//!   [`mod@status`]: how they stand.
//! - [`drift`]: where a schema is not what the files make; [`shape`]: what schemas are compared by.
//! - [`logins`]: the roles of the cluster. [`platform`]: the shared tables.

mod drift;
mod files;
mod fleet;
mod logins;
mod platform;
mod shape;
mod status;

use sqlx::{Connection as _, Executor as _, PgConnection, migrate::Migrator};

use crate::{DatabaseSettings, Error, NodeId, pools::PLATFORM_LOGIN};

pub(crate) use drift::differences_of;
pub use drift::{Difference, DriftReport, Drifted, drift};
pub use files::TenantFiles;
pub use fleet::{Pace, Progress, Wave};
pub use logins::renew_logins;
pub(crate) use platform::connect_to;
pub use status::{Quarantined, Status, status};

static PLATFORM: Migrator = sqlx::migrate!("../../migrations/platform");

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Files applied to the shared tables.
    pub platform: usize,
    /// Tenants brought up to date.
    pub tenants: usize,
    /// Tenants that could not be, now or before, and why; they are served as they are. Of a dry run, those
    /// that would not be.
    pub quarantined: Vec<Quarantined>,
    /// Tenants left behind because something else is done to them just now: they are being moved to another node,
    /// or put back. Another run finds them.
    pub left: usize,
}

/// Version of the newest file for the shared tables.
pub(crate) fn latest_platform() -> Option<i64> {
    PLATFORM.iter().map(|file| file.version).max()
}

/// Takes the lock of whoever migrates, for as long as `conn` is there; says so when it has to be waited for.
async fn wait_for_turn(conn: &mut PgConnection) -> Result<(), Error> {
    let free: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtext('berth migrate'))")
        .fetch_one(&mut *conn)
        .await?;
    if !free {
        tracing::warn!("another run migrates already; this one goes on when that one has ended");
        conn.execute("SELECT pg_advisory_lock(hashtext('berth migrate'))")
            .await?;
    }
    Ok(())
}

/// Migrates everything, telling `progress` how far it is. Safe to run twice, and by two at once: the
/// second waits for the first and finds little to do.
///
/// # Errors
/// [`Error::MigrationChanged`] when an applied file was edited, [`Error::OtherSecret`],
/// [`Error::BudgetSpent`] when too many tenants of a wave failed; else what the database says.
pub async fn run(
    settings: &DatabaseSettings,
    pace: Pace,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Report, Error> {
    let mut conn = settings.connect(NodeId::HOME).await?;
    wait_for_turn(&mut conn).await?;
    let mut platform = 0;
    if pace.dry && !platform::is_there(&mut conn).await? {
        return Ok(Report::default());
    }
    // There is one set of shared tables: what changes them cannot be tried on some.
    for node in settings.node_ids().filter(|_| !pace.dry) {
        let mut conn = settings.connect(node).await?;
        logins::make_logins(&mut conn, settings).await?;
        if !logins::opens(settings, node, PLATFORM_LOGIN).await? {
            return Err(Error::OtherSecret);
        }
        platform += platform::migrate_platform(&mut conn, node).await?;
        conn.close().await?;
    }
    let moved = fleet::migrate(&mut conn, settings, pace, progress).await?;
    let quarantined = match pace.dry {
        true => moved.would_fail,
        false => status::quarantined(&mut conn, settings.files.latest()).await?,
    };
    conn.close().await?;
    Ok(Report {
        platform,
        tenants: moved.tenants,
        quarantined,
        left: moved.left,
    })
}
