//! What tenants can pay for.

use berth_access::Permission;
use berth_tenancy::lifecycle::{self, Lifecycle};
use berth_web::{Refusal, refuse};
use poem_openapi::{Object, OpenApi, param::Path, payload::Json};

use crate::{OperatorApi, OperatorScheme, shapes::Tag};

/// A plan's limits.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct PlanLimits {
    /// Requests a second of each server, on average; twice as many in one second.
    pub requests_per_second: i32,
    /// Requests answered at once by each server.
    pub concurrent_requests: i32,
    /// Events handled at once by each worker's consumer.
    pub concurrent_events: i32,
}

/// A plan.
#[derive(Debug, Object)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Its limits.
    pub limits: PlanLimits,
}

/// All plans, by name.
#[derive(Debug, Object)]
pub struct PlanList {
    /// The plans.
    pub items: Vec<Plan>,
}

/// The operations.
pub(crate) struct PlansApi(pub(crate) OperatorApi);

#[OpenApi(tag = "Tag::Plans")]
impl PlansApi {
    /// All plans with their limits.
    #[oai(path = "/plans", method = "get", operation_id = "list_plans")]
    async fn list(&self, operator: OperatorScheme) -> Result<Json<PlanList>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantRead)?;
        shown(&lifecycle).await
    }

    /// Make a plan, or give the one of that name other limits.
    #[oai(path = "/plans/:name", method = "put", operation_id = "set_plan")]
    async fn set(
        &self,
        operator: OperatorScheme,
        /// The plan's name.
        name: Path<String>,
        body: Json<PlanLimits>,
    ) -> Result<Json<PlanList>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantManage)?;
        let plan = lifecycle::Plan {
            name: name.0,
            requests_per_second: body.requests_per_second,
            concurrent_requests: body.concurrent_requests,
            concurrent_events: body.concurrent_events,
        };
        lifecycle.set_plan(&plan).await.map_err(refuse)?;
        shown(&lifecycle).await
    }
}

async fn shown(lifecycle: &Lifecycle) -> Result<Json<PlanList>, Refusal> {
    let plans = lifecycle.plans().await.map_err(refuse)?;
    let plan = |plan: lifecycle::Plan| Plan {
        name: plan.name,
        limits: PlanLimits {
            requests_per_second: plan.requests_per_second,
            concurrent_requests: plan.concurrent_requests,
            concurrent_events: plan.concurrent_events,
        },
    };
    let items = plans.into_iter().map(plan).collect();
    Ok(Json(PlanList { items }))
}
