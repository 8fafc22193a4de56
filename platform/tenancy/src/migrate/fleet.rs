//! The tenants' schemas, in waves: canaries, then a hundredth of the others, then a tenth, then all.
//!
//! A wave begins when the one before has ended, and only if few of its tenants failed. A tenant that
//! fails for a reason of its own is put in quarantine, with the reason, and the others go on.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use berth_kernel::TenantId;
use futures::future::try_join_all;
use rand::RngExt as _;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::{Quarantined, TenantFiles};
use crate::{DatabaseSettings, Error, NodeId};

/// How often a tenant whose tables are in use is tried before it is put in quarantine.
const TRIES: u32 = 10;
/// SQLSTATE of our own: the tenant has moved since it was looked up.
const MOVED: &str = "BR001";

/// How fast, and how much may go wrong.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Tenants migrated side by side.
    pub workers: usize,
    /// Percent of a wave that may fail before the run stops. Of the canaries none may, of the other
    /// waves always one.
    pub budget_percent: usize,
    /// Tries those in quarantine again.
    pub retry: bool,
    /// Only tries: every tenant's files are applied and taken back, whatever fails elsewhere.
    pub dry: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            workers: 4,
            budget_percent: 1,
            retry: false,
            dry: false,
        }
    }
}

/// A part of the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wave {
    /// Those named as canaries: the platform's own.
    Canaries,
    /// A hundredth of the others.
    Hundredth,
    /// A tenth.
    Tenth,
    /// All the rest.
    Rest,
}

impl Wave {
    const ALL: [Self; 4] = [Self::Canaries, Self::Hundredth, Self::Tenth, Self::Rest];

    fn from_number(number: i32) -> Self {
        let index = usize::try_from(number).unwrap_or(0);
        Self::ALL.get(index).copied().unwrap_or(Self::Rest)
    }

    /// How many of `tenants` may fail.
    fn budget(self, tenants: usize, percent: usize) -> usize {
        match self {
            Self::Canaries => 0,
            _ => (tenants * percent / 100).max(1),
        }
    }
}

impl std::fmt::Display for Wave {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Canaries => "the canaries",
            Self::Hundredth => "the first hundredth",
            Self::Tenth => "the first tenth",
            Self::Rest => "the rest",
        })
    }
}

/// How far a wave is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The wave.
    pub wave: Wave,
    /// Its tenants that are done with, well or not.
    pub done: usize,
    /// All of it that had to be moved.
    pub all: usize,
    /// Those of the waves after it.
    pub later: usize,
    /// How many failed.
    pub failed: usize,
    /// Since the wave began.
    pub elapsed: Duration,
}

impl Progress {
    /// Tenants a second.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub fn rate(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64().max(0.001)
    }

    /// How long the run, with the waves to come, will take from now on if it goes on like this.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub fn left(&self) -> Duration {
        let tenants = self.all.saturating_sub(self.done) + self.later;
        Duration::from_secs_f64((tenants as f64 / self.rate().max(0.001)).min(1e6))
    }
}

/// A tenant to be moved.
#[derive(Debug, Clone)]
struct Behind {
    id: TenantId,
    slug: String,
    role: String,
    node: NodeId,
    version: i64,
    /// Its data may be being put back just now, for as long as that takes.
    held: bool,
    tries: u32,
}

/// What became of those who were behind.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// How many were moved.
    pub(super) tenants: usize,
    /// In a dry run, who could not be.
    pub(super) would_fail: Vec<Quarantined>,
    /// How many something else is done to just now.
    pub(super) left: usize,
}

/// Moves everybody who is behind.
pub(super) async fn migrate(
    conn: &mut PgConnection,
    settings: &DatabaseSettings,
    pace: Pace,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Moved, Error> {
    let files = &settings.files;
    if pace.retry && !pace.dry {
        conn.execute("DELETE FROM platform.migration_quarantine")
            .await?;
    }
    let mut waves: [VecDeque<Behind>; 4] = Default::default();
    let (behind, relocated) = behind(conn, files.latest(), pace.dry).await?;
    let mut moved = Moved {
        left: relocated,
        ..Moved::default()
    };
    if behind.is_empty() {
        return Ok(moved);
    }
    for (wave, behind) in behind {
        waves[wave as usize].push_back(behind);
    }
    let sizes = sizes(conn, files.latest()).await?;
    let mut later: usize = waves.iter().map(VecDeque::len).sum();
    for ((wave, tenants), size) in Wave::ALL.into_iter().zip(waves).zip(sizes) {
        later -= tenants.len();
        let running = Running::new(wave, size, tenants, files, pace).before(later);
        // What failed in runs before this counts: a run that is repeated does not walk past it.
        running.judge()?;
        let workers = pace.workers.max(1).min(running.all);
        let work = (0..workers).map(|_| running.work(settings, progress));
        moved.tenants += try_join_all(work).await?.into_iter().sum::<usize>();
        running.judge()?;
        let mut left = running.left();
        moved.left += left.busy;
        moved.would_fail.append(&mut left.would_fail);
    }
    moved
        .would_fail
        .sort_by(|one, other| one.slug.cmp(&other.slug));
    Ok(moved)
}

/// How many tenants there are in a wave, and how many of them are in quarantine for this release.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    tenants: usize,
    failed: usize,
}

/// In which wave a tenant is, as SQL.
const WAVE: &str = "CASE WHEN t.canary THEN 0
    ELSE 1 + width_bucket(abs(hashtext(t.id::text)::bigint) % 100, ARRAY[1, 10]::bigint[]) END";

async fn sizes(conn: &mut PgConnection, latest: i64) -> Result<[Size; 4], Error> {
    let sql = format!(
        "SELECT {WAVE}, count(*), count(*) FILTER (WHERE q.wanted >= $1 AND t.schema_version < $1)
         FROM platform.tenant t LEFT JOIN platform.migration_quarantine q ON q.tenant_id = t.id
         GROUP BY 1"
    );
    let rows: Vec<(i32, i64, i64)> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(latest)
        .fetch_all(conn)
        .await?;
    let mut sizes = [Size::default(); 4];
    for (wave, tenants, failed) in rows {
        let count = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
        sizes[Wave::from_number(wave) as usize] = Size {
            tenants: count(tenants),
            failed: count(failed),
        };
    }
    Ok(sizes)
}

/// Everybody who is behind and neither in quarantine for it, unless `dry`, nor on the way to another node,
/// with their waves, in the order of ids; and how many are on their way. One whose data is being put back is among them: either the schema
/// or the registry's row is locked by whoever does that, and afterwards it has another role.
async fn behind(
    conn: &mut PgConnection,
    latest: i64,
    dry: bool,
) -> Result<(Vec<(Wave, Behind)>, usize), Error> {
    let sql = format!(
        "SELECT t.id, t.slug, t.role, t.node, t.schema_version, t.status = 'held', {WAVE},
                EXISTS (SELECT FROM platform.relocation r WHERE r.tenant_id = t.id)
         FROM platform.tenant t
         WHERE t.schema_version < $1
           AND ($2 OR NOT EXISTS (SELECT FROM platform.migration_quarantine q
                                  WHERE q.tenant_id = t.id AND q.wanted >= $1))
         ORDER BY t.id"
    );
    type Row = (uuid::Uuid, String, String, i16, i64, bool, i32, bool);
    let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(latest)
        .bind(dry)
        .fetch_all(conn)
        .await?;
    let (relocated, rows): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.7);
    let behind = |(id, slug, role, node, version, held, wave, _): Row| {
        let behind = Behind {
            id: id.into(),
            slug,
            role,
            node: NodeId(node.unsigned_abs()),
            version,
            held,
            tries: 0,
        };
        (Wave::from_number(wave), behind)
    };
    Ok((rows.into_iter().map(behind).collect(), relocated.len()))
}

/// A wave under way.
struct Running<'f> {
    files: &'f TenantFiles,
    wave: Wave,
    dry: bool,
    all: usize,
    /// Tenants of the waves after it that are to be moved.
    later: usize,
    /// All of the wave, moved or not.
    size: usize,
    budget: usize,
    began: Instant,
    left: Mutex<Left>,
}

struct Left {
    tenants: VecDeque<Behind>,
    done: usize,
    failed: usize,
    /// Left for later, because something else is done to them.
    busy: usize,
    /// Of a dry run.
    would_fail: Vec<Quarantined>,
}

impl<'f> Running<'f> {
    fn new(
        wave: Wave,
        size: Size,
        tenants: VecDeque<Behind>,
        files: &'f TenantFiles,
        pace: Pace,
    ) -> Self {
        Self {
            files,
            wave,
            dry: pace.dry,
            all: tenants.len(),
            later: 0,
            size: size.tenants,
            budget: match pace.dry {
                true => usize::MAX,
                false => wave.budget(size.tenants, pace.budget_percent),
            },
            began: Instant::now(),
            left: Mutex::new(Left {
                tenants,
                done: 0,
                failed: if pace.dry { 0 } else { size.failed },
                busy: 0,
                would_fail: Vec::new(),
            }),
        }
    }

    /// The same with so many tenants in the waves after it.
    fn before(self, later: usize) -> Self {
        Self { later, ..self }
    }

    /// Moves tenants until none is left or too many failed; how many this worker moved.
    async fn work(
        &self,
        settings: &DatabaseSettings,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<usize, Error> {
        let mut registry = settings.connect(NodeId::HOME).await?;
        let mut away = HashMap::new();
        let mut moved = 0;
        while let Some(tenant) = self.next() {
            let outcome = match tenant.node {
                NodeId::HOME => {
                    let outcome = self.move_up(&mut registry, &tenant).await?;
                    if matches!(outcome, Outcome::Elsewhere) && !self.dry {
                        let version = version_of(&mut registry, &tenant).await?;
                        self.settle(&mut registry, &tenant, outcome, version)
                            .await?
                    } else {
                        outcome
                    }
                }
                node => {
                    let conn = match away.entry(node) {
                        Entry::Occupied(conn) => conn.into_mut(),
                        Entry::Vacant(place) => {
                            let owner = settings.owner_of(node)?;
                            place.insert(PgConnection::connect_with(&owner).await?)
                        }
                    };
                    let outcome = self.move_up(conn, &tenant).await?;
                    if matches!(outcome, Outcome::Moved | Outcome::Elsewhere) && !self.dry {
                        let version = version_of(conn, &tenant).await?;
                        self.settle(&mut registry, &tenant, outcome, version)
                            .await?
                    } else {
                        outcome
                    }
                }
            };
            match outcome {
                Outcome::Moved => {
                    moved += 1;
                    self.tell(progress, false);
                }
                Outcome::Elsewhere => self.tell(progress, false),
                Outcome::Busy(_) if tenant.tries + 1 < TRIES => {
                    let pause = rand::rng().random_range(50..500);
                    self.again(tenant);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                // It is served to nobody, and not released before the next run has moved it.
                Outcome::Busy(reason) if tenant.held => {
                    tracing::warn!(tenant_id = %tenant.id, reason, "{} is left for later: {reason}", tenant.id);
                    self.left().busy += 1;
                    self.tell(progress, false);
                }
                Outcome::Busy(reason) | Outcome::Failed(reason) if self.dry => {
                    self.would_fail(tenant, reason);
                    self.tell(progress, true);
                }
                Outcome::Busy(reason) | Outcome::Failed(reason) => {
                    tracing::error!(tenant_id = %tenant.id, reason, "{} is put in quarantine: {reason}", tenant.id);
                    put_in_quarantine(&mut registry, &tenant, self.files.latest(), &reason).await?;
                    self.tell(progress, true);
                }
            }
        }
        registry.close().await?;
        for (_, conn) in away {
            conn.close().await?;
        }
        Ok(moved)
    }

    /// Lets the registry say what a tenant's node does, of which it has that version. Nothing is there of one whose
    /// restore was cut off, which is left for when that was repeated.
    async fn settle(
        &self,
        registry: &mut PgConnection,
        tenant: &Behind,
        outcome: Outcome,
        version: Option<i64>,
    ) -> Result<Outcome, Error> {
        let Some(version) = version else {
            // Unless it was erased or put back meanwhile.
            let here = "SELECT EXISTS (SELECT FROM platform.tenant WHERE id = $1 AND role = $2 AND node = $3)";
            let here: bool = sqlx::query_scalar(here)
                .bind(tenant.id.uuid())
                .bind(&tenant.role)
                .bind(i32::from(tenant.node.0))
                .fetch_one(registry)
                .await?;
            self.left().busy += usize::from(here);
            return Ok(outcome);
        };
        note_version(registry, tenant, version).await?;
        Ok(outcome)
    }

    async fn move_up(&self, conn: &mut PgConnection, tenant: &Behind) -> Result<Outcome, Error> {
        move_up(
            conn,
            tenant,
            self.files,
            if self.dry { "ROLLBACK" } else { "COMMIT" },
        )
        .await
    }

    fn would_fail(&self, tenant: Behind, reason: String) {
        self.left().would_fail.push(Quarantined {
            slug: tenant.slug,
            version: tenant.version,
            wanted: self.files.latest(),
            reason,
        });
    }

    fn left(&self) -> std::sync::MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Behind> {
        let mut left = self.left();
        (left.failed <= self.budget)
            .then(|| left.tenants.pop_front())
            .flatten()
    }

    fn again(&self, mut tenant: Behind) {
        tenant.tries += 1;
        self.left().tenants.push_back(tenant);
    }

    fn tell(&self, progress: &(dyn Fn(Progress) + Sync), failed: bool) {
        let now = {
            let mut left = self.left();
            left.done += 1;
            left.failed += usize::from(failed);
            Progress {
                wave: self.wave,
                done: left.done,
                all: self.all,
                later: self.later,
                failed: left.failed,
                elapsed: self.began.elapsed(),
            }
        };
        progress(now);
    }

    /// Whether the next wave may begin.
    fn judge(&self) -> Result<(), Error> {
        let failed = self.left().failed;
        if failed <= self.budget {
            return Ok(());
        }
        Err(Error::BudgetSpent {
            wave: self.wave.to_string(),
            failed,
            of: self.size,
        })
    }
}

enum Outcome {
    Moved,
    /// Somebody else moved it.
    Elsewhere,
    /// Its tables are in use.
    Busy(String),
    Failed(String),
}

/// One message, and so one transaction: the version, which must be what it was, and the DDL. Where the
/// registry is, what it says moves along; elsewhere it is told after that. `end` keeps it or takes it back.
async fn move_up(
    conn: &mut PgConnection,
    tenant: &Behind,
    files: &TenantFiles,
    end: &str,
) -> Result<Outcome, Error> {
    let Behind {
        id, role, version, ..
    } = tenant;
    let (latest, node) = (files.latest(), tenant.node.0);
    let message = format!(
        "BEGIN; SET LOCAL lock_timeout = '800ms'; \
         DO $$ BEGIN \
           UPDATE platform.tenant_schema SET version = {latest} \
           WHERE role = '{role}' AND version = {version}; \
           IF NOT FOUND THEN RAISE EXCEPTION 'moved' USING ERRCODE = '{MOVED}'; END IF; \
           UPDATE platform.tenant SET schema_version = {latest} \
           WHERE id = '{id}' AND role = '{role}' AND node = {node}; \
           DELETE FROM platform.migration_quarantine WHERE tenant_id = '{id}'; \
         END $$; \
         SET LOCAL search_path = {role}, public; {files}; SET CONSTRAINTS ALL IMMEDIATE; {end}",
        files = files.after(*version),
    );
    // Safe as SQL: numbers, an id, a role's checked name, and files of our own.
    let sent = conn.execute(sqlx::raw_sql(AssertSqlSafe(message))).await;
    let Err(error) = sent else {
        return Ok(Outcome::Moved);
    };
    let sqlx::Error::Database(refusal) = &error else {
        return Err(error.into());
    };
    let (code, reason) = (
        refusal.code().unwrap_or_default(),
        refusal.message().to_owned(),
    );
    let outcome = match &*code {
        MOVED => Outcome::Elsewhere,
        // lock_not_available, deadlock_detected, serialization_failure.
        "55P03" | "40P01" | "40001" => Outcome::Busy(format!("{code}: {reason}")),
        // It took too long, or a file of its tables is damaged: its own, though it looks like the server's.
        "57014" | "58P01" => Outcome::Failed(format!("{code}: {reason}")),
        // The server's own state: no tenant's fault.
        state if state.starts_with("53") || state.starts_with("57") || state.starts_with("58") => {
            return Err(error.into());
        }
        _ => Outcome::Failed(format!("{code}: {reason}")),
    };
    conn.execute("ROLLBACK").await?;
    Ok(outcome)
}

/// Which version a schema has, by its node's own word; none if there is none.
async fn version_of(node: &mut PgConnection, tenant: &Behind) -> Result<Option<i64>, Error> {
    let version = sqlx::query_scalar("SELECT version FROM platform.tenant_schema WHERE role = $1");
    Ok(version.bind(&tenant.role).fetch_optional(node).await?)
}

/// Lets the registry say the same, if that is where the tenant still is.
async fn note_version(
    registry: &mut PgConnection,
    tenant: &Behind,
    version: i64,
) -> Result<(), Error> {
    sqlx::query(
        "WITH noted AS (
             UPDATE platform.tenant SET schema_version = $2 WHERE id = $1 AND role = $3 AND node = $4
             RETURNING id
         )
         DELETE FROM platform.migration_quarantine q USING noted WHERE q.tenant_id = noted.id",
    )
    .bind(tenant.id.uuid())
    .bind(version)
    .bind(&tenant.role)
    .bind(i32::from(tenant.node.0))
    .execute(registry)
    .await?;
    Ok(())
}

async fn put_in_quarantine(
    conn: &mut PgConnection,
    tenant: &Behind,
    wanted: i64,
    reason: &str,
) -> Result<(), Error> {
    sqlx::query(
        // It may have been erased meanwhile.
        "INSERT INTO platform.migration_quarantine (tenant_id, wanted, reason)
         SELECT id, $2, $3 FROM platform.tenant WHERE id = $1
         ON CONFLICT (tenant_id) DO UPDATE SET wanted = excluded.wanted, reason = excluded.reason,
             since = clock_timestamp()",
    )
    .bind(tenant.id.uuid())
    .bind(wanted)
    .bind(reason)
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_canary_may_fail_and_of_the_others_few() {
        assert_eq!(Wave::Canaries.budget(5_000, 1), 0);
        assert_eq!(Wave::Rest.budget(2, 1), 1);
        assert_eq!(Wave::Rest.budget(5_000, 1), 50);
    }

    #[test]
    fn a_wave_whose_budget_is_spent_lets_no_other_begin() {
        let files = TenantFiles::of_this_release();
        let judged = |wave, tenants, failed| {
            let size = Size { tenants, failed };
            Running::new(wave, size, VecDeque::new(), &files, Pace::default()).judge()
        };
        judged(Wave::Rest, 5_000, 50).unwrap();
        assert!(matches!(
            judged(Wave::Rest, 5_000, 51),
            Err(Error::BudgetSpent {
                failed: 51,
                of: 5_000,
                ..
            })
        ));
        judged(Wave::Canaries, 5, 0).unwrap();
        judged(Wave::Canaries, 5, 1).unwrap_err();
    }

    #[test]
    fn what_is_left_follows_from_the_rate_and_counts_the_waves_to_come() {
        let mut progress = Progress {
            wave: Wave::Rest,
            done: 100,
            all: 400,
            later: 0,
            failed: 0,
            elapsed: Duration::from_secs(10),
        };
        assert!((progress.rate() - 10.0).abs() < 1e-9);
        assert_eq!(progress.left(), Duration::from_secs(30));
        progress.later = 600;
        assert_eq!(progress.left(), Duration::from_secs(90));
    }
}
