//! Feeds, and what is read in them.

use berth_kernel::UserId;
use berth_tenancy::TenantTx;
use uuid::Uuid;

use crate::{
    Error,
    calendars::{EntryKind, Feed, FeedEntry, FeedFound, FeedRow, Shown, Whose},
    model::Status,
};

impl Whose {
    /// The resource, or the account.
    fn columns(self) -> (Option<Uuid>, Option<Uuid>) {
        match self {
            Self::Resource(id) => (Some(id.uuid()), None),
            Self::Account(id) => (None, Some(id.uuid())),
        }
    }
}

/// Puts a feed in the place of what there was.
pub(crate) async fn put_feed(tx: &mut TenantTx, feed: &FeedRow) -> Result<(), Error> {
    let (resource, account) = feed.whose.columns();
    let made_by = feed.made_by.map(|id| id.uuid());
    let made_at = jiff_sqlx::Timestamp::from(feed.created_at);
    // Two that are made at once are one after the other; the later stays.
    match feed.whose {
        Whose::Resource(_) => {
            sqlx::query!(
                "INSERT INTO calendar_feed (id, token_hash, resource_id, customer_names, made_by, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (resource_id) DO UPDATE SET
                     id = excluded.id, token_hash = excluded.token_hash, customer_names = excluded.customer_names,
                     made_by = excluded.made_by, created_at = excluded.created_at",
                feed.id,
                feed.token_hash.as_slice(),
                resource,
                feed.customer_names,
                made_by,
                made_at as _,
            )
            .execute(tx.conn())
            .await?;
        }
        Whose::Account(_) => {
            sqlx::query!(
                "INSERT INTO calendar_feed (id, token_hash, account_id, customer_names, made_by, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (account_id) DO UPDATE SET
                     id = excluded.id, token_hash = excluded.token_hash, customer_names = excluded.customer_names,
                     made_by = excluded.made_by, created_at = excluded.created_at",
                feed.id,
                feed.token_hash.as_slice(),
                account,
                feed.customer_names,
                made_by,
                made_at as _,
            )
            .execute(tx.conn())
            .await?;
        }
    }
    Ok(())
}

/// The feed there is.
pub(crate) async fn feed(tx: &mut TenantTx, whose: Whose) -> Result<Option<Feed>, Error> {
    let (resource, account) = whose.columns();
    let row = sqlx::query!(
        r#"SELECT customer_names, created_at AS "created_at: jiff_sqlx::Timestamp"
           FROM calendar_feed WHERE resource_id = $1 OR account_id = $2"#,
        resource,
        account,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Feed {
        customer_names: row.customer_names,
        created_at: row.created_at.to_jiff(),
    }))
}

/// Takes a feed away, if there is one.
pub(crate) async fn delete_feed(tx: &mut TenantTx, whose: Whose) -> Result<(), Error> {
    let (resource, account) = whose.columns();
    sqlx::query!(
        "DELETE FROM calendar_feed WHERE resource_id = $1 OR account_id = $2",
        resource,
        account,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes away the feeds of an account that is gone, and those it made.
pub(crate) async fn delete_feeds_of(tx: &mut TenantTx, account: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM calendar_feed WHERE account_id = $1 OR made_by = $1",
        account.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn status(text: Option<String>) -> Result<Status, Error> {
    let text = text.unwrap_or_default();
    let parsed = Status::parse(&text);
    Ok(parsed.ok_or_else(|| sqlx::Error::Decode(format!("`{text}` is no status").into()))?)
}

/// What the feed with this token shows, in one round trip: of an account its bookings, of a resource whatever
/// takes it. Of a resource's claims, which never overlap, only the last that began before can reach into a time.
pub(crate) async fn read_feed(
    tx: &mut TenantTx,
    token_hash: &[u8; 32],
    shown: Shown,
) -> Result<Option<FeedFound>, Error> {
    let rows = sqlx::query!(
        r#"SELECT f.resource_id, f.account_id, f.customer_names, e.kind AS "kind?", e.id AS "id?",
                  e.version AS "version?", e.changed_at AS "changed_at?: jiff_sqlx::Timestamp",
                  e.starts_at AS "starts_at?: jiff_sqlx::Timestamp", e.ends_at AS "ends_at?: jiff_sqlx::Timestamp",
                  e.status AS "status?", e.product_id AS "product_id?", e.product_name AS "product_name?",
                  e.reference AS "reference?", e.quantity AS "quantity?", e.customer_name AS "customer_name?"
           FROM calendar_feed f
           LEFT JOIN LATERAL (
               SELECT * FROM (
                   (SELECT 'booking' AS kind, b.id, b.version, b.updated_at AS changed_at, b.starts_at, b.ends_at,
                           b.status, b.product_id, b.product_name, b.reference, b.quantity, b.customer_name
                    FROM booking b
                    WHERE f.account_id IS NOT NULL AND b.customer_id = f.account_id AND b.deleted_at IS NULL
                      AND b.ends_at > $2 AND b.starts_at < $3
                      AND (b.status NOT IN ('CANCELLED', 'FAILED') OR b.updated_at > $4)
                    ORDER BY b.starts_at LIMIT $5)
                   UNION ALL
                   (SELECT c.holder, c.holder_id, coalesce(b.version, s.version, 1),
                           coalesce(b.updated_at, s.created_at, k.created_at),
                           coalesce(b.starts_at, s.starts_at, k.starts_at), coalesce(b.ends_at, s.ends_at, k.ends_at),
                           b.status, coalesce(b.product_id, s.product_id), b.product_name, b.reference, b.quantity,
                           b.customer_name
                    FROM claim c
                    LEFT JOIN booking b ON b.id = c.holder_id AND c.holder = 'booking'
                    LEFT JOIN session s ON s.id = c.holder_id AND c.holder = 'session'
                    LEFT JOIN block k ON k.id = c.holder_id AND c.holder = 'block'
                    WHERE c.resource_id = f.resource_id AND c.state IN ('held', 'confirmed') AND c.ends_at > $2
                      AND c.starts_at < $3 AND b.deleted_at IS NULL
                      AND c.starts_at >= coalesce((SELECT max(starts_at) FROM claim
                                                   WHERE resource_id = f.resource_id AND starts_at < $2
                                                     AND state IN ('held', 'confirmed')), $2)
                    ORDER BY c.starts_at LIMIT $5)
                   UNION ALL
                   (SELECT 'booking', b.id, b.version, b.updated_at, b.starts_at, b.ends_at, b.status, b.product_id,
                           b.product_name, b.reference, b.quantity, b.customer_name
                    FROM claim c
                    JOIN booking b ON b.id = c.holder_id
                    WHERE c.resource_id = f.resource_id AND c.state = 'released' AND c.starts_at >= $2
                      AND c.starts_at < $3 AND b.status IN ('CANCELLED', 'FAILED') AND b.updated_at > $4
                      AND b.deleted_at IS NULL
                    ORDER BY c.starts_at LIMIT $5)) every
               ORDER BY starts_at, id LIMIT $5
           ) e ON true
           WHERE f.token_hash = $1
           ORDER BY e.starts_at, e.id"#,
        token_hash.as_slice(),
        jiff_sqlx::Timestamp::from(shown.from) as _,
        jiff_sqlx::Timestamp::from(shown.to) as _,
        jiff_sqlx::Timestamp::from(shown.called_off_after) as _,
        shown.most,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut found: Option<FeedFound> = None;
    for row in rows {
        let whose = match (row.resource_id, row.account_id) {
            (Some(id), _) => Whose::Resource(id.into()),
            (None, Some(id)) => Whose::Account(id.into()),
            (None, None) => continue,
        };
        let found = found.get_or_insert_with(|| FeedFound {
            whose,
            customer_names: row.customer_names,
            entries: Vec::new(),
        });
        let (Some(id), Some(changed_at), Some(starts_at), Some(ends_at)) =
            (row.id, row.changed_at, row.starts_at, row.ends_at)
        else {
            continue;
        };
        let kind = match row.kind.as_deref() {
            Some("booking") => EntryKind::Booking {
                status: status(row.status)?,
                product_name: row.product_name.unwrap_or_default(),
                reference: row.reference.unwrap_or_default(),
                quantity: row.quantity.unwrap_or(1),
                customer_name: row.customer_name.unwrap_or_default(),
            },
            Some("session") => EntryKind::Session {
                product: row.product_id.unwrap_or_default().into(),
            },
            _ => EntryKind::Block,
        };
        found.entries.push(FeedEntry {
            id,
            kind,
            version: row.version.unwrap_or(1),
            changed_at: changed_at.to_jiff(),
            starts_at: starts_at.to_jiff(),
            ends_at: ends_at.to_jiff(),
        });
    }
    Ok(found)
}
