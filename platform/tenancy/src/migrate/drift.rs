//! Where a tenant's schema is not what its files made: somebody changed it by hand.
//!
//! The baseline is replayed in a schema that is never committed; what the database says of that schema
//! is what it should say of each tenant's.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::{TenantFiles, shape, shape::Shape};
use crate::{DatabaseSettings, Error, NodeId, provision};

/// Tenants looked at in one statement.
const AT_ONCE: usize = 100;

/// A tenant whose schema is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drifted {
    /// Its name in addresses.
    pub slug: String,
    /// Name of its schema.
    pub schema: String,
    /// What differs, by object.
    pub differences: Vec<Difference>,
}

/// One object that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Kind and name: `column booking.status`.
    pub object: String,
    /// Its definition, if it is there.
    pub is: Option<String>,
    /// The definition it should have, if it should be there.
    pub should: Option<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match (&self.is, &self.should) {
            (Some(_), None) => "should not be there",
            (None, _) => "is missing",
            (Some(_), Some(_)) => "differs",
        };
        write!(f, "{} {what}", self.object)
    }
}

/// What a look at the whole fleet found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DriftReport {
    /// How many tenants were compared: those at the version of this program.
    pub compared: usize,
    /// How many were not, because they are at another version.
    pub other_version: usize,
    /// Those that differ.
    pub drifted: Vec<Drifted>,
}

/// Compares every tenant's schema with what the files make. Changes nothing.
///
/// # Errors
/// What the database says.
pub async fn drift(settings: &DatabaseSettings) -> Result<DriftReport, Error> {
    let mut registry = settings.connect(NodeId::HOME).await?;
    let mut report = DriftReport::default();
    for node in settings.node_ids() {
        let tenants: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT slug, role, schema_version FROM platform.tenant WHERE node = $1 ORDER BY slug",
        )
        .bind(i32::from(node.0))
        .fetch_all(&mut registry)
        .await?;
        let (current, other): (Vec<_>, Vec<_>) = tenants
            .into_iter()
            .partition(|(_, _, version)| *version == settings.files.latest());
        report.compared += current.len();
        report.other_version += other.len();
        compare(settings, node, &current, &mut report).await?;
    }
    registry.close().await?;
    Ok(report)
}

/// Compares tenants of one node.
async fn compare(
    settings: &DatabaseSettings,
    node: NodeId,
    tenants: &[(String, String, i64)],
    report: &mut DriftReport,
) -> Result<(), Error> {
    if tenants.is_empty() {
        return Ok(());
    }
    let mut conn = settings.connect(node).await?;
    let (should, fingerprint) = reference(&mut conn, &settings.files).await?;
    for some in tenants.chunks(AT_ONCE) {
        let schemas: Vec<String> = some.iter().map(|(_, role, _)| role.clone()).collect();
        let found = shape::fingerprints(&mut conn, &schemas).await?;
        for (slug, schema, _) in some {
            if found.get(schema) != Some(&fingerprint) {
                let is = shape::shape(&mut conn, schema).await?;
                report.drifted.push(Drifted {
                    slug: slug.clone(),
                    schema: schema.clone(),
                    differences: differences(&is, &should),
                });
            }
        }
    }
    Ok(conn.close().await?)
}

/// Where one schema is not what the files make. Changes nothing, but for the connection's path.
pub(crate) async fn differences_of(
    node: &mut PgConnection,
    files: &TenantFiles,
    schema: &str,
) -> Result<Vec<Difference>, Error> {
    let (should, _) = reference(node, files).await?;
    let is = shape::shape(node, schema).await?;
    Ok(differences(&is, &should))
}

/// What a schema made now looks like, and its fingerprint.
async fn reference(conn: &mut PgConnection, files: &TenantFiles) -> Result<(Shape, String), Error> {
    let mut tx = conn.begin().await?;
    let role = provision::new_role();
    // No row says that it is there: nobody who makes or moves schemas is kept waiting.
    let message = format!(
        "CREATE ROLE {role} NOLOGIN IN ROLE berth_tenant; {}",
        provision::tables(files, &role)
    );
    tx.execute(sqlx::raw_sql(AssertSqlSafe(message))).await?;
    // Definitions name what is not in the path in full, and the tenants' schemas are not.
    tx.execute("SET LOCAL search_path = nowhere").await?;
    let shape = shape::shape(&mut tx, &role).await?;
    let fingerprint = shape::fingerprints(&mut tx, std::slice::from_ref(&role)).await?;
    tx.rollback().await?;
    conn.execute("SET search_path = nowhere").await?;
    Ok((shape, fingerprint.get(&role).cloned().unwrap_or_default()))
}

fn differences(is: &Shape, should: &Shape) -> Vec<Difference> {
    let missing_or_changed = should.iter().filter_map(|(object, definition)| {
        let found = is.get(object);
        (found != Some(definition)).then(|| Difference {
            object: object.clone(),
            is: found.cloned(),
            should: Some(definition.clone()),
        })
    });
    let more = is
        .iter()
        .filter(|(object, _)| !should.contains_key(*object));
    let more = more.map(|(object, definition)| Difference {
        object: object.clone(),
        is: Some(definition.clone()),
        should: None,
    });
    missing_or_changed.chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_changed_or_too_much_is_named() {
        let shape = |objects: &[(&str, &str)]| -> Shape {
            let owned = |(object, definition): &(&str, &str)| {
                ((*object).to_owned(), (*definition).to_owned())
            };
            objects.iter().map(owned).collect()
        };
        let should = shape(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let is = shape(&[("a", "1"), ("b", "2"), ("d", "1")]);
        let found = differences(&is, &should);
        let named: Vec<_> = found.iter().map(|one| one.object.as_str()).collect();
        assert_eq!(named, ["b", "c", "d"]);
        assert_eq!(
            (found[1].is.is_none(), found[2].should.is_none()),
            (true, true)
        );
        assert!(differences(&should, &should).is_empty());
    }
}
