//! The roles a process logs in as, made once for the whole cluster.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::{
    DatabaseSettings, Error, NodeId,
    pools::{NOWHERE, PLATFORM_LOGIN, bucket_login},
};

/// Makes the roles that are missing. They are of the whole cluster, where another database's run may
/// be making the same ones.
pub(super) async fn make_logins(
    conn: &mut PgConnection,
    settings: &DatabaseSettings,
) -> Result<(), Error> {
    let login =
        |name: &str, how: &str| format!("LOGIN {how} PASSWORD '{}'", settings.password(name));
    let mut wanted = vec![
        ("berth_platform".to_owned(), "NOLOGIN".to_owned()),
        ("berth_tenant".to_owned(), "NOLOGIN".to_owned()),
        (
            PLATFORM_LOGIN.to_owned(),
            login(PLATFORM_LOGIN, "INHERIT IN ROLE berth_platform"),
        ),
    ];
    wanted.extend((0..settings.buckets).map(|number| {
        let name = bucket_login(number);
        let options = login(&name, "NOINHERIT");
        (name, options)
    }));
    let names: Vec<&str> = wanted.iter().map(|(name, _)| name.as_str()).collect();
    let there: Vec<String> =
        sqlx::query_scalar("SELECT rolname::text FROM pg_roles WHERE rolname = ANY($1)")
            .bind(&names)
            .fetch_all(&mut *conn)
            .await?;
    for (name, options) in &wanted {
        if !there.contains(name) {
            make_role(conn, name, options).await?;
        }
    }
    Ok(())
}

/// Whether a login's password is the one that follows from the secret at hand.
pub(super) async fn opens(
    settings: &DatabaseSettings,
    node: NodeId,
    login: &str,
) -> Result<bool, Error> {
    match PgConnection::connect_with(&settings.login(node, login)?).await {
        Ok(conn) => {
            conn.close().await?;
            Ok(true)
        }
        // 28P01: the password is wrong.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("28P01") => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Gives the logins the passwords that follow from the secret at hand, where they have others. Whoever
/// still has the old secret can connect no more; logins belong to the whole cluster. How many it were.
///
/// # Errors
/// What the database says.
pub async fn renew_logins(settings: &DatabaseSettings) -> Result<usize, Error> {
    let mut renewed = 0;
    for node in settings.node_ids() {
        renewed += renew_logins_of(settings, node).await?;
    }
    Ok(renewed)
}

async fn renew_logins_of(settings: &DatabaseSettings, node: NodeId) -> Result<usize, Error> {
    let mut conn = settings.connect(node).await?;
    let mut renewed = 0;
    let buckets = (0..settings.buckets).map(bucket_login);
    for login in buckets.chain([PLATFORM_LOGIN.to_owned()]) {
        let known: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
                .bind(&login)
                .fetch_one(&mut conn)
                .await?;
        if known && !opens(settings, node, &login).await? {
            let sql = format!(
                "ALTER ROLE {login} PASSWORD '{}'",
                settings.password(&login)
            );
            conn.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
            renewed += 1;
        }
    }
    conn.close().await?;
    Ok(renewed)
}

async fn make_role(conn: &mut PgConnection, role: &str, options: &str) -> Result<(), Error> {
    // Roles are made once and then left alone: ALTER ROLE on a shared catalogue fails for one of
    // two that run at once.
    let sql = format!(
        "DO $$ BEGIN \
           IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN \
             CREATE ROLE {role} {options}; \
             ALTER ROLE {role} SET search_path = {NOWHERE}; \
           END IF; \
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    );
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    Ok(())
}
