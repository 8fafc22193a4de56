//! A database that lives as long as its handle.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// A test database could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// A statement failed, or the server is not there.
    #[error("{0}")]
    Sql(#[from] sqlx::Error),
    /// Migrating or provisioning failed.
    #[error("{0}: {cause}", cause = source_of(.0))]
    Tenancy(#[from] berth_tenancy::Error),
    /// The address names no database.
    #[error(
        "the database URL has no form this understands: expected postgres://user@host:port/name"
    )]
    Url,
    /// The program under test was built from other migrations than the testkit.
    #[error(
        "the migrations linked in are not those of migrations/: touch platform/tenancy and build again"
    )]
    Stale,
}

fn source_of(error: &berth_tenancy::Error) -> String {
    std::error::Error::source(error).map_or_else(String::new, ToString::to_string)
}

/// A cloned database; dropped with this.
#[derive(Debug)]
pub(crate) struct Clone {
    name: String,
    url: String,
    maintenance: String,
}

impl Clone {
    /// Takes charge of the database `name` beside the one at the URL `maintenance`.
    pub(crate) fn new(maintenance: &str, name: String) -> Result<Self, SetupError> {
        let url = with_database(maintenance, &name)?;
        Ok(Self {
            url,
            name,
            maintenance: maintenance.to_owned(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        // On a thread and runtime of its own: the test's runtime may be ending, and may be a
        // single thread that stands here.
        let (maintenance, name) = (self.maintenance.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.map_err(sqlx::Error::Io)?.block_on(async {
                let mut conn = PgConnection::connect(&maintenance).await?;
                remove(&mut conn, &maintenance, &name, &INHERITED).await
            })
        });
        // Failing here would hide why the test failed; the sweep of a later test comes by again.
        if let Ok(Err(error)) = dropping.join() {
            eprintln!("the test database {} was not dropped: {error}", self.name);
        }
    }
}

/// The tenants a clone has from its template, by slug.
pub(crate) const INHERITED: [&str; 2] = [crate::ALPHA, crate::BETA];

/// Drops a database, and the roles of its tenants but the `inherited` ones.
pub(crate) async fn remove(
    conn: &mut PgConnection,
    maintenance: &str,
    name: &str,
    inherited: &[&str],
) -> Result<(), SetupError> {
    // Read first: what names the roles goes with the database. A database that was never finished
    // has none.
    let roles = tenant_roles(maintenance, name, inherited)
        .await
        .unwrap_or_default();
    run(conn, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
    for role in roles {
        // A template's roles stay as long as any clone uses them.
        let _still_used = run(conn, format!("DROP ROLE IF EXISTS {role}")).await;
    }
    Ok(())
}

async fn tenant_roles(
    maintenance: &str,
    name: &str,
    inherited: &[&str],
) -> Result<Vec<String>, SetupError> {
    let mut conn = PgConnection::connect(&with_database(maintenance, name)?).await?;
    let roles = sqlx::query_scalar(
        "SELECT role FROM platform.tenant WHERE slug <> ALL ($1) UNION SELECT role FROM platform.ready_schema",
    )
        .bind(inherited)
        .fetch_all(&mut conn)
        .await?;
    conn.close().await?;
    Ok(roles)
}

/// Runs a statement whose names this crate made.
pub(crate) async fn run(conn: &mut PgConnection, sql: String) -> Result<(), SetupError> {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    Ok(())
}

/// `url` with its database replaced by `name`.
pub(crate) fn with_database(url: &str, name: &str) -> Result<String, SetupError> {
    let (address, options) = url
        .split_once('?')
        .map_or((url, None), |(a, o)| (a, Some(o)));
    let (scheme, rest) = address.split_once("://").ok_or(SetupError::Url)?;
    let authority = rest
        .split('/')
        .next()
        .filter(|text| !text.is_empty())
        .ok_or(SetupError::Url)?;
    let options = options
        .map(|options| format!("?{options}"))
        .unwrap_or_default();
    Ok(format!("{scheme}://{authority}/{name}{options}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_replaced_and_the_rest_of_the_address_kept() {
        let replaced = |url| with_database(url, "x").unwrap();
        assert_eq!(
            replaced("postgres://a:b@h:1/postgres"),
            "postgres://a:b@h:1/x"
        );
        assert_eq!(replaced("postgres://h:1"), "postgres://h:1/x");
        assert_eq!(
            replaced("postgres://h/y?sslmode=disable"),
            "postgres://h/x?sslmode=disable"
        );
        assert!(with_database("h:1/y", "x").is_err());
        assert!(with_database("postgres:///y", "x").is_err());
    }
}
