//! What each login and role may not do, statement by statement.

use std::sync::Arc;

use berth_tenancy::{Tenant, acl};
use berth_testkit::TestPlatform;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::{admin, bucket_login, create, gym, login, sqlstate, tables};

/// Insufficient privilege.
const DENIED: &str = "42501";
/// Undefined table.
const NO_TABLE: &str = "42P01";

/// Tables whose rows a tenant's role may add and never change: the ledger.
const APPEND_ONLY: [&str; 2] = ["ledger_entry", "ledger_journal"];

/// Every verb on a table, with its name.
fn verbs(table: &str, column: &str) -> [(&'static str, String); 6] {
    [
        ("SELECT", format!("SELECT count(*) FROM {table}")),
        ("INSERT", format!("INSERT INTO {table} DEFAULT VALUES")),
        ("UPDATE", format!("UPDATE {table} SET {column} = {column}")),
        ("DELETE", format!("DELETE FROM {table}")),
        ("TRUNCATE", format!("TRUNCATE {table}")),
        ("LOCK", format!("LOCK TABLE {table} IN EXCLUSIVE MODE")),
    ]
}

/// The state `sql` fails with inside a transaction of `tenant`.
async fn attempt(platform: &TestPlatform, tenant: &Tenant, sql: &str) -> String {
    let mut tx = platform.tenancy().begin(tenant).await.unwrap();
    let state = sqlstate(tx.conn().execute(sqlx::raw_sql(AssertSqlSafe(sql))).await);
    tx.rollback().await.unwrap();
    state
}

async fn first_column(platform: &TestPlatform, schema: &str, table: &str) -> String {
    let sql = "SELECT attname::text FROM pg_attribute \
               WHERE attrelid = ($1 || '.' || $2)::regclass AND attnum = 1";
    let pool = platform.admin_pool();
    sqlx::query_scalar(sql)
        .bind(schema)
        .bind(table)
        .fetch_one(pool)
        .await
        .unwrap()
}

/// A tenant that is served by the same login: only the role stands between the two.
async fn neighbour(platform: &TestPlatform, tenant: &Tenant) -> Arc<Tenant> {
    let login = bucket_login(platform, tenant).await;
    for n in 0..8 {
        let made = create(platform, &gym(&format!("gym-{n}"))).await.unwrap();
        let found = platform.tenancy().registry().refresh(made.id).await;
        let found = found.unwrap().unwrap();
        if bucket_login(platform, &found).await == login {
            return found;
        }
    }
    panic!("none of eight tenants is dealt to {login}")
}

#[tokio::test]
async fn no_verb_reaches_a_table_of_another_tenant() {
    let platform = TestPlatform::start().await;
    let (alpha, beta) = (platform.alpha(), platform.beta());
    let neighbour = neighbour(&platform, &alpha).await;
    let mut attempts = 0;
    for (one, other) in [
        (&alpha, &beta),
        (&beta, &alpha),
        (&alpha, &neighbour),
        (&neighbour, &alpha),
    ] {
        for table in tables(&platform, other.role()).await {
            let column = first_column(&platform, other.role(), &table).await;
            let name = format!("{}.{table}", other.role());
            for (verb, sql) in verbs(&name, &column) {
                assert_eq!(
                    attempt(&platform, one, &sql).await,
                    DENIED,
                    "{verb} on {table}"
                );
                attempts += 1;
            }
        }
    }
    assert!(attempts > 600, "only {attempts} attempts were made");
}

/// The other half of the proof above: the same statements work on the tenant's own tables, so they
/// fail for the right reason.
#[tokio::test]
async fn a_tenant_reads_and_changes_its_own_tables_but_for_the_ledger() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    for table in tables(&platform, alpha.role()).await {
        let column = first_column(&platform, alpha.role(), &table).await;
        for (verb, sql) in verbs(&table, &column) {
            let state = attempt(&platform, &alpha, &sql).await;
            match verb {
                // Past the privileges: a rule of the table may stop an empty row.
                "INSERT" => assert_ne!(state, DENIED, "{verb} on {table}"),
                "TRUNCATE" => assert_eq!(state, DENIED, "{verb} on {table}"),
                "UPDATE" | "DELETE" | "LOCK" if APPEND_ONLY.contains(&table.as_str()) => {
                    assert_eq!(state, DENIED, "{verb} on {table}");
                }
                _ => assert!(
                    state.starts_with("no refusal"),
                    "{verb} on {table}: {state}"
                ),
            }
        }
    }
}

#[tokio::test]
async fn of_the_shared_tables_a_tenant_may_only_add_events_and_ended_sessions() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    for table in tables(&platform, "platform").await {
        let column = first_column(&platform, "platform", &table).await;
        for (verb, sql) in verbs(&format!("platform.{table}"), &column) {
            let may_add = ["outbox", "revoked_session"].contains(&table.as_str());
            if !(may_add && verb == "INSERT") {
                assert_eq!(
                    attempt(&platform, &alpha, &sql).await,
                    DENIED,
                    "{verb} on {table}"
                );
            }
        }
    }
    let insert = |columns: &str, values: &str| {
        format!(
            "INSERT INTO platform.outbox (event_id, tenant_id, event_type, entity_id, envelope{columns}) \
             VALUES (gen_random_uuid(), '{}', 'a.b.c', gen_random_uuid(), '{{}}'{values})",
            alpha.id
        )
    };
    let added = attempt(&platform, &alpha, &insert("", "")).await;
    assert!(added.starts_with("no refusal"), "{added}");
    let forged = attempt(&platform, &alpha, &insert(", published_at", ", now()")).await;
    assert_eq!(
        forged, DENIED,
        "a tenant could hide its events from the relay"
    );
    let revoke = |columns: &str, values: &str| {
        format!(
            "INSERT INTO platform.revoked_session (session_id{columns}) VALUES (gen_random_uuid(){values})"
        )
    };
    let added = attempt(&platform, &alpha, &revoke("", "")).await;
    assert!(added.starts_with("no refusal"), "{added}");
    let forged = attempt(&platform, &alpha, &revoke(", revoked_at", ", now()")).await;
    assert_eq!(forged, DENIED);
}

#[tokio::test]
async fn a_tenants_role_makes_no_tables_and_takes_on_no_other_role() {
    let platform = TestPlatform::start().await;
    let (alpha, beta) = (platform.alpha(), platform.beta());
    assert_ne!(
        bucket_login(&platform, &alpha).await,
        bucket_login(&platform, &beta).await,
        "two of two tenants are dealt to two buckets"
    );
    for sql in [
        "CREATE TABLE mine (id int)".to_owned(),
        "CREATE TABLE public.mine (id int)".to_owned(),
        "CREATE SCHEMA mine".to_owned(),
        "CREATE ROLE mine".to_owned(),
        "ALTER TABLE account ADD COLUMN mine int".to_owned(),
        "DROP TABLE account".to_owned(),
        format!("SET LOCAL ROLE {}", beta.role()),
        "SET LOCAL SESSION AUTHORIZATION berth_app".to_owned(),
        "SELECT pg_read_file('PG_VERSION')".to_owned(),
    ] {
        let state = attempt(&platform, &alpha, &sql).await;
        assert_eq!(state, DENIED, "{sql}");
    }
}

#[tokio::test]
async fn a_tenants_role_cannot_let_another_in() {
    let platform = TestPlatform::start().await;
    let (alpha, beta) = (platform.alpha(), platform.beta());
    let mut tx = platform.tenancy().begin(&alpha).await.unwrap();
    // Without the right to pass it on, GRANT warns and grants nothing.
    let grant = format!("GRANT USAGE ON SCHEMA {} TO {}", alpha.role(), beta.role());
    tx.conn()
        .execute(sqlx::raw_sql(AssertSqlSafe(grant)))
        .await
        .unwrap();
    let let_in: bool = sqlx::query_scalar("SELECT has_schema_privilege($1::name, $2, 'USAGE')")
        .bind(beta.role())
        .bind(alpha.role())
        .fetch_one(tx.conn())
        .await
        .unwrap();
    assert!(!let_in);
    let grant = format!("GRANT SELECT ON account TO {}", beta.role());
    tx.conn()
        .execute(sqlx::raw_sql(AssertSqlSafe(grant)))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let sql = format!("SELECT count(*) FROM {}.account", alpha.role());
    assert_eq!(attempt(&platform, &beta, &sql).await, DENIED);
}

#[tokio::test]
async fn outside_a_transaction_a_bucket_finds_nothing() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    let role = bucket_login(&platform, &alpha).await;
    // Once with the path the pools set and once with the login's own default.
    let options = login(platform.settings(), &role);
    for options in [
        options.clone(),
        options.options([("search_path", "nowhere")]),
    ] {
        let mut conn = PgConnection::connect_with(&options).await.unwrap();
        for (sql, expected) in [
            ("SELECT count(*) FROM account".to_owned(), NO_TABLE),
            (
                format!("SELECT count(*) FROM {}.account", alpha.role()),
                DENIED,
            ),
            ("SELECT count(*) FROM platform.tenant".to_owned(), DENIED),
            (
                "INSERT INTO platform.outbox DEFAULT VALUES".to_owned(),
                DENIED,
            ),
            ("CREATE TABLE public.mine (id int)".to_owned(), DENIED),
            ("SET ROLE berth_app".to_owned(), DENIED),
        ] {
            let state = sqlstate(
                conn.execute(sqlx::raw_sql(AssertSqlSafe(sql.as_str())))
                    .await,
            );
            assert_eq!(state, expected, "{sql}");
        }
        conn.close().await.unwrap();
    }
}

#[tokio::test]
async fn the_platforms_login_reaches_no_tenant() {
    let platform = TestPlatform::start().await;
    for tenant in [platform.alpha(), platform.beta()] {
        for table in tables(&platform, tenant.role()).await {
            let mut tx = platform.tenancy().begin_platform().await.unwrap();
            let sql = format!("SELECT count(*) FROM {}.{table}", tenant.role());
            let state = sqlstate(tx.conn().execute(sqlx::raw_sql(AssertSqlSafe(sql))).await);
            assert_eq!(state, DENIED, "{table}");
            tx.rollback().await.unwrap();
        }
        let mut tx = platform.tenancy().begin_platform().await.unwrap();
        let sql = format!("SET LOCAL ROLE {}", tenant.role());
        let state = sqlstate(tx.conn().execute(sqlx::raw_sql(AssertSqlSafe(sql))).await);
        assert_eq!(state, DENIED);
    }
}

#[tokio::test]
async fn what_one_tenant_writes_the_other_does_not_see() {
    let platform = TestPlatform::start().await;
    let tenants: [Arc<Tenant>; 2] = [platform.alpha(), platform.beta()];
    for tenant in &tenants {
        let mut tx = platform.tenancy().begin(tenant).await.unwrap();
        let sql = "INSERT INTO idempotency (principal, route, key, request_hash, body) \
                   VALUES (current_user, 'r', 'k', '', '')";
        tx.conn().execute(sql).await.unwrap();
        tx.commit().await.unwrap();
    }
    for tenant in &tenants {
        let mut tx = platform.tenancy().begin(tenant).await.unwrap();
        let seen: Vec<String> = sqlx::query_scalar("SELECT principal FROM idempotency")
            .fetch_all(tx.conn())
            .await
            .unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(seen, [tenant.role()]);
    }
}

#[tokio::test]
async fn statements_of_a_tenant_are_bounded_in_time() {
    let platform = TestPlatform::start().await;
    let mut tx = platform.tenancy().begin(&platform.alpha()).await.unwrap();
    let limits: (String, String) = sqlx::query_as(
        "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')",
    )
    .fetch_one(tx.conn())
    .await
    .unwrap();
    assert_eq!(limits, ("5s".to_owned(), "2s".to_owned()));
}

#[tokio::test]
async fn an_audit_finds_every_right_that_should_not_be() {
    let platform = TestPlatform::start().await;
    let audit = async || -> Vec<String> {
        let found = acl::audit(platform.settings()).await.unwrap();
        found.into_iter().map(|finding| finding.what).collect()
    };
    assert_eq!(audit().await, Vec::<String>::new());
    // A tenant of this database alone: roles are the cluster's, and other tests look at them too.
    let made = create(&platform, &gym("gamma-gym")).await.unwrap();
    let found = platform.tenancy().registry().get(made.id).await.unwrap();
    let gamma = found.unwrap();
    let (own, other) = (gamma.role(), platform.beta().role().to_owned());
    let login = bucket_login(&platform, &gamma).await;
    let owner: String = sqlx::query_scalar("SELECT current_user::text")
        .fetch_one(platform.admin_pool())
        .await
        .unwrap();
    // A role of the cluster that can do nothing, for rights that reach beyond one tenant.
    let stranger = format!("stranger_{}", own.trim_start_matches("t_"));
    admin(&platform, format!("CREATE ROLE {stranger} NOLOGIN")).await;
    for (break_it, mend_it, says) in [
        (
            format!("GRANT {stranger} TO berth_tenant"),
            format!("REVOKE {stranger} FROM berth_tenant"),
            format!("the role berth_tenant is a member of {stranger}"),
        ),
        (
            format!("GRANT berth_platform TO {stranger}"),
            format!("REVOKE berth_platform FROM {stranger}"),
            format!("{stranger} can take on berth_platform"),
        ),
        (
            format!("GRANT SELECT ON {own}.account TO {other}"),
            format!("REVOKE ALL ON {own}.account FROM {other}"),
            format!("{other} has rights on {own}.account"),
        ),
        (
            format!("GRANT USAGE ON SCHEMA {own} TO PUBLIC"),
            format!("REVOKE USAGE ON SCHEMA {own} FROM PUBLIC"),
            format!("everybody has rights on the schema {own}"),
        ),
        (
            format!("GRANT CREATE ON SCHEMA {own} TO {own}"),
            format!("REVOKE CREATE ON SCHEMA {own} FROM {own}"),
            format!("{own} has rights on the schema {own}"),
        ),
        (
            "GRANT SELECT ON platform.tenant TO berth_tenant".to_owned(),
            "REVOKE SELECT ON platform.tenant FROM berth_tenant".to_owned(),
            "berth_tenant has rights on platform.tenant".to_owned(),
        ),
        (
            "GRANT SELECT (password_hash) ON platform.founder TO berth_tenant".to_owned(),
            "REVOKE SELECT (password_hash) ON platform.founder FROM berth_tenant".to_owned(),
            "berth_tenant has rights on the column password_hash of platform.founder".to_owned(),
        ),
        (
            format!("GRANT SELECT (email) ON {own}.account TO {other}"),
            format!("REVOKE SELECT (email) ON {own}.account FROM {other}"),
            format!("{other} has rights on the column email of {own}.account"),
        ),
        (
            format!("ALTER DEFAULT PRIVILEGES IN SCHEMA {own} GRANT SELECT ON TABLES TO {other}"),
            format!(
                "ALTER DEFAULT PRIVILEGES IN SCHEMA {own} REVOKE SELECT ON TABLES FROM {other}"
            ),
            format!("{other} is given rights on whatever is made in {own}"),
        ),
        (
            format!("ALTER FUNCTION {own}.claim_lock(uuid[]) SECURITY DEFINER"),
            format!("ALTER FUNCTION {own}.claim_lock(uuid[]) SECURITY INVOKER"),
            format!("the function {own}.claim_lock runs with the rights of {owner}"),
        ),
        (
            "GRANT CREATE ON SCHEMA public TO berth_tenant".to_owned(),
            "REVOKE CREATE ON SCHEMA public FROM berth_tenant".to_owned(),
            "berth_tenant may make things in the schema public".to_owned(),
        ),
        (
            format!("GRANT USAGE ON SCHEMA platform TO {stranger}"),
            format!("REVOKE USAGE ON SCHEMA platform FROM {stranger}"),
            format!("{stranger} has rights on the schema platform"),
        ),
        (
            format!("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {stranger}"),
            format!("ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM {stranger}"),
            format!("{stranger} is given rights on whatever {owner} makes"),
        ),
        (
            format!("ALTER SCHEMA {own} OWNER TO {stranger}"),
            format!("ALTER SCHEMA {own} OWNER TO {owner}"),
            format!("the schema {own} belongs to {stranger}"),
        ),
        (
            "GRANT CREATE ON SCHEMA public TO PUBLIC".to_owned(),
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC".to_owned(),
            "everybody may make things in the schema public".to_owned(),
        ),
        (
            format!("ALTER ROLE {own} LOGIN"),
            format!("ALTER ROLE {own} NOLOGIN"),
            format!("the role {own} can log in"),
        ),
        (
            format!("ALTER ROLE {own} CREATEDB"),
            format!("ALTER ROLE {own} NOCREATEDB"),
            format!("the login {own} may make databases"),
        ),
        (
            format!("REVOKE {own} FROM {login}"),
            format!("GRANT {own} TO {login}"),
            format!("{login} cannot take on {own}, which the registry says is its own"),
        ),
        (
            format!("GRANT {own} TO berth_app"),
            format!("REVOKE {own} FROM berth_app"),
            format!("berth_app can take on {own}, which the registry does not say"),
        ),
    ] {
        admin(&platform, break_it.clone()).await;
        assert_eq!(audit().await, [says], "{break_it}");
        admin(&platform, mend_it).await;
    }
    assert_eq!(audit().await, Vec::<String>::new());
    admin(&platform, format!("DROP ROLE {stranger}")).await;
}
