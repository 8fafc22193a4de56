//! What tenants can pay for, and so how much of the machines each may take. A change holds for all who
//! are on the plan, within the seconds a tenant is remembered.

use berth_kernel::FieldError;
use serde::Serialize;
use serde_json::json;
use sqlx::FromRow;

use super::{Lifecycle, audit_platform};
use crate::Error;

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct Plan {
    /// Its name: `a-z`, `0-9` and `-`.
    pub name: String,
    /// Requests a second of each server, on average; twice as many in one second. 1 to 100,000.
    pub requests_per_second: i32,
    /// Requests answered at once by each server. 1 to 10,000.
    pub concurrent_requests: i32,
    /// Events handled at once by each worker's consumer. 1 to 1,000.
    pub concurrent_events: i32,
}

impl Lifecycle {
    /// All plans, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn plans(&self) -> Result<Vec<Plan>, Error> {
        let mut tx = self.tenancy.begin_platform().await?;
        let plans = sqlx::query_as(
            "SELECT name, requests_per_second, concurrent_requests, concurrent_events
             FROM platform.plan ORDER BY name",
        )
        .fetch_all(tx.conn())
        .await?;
        tx.rollback().await?;
        Ok(plans)
    }

    /// Makes a plan, or gives the one of that name other limits.
    ///
    /// # Errors
    /// [`Error::Fields`] for what is against a rule.
    pub async fn set_plan(&self, plan: &Plan) -> Result<(), Error> {
        check(plan)?;
        let mut tx = self.tenancy.begin_platform().await?;
        sqlx::query(
            "INSERT INTO platform.plan (name, requests_per_second, concurrent_requests, concurrent_events)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (name) DO UPDATE
             SET requests_per_second = excluded.requests_per_second,
                 concurrent_requests = excluded.concurrent_requests,
                 concurrent_events = excluded.concurrent_events",
        )
        .bind(&plan.name)
        .bind(plan.requests_per_second)
        .bind(plan.concurrent_requests)
        .bind(plan.concurrent_events)
        .execute(tx.conn())
        .await?;
        audit_platform(tx.conn(), &self.by, "plan.set", &json!(plan)).await?;
        tx.commit().await
    }
}

fn check(plan: &Plan) -> Result<(), Error> {
    let shaped = (2..=39).contains(&plan.name.len())
        && plan
            .name
            .starts_with(|first: char| first.is_ascii_lowercase())
        && plan
            .name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let mut wrong = Vec::new();
    if !shaped {
        let detail = "A plan's name has 2 to 39 of a-z, 0-9 and hyphens, beginning with a letter.";
        wrong.push(FieldError::new("name", "PLAN_NAME_INVALID", detail));
    }
    for (field, value, most) in [
        ("requests_per_second", plan.requests_per_second, 100_000),
        ("concurrent_requests", plan.concurrent_requests, 10_000),
        ("concurrent_events", plan.concurrent_events, 1_000),
    ] {
        if !(1..=most).contains(&value) {
            let detail = format!("Must be between 1 and {most}.");
            wrong.push(FieldError::new(field, "OUT_OF_RANGE", detail));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Error::Fields(wrong))
    }
}
