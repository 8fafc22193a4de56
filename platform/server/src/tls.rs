//! What a proxy asks that makes certificates when they are first needed: whether a host is one of ours.

use berth_web::{Host, Web};
use poem::{
    handler,
    http::StatusCode,
    web::{Data, Query},
};

/// The question.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Question {
    domain: String,
}

/// 200 for the platform's host, a tenant's below it, and a host a tenant has proven; else 404, and a
/// certificate for it is nobody's business.
#[handler]
pub(crate) async fn ask(Data(web): Data<&Web>, Query(question): Query<Question>) -> StatusCode {
    let found = match Host::read(&question.domain, &web.host) {
        Host::Own => return served(question.domain.eq_ignore_ascii_case(&web.host)),
        Host::Below(slug) => web.tenant_by_slug(&slug).await,
        Host::Foreign(host) => web.tenant_at(&host).await,
    };
    match found {
        Ok(tenant) => served(tenant.is_some()),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

const fn served(ours: bool) -> StatusCode {
    match ours {
        true => StatusCode::OK,
        false => StatusCode::NOT_FOUND,
    }
}
