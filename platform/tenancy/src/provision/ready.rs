//! Schemas made ahead, so that signing up is a row and not a hundred and fifty statements.

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use berth_kernel::Clock;
use sqlx::{
    Connection as _, PgConnection,
    postgres::{PgListener, PgPoolOptions},
};
use tokio_util::sync::CancellationToken;

use super::{Place, make, remove};
use crate::{
    DatabaseSettings, Error, NodeId,
    data::Files,
    lifecycle::{Bookkeeper, erase_leaving},
    relocate,
};

/// How many schemas are kept ready, and how gently they are made.
#[derive(Debug, Clone, Copy)]
pub struct Stock {
    /// How many.
    pub wanted: usize,
    /// Rests this many times as long as making the last one took, unless few are left: what is made
    /// ahead must not slow down those who book, and what it changes in the catalog is news to every
    /// connection for a moment longer than it takes.
    pub rest: u32,
}

impl Default for Stock {
    fn default() -> Self {
        Self {
            wanted: 8,
            rest: 60,
        }
    }
}

/// How often it looks when nothing is heard.
const ROUND: Duration = Duration::from_secs(5);
/// The longest rest, however long making the last one took: with a second's work, as on a small machine
/// with ten thousand tenants, those it slows down are still fewer than two in a hundred.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// So few are waited for: those who sign up now are not kept waiting for the sake of others.
const FEW: usize = 1;
/// How often it looks for a move that was killed.
const MENDED_WITHIN: Duration = Duration::from_secs(2);
/// How often it counts the tenants for who watches.
const COUNTED_EVERY: Duration = Duration::from_secs(15);
/// How soon it tries again after a failure.
const AGAIN: Duration = Duration::from_secs(1);

/// Whoever has the owner's login: keeps schemas ready, erases tenants that leave, and mends moves that
/// were killed.
pub struct Provisioner {
    /// Where the database is, with the owner's login.
    pub settings: DatabaseSettings,
    /// How many schemas are kept ready.
    pub stock: Stock,
    /// The tenants' files.
    pub files: Arc<dyn Files>,
    /// Who reckons the figures of those that leave one last time.
    pub books: Arc<dyn Bookkeeper>,
    /// The time.
    pub clock: Clock,
}

impl Provisioner {
    /// Works until cancelled. Several may: they share the work.
    pub async fn run(&self, stop: CancellationToken) {
        // Each by itself: one that cannot go on keeps no other from its work.
        tokio::join!(
            again(&stop, || self.build()),
            again(&stop, || self.erase()),
            again(&stop, || self.count()),
            again(&stop, || self.mend()),
        );
    }

    /// Hears that a schema was claimed, or that a tenant is to leave.
    async fn listen(&self) -> Result<PgListener, Error> {
        let listening = PgPoolOptions::new().max_connections(1);
        let pool = listening.connect_lazy_with(self.settings.owner()?);
        let mut told = PgListener::connect_with(&pool).await?;
        told.listen("berth_provisioner").await?;
        Ok(told)
    }

    /// Makes schemas ready until something fails.
    async fn build(&self) -> Result<Infallible, Error> {
        let mut told = self.listen().await?;
        let mut conn = self.settings.connect(NodeId::HOME).await?;
        let newest = self.settings.files.latest();
        loop {
            while discard_outdated(&mut conn, newest).await? {}
            let Some(took) = build_one(&mut conn, &self.settings, self.stock.wanted).await? else {
                // Both an answer and its absence mean: look.
                let _ = tokio::time::timeout(ROUND, told.recv()).await;
                continue;
            };
            let rested = Instant::now() + (took * self.stock.rest).min(LONGEST_REST);
            while Instant::now() < rested && ready(&mut conn, newest).await? > FEW {
                let _ = tokio::time::timeout_at(rested.into(), told.recv()).await;
            }
        }
    }

    /// Counts tenants and what is ready for more of them, on and on: how many are of each standing, and how many
    /// could not be migrated. One that stays `leaving` cannot be erased.
    async fn count(&self) -> Result<Infallible, Error> {
        let mut conn = self.settings.connect(NodeId::HOME).await?;
        let gauge = |name, count| metrics::gauge!(name).set(f64::from(count));
        loop {
            let standings: Vec<(String, i32)> = sqlx::query_as(
                "SELECT s.status, count(t.id)::integer
                 FROM unnest('{opening,active,suspended,archived,leaving,held}'::text[]) AS s (status)
                 LEFT JOIN platform.tenant t USING (status) GROUP BY 1",
            )
            .fetch_all(&mut conn)
            .await?;
            for (status, count) in standings {
                metrics::gauge!("berth_tenants", "status" => status).set(f64::from(count));
            }
            let (quarantined, ready): (i32, i32) = sqlx::query_as(
                "SELECT (SELECT count(*)::integer FROM platform.migration_quarantine),
                        (SELECT count(*)::integer FROM platform.ready_schema WHERE schema_version >= $1)",
            )
            .bind(self.settings.files.latest())
            .fetch_one(&mut conn)
            .await?;
            gauge("berth_tenants_quarantined", quarantined);
            gauge("berth_schemas_ready", ready);
            tokio::time::sleep(COUNTED_EVERY).await;
        }
    }

    /// Undoes or finishes moves that were killed, on and on: a tenant may be frozen.
    async fn mend(&self) -> Result<Infallible, Error> {
        loop {
            relocate::recover(&self.settings).await?;
            tokio::time::sleep(MENDED_WITHIN).await;
        }
    }

    /// Erases those that leave, on and on. One that cannot be just now keeps nobody else.
    async fn erase(&self) -> Result<Infallible, Error> {
        let mut told = self.listen().await?;
        loop {
            let (files, books) = (&*self.files, &*self.books);
            let (_, failed) = erase_leaving(&self.settings, files, books, &self.clock).await?;
            for error in failed {
                tracing::warn!(
                    error = berth_kernel::chain(&error),
                    "a tenant is not erased yet, will try again: {error}"
                );
            }
            let _ = tokio::time::timeout(ROUND, told.recv()).await;
        }
    }
}

/// Does `work` anew whenever it fails, until cancelled.
async fn again<F>(stop: &CancellationToken, work: impl Fn() -> F)
where
    F: Future<Output = Result<Infallible, Error>>,
{
    while !stop.is_cancelled() {
        tokio::select! {
            Err(error) = work() => {
                tracing::warn!(
                    error = berth_kernel::chain(&error),
                    "the provisioner will try again: {error}"
                );
            }
            () = stop.cancelled() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Makes schemas until `wanted` are ready, without rest: where nobody books yet. Uses the owner's login.
///
/// # Errors
/// When the database does not answer.
pub async fn make_ready(settings: &DatabaseSettings, wanted: usize) -> Result<(), Error> {
    let mut conn = settings.connect(NodeId::HOME).await?;
    while build_one(&mut conn, settings, wanted).await?.is_some() {}
    conn.close().await?;
    Ok(())
}

/// Makes one more if fewer than `wanted` are ready; how long that took.
async fn build_one(
    conn: &mut PgConnection,
    settings: &DatabaseSettings,
    wanted: usize,
) -> Result<Option<Duration>, Error> {
    let mut tx = conn.begin().await?;
    // One at a time, or several would fill the same gap.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext('berth ready schemas'))")
        .execute(&mut *tx)
        .await?;
    if ready(&mut tx, settings.files.latest()).await? >= wanted {
        return Ok(None);
    }
    let began = Instant::now();
    let place = make(&mut tx, settings).await?;
    sqlx::query(
        "INSERT INTO platform.ready_schema (role, bucket, schema_version) VALUES ($1, $2, $3)",
    )
    .bind(&place.role)
    .bind(i16::try_from(place.bucket).unwrap_or(0))
    .bind(place.version)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    tracing::debug!(role = place.role, "the schema {} is ready", place.role);
    Ok(Some(began.elapsed()))
}

/// How many are ready for a release whose newest file is `newest`.
async fn ready(conn: &mut PgConnection, newest: i64) -> Result<usize, Error> {
    let ready: i64 =
        sqlx::query_scalar("SELECT count(*) FROM platform.ready_schema WHERE schema_version >= $1")
            .bind(newest)
            .fetch_one(conn)
            .await?;
    Ok(usize::try_from(ready).unwrap_or(0))
}

/// Removes one that an older release made; whether there was one. They are few and empty: making new
/// ones is simpler than migrating them.
async fn discard_outdated(conn: &mut PgConnection, newest: i64) -> Result<bool, Error> {
    let mut tx = conn.begin().await?;
    let role: Option<String> = sqlx::query_scalar(
        "DELETE FROM platform.ready_schema WHERE role = (
             SELECT role FROM platform.ready_schema WHERE schema_version < $1
             LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING role",
    )
    .bind(newest)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(role) = role else { return Ok(false) };
    remove(&mut tx, &role).await?;
    tx.commit().await?;
    Ok(true)
}

/// Takes a ready schema, if there is one of `newest` or later, in the transaction that makes its tenant.
pub(crate) async fn claim(conn: &mut PgConnection, newest: i64) -> Result<Option<Place>, Error> {
    let claimed: Option<(String, i16, i64)> = sqlx::query_as(
        "DELETE FROM platform.ready_schema WHERE role = (
             SELECT role FROM platform.ready_schema WHERE schema_version >= $1
             ORDER BY made_at LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING role, bucket, schema_version",
    )
    .bind(newest)
    .fetch_optional(conn)
    .await?;
    Ok(claimed.map(|(role, bucket, version)| Place {
        role,
        bucket: u16::try_from(bucket).unwrap_or(0),
        version,
    }))
}
