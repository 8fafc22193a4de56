//! Moving a tenant from one node to another while it is served.
//!
//! Its tables are copied by logical replication, which then keeps up with what is written. For a moment
//! nobody may take on its role; what is under way ends, the last rows arrive, and the registry names
//! the new node. Whoever begins a transaction in that moment waits and begins it there.
//!
//! ```text
//! copying ── frozen: right to the role taken away, last rows awaited ──▶ moved ──▶ (no row)
//!    │ undone: right given back, copy removed                             cleared away at the source
//! ```
//!
//! A move that is killed is undone, or finished if the registry names the new node already, by the next
//! one or by the provisioner. That wants both nodes. One that is gone for good is replaced by an empty
//! database of the same number: there it counts as cleared away. What had been copied from it by then stays.

use std::time::{Duration, Instant};

use berth_events::tenant::Updated;
use berth_kernel::{Clock, TenantId};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

mod freeze;
mod recovery;
mod replication;

pub use recovery::recover;

use freeze::{freeze, thaw};
use recovery::{finish, recover_all};
use replication::{await_copy, await_marker, check_source, publish, receive};

use crate::{
    DatabaseSettings, Error, NodeId,
    lifecycle::{Operator, audit, tell},
    migrate::{Difference, connect_to, differences_of},
    pools::bucket_login,
    provision,
};

/// How long a tenant may be frozen; a move that would take longer is given up.
const FROZEN_AT_MOST: Duration = Duration::from_millis(1_500);
/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(10);
/// How many differences a refusal names.
const NAMED: usize = 5;

/// What a move did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relocated {
    /// How long nobody could begin anything.
    pub frozen: Duration,
    /// Rows the tenant has.
    pub rows: i64,
    /// Whether nothing of it is left where it was. Until then it is neither migrated nor erased, and the provisioner
    /// goes on clearing away.
    pub cleared: bool,
}

/// A move under way, as its row has it.
struct Relocation {
    tenant: TenantId,
    role: String,
    from: (NodeId, u16),
    to: (NodeId, u16),
    moved: bool,
}

impl Relocation {
    /// Name of publication, subscription and slot.
    fn name(&self) -> String {
        format!("berth_move_{}", self.role)
    }

    async fn source(&self, settings: &DatabaseSettings) -> Result<PgConnection, Error> {
        connect_to(settings, self.from.0).await
    }

    async fn target(&self, settings: &DatabaseSettings) -> Result<PgConnection, Error> {
        connect_to(settings, self.to.0).await
    }
}

/// Moves the tenant of that name to a node. Uses the owner's logins.
///
/// # Errors
/// [`Error::UnknownTenant`], [`Error::UnknownNode`]; [`Error::Invalid`] when it is there already, its
/// schema is not of this release or was changed by hand, or the source does not write what replication
/// reads;
/// [`Error::Busy`] when another move is under way, or it could not be frozen briefly enough.
pub async fn relocate(
    settings: &DatabaseSettings,
    slug: &str,
    to: NodeId,
    by: &Operator,
    clock: &Clock,
) -> Result<Relocated, Error> {
    let mut registry = settings.connect(NodeId::HOME).await?;
    lock(&mut registry).await?;
    recover_all(settings, &mut registry).await?;
    settings.owner_of(to)?;
    let relocation = begin(&mut registry, settings, slug, to, by).await?;
    let done = carry_out(settings, &mut registry, &relocation, by, clock).await;
    if done.is_err() {
        // What cannot be undone now is undone by the next move or by the provisioner.
        recover_all(settings, &mut registry).await?;
    }
    registry.close().await?;
    done
}

/// One move at a time. Gone with the connection, whatever happens.
async fn lock(registry: &mut PgConnection) -> Result<(), Error> {
    let mine: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtext('berth relocate'))")
        .fetch_one(registry)
        .await?;
    match mine {
        true => Ok(()),
        false => Err(Error::Busy("another tenant is being moved".to_owned())),
    }
}

/// Where a tenant that is to be moved is, as its row has it.
#[derive(PartialEq, Eq, sqlx::FromRow)]
struct Whereabouts {
    id: uuid::Uuid,
    role: String,
    node: i16,
    bucket: i16,
    schema_version: i64,
    status: String,
}

impl Whereabouts {
    const SELECT: &str = "SELECT id, role, node, bucket, schema_version, status FROM platform.tenant WHERE slug = $1";

    fn node(&self) -> NodeId {
        NodeId(self.node.unsigned_abs())
    }
}

/// Writes the move down before anything is done.
async fn begin(
    registry: &mut PgConnection,
    settings: &DatabaseSettings,
    slug: &str,
    to: NodeId,
    by: &Operator,
) -> Result<Relocation, Error> {
    let to_bucket = provision::emptiest_bucket(registry, to, settings.buckets).await?;
    let found: Option<Whereabouts> = sqlx::query_as(Whereabouts::SELECT)
        .bind(slug)
        .fetch_optional(&mut *registry)
        .await?;
    let found = found.ok_or_else(|| Error::UnknownTenant(slug.to_owned()))?;
    // Looked at before its row is locked: who suspends it does not wait for that.
    check_movable(settings, slug, &found, to).await?;
    let mut tx = registry.begin().await?;
    let locked = format!("{} FOR UPDATE", Whereabouts::SELECT);
    let now: Option<Whereabouts> = sqlx::query_as(AssertSqlSafe(locked))
        .bind(slug)
        .fetch_optional(&mut *tx)
        .await?;
    if now.as_ref() != Some(&found) {
        let what = format!("`{slug}` was changed just now; try again");
        return Err(Error::Busy(what));
    }
    let relocation = Relocation {
        tenant: found.id.into(),
        from: (found.node(), found.bucket.unsigned_abs()),
        role: found.role,
        to: (to, to_bucket),
        moved: false,
    };
    sqlx::query(
        "INSERT INTO platform.relocation
           (tenant_id, role, from_node, from_bucket, to_node, to_bucket, state)
         VALUES ($1, $2, $3, $4, $5, $6, 'copying')",
    )
    .bind(found.id)
    .bind(&relocation.role)
    .bind(found.node)
    .bind(found.bucket)
    .bind(i32::from(to.0))
    .bind(i32::from(to_bucket))
    .execute(&mut *tx)
    .await?;
    let detail = json!({ "from": found.node, "to": to.0 });
    audit(
        &mut tx,
        relocation.tenant,
        by,
        "tenant.relocation.requested",
        &detail,
    )
    .await?;
    tx.commit().await?;
    Ok(relocation)
}

/// Refuses to move what cannot be moved, with the reason.
async fn check_movable(
    settings: &DatabaseSettings,
    slug: &str,
    found: &Whereabouts,
    to: NodeId,
) -> Result<(), Error> {
    let refuse = |why: &str| Err(Error::Invalid(format!("`{slug}` cannot be moved: {why}")));
    if found.node() == to {
        return refuse("it is on that node");
    }
    if found.schema_version != settings.files.latest() {
        return refuse("its schema is not of this release; run `berth migrate` first");
    }
    if found.status == "leaving" {
        return refuse("it is to be erased");
    }
    let mut source = settings.connect(found.node()).await?;
    let whole: bool =
        sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL AND to_regrole($1) IS NOT NULL")
            .bind(&found.role)
            .fetch_one(&mut source)
            .await?;
    if !whole {
        return refuse("its restore was cut off; repeat that first");
    }
    // Where it goes its schema is made by the files: rows would arrive for which there is no place, and
    // be waited for in vain, and what no row needs would be lost.
    let differences = differences_of(&mut source, &settings.files, &found.role).await?;
    source.close().await?;
    match differences.is_empty() {
        true => Ok(()),
        false => refuse(&format!(
            "its schema was changed by hand: {}; `berth drift` says more",
            listed(&differences)
        )),
    }
}

/// The first few in words.
fn listed(differences: &[Difference]) -> String {
    let named: Vec<String> = differences
        .iter()
        .take(NAMED)
        .map(ToString::to_string)
        .collect();
    match differences.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

async fn carry_out(
    settings: &DatabaseSettings,
    registry: &mut PgConnection,
    relocation: &Relocation,
    by: &Operator,
    clock: &Clock,
) -> Result<Relocated, Error> {
    let mut source = relocation.source(settings).await?;
    let mut target = relocation.target(settings).await?;
    check_source(&mut source, relocation.from.0).await?;
    let tables = publish(&mut source, relocation).await?;
    receive(settings, &mut target, relocation, &tables).await?;
    await_copy(registry, &mut target, relocation).await?;

    let began = Instant::now();
    let handing_over = hand_over(&mut source, &mut target, relocation, &tables);
    let handed_over = match tokio::time::timeout(FROZEN_AT_MOST, handing_over).await {
        Ok(handed_over) => handed_over,
        Err(_) => Err(Error::Busy(
            "it could not be frozen briefly enough".to_owned(),
        )),
    };
    let rows = match handed_over {
        Ok(rows) => rows,
        Err(error) => {
            // Until the registry is told otherwise, here and by nobody else, it is served where it was.
            let mut source = relocation.source(settings).await?;
            thaw(&mut source, relocation).await?;
            source.close().await?;
            return Err(error);
        }
    };
    flip(registry, relocation, settings.files.latest(), by, clock).await?;
    let frozen = began.elapsed();
    source.close().await?;
    target.close().await?;
    // It is there; what it left behind is cleared away by whoever looks next, if not now.
    let finished = finish(settings, registry, relocation).await;
    if let Err(error) = &finished {
        tracing::warn!(tenant_id = %relocation.tenant, error = berth_kernel::chain(error), "what a move left behind stays for now: {error}");
    }
    tracing::info!(tenant_id = %relocation.tenant, ?frozen, rows, "tenant {} is on node {}", relocation.tenant, relocation.to.0);
    Ok(Relocated {
        frozen,
        rows,
        cleared: finished.is_ok(),
    })
}

/// Freezes the tenant, waits for its last rows, and lets its role be taken on where it goes; how many
/// rows it has.
async fn hand_over(
    source: &mut PgConnection,
    target: &mut PgConnection,
    relocation: &Relocation,
    tables: &[String],
) -> Result<i64, Error> {
    freeze(source, relocation).await?;
    await_marker(source, target, relocation).await?;
    let rows = compare(source, target, relocation, tables).await?;
    let (role, login) = (&relocation.role, bucket_login(relocation.to.1));
    run(target, &format!("GRANT {role} TO {login}")).await?;
    Ok(rows)
}

/// Counts each table on both sides at once, and holds versions and names of tables against each other;
/// how many rows there are.
async fn compare(
    source: &mut PgConnection,
    target: &mut PgConnection,
    relocation: &Relocation,
    tables: &[String],
) -> Result<i64, Error> {
    let role = &relocation.role;
    let counts: Vec<String> = tables
        .iter()
        .map(|table| format!("(SELECT count(*) FROM {table})"))
        .collect();
    let sql = format!(
        "SELECT ARRAY[{}],
                (SELECT version FROM platform.tenant_schema WHERE role = '{role}'),
                (SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname = '{role}')",
        counts.join(", ")
    );
    type Found = (Vec<i64>, i64, String);
    let find = |conn| sqlx::query_as::<_, Found>(AssertSqlSafe(sql.clone())).fetch_one(conn);
    let (source, target) = tokio::try_join!(find(source), find(target))?;
    let here = &source.0;
    if source != target {
        return Err(Error::Busy("the copy has not all rows".to_owned()));
    }
    Ok(here.iter().sum())
}

/// Lets the registry name the new node: from here on there is no way back.
async fn flip(
    registry: &mut PgConnection,
    relocation: &Relocation,
    schema_version: i64,
    by: &Operator,
    clock: &Clock,
) -> Result<(), Error> {
    let mut tx = registry.begin().await?;
    tx.execute("SET LOCAL lock_timeout = '500ms'").await?;
    let version: i64 = sqlx::query_scalar(
        "UPDATE platform.tenant SET node = $2, bucket = $3, version = version + 1
         WHERE id = $1 AND schema_version = $4 RETURNING version",
    )
    .bind(relocation.tenant.uuid())
    .bind(i32::from(relocation.to.0.0))
    .bind(i32::from(relocation.to.1))
    .bind(schema_version)
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query("UPDATE platform.relocation SET state = 'moved' WHERE tenant_id = $1")
        .bind(relocation.tenant.uuid())
        .execute(&mut *tx)
        .await?;
    let detail = json!({ "from": relocation.from.0.0, "to": relocation.to.0.0 });
    audit(&mut tx, relocation.tenant, by, "tenant.relocated", &detail).await?;
    let event = Updated {
        tenant_id: relocation.tenant,
        version,
    };
    tell(&mut tx, relocation.tenant, &event, clock).await?;
    Ok(tx.commit().await?)
}

/// Ends the sessions of this database that are at a statement like `statement`, and waits until they have.
async fn end_sessions(conn: &mut PgConnection, statement: &str) -> Result<(), Error> {
    let ended: bool = sqlx::query_scalar(
        "SELECT coalesce(bool_and(pg_terminate_backend(pid, 5000)), true) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE $1",
    )
    .bind(statement)
    .fetch_one(conn)
    .await?;
    match ended {
        true => Ok(()),
        false => Err(Error::Busy(
            "a session of an earlier run does not end".to_owned(),
        )),
    }
}

/// Whether a node has the role of a tenant. One that was replaced by an empty database has not.
async fn knows(node: &mut PgConnection, role: &str) -> Result<bool, Error> {
    let there = sqlx::query_scalar("SELECT to_regrole($1) IS NOT NULL");
    Ok(there.bind(role).fetch_one(node).await?)
}

/// Runs statements made of names of our own.
async fn run(conn: &mut PgConnection, sql: &str) -> Result<(), Error> {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    Ok(())
}
