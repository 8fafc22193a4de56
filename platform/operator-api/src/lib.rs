//! The API the platform's operators speak: tenants from their making to their erasure, and figures over
//! all of them.
//!
//! It answers on the operators' port alone, under `/platform/v1`, and every operation takes an
//! operator's key ([`OperatorScheme`]) and asks the policy. What it does is the same as the command
//! line does: [`Lifecycle`].
//!
//! The document is served at `/platform/v1/openapi.json`. To add an operation: a method with an
//! `operation_id` and doc comments, and what it needs in `policies/policy.csv`.

mod domains;
mod figures;
mod migrations;
mod operator;
mod plans;
mod shapes;
mod tenants;

use berth_access::{Permission, Role};
use berth_admin::Figures;
use berth_kernel::{Kind, Problem};
use berth_onboarding::Onboarding;
use berth_tenancy::lifecycle::{Lifecycle, Operator};
use berth_web::{Refusal, Web, problem::render_errors, refuse};
use poem::{Endpoint, EndpointExt as _, Response, Route};
use poem_openapi::OpenApiService;

pub use operator::OperatorScheme;

/// What the operations call.
#[derive(Clone)]
pub struct OperatorApi {
    /// Tenants, access and clock.
    pub web: Web,
    /// Makes tenants together with their first administrators.
    pub onboarding: Onboarding,
    /// Figures over all tenants.
    pub figures: Figures,
}

impl std::fmt::Debug for OperatorApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OperatorApi").finish_non_exhaustive()
    }
}

impl OperatorApi {
    /// What `operator` may do to tenants, if the policy lets operators do it at all.
    fn act(&self, operator: Operator, permission: Permission) -> Result<Lifecycle, Refusal> {
        self.authorize(permission)?;
        let (tenancy, clock) = (self.web.tenancy.clone(), self.web.clock.clone());
        Ok(Lifecycle::new(tenancy, operator, clock))
    }

    /// Whether the policy lets operators do something.
    fn authorize(&self, permission: Permission) -> Result<(), Refusal> {
        match self.web.access.scope_of(Role::Operator, permission) {
            Some(_) => Ok(()),
            None => {
                let detail = "Operators may not do this.";
                Err(refuse(Problem::new(Kind::Forbidden, "FORBIDDEN", detail)))
            }
        }
    }
}

/// The routes, to be nested under `/platform/v1`.
pub fn routes(api: &OperatorApi) -> impl Endpoint<Output = Response> + use<> {
    let operations = (
        tenants::TenantsApi(api.clone()),
        domains::DomainsApi(api.clone()),
        plans::PlansApi(api.clone()),
        migrations::MigrationsApi(api.clone()),
        figures::FiguresApi(api.clone()),
    );
    let service = OpenApiService::new(operations, "Berth for operators", "1.0")
        .description(
            "Tenants from their making to their erasure. Every request carries an operator's key in \
             `X-Operator-Key`, which `berth operator add` makes.",
        )
        .server("/platform/v1");
    let document = service.spec_endpoint();
    let routes = Route::new()
        .at("/openapi.json", document)
        .nest("/", service)
        .data(api.web.clone());
    render_errors(routes)
}
