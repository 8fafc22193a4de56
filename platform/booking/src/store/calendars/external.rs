//! Calendars outside, and what they say.

use berth_calendar::{CalendarAddress, Seen, Stretch};
use berth_kernel::{ExternalCalendarId, ResourceId};
use berth_tenancy::TenantTx;
use jiff::Timestamp;

use crate::{
    Error,
    calendars::{Due, ExternalCalendar, Read},
};

/// How many a resource has.
pub(crate) async fn count_external(tx: &mut TenantTx, resource: ResourceId) -> Result<i64, Error> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM external_calendar WHERE resource_id = $1"#,
        resource.uuid(),
    );
    Ok(count.fetch_one(tx.conn()).await?)
}

/// Adds one, which is due at once.
pub(crate) async fn insert_external(
    tx: &mut TenantTx,
    calendar: &ExternalCalendar,
    address: &CalendarAddress,
    timezone: &str,
) -> Result<(), Error> {
    let at = jiff_sqlx::Timestamp::from(calendar.created_at);
    sqlx::query!(
        "INSERT INTO external_calendar (id, resource_id, name, host, address, timezone, due_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        calendar.id.uuid(),
        calendar.resource_id.uuid(),
        calendar.name,
        calendar.host,
        // Kept so that it can be asked; who reads it here could read the bookings too.
        address.expose(),
        timezone,
        at as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Those of a resource, in the order they were attached; how stale they are is for others to say.
pub(crate) async fn external(
    tx: &mut TenantTx,
    resource: ResourceId,
) -> Result<Vec<ExternalCalendar>, Error> {
    let rows = sqlx::query!(
        r#"SELECT id, name, host, created_at AS "created_at: jiff_sqlx::Timestamp",
                  tried_at AS "tried_at: jiff_sqlx::Timestamp", succeeded_at AS "succeeded_at: jiff_sqlx::Timestamp",
                  failures, last_error
           FROM external_calendar WHERE resource_id = $1 ORDER BY created_at, id LIMIT 100"#,
        resource.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    let calendar = rows.into_iter().map(|row| ExternalCalendar {
        id: row.id.into(),
        resource_id: resource,
        name: row.name,
        host: row.host,
        created_at: row.created_at.to_jiff(),
        tried_at: row.tried_at.map(|at| at.to_jiff()),
        succeeded_at: row.succeeded_at.map(|at| at.to_jiff()),
        failures: row.failures,
        last_error: row.last_error,
        stale: false,
    });
    Ok(calendar.collect())
}

/// Takes one away with what it says; whether there was one.
pub(crate) async fn delete_external(
    tx: &mut TenantTx,
    id: ExternalCalendarId,
) -> Result<bool, Error> {
    let gone = sqlx::query!("DELETE FROM external_calendar WHERE id = $1", id.uuid());
    Ok(gone.execute(tx.conn()).await?.rows_affected() == 1)
}

/// Those that are due, no more than `most`, and puts them off until `until` so that nobody else takes them.
pub(crate) async fn take_due(
    tx: &mut TenantTx,
    now: Timestamp,
    until: Timestamp,
    most: i64,
) -> Result<Vec<Due>, Error> {
    let rows = sqlx::query!(
        r#"UPDATE external_calendar c SET due_at = $2
           FROM (SELECT id FROM external_calendar WHERE due_at <= $1 ORDER BY due_at LIMIT $3
                 FOR UPDATE SKIP LOCKED) due
           WHERE c.id = due.id
           RETURNING c.id, c.timezone, c.address, c.etag, c.last_modified,
                     c.read_at AS "read_at: jiff_sqlx::Timestamp", c.failures"#,
        jiff_sqlx::Timestamp::from(now) as _,
        jiff_sqlx::Timestamp::from(until) as _,
        most,
    )
    .fetch_all(tx.conn())
    .await?;
    let due = rows.into_iter().map(|row| Due {
        id: row.id.into(),
        timezone: row.timezone,
        address: row.address,
        seen: Seen {
            etag: row.etag,
            last_modified: row.last_modified,
        },
        read_at: row.read_at.map(|at| at.to_jiff()),
        failures: row.failures,
    });
    Ok(due.collect())
}

/// When the next is due.
pub(crate) async fn next_due(tx: &mut TenantTx) -> Result<Option<Timestamp>, Error> {
    let next = sqlx::query_scalar!(
        r#"SELECT min(due_at) AS "next: jiff_sqlx::Timestamp" FROM external_calendar"#
    );
    Ok(next.fetch_one(tx.conn()).await?.map(|at| at.to_jiff()))
}

/// Puts what a calendar says in the place of what it said. Nothing happens if it was detached meanwhile; what it
/// says still is not written anew.
pub(crate) async fn replace_busy(
    tx: &mut TenantTx,
    id: ExternalCalendarId,
    read: &Read,
) -> Result<(), Error> {
    let at = |at: &Timestamp| jiff_sqlx::Timestamp::from(*at);
    let each = read.busy.iter();
    let (starts, ends): (Vec<_>, Vec<_>) =
        each.map(|(from, to): &Stretch| (at(from), at(to))).unzip();
    sqlx::query!(
        "WITH calendar AS (
             UPDATE external_calendar SET etag = $2, last_modified = $3, read_at = $4, succeeded_at = $4, tried_at = $4,
                    failures = 0, last_error = NULL, due_at = $5
             WHERE id = $1 RETURNING id, resource_id
         ), said AS MATERIALIZED (
             SELECT * FROM unnest($6::timestamptz[], $7::timestamptz[]) AS said (starts_at, ends_at)
         ), gone AS (
             DELETE FROM external_busy b USING calendar
             WHERE b.calendar_id = calendar.id
               AND NOT EXISTS (SELECT FROM said WHERE said.starts_at = b.starts_at)
         )
         INSERT INTO external_busy AS b (calendar_id, resource_id, starts_at, ends_at)
         SELECT calendar.id, calendar.resource_id, said.starts_at, said.ends_at FROM calendar, said
         ON CONFLICT (calendar_id, starts_at) DO UPDATE SET ends_at = excluded.ends_at
         WHERE b.ends_at <> excluded.ends_at",
        id.uuid(),
        read.seen.etag,
        read.seen.last_modified,
        at(&read.at) as _,
        at(&read.due_at) as _,
        &starts as _,
        &ends as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes down that a calendar still says what it said.
pub(crate) async fn still_true(
    tx: &mut TenantTx,
    id: ExternalCalendarId,
    now: Timestamp,
    due_at: Timestamp,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE external_calendar SET succeeded_at = $2, tried_at = $2, failures = 0, last_error = NULL, due_at = $3
         WHERE id = $1",
        id.uuid(),
        jiff_sqlx::Timestamp::from(now) as _,
        jiff_sqlx::Timestamp::from(due_at) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes down why a calendar could not be read.
pub(crate) async fn not_read(
    tx: &mut TenantTx,
    id: ExternalCalendarId,
    now: Timestamp,
    due_at: Timestamp,
    why: &str,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE external_calendar SET tried_at = $2, failures = failures + 1, last_error = $4, due_at = $3 WHERE id = $1",
        id.uuid(),
        jiff_sqlx::Timestamp::from(now) as _,
        jiff_sqlx::Timestamp::from(due_at) as _,
        why,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
