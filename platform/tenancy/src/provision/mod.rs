//! Making and removing a tenant's schema and role. Needs the owner's login, which server and worker
//! do not have: the [`Provisioner`] is a process of its own.
//!
//! - [`ready`]: the schemas made ahead.

mod ready;

use rand::RngExt as _;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};

use crate::{DatabaseSettings, Error, NodeId, migrate::TenantFiles, pools::bucket_login};

pub(crate) use ready::claim;
pub use ready::{Provisioner, Stock, make_ready};

/// A tenant's schema as one script, made from `migrations/tenant` by `./dev prepare`.
const BASELINE: &str = include_str!("../../../../migrations/tenant_baseline.sql");
/// What role and schema are called in it.
const PLACEHOLDER: &str = "tenant_baseline";

/// A schema with its role, and where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Name of schema and role.
    pub(crate) role: String,
    /// Which logins may take on the role.
    pub(crate) bucket: u16,
    /// The version the schema has.
    pub(crate) version: i64,
}

/// Makes schema and role in the transaction at hand. Role, then its bucket's right to take it on,
/// then schema, tables and rights: each statement needs the one before. The role may use its schema
/// and change rows; it owns nothing.
pub(crate) async fn make(
    conn: &mut PgConnection,
    settings: &DatabaseSettings,
) -> Result<Place, Error> {
    let bucket = emptiest_bucket(conn, NodeId::HOME, settings.buckets).await?;
    let role = new_role();
    let message = message(&settings.files, &role, Some(&bucket_login(bucket)));
    // Safe as SQL: names of our own making and a file of our own.
    conn.execute(sqlx::raw_sql(AssertSqlSafe(message))).await?;
    Ok(Place {
        role,
        bucket,
        version: settings.files.latest(),
    })
}

/// What makes a schema and its role, which `login` may then take on.
pub(crate) fn message(files: &TenantFiles, role: &str, login: Option<&str>) -> String {
    let grant = login.map_or_else(String::new, |login| format!("GRANT {role} TO {login}; "));
    format!(
        "CREATE ROLE {role} NOLOGIN IN ROLE berth_tenant; {grant}{baseline}",
        baseline = baseline(files, role)
    )
}

/// What makes a schema that a role of that name is there for, and says which version it has: the baseline,
/// and whatever files came after it.
pub(crate) fn baseline(files: &TenantFiles, role: &str) -> String {
    format!(
        "{}; INSERT INTO platform.tenant_schema (role, version) VALUES ('{role}', {})",
        tables(files, role),
        files.latest()
    )
}

/// The schema alone, written down nowhere.
pub(crate) fn tables(files: &TenantFiles, role: &str) -> String {
    format!(
        "{}; SET LOCAL search_path = {role}, public; {}",
        BASELINE.replace(PLACEHOLDER, role),
        files.after(baseline_version()),
    )
}

/// The same from the files one by one, up to a version: for data that is older than the baseline.
pub(crate) fn replay(role: &str, files: &TenantFiles, version: i64) -> String {
    format!(
        "CREATE SCHEMA {role}; GRANT USAGE ON SCHEMA {role} TO {role}; \
         ALTER DEFAULT PRIVILEGES IN SCHEMA {role} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}; \
         ALTER DEFAULT PRIVILEGES IN SCHEMA {role} GRANT USAGE ON SEQUENCES TO {role}; \
         SET LOCAL search_path = {role}, public; {}; \
         INSERT INTO platform.tenant_schema (role, version) VALUES ('{role}', {version})",
        files.until(version)
    )
}

/// A name for a schema and its role that nobody has.
pub(crate) fn new_role() -> String {
    format!("t_{}", random_text(12))
}

/// Removes schema and role, with all that is in it. One a transaction: each takes a lock on every
/// table and index. A role that has something in another database of the same server stays, and has
/// nothing in this one.
pub(crate) async fn remove(conn: &mut PgConnection, role: &str) -> Result<(), Error> {
    let sql = format!(
        "DROP SCHEMA IF EXISTS {role} CASCADE; \
         DELETE FROM platform.tenant_schema WHERE role = '{role}'; \
         DO $$ BEGIN DROP ROLE IF EXISTS {role}; \
         EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END $$"
    );
    // Safe as SQL: a role's checked name.
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    Ok(())
}

/// The version the baseline makes, as its first line says.
pub(crate) fn baseline_version() -> i64 {
    let mut words = BASELINE.split(' ').skip_while(|word| *word != "Version");
    words.nth(1).and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// The bucket of a node with the fewest tenants, as the registry has it.
pub(crate) async fn emptiest_bucket(
    registry: &mut PgConnection,
    node: NodeId,
    buckets: u16,
) -> Result<u16, Error> {
    let number: i32 = sqlx::query_scalar(
        "SELECT b FROM generate_series(0, $1 - 1) b
         LEFT JOIN (SELECT bucket, count(*) AS tenants
                    FROM (SELECT bucket FROM platform.tenant WHERE node = $2
                          UNION ALL SELECT bucket FROM platform.ready_schema WHERE $2 = 0) t
                    GROUP BY bucket) used ON used.bucket = b
         ORDER BY coalesce(used.tenants, 0), b LIMIT 1",
    )
    .bind(i32::from(buckets))
    .bind(i32::from(node.0))
    .fetch_one(registry)
    .await?;
    Ok(u16::try_from(number).unwrap_or(0))
}

/// Lower-case letters and digits from the operating system's generator.
pub(crate) fn random_text(length: usize) -> String {
    const ALPHABET: &[u8] = b"abcdefghijkmnpqrstuvwxyz0123456789";
    let mut rng = rand::rng();
    (0..length)
        .map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_baseline_is_of_the_newest_file() {
        let files = TenantFiles::of_this_release();
        assert_eq!(baseline_version(), files.latest());
    }

    #[test]
    fn the_message_names_the_tenant_and_nothing_else() {
        let files = TenantFiles::of_this_release();
        let message = message(&files, "t_abc123abc123", Some("berth_b07"));
        assert!(message.contains("GRANT t_abc123abc123 TO berth_b07"));
        assert!(!message.contains(PLACEHOLDER));
    }
}
