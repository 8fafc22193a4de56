//! Hosts of tenants' own.

use berth_access::Permission;
use berth_kernel::Problem;
use berth_tenancy::{
    domains::{self, State},
    lifecycle::Lifecycle,
};
use berth_web::{Refusal, refuse, text::Instant};
use poem_openapi::{Enum, Object, OpenApi, param::Path, payload::Json};

use crate::{OperatorApi, OperatorScheme, shapes::Tag};

/// Where a host stands.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
pub enum DomainState {
    /// Not proven yet.
    Pending,
    /// Proven, and served.
    Verified,
    /// The proof is gone; served for some days yet.
    Failing,
}

/// A host of a tenant's own.
#[derive(Debug, Object)]
pub struct Domain {
    /// The host.
    pub host: String,
    /// Where it stands.
    pub state: DomainState,
    /// Since when.
    pub since: Instant,
    /// Name of the TXT record that proves it.
    pub record: String,
    /// What has to stand in the record.
    pub token: String,
    /// What was wrong when it was last looked at.
    #[oai(skip_serializing_if_is_none)]
    pub last_error: Option<String>,
}

impl From<domains::Domain> for Domain {
    fn from(domain: domains::Domain) -> Self {
        Self {
            record: domain.record(),
            host: domain.host,
            state: match domain.state {
                State::Pending => DomainState::Pending,
                State::Verified => DomainState::Verified,
                State::Failing => DomainState::Failing,
            },
            since: Instant(domain.since),
            token: domain.token,
            last_error: domain.last_error,
        }
    }
}

/// The hosts of a tenant.
#[derive(Debug, Object)]
pub struct DomainList {
    /// The hosts, by name.
    pub items: Vec<Domain>,
}

/// The operations.
pub(crate) struct DomainsApi(pub(crate) OperatorApi);

#[OpenApi(tag = "Tag::Tenants")]
impl DomainsApi {
    /// The hosts of a tenant's own, with what is wrong with each.
    #[oai(
        path = "/tenants/:slug/domains",
        method = "get",
        operation_id = "list_domains"
    )]
    async fn list(
        &self,
        operator: OperatorScheme,
        /// Its name in addresses.
        slug: Path<String>,
    ) -> Result<Json<DomainList>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantRead)?;
        listed(&lifecycle, &slug).await
    }

    /// Give a host of a tenant's own up: it is served there no more.
    #[oai(
        path = "/tenants/:slug/domains/:host",
        method = "delete",
        operation_id = "give_up_domain"
    )]
    async fn give_up(
        &self,
        operator: OperatorScheme,
        /// The tenant's name in addresses.
        slug: Path<String>,
        /// The host.
        host: Path<String>,
    ) -> Result<Json<DomainList>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantManage)?;
        let gone = lifecycle.give_up_domain(&slug, &host).await;
        if !gone.map_err(refuse)? {
            return Err(refuse(Problem::not_found()));
        }
        listed(&lifecycle, &slug).await
    }
}

async fn listed(lifecycle: &Lifecycle, slug: &str) -> Result<Json<DomainList>, Refusal> {
    let found = lifecycle.domains(slug).await.map_err(refuse)?;
    let items = found.into_iter().map(Into::into).collect();
    Ok(Json(DomainList { items }))
}
