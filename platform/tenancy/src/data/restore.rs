//! A tenant's data, put back: all of it or nothing, and compared with the export before it is kept.
//!
//! What is restored is held: nothing serves it, sends for it or reconciles it until an operator
//! releases it.

use std::{
    collections::HashSet,
    path::{Component, Path, PathBuf},
};

use berth_events::tenant::{Created, Updated};
use berth_kernel::{Clock, TenantId};
use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::io::AsyncReadExt as _;

use super::{
    DataError, Files, Manifest,
    copy::{self, Sink},
    events::{self, Heir},
    manifest::FORM,
};
use crate::{
    DatabaseSettings, Error, NodeId,
    lifecycle::{Operator, audit, likeness_checked, refuse_gone, refused, rules, tell},
    migrate::TenantFiles,
    pools::bucket_login,
    provision,
};

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The tenant.
    pub id: TenantId,
    /// Its name in addresses.
    pub slug: String,
    /// Rows put back.
    pub rows: u64,
    /// Files put back.
    pub files: usize,
}

/// Makes a new tenant, held, from an export, under `slug` or the name it had. Uses the owner's login.
///
/// # Errors
/// [`Error::SlugTaken`]; [`DataError::Damaged`], [`DataError::Differs`], [`DataError::Newer`]; what
/// database or store of files says. Nothing of the tenant is there then.
pub async fn restore_as_new(
    settings: &DatabaseSettings,
    folder: &Path,
    slug: Option<&str>,
    files: &dyn Files,
    by: &Operator,
    clock: &Clock,
) -> Result<Restored, DataError> {
    let export = Export::open(folder, &settings.files).await?;
    let slug = slug.unwrap_or(&export.manifest.tenant.slug).to_owned();
    rules::new_tenant(&export.manifest.tenant.as_new(&slug)?)?;
    let mut conn = settings.connect(NodeId::HOME).await?;
    let mut tx = conn.begin().await?;
    let likeness = likeness_checked(&slug)?;
    // The same for the same export under the same name: a run that was cut off after it had written files
    // left them where the next one writes them.
    let id = export.id_under(&slug);
    let bucket = provision::emptiest_bucket(&mut tx, NodeId::HOME, settings.buckets).await?;
    let role = provision::new_role();
    make_role(&mut tx, &role, bucket).await?;
    export.load(&mut tx, &role).await?;
    let described = &export.manifest.tenant;
    let heir = Heir {
        id,
        timeline: 0,
        other: true,
    };
    export.tell(&mut tx, heir).await?;
    let inserted = sqlx::query(
        "INSERT INTO platform.tenant (id, slug, likeness, name, kind, plan, role, bucket, status, timezone,
           currency, locale, color, logo_url, legal_name, address, tax_id, schema_version, created_at,
           accent_color, figures_from)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'held', $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
    )
    .bind(id.uuid())
    .bind(&slug)
    .bind(likeness)
    .bind(&described.name)
    .bind(&described.kind)
    .bind(&described.plan)
    .bind(&role)
    .bind(i32::from(bucket))
    .bind(&described.timezone)
    .bind(&described.currency)
    .bind(&described.locale)
    .bind(&described.color)
    .bind(&described.logo_url)
    .bind(&described.legal_name)
    .bind(&described.address)
    .bind(&described.tax_id)
    .bind(settings.files.latest())
    .bind(jiff_sqlx::Timestamp::from(clock.now()))
    .bind(&described.accent_color)
    // What it has from before was reckoned as the other's, which is counted still.
    .bind(jiff_sqlx::Date::from(export.first_own_day()))
    .execute(&mut *tx)
    .await;
    refused(inserted.map(drop), &slug)?;
    // Only now: one of that name may have been erased while this row waited for it.
    refuse_gone(&mut tx, &slug, id).await?;
    let detail = json!({ "from": described.slug, "exported_at": export.manifest.exported_at });
    audit(&mut tx, id, by, "tenant.restored", &detail).await?;
    let event = Created {
        tenant_id: id,
        version: 1,
        slug: slug.clone(),
        name: described.name.clone(),
    };
    tell(&mut tx, id, &event, clock).await?;
    // Before it is there: a tenant whose files are missing is never seen.
    if let Err(error) = export.put_files(files, id).await {
        files.remove_all(id).await.map_err(DataError::Files)?;
        return Err(error);
    }
    tx.commit().await?;
    conn.close().await?;
    Ok(export.restored(id, slug))
}

/// Puts an export in the place of all that the tenant of that name has now, and holds it. Only one that
/// is not served can be overwritten, and with its own data; with another's only if `of` is the name that one had.
/// Uses the owner's login.
///
/// # Errors
/// [`Error::UnknownTenant`], [`DataError::Served`], [`DataError::OtherTenant`], [`DataError::OtherCurrency`]; as
/// [`restore_as_new`]. The tenant has what it had then, and the standing it had, but that files of the export may be there already. Cut off, it may have
/// either, and cannot be released before this is repeated.
pub async fn restore_in_place(
    settings: &DatabaseSettings,
    folder: &Path,
    slug: &str,
    of: Option<&str>,
    files: &dyn Files,
    by: &Operator,
    clock: &Clock,
) -> Result<Restored, DataError> {
    let export = Export::open(folder, &settings.files).await?;
    export.verify().await?;
    let mut registry = settings.connect(NodeId::HOME).await?;
    let id = export.check_heir(&mut registry, slug, of).await?;
    let guard = guard(settings, id, slug).await?;
    // Held first, so that nothing is served or sent of a half, wherever the schema is.
    let held = hold(&mut registry, id, slug, by, clock).await?;
    let placed = place(settings, &mut registry, &export, &held, files, by, clock).await;
    if let Err(error) = placed {
        registry.close().await?;
        held.let_go(settings, by, clock).await?;
        guard.close().await?;
        return Err(error);
    }
    // Only now: had it failed, they would still be what the tenant has.
    export.remove_other_files(files, id).await?;
    forget_copies(settings, &held).await;
    // And only now it may be released.
    sqlx::query("UPDATE platform.tenant SET former_status = NULL WHERE id = $1 AND timeline = $2")
        .bind(id.uuid())
        .bind(i32::try_from(held.timeline + 1).unwrap_or(i32::MAX))
        .execute(&mut registry)
        .await?;
    registry.close().await?;
    guard.close().await?;
    Ok(export.restored(id, slug.to_owned()))
}

/// Removes what a move may have left on other nodes of what the tenant had, when the node it came from was lost.
async fn forget_copies(settings: &DatabaseSettings, held: &Held) {
    for node in settings.node_ids().filter(|node| *node != held.node) {
        let removing = async {
            let mut conn = settings.connect(node).await?;
            provision::remove(&mut conn, &held.role).await?;
            Ok::<_, Error>(conn.close().await?)
        };
        if let Err(error) = removing.await {
            tracing::warn!(tenant_id = %held.id, error = berth_kernel::chain(&error), "a copy of it may be left on node {node}: {error}");
        }
    }
}

/// Keeps other restores of a tenant, whatever it is called by then, from beginning before this one has ended, its
/// files included: as long as the connection is open.
async fn guard(
    settings: &DatabaseSettings,
    id: TenantId,
    slug: &str,
) -> Result<PgConnection, DataError> {
    let mut conn = settings.connect(NodeId::HOME).await?;
    conn.execute("SET lock_timeout = '10s'").await?;
    let locked = sqlx::query("SELECT pg_advisory_lock(hashtextextended('restore ' || $1, 0))")
        .bind(id.to_string())
        .execute(&mut conn)
        .await;
    match locked {
        Ok(_) => Ok(conn),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("55P03") => {
            Err(Error::Busy(format!("`{slug}` is being put back by somebody else")).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Puts the export where the tenant's data is, with its row of the registry held: nobody erases, moves
/// or releases it meanwhile.
async fn place(
    settings: &DatabaseSettings,
    registry: &mut PgConnection,
    export: &Export,
    held: &Held,
    files: &dyn Files,
    by: &Operator,
    clock: &Clock,
) -> Result<(), DataError> {
    let mut tx = registry.begin().await?;
    tx.execute("SET LOCAL lock_timeout = '10s'").await?;
    held.lock(&mut tx).await?;
    let role = if held.node == NodeId::HOME {
        let role = held.replace(&mut tx, export).await?;
        export.put_files(files, held.id).await?;
        role
    } else {
        let mut node = settings.connect(held.node).await?;
        let mut there = node.begin().await?;
        there.execute("SET LOCAL lock_timeout = '10s'").await?;
        let role = held.replace(&mut there, export).await?;
        export.put_files(files, held.id).await?;
        // Cut off between this and the other, the tenant is held with a role that is gone: it cannot be
        // released, and the next run begins anew.
        there.commit().await?;
        node.close().await?;
        role
    };
    held.turn(&mut tx, &role, export, by, clock).await?;
    Ok(tx.commit().await?)
}

/// A tenant that is held, and where it is.
struct Held {
    id: TenantId,
    role: String,
    node: NodeId,
    bucket: u16,
    timeline: u32,
    /// Its standing before.
    former: String,
    /// Whether it was held before, and could have been released.
    releasable: bool,
}

impl Held {
    /// Holds the tenant's row until the transaction ends, if it still is what it was.
    async fn lock(&self, registry: &mut PgConnection) -> Result<(), DataError> {
        let same = sqlx::query(
            "SELECT FROM platform.tenant WHERE id = $1 AND status = 'held' AND role = $2 AND timeline = $3
             FOR NO KEY UPDATE",
        )
        .bind(self.id.uuid())
        .bind(&self.role)
        .bind(i32::try_from(self.timeline).unwrap_or(i32::MAX))
        .fetch_optional(&mut *registry)
        .await?;
        // Asked only now: a move may have begun while this waited for the row.
        if same.is_none() || is_moving(registry, self.id).await? {
            return Err(Error::Busy("somebody else is at this tenant".to_owned()).into());
        }
        Ok(())
    }

    /// Makes the next timeline's schema from the export, and removes the present one; the new one's name.
    async fn replace(&self, node: &mut PgConnection, export: &Export) -> Result<String, DataError> {
        let role = next_role(node, self.id, self.timeline).await?;
        // Of a run that was cut off where registry and schema are not in one database.
        provision::remove(node, &role).await?;
        make_role(node, &role, self.bucket).await?;
        export.load(node, &role).await?;
        let heir = Heir {
            id: self.id,
            timeline: self.timeline + 1,
            other: export.manifest.tenant.id != self.id,
        };
        export.tell(node, heir).await?;
        provision::remove(node, &self.role).await?;
        Ok(role)
    }

    /// Lets the registry lead to the next timeline.
    async fn turn(
        &self,
        registry: &mut PgConnection,
        role: &str,
        export: &Export,
        by: &Operator,
        clock: &Clock,
    ) -> Result<(), DataError> {
        let timeline = self.timeline + 1;
        let of = &export.manifest.tenant;
        let is_others = of.id != self.id;
        let version = sqlx::query_scalar(
            // Whatever it was, from here on it is held, and until its files are right not to be released.
            "UPDATE platform.tenant SET role = $2, timeline = $3, schema_version = $4, former_status = 'held',
                    version = version + 1, figures_from = greatest(figures_from, $5)
             WHERE id = $1 RETURNING version",
        )
        .bind(self.id.uuid())
        .bind(role)
        .bind(i32::try_from(timeline).unwrap_or(i32::MAX))
        .bind(export.newest.latest())
        // Another's days are counted as that one's.
        .bind(is_others.then(|| jiff_sqlx::Date::from(export.first_own_day())))
        .fetch_one(&mut *registry)
        .await?;
        // What was in a migration's way is gone with the rest.
        sqlx::query("DELETE FROM platform.migration_quarantine WHERE tenant_id = $1")
            .bind(self.id.uuid())
            .execute(&mut *registry)
            .await?;
        // Figures of days that are no more; those of the last weeks are reckoned anew.
        let since = export.day();
        for table in ["booking_day", "money_day"] {
            let sql = format!("DELETE FROM platform.{table} WHERE tenant_id = $1 AND day >= $2");
            sqlx::query(AssertSqlSafe(sql))
                .bind(self.id.uuid())
                .bind(jiff_sqlx::Date::from(since))
                .execute(&mut *registry)
                .await?;
        }
        let detail = json!({
            "from": of.slug, "of": of.id, "exported_at": export.manifest.exported_at, "timeline": timeline,
        });
        audit(registry, self.id, by, "tenant.restored", &detail).await?;
        let event = Updated {
            tenant_id: self.id,
            version,
        };
        Ok(tell(registry, self.id, &event, clock).await?)
    }

    /// Gives the tenant the standing it had, if it still has what it had: held is what a tenant is that
    /// was put back, or whose restore has to be repeated.
    async fn let_go(
        &self,
        settings: &DatabaseSettings,
        by: &Operator,
        clock: &Clock,
    ) -> Result<(), DataError> {
        let mut node = settings.connect(self.node).await?;
        let there: bool = sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL")
            .bind(&self.role)
            .fetch_one(&mut node)
            .await?;
        node.close().await?;
        if !there {
            return Ok(());
        }
        let mut registry = settings.connect(NodeId::HOME).await?;
        let mut tx = registry.begin().await?;
        let version: Option<i64> = sqlx::query_scalar(
            // One that was held because a run before this did not come to its end still has to be put back.
            "UPDATE platform.tenant SET status = $2, version = version + 1,
                    former_status = CASE WHEN $2 = 'held' AND NOT $4 THEN former_status END
             WHERE id = $1 AND status = 'held' AND timeline = $3 RETURNING version",
        )
        .bind(self.id.uuid())
        .bind(&self.former)
        .bind(i32::try_from(self.timeline).unwrap_or(i32::MAX))
        .bind(self.releasable)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(version) = version {
            let detail = json!({ "standing": self.former });
            audit(&mut tx, self.id, by, "tenant.restore_failed", &detail).await?;
            let event = Updated {
                tenant_id: self.id,
                version,
            };
            tell(&mut tx, self.id, &event, clock).await?;
        }
        tx.commit().await?;
        Ok(registry.close().await?)
    }
}

/// What schema and role of a tenant are called in a node's database once something was put in the place
/// of what it has on `timeline`: the same in every run, so that the next finds what one left that was cut
/// off, and another in another database, because roles are of a whole server.
pub(crate) async fn next_role(
    node: &mut PgConnection,
    id: TenantId,
    timeline: u32,
) -> Result<String, Error> {
    let database: String = sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(node)
        .await?;
    let mut digest = Sha256::new();
    digest.update(id.uuid().as_bytes());
    digest.update((timeline + 1).to_be_bytes());
    digest.update(database.as_bytes());
    Ok(format!("t_{}", hex::encode(&digest.finalize()[..6])))
}

/// Takes a tenant that is not served, and still is called so, to being held.
async fn hold(
    registry: &mut PgConnection,
    id: TenantId,
    slug: &str,
    by: &Operator,
    clock: &Clock,
) -> Result<Held, DataError> {
    type Row = (
        uuid::Uuid,
        String,
        i16,
        i16,
        i32,
        String,
        i64,
        Option<String>,
    );
    let mut tx = registry.begin().await?;
    let found: Option<Row> = sqlx::query_as(
        "SELECT id, role, node, bucket, timeline, status, version, former_status FROM platform.tenant
         WHERE slug = $1 AND id = $2 AND status <> 'leaving' FOR UPDATE",
    )
    .bind(slug)
    .bind(id.uuid())
    .fetch_optional(&mut *tx)
    .await?;
    let (id, role, node, bucket, timeline, status, version, former) =
        found.ok_or_else(|| Error::UnknownTenant(slug.to_owned()))?;
    let held = Held {
        id: id.into(),
        role,
        node: NodeId(node.unsigned_abs()),
        bucket: bucket.unsigned_abs(),
        timeline: timeline.unsigned_abs(),
        releasable: status == "held" && former.is_none(),
        // What it was before a run that was cut off counts, not what that run made of it.
        former: former.unwrap_or_else(|| status.clone()),
    };
    if is_moving(&mut tx, held.id).await? {
        return Err(Error::Busy(format!("`{slug}` is being moved")).into());
    }
    if matches!(&*status, "active" | "opening") {
        return Err(DataError::Served(slug.to_owned()));
    }
    sqlx::query(
        "UPDATE platform.tenant SET status = 'held', former_status = $2,
                version = version + CASE status WHEN 'held' THEN 0 ELSE 1 END
         WHERE id = $1",
    )
    .bind(id)
    .bind(&held.former)
    .execute(&mut *tx)
    .await?;
    if status != "held" {
        audit(&mut tx, held.id, by, "tenant.held", &json!({})).await?;
        let event = Updated {
            tenant_id: held.id,
            version: version + 1,
        };
        tell(&mut tx, held.id, &event, clock).await?;
    }
    tx.commit().await?;
    Ok(held)
}

/// Whether a tenant is on its way to another node.
async fn is_moving(registry: &mut PgConnection, id: TenantId) -> Result<bool, Error> {
    let moving = "SELECT EXISTS (SELECT FROM platform.relocation WHERE tenant_id = $1)";
    Ok(sqlx::query_scalar(moving)
        .bind(id.uuid())
        .fetch_one(registry)
        .await?)
}

async fn make_role(conn: &mut PgConnection, role: &str, bucket: u16) -> Result<(), DataError> {
    let login = bucket_login(bucket);
    let sql = format!("CREATE ROLE {role} NOLOGIN IN ROLE berth_tenant; GRANT {role} TO {login}");
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    Ok(())
}

/// An export to be restored.
struct Export {
    folder: PathBuf,
    manifest: Manifest,
    /// The manifest as it stands there.
    text: Vec<u8>,
    /// What brings its schema up to date.
    newest: TenantFiles,
}

impl Export {
    async fn open(folder: &Path, newest: &TenantFiles) -> Result<Self, DataError> {
        let text = super::read(&folder.join("manifest.json")).await?;
        let manifest: Manifest = serde_json::from_slice(&text)?;
        let version = manifest.schema_version;
        if manifest.form != FORM || version > newest.latest() {
            return Err(DataError::Newer(version));
        }
        Ok(Self {
            folder: folder.to_owned(),
            manifest,
            text,
            newest: newest.clone(),
        })
    }

    /// The id of the tenant that is made of it under a name: as random as the hash of all that is in it.
    fn id_under(&self, slug: &str) -> TenantId {
        let mut digest = Sha256::new();
        digest.update(&self.text);
        digest.update(slug.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.finalize()[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid().into()
    }

    /// The day all of it is of.
    fn day(&self) -> Date {
        self.manifest.exported_at.to_zoned(TimeZone::UTC).date()
    }

    /// The first day of which another tenant that is given it has figures of its own.
    fn first_own_day(&self) -> Date {
        self.day().saturating_add(1.day())
    }

    /// Whether the tenant of that name may be given what is in it; its id.
    async fn check_heir(
        &self,
        registry: &mut PgConnection,
        slug: &str,
        of: Option<&str>,
    ) -> Result<TenantId, DataError> {
        let found: Option<(uuid::Uuid, String)> =
            sqlx::query_as("SELECT id, currency FROM platform.tenant WHERE slug = $1")
                .bind(slug)
                .fetch_optional(registry)
                .await?;
        let (id, currency) = found.ok_or_else(|| Error::UnknownTenant(slug.to_owned()))?;
        let (id, described) = (TenantId::from(id), &self.manifest.tenant);
        if of.map_or(described.id != id, |of| of != described.slug) {
            return Err(DataError::OtherTenant(described.slug.clone()));
        }
        // Its prices would be amounts of something else.
        match described.currency == currency {
            true => Ok(id),
            false => Err(DataError::OtherCurrency(described.currency.clone())),
        }
    }

    /// Looks at every file before anything is touched.
    async fn verify(&self) -> Result<(), DataError> {
        for table in &self.manifest.tables {
            let name = format!("{}.csv", table.name);
            self.look_at(&Path::new("tables").join(name), &table.sha256)
                .await?;
        }
        for file in &self.manifest.files {
            self.look_at(&Path::new("files").join(&file.path), &file.sha256)
                .await?;
        }
        Ok(())
    }

    /// Reads a file of the export, by and by, and compares it with its hash.
    async fn look_at(&self, within: &Path, sha256: &str) -> Result<(), DataError> {
        // What the manifest says is looked for in the folder alone.
        let plain = |step| matches!(step, Component::Normal(_));
        if !within.components().all(plain) {
            return Err(DataError::Damaged(within.display().to_string()));
        }
        let path = self.folder.join(within);
        let failed = |source| DataError::Folder {
            path: path.display().to_string(),
            what: "read",
            source,
        };
        let mut file = tokio::fs::File::open(&path).await.map_err(failed)?;
        let (mut digest, mut chunk) = (Sha256::new(), vec![0; 256 * 1024]);
        loop {
            let read = file.read(&mut chunk).await.map_err(failed)?;
            if read == 0 {
                break;
            }
            digest.update(&chunk[..read]);
        }
        if hex::encode(digest.finalize()) == sha256 {
            return Ok(());
        }
        Err(DataError::Damaged(within.display().to_string()))
    }

    fn restored(&self, id: TenantId, slug: String) -> Restored {
        Restored {
            id,
            slug,
            rows: self.manifest.tables.iter().map(|table| table.rows).sum(),
            files: self.manifest.files.len(),
        }
    }

    /// Makes the schema as it was, fills it, compares it with the export, and brings it up to date.
    async fn load(&self, conn: &mut PgConnection, role: &str) -> Result<(), DataError> {
        let files = &self.newest;
        let then = self.manifest.schema_version;
        let make = match then == files.latest() {
            true => provision::baseline(files, role),
            false => provision::replay(role, files, then),
        };
        conn.execute(sqlx::raw_sql(AssertSqlSafe(make))).await?;
        // The schema's own triggers, which run at the end too, name their tables without it.
        let path = format!("SET LOCAL search_path = {role}, public");
        conn.execute(sqlx::raw_sql(AssertSqlSafe(path))).await?;
        let layouts = copy::layouts(conn, role).await?;
        let names: Vec<String> = layouts
            .iter()
            .map(|table| format!("{role}.\"{}\"", table.name))
            .collect();
        // Cascading to those that stay out, which are empty.
        let empty = format!("TRUNCATE {} CASCADE", names.join(", "));
        conn.execute(sqlx::raw_sql(AssertSqlSafe(empty))).await?;
        for table in &self.manifest.tables {
            // Names go into a path and a statement: only those the schema has.
            let Some(known) = layouts.iter().find(|known| known.name == table.name) else {
                return Err(DataError::HandMade(format!("the table {}", table.name)));
            };
            let mut columns = table.columns.iter();
            if let Some(column) = columns.find(|column| !known.columns.contains(column)) {
                let column = format!("the column {}.{column}", table.name);
                return Err(DataError::HandMade(column));
            }
            let path = self
                .folder
                .join("tables")
                .join(format!("{}.csv", table.name));
            copy::copy_in(conn, role, table, &path).await?;
        }
        for layout in &layouts {
            let there = copy::copy_out(conn, role, layout, Sink::Nowhere).await?;
            let kept = self
                .manifest
                .tables
                .iter()
                .find(|table| table.name == layout.name);
            if kept != Some(&there) {
                return Err(DataError::Differs(layout.name.clone()));
            }
        }
        if then < files.latest() {
            let rest = format!(
                "SET CONSTRAINTS ALL IMMEDIATE; {}; \
                 UPDATE platform.tenant_schema SET version = {} WHERE role = '{role}'",
                files.after(then),
                files.latest()
            );
            conn.execute(sqlx::raw_sql(AssertSqlSafe(rest))).await?;
        }
        Ok(())
    }

    /// Tells what it had told, as the restored tenant.
    async fn tell(&self, conn: &mut PgConnection, heir: Heir) -> Result<(), DataError> {
        let told = events::read(&self.folder, &self.manifest.events, heir).await?;
        events::tell(conn, heir.id, &told).await
    }

    async fn put_files(&self, files: &dyn Files, id: TenantId) -> Result<(), DataError> {
        for file in &self.manifest.files {
            // What the manifest says is looked for in the folder alone.
            let within = |step| matches!(step, Component::Normal(_));
            if !Path::new(&file.path).components().all(within) {
                return Err(DataError::Damaged(file.path.clone()));
            }
            let path = self.folder.join("files").join(&file.path);
            let content = super::read(&path).await?;
            if hex::encode(Sha256::digest(&content)) != file.sha256 {
                return Err(DataError::Damaged(file.path.clone()));
            }
            let writing = files.write(id, &file.path, content.into());
            writing.await.map_err(DataError::Files)?;
        }
        Ok(())
    }

    /// Removes what the tenant was given after the export.
    async fn remove_other_files(&self, files: &dyn Files, id: TenantId) -> Result<(), DataError> {
        let kept: HashSet<&str> = self.manifest.files.iter().map(|file| &*file.path).collect();
        for file in files.list(id).await.map_err(DataError::Files)? {
            if !kept.contains(&*file.path) {
                files
                    .remove(id, &file.path)
                    .await
                    .map_err(DataError::Files)?;
            }
        }
        Ok(())
    }
}
