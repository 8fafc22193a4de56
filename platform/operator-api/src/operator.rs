//! The operator, proven by a key.

use berth_kernel::{Kind, Problem};
use berth_tenancy::lifecycle::Operator;
use berth_web::{Web, refuse};
use poem::Request;
use poem_openapi::{SecurityScheme, auth::ApiKey};

/// An operator's key.
#[derive(SecurityScheme)]
#[oai(
    rename = "operator_key",
    ty = "api_key",
    key_name = "X-Operator-Key",
    key_in = "header",
    checker = "check"
)]
pub struct OperatorScheme(pub Operator);

async fn check(request: &Request, key: ApiKey) -> poem::Result<Operator> {
    let web = request.data::<Web>().ok_or_else(|| {
        poem::Error::from_string(
            "the server is not wired",
            poem::http::StatusCode::INTERNAL_SERVER_ERROR,
        )
    })?;
    let operator = web.tenancy.operator_of(&key.key).await.map_err(refuse)?;
    let unknown = || {
        let detail = "This is no operator's key, or one that was revoked.";
        refuse(Problem::new(
            Kind::Unauthenticated,
            "OPERATOR_KEY_INVALID",
            detail,
        ))
    };
    Ok(operator.ok_or_else(unknown)?)
}
