//! Groups of sessions: their rows, with those of their sessions.

use berth_kernel::{ProductId, SessionGroupId, SessionId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;
use uuid::Uuid;

use super::{columns, is_taken};
use crate::{Error, Session, SessionGroup, SessionGroupChange, decide::Unit};

/// A group of sessions as one would book it.
#[derive(Debug)]
pub(crate) struct GroupState {
    pub(crate) product_id: ProductId,
    /// Which they are.
    pub(crate) sessions: Vec<SessionId>,
    /// Start of the first.
    pub(crate) starts_at: Timestamp,
    /// End of the last.
    pub(crate) ends_at: Timestamp,
    /// Free places of the fullest.
    pub(crate) free: i32,
    /// How many of those who wait are about to be given.
    pub(crate) awaited: i32,
    /// Whether it and all of them can be booked.
    pub(crate) open: bool,
}

/// A group as it stands; nothing if there is none, or no session of it takes place.
pub(crate) async fn group_state(
    tx: &mut TenantTx,
    id: SessionGroupId,
) -> Result<Option<GroupState>, Error> {
    let row = sqlx::query!(
        r#"SELECT g.product_id, array_agg(s.id) AS "sessions!", min(s.starts_at) AS "starts_at!: jiff_sqlx::Timestamp",
                  max(s.ends_at) AS "ends_at!: jiff_sqlx::Timestamp",
                  min(s.capacity - s.held - s.sold) AS "free!",
                  (SELECT sum(w.quantity)::integer FROM waitlist_entry w
                   WHERE coalesce(w.session_id, w.session_group_id) = $1 AND w.status = 'waiting'
                     AND w.quantity <= min(s.capacity - s.held - s.sold)) AS awaited,
                  g.status = 'open' AND bool_and(s.status = 'open') AS "open!"
           FROM session_group g JOIN session s ON s.group_id = g.id AND s.status <> 'cancelled'
           WHERE g.id = $1 AND g.status <> 'cancelled'
           GROUP BY g.id"#,
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| GroupState {
        product_id: row.product_id.into(),
        sessions: row.sessions.into_iter().map(Into::into).collect(),
        starts_at: row.starts_at.to_jiff(),
        ends_at: row.ends_at.to_jiff(),
        free: row.free,
        awaited: row.awaited.unwrap_or(0),
        open: row.open,
    }))
}

/// Writes a group, its sessions and what each takes; whether all of that was free. The transaction is of no
/// more use when it was not. `units` says of each session what it takes, in their order.
pub(crate) async fn insert_group(
    tx: &mut TenantTx,
    group: &SessionGroup,
    units: &[Vec<Unit>],
    now: Timestamp,
) -> Result<bool, Error> {
    let sessions = group.sessions.iter();
    let ids: Vec<Uuid> = sessions.clone().map(|one| one.id.uuid()).collect();
    let at = jiff_sqlx::Timestamp::from;
    let (starts, ends): (Vec<_>, Vec<_>) = sessions
        .clone()
        .map(|one| (at(one.starts_at), at(one.ends_at)))
        .collect();
    let capacities: Vec<i32> = sessions.map(|one| one.capacity).collect();
    let all: Vec<Unit> = units.iter().flatten().copied().collect();
    let (resources, from, to) = columns(&all);
    let holders: Vec<Uuid> = ids
        .iter()
        .zip(units)
        .flat_map(|(id, units)| std::iter::repeat_n(*id, units.len()))
        .collect();
    let inserted = sqlx::query!(
        "WITH lock AS MATERIALIZED (
             SELECT claim_lock(ARRAY(SELECT DISTINCT r FROM unnest($9::uuid[]) AS r ORDER BY r)) AS held
         ), made AS (
             INSERT INTO session_group (id, product_id, name, created_at) VALUES ($1, $2, $3, $4)
         ), claimed AS (
             INSERT INTO claim (holder_id, holder, resource_id, starts_at, ends_at, state)
             SELECT u.holder_id, 'session', u.resource_id, u.starts_at, u.ends_at, 'confirmed'
             FROM lock, unnest($10::uuid[], $9, $11::timestamptz[], $12::timestamptz[])
                        AS u (holder_id, resource_id, starts_at, ends_at)
         )
         INSERT INTO session (id, product_id, group_id, starts_at, ends_at, capacity, resource_ids, created_at)
         SELECT s.id, $2, $1, s.starts_at, s.ends_at, s.capacity,
                ARRAY(SELECT u.resource_id FROM unnest($10, $9) WITH ORDINALITY AS u (holder_id, resource_id, n)
                      WHERE u.holder_id = s.id ORDER BY u.n), $4
         FROM unnest($5::uuid[], $6::timestamptz[], $7::timestamptz[], $8::int[])
              AS s (id, starts_at, ends_at, capacity)",
        group.id.uuid(),
        group.product_id.uuid(),
        group.name,
        at(now) as _,
        &ids,
        &starts as _,
        &ends as _,
        &capacities,
        &resources,
        &holders,
        &from as _,
        &to as _,
    )
    .execute(tx.conn())
    .await;
    match inserted {
        Ok(_) => Ok(true),
        Err(error) if is_taken(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Changes a group of that version; whether there is one.
pub(crate) async fn change_group(
    tx: &mut TenantTx,
    id: SessionGroupId,
    change: &SessionGroupChange,
) -> Result<bool, Error> {
    let status = change.open.map(|open| if open { "open" } else { "closed" });
    let changed = sqlx::query!(
        "UPDATE session_group SET name = coalesce(btrim($3), name), status = coalesce($4, status),
             version = version + 1
         WHERE id = $1 AND version = $2 AND status <> 'cancelled'",
        id.uuid(),
        change.version,
        change.name,
        status,
    )
    .execute(tx.conn())
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// Calls a group off, and gives back what its sessions take; how many places of them were taken, and whether
/// the sessions were as `group` has them, so that what they take is what this statement saw. The transaction
/// is of no more use when places were taken or they were not.
pub(crate) async fn cancel_group(
    tx: &mut TenantTx,
    group: &SessionGroup,
) -> Result<(i64, bool), Error> {
    let row = sqlx::query!(
        r#"WITH claims AS MATERIALIZED (
               -- Claims before the sessions' rows: see the order of locks.
               SELECT FROM claim WHERE holder_id IN (SELECT id FROM session WHERE group_id = $1)
               ORDER BY resource_id, starts_at FOR UPDATE
           ), locked AS MATERIALIZED (
               SELECT id FROM session
               WHERE group_id = $1 AND status <> 'cancelled' AND (SELECT count(*) FROM claims) >= 0
               ORDER BY id FOR UPDATE
           ), cancelled AS (
               UPDATE session s SET status = 'cancelled', version = version + 1
               FROM locked WHERE s.id = locked.id
               RETURNING s.id, held + sold AS places, version - 1 AS was
           ), unclaimed AS (
               DELETE FROM claim USING cancelled WHERE holder_id = cancelled.id
           ), closed AS (
               UPDATE session_group SET status = 'cancelled', version = version + 1 WHERE id = $1
           )
           SELECT coalesce(sum(places), 0) AS "booked!",
                  coalesce(array_agg(was ORDER BY id), '{}') AS "versions!" FROM cancelled"#,
        group.id.uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    let mut known: Vec<&Session> = group.sessions.iter().collect();
    known.sort_unstable_by_key(|session| session.id.uuid());
    let known = known.iter().map(|session| session.version);
    Ok((row.booked, known.eq(row.versions)))
}

/// Selects sessions with their groups, of some of a product's groups, in the order of their starts; the tail
/// says which groups.
macro_rules! select_groups {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query!(
            r#"SELECT g.id AS group_id, g.name, g.status AS group_status, g.version AS group_version,
                  g.product_id, s.id, s.starts_at AS "starts_at: jiff_sqlx::Timestamp",
                  s.ends_at AS "ends_at: jiff_sqlx::Timestamp", s.resource_ids, s.capacity,
                  s.capacity - s.held - s.sold AS "free!", s.status, s.version
           FROM session_group g JOIN session s ON s.group_id = g.id AND s.status <> 'cancelled'
           WHERE g.status <> 'cancelled' AND "# + $tail + r#"
           ORDER BY s.starts_at, s.id"#
            $(, $arg)*
        )
    };
}

macro_rules! collect_groups {
    ($rows:expr) => {{
        let mut groups: Vec<SessionGroup> = Vec::new();
        for row in $rows {
            let id = SessionGroupId::from(row.group_id);
            let session = Session {
                id: row.id.into(),
                product_id: row.product_id.into(),
                starts_at: row.starts_at.to_jiff(),
                ends_at: row.ends_at.to_jiff(),
                group_id: Some(id),
                resource_ids: row.resource_ids.into_iter().map(Into::into).collect(),
                capacity: row.capacity,
                free: row.free,
                open: row.status == "open",
                version: row.version,
            };
            match groups.iter_mut().find(|group| group.id == id) {
                Some(group) => group.sessions.push(session),
                None => groups.push(SessionGroup {
                    id,
                    product_id: session.product_id,
                    name: row.name,
                    open: row.group_status == "open",
                    sessions: vec![session],
                    version: row.group_version,
                }),
            }
        }
        groups
    }};
}

/// Groups of a product whose first session starts in `[from, to)`, in the order of those; the first fifty.
pub(crate) async fn groups(
    tx: &mut TenantTx,
    product: ProductId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<SessionGroup>, Error> {
    let rows = select_groups!(
        r#"g.id IN (SELECT f.group_id FROM session f
                    WHERE f.product_id = $1 AND f.group_id IS NOT NULL AND f.status <> 'cancelled'
                    GROUP BY f.group_id HAVING min(f.starts_at) >= $2 AND min(f.starts_at) < $3
                    ORDER BY min(f.starts_at), f.group_id LIMIT 50)"#,
        product.uuid(),
        jiff_sqlx::Timestamp::from(from) as _,
        jiff_sqlx::Timestamp::from(to) as _,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(collect_groups!(rows))
}

/// One group with its sessions.
pub(crate) async fn group(
    tx: &mut TenantTx,
    id: SessionGroupId,
) -> Result<Option<SessionGroup>, Error> {
    let rows = select_groups!("g.id = $1", id.uuid())
        .fetch_all(tx.conn())
        .await?;
    Ok(collect_groups!(rows).pop())
}
