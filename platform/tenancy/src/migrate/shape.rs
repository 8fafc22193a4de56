//! The shape of schemas as the database's catalogue has it: what there is, and how it is defined. A
//! schema's own name stands as `@` in it, so that the shapes of two tenants are the same text.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use crate::Error;

/// A schema's objects, `table booking.status` and the like, with their definitions.
pub(super) type Shape = BTreeMap<String, String>;

/// Each object of the schemas `$1`: the schema, the object's name, its definition. Columns are not
/// compared by their order, which differs where one was added later. A role named like the schema
/// stands as `@` too: what it may do belongs to the shape.
const OBJECTS: &str = "
    SELECT s.nspname::text AS schema, object,
           replace(replace(definition, s.nspname || '.', ''), s.nspname, '@') AS definition
    FROM (SELECT oid, nspname, nspacl, nspowner FROM pg_namespace WHERE nspname = ANY($1)) s
    CROSS JOIN LATERAL (
        SELECT 'schema' AS object, coalesce(array_to_string(s.nspacl, ' '), '') AS definition
      UNION ALL
        SELECT CASE c.relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' ELSE 'table ' END || c.relname,
               c.relkind::text || ' ' || coalesce(
                   (SELECT string_agg(acl::text, ' ' ORDER BY acl::text) FROM unnest(c.relacl) acl), '')
                   -- What it says of the table counts: see `data`.
                   || coalesce(' comment ' || obj_description(c.oid, 'pg_class'), '')
                   || CASE WHEN c.relrowsecurity THEN ' row security' ELSE '' END
        FROM pg_class c
        WHERE c.relnamespace = s.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
      UNION ALL
        SELECT 'column ' || c.relname || '.' || a.attname,
               concat_ws(' ', format_type(a.atttypid, a.atttypmod),
                         CASE WHEN a.attnotnull THEN 'not null' END,
                         'identity ' || nullif(a.attidentity::text, ''), 'generated ' || nullif(a.attgenerated::text, ''),
                         'default ' || pg_get_expr(d.adbin, d.adrelid), array_to_string(a.attacl, ' '))
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = s.oid AND c.relkind IN ('r', 'p', 'v', 'm')
      UNION ALL
        SELECT 'constraint ' || c.relname || '.' || o.conname, pg_get_constraintdef(o.oid)
        FROM pg_class c JOIN pg_constraint o ON o.conrelid = c.oid
        WHERE c.relnamespace = s.oid
      UNION ALL
        SELECT 'index ' || c.relname, pg_get_indexdef(c.oid)
        FROM pg_class c WHERE c.relnamespace = s.oid AND c.relkind IN ('i', 'I')
      UNION ALL
        SELECT 'trigger ' || c.relname || '.' || t.tgname,
               pg_get_triggerdef(t.oid) || CASE WHEN t.tgenabled = 'O' THEN '' ELSE format(' (%s)', t.tgenabled) END
        FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
        WHERE c.relnamespace = s.oid
      UNION ALL
        SELECT 'policy ' || c.relname || '.' || p.polname,
               concat_ws(' ', p.polcmd::text, p.polpermissive, pg_get_expr(p.polqual, p.polrelid),
                         pg_get_expr(p.polwithcheck, p.polrelid))
        FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
        WHERE c.relnamespace = s.oid
      UNION ALL
        SELECT 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
               pg_get_functiondef(p.oid) || coalesce(array_to_string(p.proacl, ' '), '')
        FROM pg_proc p WHERE p.pronamespace = s.oid AND p.prokind IN ('f', 'p')
    ) found";

/// Fingerprints of schemas; one that does not exist has none.
pub(super) async fn fingerprints(
    conn: &mut PgConnection,
    schemas: &[String],
) -> Result<BTreeMap<String, String>, Error> {
    let sql = format!(
        "SELECT schema, md5(string_agg(object || E'\\n' || definition, E'\\n' \
                                       ORDER BY object COLLATE \"C\", definition COLLATE \"C\")) \
         FROM ({OBJECTS}) objects GROUP BY schema"
    );
    let rows: Vec<(String, String)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(schemas)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// The shape of one schema.
pub(super) async fn shape(conn: &mut PgConnection, schema: &str) -> Result<Shape, Error> {
    let sql = format!("SELECT object, definition FROM ({OBJECTS}) objects");
    let rows: Vec<(String, String)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind([schema].as_slice())
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().collect())
}
