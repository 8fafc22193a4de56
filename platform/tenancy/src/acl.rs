//! Whether roles and rights in the databases are what isolation rests on. Looks only; says what is not as
//! it should be.

use sqlx::{Connection as _, PgConnection};

use crate::{
    DatabaseSettings, Error, NodeId,
    pools::{PLATFORM_LOGIN, bucket_login},
};

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where.
    pub node: u16,
    /// What, in a sentence.
    pub what: String,
}

/// Each query finds what must not be; `$1` are the bucket logins.
const QUERIES: [&str; 16] = [
    // Whoever logs in for tenants or the platform may do nothing to the cluster, and has no right
    // by being a member alone.
    "SELECT format('the login %s may %s', rolname, what) FROM pg_roles,
        LATERAL (VALUES (rolsuper, 'do everything: it is a superuser'), (rolcreaterole, 'make roles'),
                        (rolcreatedb, 'make databases'), (rolbypassrls, 'read past row security'),
                        (rolreplication, 'replicate'),
                        (rolinherit AND rolname = ANY($1), 'use rights without taking on their role')) may (be, what)
     WHERE may.be AND (rolname = ANY($1) OR rolname IN ('berth_app', 'berth_platform', 'berth_tenant')
                       OR rolname IN (SELECT role FROM platform.tenant_schema))",
    // Tenants' roles are taken on, and logged in with by nobody.
    "SELECT format('the role %s can log in', rolname) FROM pg_roles
     WHERE rolcanlogin AND rolname IN (SELECT role FROM platform.tenant_schema)",
    // A tenant's role belongs to `berth_tenant` and to nothing else.
    "SELECT format('the role %s is a member of %s', m.rolname, g.rolname)
     FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles g ON g.oid = a.roleid
     WHERE m.rolname IN (SELECT role FROM platform.tenant_schema) AND g.rolname <> 'berth_tenant'",
    // What all tenants' roles are members of is a member of nothing itself, nor is the platform's role.
    "SELECT format('the role %s is a member of %s', m.rolname, g.rolname)
     FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles g ON g.oid = a.roleid
     WHERE m.rolname IN ('berth_tenant', 'berth_platform')",
    // Who may take on the platform's role reads every tenant's row of the registry.
    "SELECT format('%s can take on berth_platform', m.rolname)
     FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles g ON g.oid = a.roleid
     WHERE g.rolname = 'berth_platform' AND m.rolname <> 'berth_app' AND NOT m.rolsuper
       AND NOT m.rolname = ANY($1) AND m.rolname <> pg_get_userbyid(
           (SELECT nspowner FROM pg_namespace WHERE nspname = 'platform'))",
    // Of what is in a tenant's schema only its own role and the owner have rights.
    "SELECT DISTINCT format('%s has rights on %s.%s', coalesce(r.rolname, 'everybody'), n.nspname, c.relname)
     FROM platform.tenant_schema s JOIN pg_namespace n ON n.nspname = s.role
     JOIN pg_class c ON c.relnamespace = n.oid
     CROSS JOIN LATERAL aclexplode(c.relacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
     WHERE x.grantee <> c.relowner AND coalesce(r.rolname, '') <> n.nspname",
    "SELECT DISTINCT format('%s has rights on the schema %s', coalesce(r.rolname, 'everybody'), n.nspname)
     FROM platform.tenant_schema s JOIN pg_namespace n ON n.nspname = s.role
     CROSS JOIN LATERAL aclexplode(n.nspacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
     WHERE x.grantee <> n.nspowner AND (coalesce(r.rolname, '') <> n.nspname OR x.privilege_type <> 'USAGE')",
    // Of the shared tables tenants have what they add events and ended sessions with: columns only.
    "SELECT DISTINCT format('%s has rights on platform.%s', coalesce(r.rolname, 'everybody'), c.relname)
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'platform'
     CROSS JOIN LATERAL aclexplode(c.relacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
     WHERE x.grantee <> c.relowner AND coalesce(r.rolname, '') <> 'berth_platform'",
    "SELECT DISTINCT format('%s has rights on the column %s of %s.%s', coalesce(r.rolname, 'everybody'),
                            a.attname, n.nspname, c.relname)
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL aclexplode(a.attacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
     WHERE (n.nspname = 'platform' OR n.nspname IN (SELECT role FROM platform.tenant_schema))
       AND x.grantee <> c.relowner AND coalesce(r.rolname, '') <> n.nspname
       AND NOT (n.nspname = 'platform' AND r.rolname = 'berth_tenant' AND x.privilege_type = 'INSERT'
                AND (c.relname = 'outbox'
                       AND a.attname IN ('event_id', 'tenant_id', 'event_type', 'entity_id', 'envelope')
                     OR c.relname = 'revoked_session' AND a.attname = 'session_id'))",
    // What will be made in a tenant's schema is given to its own role and to nobody else.
    "SELECT DISTINCT format('%s is given rights on whatever is made in %s', coalesce(r.rolname, 'everybody'), n.nspname)
     FROM pg_default_acl d JOIN pg_namespace n ON n.oid = d.defaclnamespace
     CROSS JOIN LATERAL aclexplode(d.defaclacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
     WHERE (n.nspname = 'platform' OR n.nspname IN (SELECT role FROM platform.tenant_schema))
       AND x.grantee <> d.defaclrole AND coalesce(r.rolname, '') <> n.nspname",
    // All of it is the owner's, who alone may change it.
    "SELECT format('%I.%I belongs to %s', n.nspname, c.relname, pg_get_userbyid(c.relowner))
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE (n.nspname = 'platform' OR n.nspname IN (SELECT role FROM platform.tenant_schema))
       AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
       AND c.relowner <> (SELECT nspowner FROM pg_namespace WHERE nspname = 'platform')",
    "SELECT format('the function %I.%I runs with the rights of %s', n.nspname, p.proname, pg_get_userbyid(p.proowner))
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE (n.nspname = 'platform' OR n.nspname IN (SELECT role FROM platform.tenant_schema)) AND p.prosecdef",
    // What is in `public` every tenant's statements find.
    "SELECT DISTINCT format('%s may make things in the schema public', coalesce(r.rolname, 'everybody'))
     FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
     WHERE n.nspname = 'public' AND x.grantee <> n.nspowner AND x.privilege_type = 'CREATE'
       AND NOT coalesce(r.rolsuper, false)",
    "SELECT DISTINCT format('%s has rights on the schema platform', coalesce(r.rolname, 'everybody'))
     FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
     WHERE n.nspname = 'platform' AND x.grantee <> n.nspowner
       AND NOT (coalesce(r.rolname, '') IN ('berth_platform', 'berth_tenant') AND x.privilege_type = 'USAGE')",
    "SELECT DISTINCT format('%s is given rights on whatever %s makes', coalesce(r.rolname, 'everybody'),
                            pg_get_userbyid(d.defaclrole))
     FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
     WHERE d.defaclnamespace = 0 AND d.defaclobjtype IN ('r', 'S', 'n') AND x.grantee <> d.defaclrole
       AND d.defaclrole = (SELECT nspowner FROM pg_namespace WHERE nspname = 'platform')",
    "SELECT format('the schema %s belongs to %s', n.nspname, pg_get_userbyid(n.nspowner))
     FROM pg_namespace n WHERE n.nspname IN (SELECT role FROM platform.tenant_schema)
       AND n.nspowner <> (SELECT nspowner FROM pg_namespace WHERE nspname = 'platform')",
];

/// Looks at every node; what is not as it should be, in order.
///
/// # Errors
/// What the databases say.
pub async fn audit(settings: &DatabaseSettings) -> Result<Vec<Finding>, Error> {
    let logins: Vec<String> = (0..settings.buckets).map(bucket_login).collect();
    let mut registry = settings.connect(NodeId::HOME).await?;
    let mut findings = Vec::new();
    for node in settings.node_ids() {
        let mut conn = settings.connect(node).await?;
        let mut found = Vec::new();
        for query in QUERIES {
            let rows: Vec<String> = sqlx::query_scalar(query)
                .bind(&logins)
                .fetch_all(&mut conn)
                .await?;
            found.extend(rows);
        }
        found.extend(memberships(&mut registry, &mut conn, node, &logins).await?);
        conn.close().await?;
        let finding = |what| Finding { node: node.0, what };
        findings.extend(found.into_iter().map(finding));
    }
    registry.close().await?;
    findings.sort_unstable();
    Ok(findings)
}

/// Which login may take on which role, held against what the registry says of a node.
async fn memberships(
    registry: &mut PgConnection,
    conn: &mut PgConnection,
    node: NodeId,
    logins: &[String],
) -> Result<Vec<String>, Error> {
    let should: Vec<(String, i16)> = sqlx::query_as(
        "SELECT role, bucket FROM platform.tenant WHERE node = $1
         UNION ALL SELECT role, bucket FROM platform.ready_schema WHERE $1 = 0",
    )
    .bind(i32::from(node.0))
    .fetch_all(registry)
    .await?;
    let mut should: Vec<(String, String)> = should
        .into_iter()
        .map(|(role, bucket)| (role, bucket_login(bucket.unsigned_abs())))
        .collect();
    should.push(("berth_platform".to_owned(), PLATFORM_LOGIN.to_owned()));
    let schemas: Vec<String> = sqlx::query_scalar("SELECT role FROM platform.tenant_schema")
        .fetch_all(&mut *conn)
        .await?;
    let is: Vec<(String, String)> = sqlx::query_as(
        "SELECT g.rolname::text, m.rolname::text
         FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles g ON g.oid = a.roleid
         WHERE m.rolname = ANY($1) OR m.rolname = 'berth_app' OR g.rolname = ANY($2)",
    )
    .bind(logins)
    .bind(&schemas)
    .fetch_all(conn)
    .await?;
    let ours = |role: &str| schemas.iter().any(|schema| schema == role) || role == "berth_platform";
    let mut found = Vec::new();
    for (role, login) in &should {
        if !is.contains(&(role.clone(), login.clone())) {
            found.push(format!(
                "{login} cannot take on {role}, which the registry says is its own"
            ));
        }
    }
    for (role, login) in &is {
        // Of other databases of the same cluster nothing is known here.
        let known = ours(role) || !crate::is_tenant_role(role);
        if known && !should.contains(&(role.clone(), login.clone())) {
            found.push(format!(
                "{login} can take on {role}, which the registry does not say"
            ));
        }
    }
    Ok(found)
}
