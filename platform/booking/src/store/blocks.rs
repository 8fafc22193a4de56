//! Time resources are not to be had, and what is in the way of it.

use berth_kernel::{BlockId, ResourceId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;

use super::{buckets, columns};
use crate::{Block, Error, Taker, decide::Unit};

pub(crate) async fn insert_block(tx: &mut TenantTx, block: &Block) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO block (id, resource_id, starts_at, ends_at, reason, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        block.id.uuid(),
        block.resource_id.uuid(),
        jiff_sqlx::Timestamp::from(block.starts_at) as _,
        jiff_sqlx::Timestamp::from(block.ends_at) as _,
        block.reason,
        jiff_sqlx::Timestamp::from(block.created_at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes a block away with what it takes; whether there was one.
pub(crate) async fn delete_block(tx: &mut TenantTx, id: BlockId) -> Result<bool, Error> {
    buckets::release(tx, id.uuid()).await?;
    let gone = sqlx::query!(
        "WITH unclaimed AS (DELETE FROM claim WHERE holder_id = $1),
              uncounted AS (DELETE FROM bucket_claim WHERE holder_id = $1)
         DELETE FROM block WHERE id = $1",
        id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(gone.rows_affected() == 1)
}

/// The blocks of a resource that touch `[from, to)`, in order.
pub(crate) async fn blocks(
    tx: &mut TenantTx,
    resource: ResourceId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Block>, Error> {
    let rows = sqlx::query!(
        r#"SELECT id, starts_at AS "starts_at: jiff_sqlx::Timestamp", ends_at AS "ends_at: jiff_sqlx::Timestamp",
                  reason, created_at AS "created_at: jiff_sqlx::Timestamp"
           FROM block WHERE resource_id = $1 AND starts_at < $3 AND ends_at > $2
           ORDER BY starts_at, id LIMIT 1000"#,
        resource.uuid(),
        jiff_sqlx::Timestamp::from(from) as _,
        jiff_sqlx::Timestamp::from(to) as _,
    )
    .fetch_all(tx.conn())
    .await?;
    let block = rows.into_iter().map(|row| Block {
        id: row.id.into(),
        resource_id: resource,
        starts_at: row.starts_at.to_jiff(),
        ends_at: row.ends_at.to_jiff(),
        reason: row.reason,
        created_at: row.created_at.to_jiff(),
    });
    Ok(block.collect())
}

/// Who has something, as it is read.
pub(super) struct TakerRow {
    pub(super) holder: String,
    pub(super) reference: Option<String>,
    pub(super) starts_at: jiff_sqlx::Timestamp,
    pub(super) ends_at: jiff_sqlx::Timestamp,
}

impl From<TakerRow> for Taker {
    fn from(row: TakerRow) -> Self {
        Self {
            holder: row.holder,
            reference: row.reference,
            starts_at: row.starts_at.to_jiff(),
            ends_at: row.ends_at.to_jiff(),
        }
    }
}

/// Who has `units`, or some of their time, apart from the holder `except`; the first ten.
pub(crate) async fn takers(
    tx: &mut TenantTx,
    units: &[Unit],
    except: Option<uuid::Uuid>,
) -> Result<Vec<Taker>, Error> {
    let (resources, starts, ends) = columns(units);
    let rows = sqlx::query_as!(
        TakerRow,
        r#"WITH u AS (
               SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS u (resource_id, starts_at, ends_at)
           )
           SELECT c.holder AS "holder!", c.starts_at AS "starts_at!: _", c.ends_at AS "ends_at!: _",
                  b.reference AS "reference?"
           FROM u
           JOIN claim c ON c.resource_id = u.resource_id
                       AND tstzrange(c.starts_at, c.ends_at) && tstzrange(u.starts_at, u.ends_at)
                       AND c.state IN ('held', 'confirmed')
           LEFT JOIN booking b ON b.id = c.holder_id
           WHERE c.holder_id IS DISTINCT FROM $4
           UNION ALL
           SELECT 'external_calendar', x.starts_at, x.ends_at, NULL
           FROM u
           JOIN external_busy x ON x.resource_id = u.resource_id AND x.starts_at > u.starts_at - interval '7 days'
                               AND x.starts_at < u.ends_at AND x.ends_at > u.starts_at
           ORDER BY 2 LIMIT 10"#,
        &resources,
        &starts as _,
        &ends as _,
        except,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}
