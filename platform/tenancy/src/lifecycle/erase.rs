//! A tenant's end. An operator asks for it; whoever has the owner's login does it, step by step, each
//! of which may be repeated: its schema, then its files, then what the registry has of it, which leaves a
//! certificate of what there was.

use std::collections::BTreeMap;

use berth_events::tenant::{Deleted, Updated};
use berth_kernel::{Clock, TenantId, chain};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, types::Json};

use super::{Lifecycle, Operator, audit, hold, opening::tell_created, tell};
use crate::{
    DatabaseSettings, Error, NodeId,
    data::{Files, restore::next_role},
    migrate::connect_to,
    provision,
};

/// What was erased. Holds numbers and no data of the tenant's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Certificate {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The name in addresses it had, which is not given again.
    pub slug: String,
    /// Who asked for it.
    pub requested_by: String,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it was done.
    pub erased_at: Timestamp,
    /// The tables that are gone, with the rows each had.
    pub tables: BTreeMap<String, i64>,
    /// What the shared tables held of it, by table.
    pub shared: BTreeMap<String, u64>,
    /// The files there were in the store.
    pub files: u64,
    /// SHA-256 of all the above as JSON, in lower-case hex.
    pub digest: String,
}

impl Certificate {
    /// The digest that belongs to the other fields.
    #[must_use]
    pub fn reckoned(&self) -> String {
        let bare = Self {
            digest: String::new(),
            ..self.clone()
        };
        let text = serde_json::to_vec(&bare).unwrap_or_default();
        hex::encode(Sha256::digest(text))
    }
}

impl Lifecycle {
    /// Asks for the tenant of that name to be erased, which nothing stops any more. Only an archived
    /// one can be, or one that was never served: restored and not released, or not opened yet. `false` if that was asked already.
    ///
    /// # Errors
    /// [`Error::UnknownTenant`], [`Error::NotArchived`].
    pub async fn erase(&self, slug: &str) -> Result<bool, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let held = hold(tx.conn(), slug).await?;
        match held.status.as_str() {
            "archived" | "held" | "opening" => {}
            "leaving" => return Ok(false),
            _ => return Err(Error::NotArchived(slug.to_owned())),
        }
        if held.status == "opening" {
            // What is told of it begins with that it was made.
            tell_created(tx.conn(), held.id, &self.clock).await?;
        }
        sqlx::query(
            "UPDATE platform.tenant SET status = 'leaving', version = version + 1 WHERE id = $1",
        )
        .bind(held.id.uuid())
        .execute(tx.conn())
        .await?;
        audit(tx.conn(), held.id, &self.by, ASKED, &json!({})).await?;
        let event = Updated {
            tenant_id: held.id,
            version: held.version + 1,
        };
        tell(tx.conn(), held.id, &event, &self.clock).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The certificate of a tenant that is gone, by the name it had.
    ///
    /// # Errors
    /// [`Error::UnknownTenant`].
    pub async fn certificate(&self, slug: &str) -> Result<Certificate, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let found: Option<Json<Certificate>> =
            sqlx::query_scalar("SELECT certificate FROM platform.erased_tenant WHERE slug = $1")
                .bind(slug)
                .fetch_optional(tx.conn())
                .await?;
        tx.rollback().await?;
        let found = found.ok_or_else(|| Error::UnknownTenant(slug.to_owned()))?;
        Ok(found.0)
    }
}

const ASKED: &str = "tenant.erasure.requested";
const COUNTED: &str = "tenant.erasure.counted";
const FAILED: &str = "tenant.erasure.failed";

/// The provisioner, which acts on what an operator asked for.
fn itself() -> Operator {
    Operator("provisioner".to_owned())
}

/// The shared tables that hold something of a tenant's, what is referred to last.
const SHARED: [&str; 9] = [
    "founder",
    "sign_up",
    "api_key",
    "domain",
    "booking_day",
    "money_day",
    "stripe_account",
    "migration_quarantine",
    "dead_letter",
];

/// What there is before anything of it is removed.
#[derive(Serialize, Deserialize)]
struct Counted {
    /// Rows, by table.
    tables: BTreeMap<String, i64>,
    /// Events in the outboxes of all nodes.
    outbox: u64,
    files: u64,
}

struct Leaving {
    id: TenantId,
    slug: String,
    likeness: String,
    role: String,
    node: NodeId,
    timeline: u32,
    version: i64,
}

/// How long after an erasure files are looked for again: what was at work then may have written one.
const SWEPT_FOR: &str = "10 minutes";
/// How long it is tried to reckon figures one last time.
const TRIED_FOR: SignedDuration = SignedDuration::from_hours(1);

/// The figures could not be kept.
pub type BookkeeperError = Box<dyn std::error::Error + Send + Sync>;

/// Who keeps the platform's own figures of tenants.
pub trait Bookkeeper: Send + Sync {
    /// Reckons a tenant's figures one last time: what comes after that is not counted.
    fn close(&self, tenant: TenantId) -> BoxFuture<'_, Result<(), BookkeeperError>>;
}

/// Erases the tenants that are to leave, but for those that cannot be just now; how many it erased, and
/// what stood in the way of the others. Uses the owner's login.
///
/// # Errors
/// When the registry does not answer.
pub async fn erase_leaving(
    settings: &DatabaseSettings,
    files: &dyn Files,
    books: &dyn Bookkeeper,
    clock: &Clock,
) -> Result<(usize, Vec<Error>), Error> {
    let mut registry = settings.connect(NodeId::HOME).await?;
    // Whoever holds this erases; it is gone with the connection, whatever happens.
    let mine: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtext('berth erase'))")
        .fetch_one(&mut registry)
        .await?;
    let (mut erased, mut failed) = (0, Vec::new());
    if mine {
        for leaving in leaving(&mut registry).await? {
            match erase(settings, &mut registry, &leaving, files, books, clock).await {
                Ok(()) => erased += 1,
                Err(error) => {
                    note(&mut registry, leaving.id, &error).await?;
                    failed.push(error);
                }
            }
        }
        failed.extend(sweep(&mut registry, files).await?);
    }
    registry.close().await?;
    Ok((erased, failed))
}

/// Leaves in the trail why one is not erased yet, where operators see it; once, however often it is tried.
async fn note(registry: &mut PgConnection, tenant: TenantId, error: &Error) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO platform.audit (operator, action, tenant_id, detail)
         SELECT $1, $2, $3, $4
         WHERE NOT EXISTS (
             SELECT FROM (SELECT action, detail FROM platform.audit WHERE tenant_id = $3 ORDER BY id DESC LIMIT 1) last
             WHERE last.action = $2 AND last.detail = $4)",
    )
    .bind(itself().0)
    .bind(FAILED)
    .bind(tenant.uuid())
    .bind(json!({ "error": chain(error) }))
    .execute(registry)
    .await?;
    Ok(())
}

/// Removes what was written for tenants while they were erased; what stood in the way.
async fn sweep(registry: &mut PgConnection, files: &dyn Files) -> Result<Vec<Error>, Error> {
    let sql = format!(
        "SELECT tenant_id FROM platform.erased_tenant WHERE erased_at > now() - interval '{SWEPT_FOR}'"
    );
    let gone: Vec<uuid::Uuid> = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_all(registry)
        .await?;
    let mut failed = Vec::new();
    for id in gone {
        if let Err(error) = files.remove_all(id.into()).await {
            failed.push(Error::Files(error));
        }
    }
    Ok(failed)
}

async fn erase(
    settings: &DatabaseSettings,
    registry: &mut PgConnection,
    leaving: &Leaving,
    files: &dyn Files,
    books: &dyn Bookkeeper,
    clock: &Clock,
) -> Result<(), Error> {
    let counted = counted(settings, registry, leaving, files, books, clock).await?;
    let mut node = connect_to(settings, leaving.node).await?;
    empty_node(&mut node, leaving).await?;
    node.close().await?;
    // Where it was before a move, what it told there may still be kept; and a copy, if the node it came from was lost.
    for other in settings.node_ids().filter(|other| *other != leaving.node) {
        let mut node = connect_to(settings, other).await?;
        empty_node(&mut node, leaving).await?;
        node.close().await?;
    }
    files.remove_all(leaving.id).await.map_err(Error::Files)?;
    let mut certificate = Certificate {
        tenant_id: leaving.id,
        slug: leaving.slug.clone(),
        requested_by: String::new(),
        requested_at: clock.now(),
        erased_at: clock.now(),
        tables: counted.tables,
        shared: BTreeMap::from([("outbox".to_owned(), counted.outbox)]),
        files: counted.files,
        digest: String::new(),
    };
    finish(registry, leaving, &mut certificate, clock).await?;
    tracing::info!(tenant_id = %leaving.id, "tenant {} is erased", leaving.id);
    Ok(())
}

/// Those that are to leave and are not on their way to another node.
async fn leaving(registry: &mut PgConnection) -> Result<Vec<Leaving>, Error> {
    type Row = (uuid::Uuid, String, String, String, i16, i32, i64);
    let found: Vec<Row> = sqlx::query_as(
        "SELECT id, slug, likeness, role, node, timeline, version FROM platform.tenant t
         WHERE status = 'leaving'
           AND NOT EXISTS (SELECT FROM platform.relocation r WHERE r.tenant_id = t.id)
         ORDER BY id",
    )
    .fetch_all(registry)
    .await?;
    let leaving = |(id, slug, likeness, role, node, timeline, version): Row| Leaving {
        id: id.into(),
        slug,
        likeness,
        role,
        node: NodeId(node.unsigned_abs()),
        timeline: timeline.unsigned_abs(),
        version,
    };
    Ok(found.into_iter().map(leaving).collect())
}

/// What there is of it: counted once and written down before anything goes, so that a run which goes on
/// with another's work certifies all of it. With that its figures are closed.
async fn counted(
    settings: &DatabaseSettings,
    registry: &mut PgConnection,
    leaving: &Leaving,
    files: &dyn Files,
    books: &dyn Bookkeeper,
    clock: &Clock,
) -> Result<Counted, Error> {
    let before: Option<Json<Counted>> = sqlx::query_scalar(
        "SELECT detail FROM platform.audit WHERE tenant_id = $1 AND action = $2 ORDER BY id LIMIT 1",
    )
    .bind(leaving.id.uuid())
    .bind(COUNTED)
    .fetch_optional(&mut *registry)
    .await?;
    if let Some(Json(counted)) = before {
        return Ok(counted);
    }
    let listed = files.list(leaving.id).await.map_err(Error::Files)?;
    let mut counted = Counted {
        tables: BTreeMap::new(),
        outbox: 0,
        files: u64::try_from(listed.len()).unwrap_or(u64::MAX),
    };
    for id in settings.node_ids() {
        let mut node = connect_to(settings, id).await?;
        if id == leaving.node {
            counted.tables = count_rows(&mut node, &leaving.role).await?;
        }
        counted.outbox += count_events(&mut node, leaving.id).await?;
        node.close().await?;
    }
    // Of a restore that was cut off there may be no table.
    if !counted.tables.is_empty() {
        close_books(registry, leaving, books, clock).await?;
    }
    audit(registry, leaving.id, &itself(), COUNTED, &json!(counted)).await?;
    Ok(counted)
}

/// Has its figures reckoned one last time. Where that does not succeed for long they stay as they are: whoever asked
/// to be erased is not kept for their sake.
async fn close_books(
    registry: &mut PgConnection,
    leaving: &Leaving,
    books: &dyn Bookkeeper,
    clock: &Clock,
) -> Result<(), Error> {
    let Err(error) = books.close(leaving.id).await else {
        return Ok(());
    };
    let (_, asked_at) = asked(registry, leaving.id).await?.unwrap_or_default();
    if clock.now().duration_since(asked_at) < TRIED_FOR {
        return Err(Error::Figures(error));
    }
    tracing::warn!(tenant_id = %leaving.id, error = chain(&*error), "the last figures of {} are not kept: {error}", leaving.id);
    Ok(())
}

/// Who asked for it, and when.
async fn asked(
    conn: &mut PgConnection,
    tenant: TenantId,
) -> Result<Option<(String, Timestamp)>, Error> {
    let asked: Option<(String, jiff_sqlx::Timestamp)> = sqlx::query_as(
        "SELECT operator, at FROM platform.audit WHERE tenant_id = $1 AND action = $2
         ORDER BY id DESC LIMIT 1",
    )
    .bind(tenant.uuid())
    .bind(ASKED)
    .fetch_optional(conn)
    .await?;
    Ok(asked.map(|(by, at)| (by, at.to_jiff())))
}

/// Takes schema and role from the node, and what waits in its outbox.
async fn empty_node(node: &mut PgConnection, leaving: &Leaving) -> Result<(), Error> {
    let mut tx = node.begin().await?;
    // Requests and events at hand end within their own limits of time.
    tx.execute("SET LOCAL lock_timeout = '10s'").await?;
    provision::remove(&mut tx, &leaving.role).await?;
    // What a restore that was cut off may have left.
    let next = next_role(&mut tx, leaving.id, leaving.timeline).await?;
    provision::remove(&mut tx, &next).await?;
    forget_events(&mut tx, leaving.id).await?;
    Ok(tx.commit().await?)
}

/// What a tenant told, and what waits to be told of it, as SQL: but for what waits to be told of its own
/// life, whose last step follows and must be of the version after.
const ITS_EVENTS: &str =
    "platform.outbox WHERE tenant_id = $1 AND NOT (entity_id = $1 AND published_at IS NULL)";

/// Takes what a tenant told from a node's outbox.
async fn forget_events(node: &mut PgConnection, tenant: TenantId) -> Result<(), Error> {
    sqlx::query(AssertSqlSafe(format!("DELETE FROM {ITS_EVENTS}")))
        .bind(tenant.uuid())
        .execute(node)
        .await?;
    Ok(())
}

/// How many events those are.
async fn count_events(node: &mut PgConnection, tenant: TenantId) -> Result<u64, Error> {
    let sql = format!("SELECT count(*) FROM {ITS_EVENTS}");
    let events: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(tenant.uuid())
        .fetch_one(node)
        .await?;
    Ok(events.unsigned_abs())
}

/// How many rows each table of a schema has.
async fn count_rows(conn: &mut PgConnection, schema: &str) -> Result<BTreeMap<String, i64>, Error> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = $1 ORDER BY 1",
    )
    .bind(schema)
    .fetch_all(&mut *conn)
    .await?;
    let mut counted = BTreeMap::new();
    for table in tables {
        let sql = format!(
            "SELECT count(*) FROM {schema}.\"{}\"",
            table.replace('"', "\"\"")
        );
        let rows = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut *conn)
            .await?;
        counted.insert(table, rows);
    }
    Ok(counted)
}

/// Adds its figures to those of all tenants that are gone, which are nobody's in particular: what the
/// platform took in stays what it was.
async fn keep_figures(conn: &mut PgConnection, tenant: TenantId) -> Result<(), Error> {
    for added in [
        "INSERT INTO platform.booking_day AS d (tenant_id, day, made, confirmed, cancelled)
         SELECT $2, day, made, confirmed, cancelled FROM platform.booking_day WHERE tenant_id = $1
         ON CONFLICT (day, tenant_id) DO UPDATE
         SET made = d.made + excluded.made, confirmed = d.confirmed + excluded.confirmed,
             cancelled = d.cancelled + excluded.cancelled",
        "INSERT INTO platform.money_day AS d
           (tenant_id, day, currency, sales, refunds, processing_fees, platform_fees)
         SELECT $2, day, currency, sales, refunds, processing_fees, platform_fees
         FROM platform.money_day WHERE tenant_id = $1
         ON CONFLICT (day, tenant_id, currency) DO UPDATE
         SET sales = d.sales + excluded.sales, refunds = d.refunds + excluded.refunds,
             processing_fees = d.processing_fees + excluded.processing_fees,
             platform_fees = d.platform_fees + excluded.platform_fees",
    ] {
        sqlx::query(added)
            .bind(tenant.uuid())
            .bind(uuid::Uuid::nil())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Takes it from the shared tables, and leaves the certificate, the audit trail and the last event.
async fn finish(
    registry: &mut PgConnection,
    leaving: &Leaving,
    certificate: &mut Certificate,
    clock: &Clock,
) -> Result<(), Error> {
    let mut tx = registry.begin().await?;
    // Whoever is about to write of it in a shared table waits, and then finds that it is gone.
    sqlx::query("SELECT FROM platform.tenant WHERE id = $1 FOR UPDATE")
        .bind(leaving.id.uuid())
        .execute(&mut *tx)
        .await?;
    if let Some((by, at)) = asked(&mut tx, leaving.id).await? {
        certificate.requested_by = by;
        certificate.requested_at = at;
    }
    // What the provider told of its payments; found by the account, so before that.
    let told = sqlx::query(
        "DELETE FROM platform.webhook_inbox WHERE account IN
           (SELECT account_id FROM platform.stripe_account WHERE tenant_id = $1)",
    )
    .bind(leaving.id.uuid())
    .execute(&mut *tx)
    .await?;
    certificate
        .shared
        .insert("webhook_inbox".to_owned(), told.rows_affected());
    keep_figures(&mut tx, leaving.id).await?;
    for table in SHARED {
        let sql = format!("DELETE FROM platform.{table} WHERE tenant_id = $1");
        let gone = sqlx::query(AssertSqlSafe(sql))
            .bind(leaving.id.uuid())
            .execute(&mut *tx)
            .await?;
        *certificate.shared.entry(table.to_owned()).or_default() += gone.rows_affected();
    }
    forget_events(&mut tx, leaving.id).await?;
    certificate.digest = certificate.reckoned();
    sqlx::query(
        "INSERT INTO platform.erased_tenant (tenant_id, slug, likeness, certificate, erased_at)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(leaving.id.uuid())
    .bind(&leaving.slug)
    .bind(&leaving.likeness)
    .bind(json!(certificate))
    .bind(jiff_sqlx::Timestamp::from(certificate.erased_at))
    .execute(&mut *tx)
    .await?;
    let detail = json!({ "digest": certificate.digest });
    audit(&mut tx, leaving.id, &itself(), "tenant.deleted", &detail).await?;
    let event = Deleted {
        tenant_id: leaving.id,
        version: leaving.version + 1,
    };
    tell(&mut tx, leaving.id, &event, clock).await?;
    sqlx::query("DELETE FROM platform.tenant WHERE id = $1")
        .bind(leaving.id.uuid())
        .execute(&mut *tx)
        .await?;
    Ok(tx.commit().await?)
}
