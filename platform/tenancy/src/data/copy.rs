//! Tables out of the database and into it, a stream of CSV each.

use std::path::Path;

use bytes::Bytes;
use futures::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{DataError, manifest::Table};

/// Read from a file and sent at once.
const CHUNK: usize = 256 * 1024;

/// A table to be copied: what the catalogue says of it.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) key: Vec<String>,
}

/// The tables of a schema, those first that others refer to. Columns the database reckons itself stay
/// out, and so do tables that a migration says are transient. A table without a key is in the order of all
/// its columns.
pub(super) async fn layouts(
    conn: &mut PgConnection,
    schema: &str,
) -> Result<Vec<Layout>, DataError> {
    type Row = (String, Vec<String>, Vec<String>, Vec<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT c.relname::text,
                (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
                coalesce((SELECT array_agg(a.attname::text ORDER BY k.place)
                          FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
                          JOIN pg_attribute a ON a.attnum = k.attnum
                          WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid), '{}'),
                coalesce((SELECT array_agg(DISTINCT f.relname::text) FROM pg_constraint o
                          JOIN pg_class f ON f.oid = o.confrelid
                          WHERE o.conrelid = c.oid AND o.contype = 'f' AND f.oid <> c.oid), '{}')
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind = 'r'
           -- A move's own, and there only while it is under way.
           AND c.relname <> 'relocation_marker'
           AND obj_description(c.oid, 'pg_class') IS DISTINCT FROM 'transient'
         ORDER BY c.relname",
    )
    .bind(schema)
    .fetch_all(conn)
    .await?;
    let mut waiting: Vec<Row> = rows;
    let mut ordered: Vec<Layout> = Vec::new();
    while !waiting.is_empty() {
        let known = |name: &String| ordered.iter().any(|table| table.name == *name);
        let (mut ready, later): (Vec<Row>, Vec<Row>) = waiting
            .into_iter()
            .partition(|(_, _, _, refers)| refers.iter().all(known));
        waiting = later;
        if ready.is_empty() {
            // A circle: in whatever order; the database says what it thinks of it.
            ready = std::mem::take(&mut waiting);
        }
        ordered.extend(ready.into_iter().map(|(name, columns, key, _)| Layout {
            key: if key.is_empty() { columns.clone() } else { key },
            name,
            columns,
        }));
    }
    Ok(ordered)
}

/// Where what is copied out goes.
pub(super) enum Sink<'p> {
    /// A file, readable by its owner alone.
    File(&'p Path),
    /// Nowhere: only its hash is wanted.
    Nowhere,
}

/// Copies a table out in the order of its key; what there was.
pub(super) async fn copy_out(
    conn: &mut PgConnection,
    schema: &str,
    layout: &Layout,
    sink: Sink<'_>,
) -> Result<Table, DataError> {
    // In the order of bytes, whatever order of letters the database has: an export is compared with
    // what another database has.
    let text: Vec<String> = sqlx::query_scalar(
        "SELECT a.attname::text FROM pg_attribute a
         WHERE a.attrelid = ($1 || '.' || quote_ident($2))::regclass AND a.attcollation <> 0",
    )
    .bind(schema)
    .bind(&layout.name)
    .fetch_all(&mut *conn)
    .await?;
    let key = layout.key.iter().map(|column| match text.contains(column) {
        true => format!("{} COLLATE \"C\"", quoted(column)),
        false => quoted(column),
    });
    let sql = format!(
        "COPY (SELECT {} FROM {schema}.{} ORDER BY {}) TO STDOUT (FORMAT csv, HEADER)",
        list(&layout.columns),
        quoted(&layout.name),
        key.collect::<Vec<_>>().join(", ")
    );
    let failed = |source| DataError::Folder {
        path: layout.name.clone(),
        what: "written",
        source,
    };
    let mut file = match sink {
        Sink::File(path) => Some(tokio::io::BufWriter::with_capacity(
            CHUNK,
            private_file(path).await.map_err(failed)?,
        )),
        Sink::Nowhere => None,
    };
    let mut table = Table {
        name: layout.name.clone(),
        columns: layout.columns.clone(),
        key: layout.key.clone(),
        rows: 0,
        bytes: 0,
        sha256: String::new(),
    };
    let mut digest = Sha256::new();
    {
        let mut out = conn.copy_out_raw(&sql).await?;
        // Each message is a row; the first is the header.
        while let Some(row) = out.try_next().await? {
            digest.update(&row);
            table.rows += 1;
            table.bytes += row.len() as u64;
            if let Some(file) = &mut file {
                file.write_all(&row).await.map_err(failed)?;
            }
        }
    }
    if let Some(mut file) = file {
        file.flush().await.map_err(failed)?;
        file.get_ref().sync_all().await.map_err(failed)?;
    }
    table.rows = table.rows.saturating_sub(1);
    table.sha256 = hex::encode(digest.finalize());
    Ok(table)
}

/// Copies a table in from its file.
pub(super) async fn copy_in(
    conn: &mut PgConnection,
    schema: &str,
    table: &Table,
    path: &Path,
) -> Result<(), DataError> {
    let failed = |source| DataError::Folder {
        path: path.display().to_string(),
        what: "read",
        source,
    };
    let sql = format!(
        "COPY {schema}.{} ({}) FROM STDIN (FORMAT csv, HEADER)",
        quoted(&table.name),
        list(&table.columns)
    );
    let mut file = tokio::fs::File::open(path).await.map_err(failed)?;
    let mut digest = Sha256::new();
    let mut copying = conn.copy_in_raw(&sql).await?;
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match file.read(&mut chunk).await {
            Ok(read) => read,
            Err(error) => {
                copying.abort("the file cannot be read").await?;
                return Err(failed(error));
            }
        };
        if read == 0 {
            break;
        }
        digest.update(&chunk[..read]);
        copying.send(Bytes::copy_from_slice(&chunk[..read])).await?;
    }
    if hex::encode(digest.finalize()) != table.sha256 {
        copying.abort("the file is damaged").await?;
        return Err(DataError::Damaged(path.display().to_string()));
    }
    copying.finish().await?;
    Ok(())
}

/// A new file that only its owner may read.
pub(super) async fn private_file(path: &Path) -> std::io::Result<tokio::fs::File> {
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).await
}

fn list(columns: &[String]) -> String {
    let quoted: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    quoted.join(", ")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
