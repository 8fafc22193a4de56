//! Rows of days on which a business keeps other hours.

use berth_kernel::HolidayId;
use berth_tenancy::TenantTx;
use jiff::{Timestamp, civil::Date};
use sqlx::types::Json;

use super::Result;
use crate::{
    Error,
    model::{Holiday, Window},
};

pub(crate) async fn insert_holiday(
    tx: &mut TenantTx,
    holiday: &Holiday,
    at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO holiday (id, day, name, hours, created_at) VALUES ($1, $2, $3, $4, $5)",
        holiday.id.uuid(),
        jiff_sqlx::Date::from(holiday.day) as _,
        holiday.name,
        Json(&holiday.hours) as _,
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(tx.conn())
    .await
    .map_err(|error| match &error {
        sqlx::Error::Database(inner) if inner.constraint() == Some("holiday_day_taken") => {
            Error::DayTaken
        }
        _ => error.into(),
    })?;
    Ok(())
}

/// Takes such a day away; whether there was one.
pub(crate) async fn delete_holiday(tx: &mut TenantTx, id: HolidayId) -> Result<bool> {
    let gone = sqlx::query!("DELETE FROM holiday WHERE id = $1", id.uuid())
        .execute(tx.conn())
        .await?;
    Ok(gone.rows_affected() == 1)
}

/// Such days from the day before `today` on, in their order: what is past is of no use to anybody.
pub(crate) async fn holidays(tx: &mut TenantTx, today: Date) -> Result<Vec<Holiday>> {
    let rows = sqlx::query!(
        r#"SELECT id, day, name, hours AS "hours: Json<Vec<Window>>" FROM holiday
           WHERE day >= $1::date - 1 ORDER BY day LIMIT 1000"#,
        jiff_sqlx::Date::from(today) as _,
    )
    .fetch_all(tx.conn())
    .await?;
    let holiday = rows.into_iter().map(|row| Holiday {
        id: row.id.into(),
        day: row.day.to_jiff(),
        name: row.name,
        hours: row.hours.0,
    });
    Ok(holiday.collect())
}
