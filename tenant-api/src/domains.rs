//! Hosts of the business's own.

use berth_access::{Context, Permission};
use berth_kernel::Problem;
use berth_tenancy::{
    domains::{self, State},
    lifecycle::Operator,
};
use berth_web::{Asker, Refusal, refuse, text::Instant};
use poem_openapi::{Enum, Object, OpenApi, param::Path, payload::Json};
use uuid::Uuid;

use crate::{Api, shared::Tag};

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

/// A host of the business's own.
#[derive(Debug, Object)]
pub struct Domain {
    /// Its id.
    pub id: Uuid,
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
            id: domain.id,
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

/// The business's hosts.
#[derive(Debug, Object)]
pub struct DomainList {
    /// The hosts, by name.
    pub items: Vec<Domain>,
}

/// A host to be claimed.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ClaimRequest {
    /// The host, as in `book.example.com`.
    #[oai(validator(min_length = 1, max_length = 254))]
    pub host: String,
}

/// The operations.
pub(crate) struct DomainsApi(pub(crate) Api);

#[OpenApi(tag = "Tag::Domains")]
impl DomainsApi {
    /// List the business's own hosts.
    #[oai(path = "/domains", method = "get", operation_id = "list_domains")]
    async fn list(&self, asker: Asker) -> Result<Json<DomainList>, Refusal> {
        let ctx = manage(asker)?;
        let found = self.0.domains.list(ctx.tenant.id).await.map_err(refuse)?;
        let items = found.into_iter().map(Into::into).collect();
        Ok(Json(DomainList { items }))
    }

    /// Claim a host. It is served once the TXT record is seen in DNS.
    #[oai(path = "/domains", method = "post", operation_id = "claim_domain")]
    async fn claim(&self, asker: Asker, body: Json<ClaimRequest>) -> Result<Json<Domain>, Refusal> {
        let ctx = manage(asker)?;
        let (domains, by) = (&self.0.domains, who(&ctx));
        let claimed = domains.claim(ctx.tenant.id, &body.host, &by, &ctx.clock);
        Ok(Json(claimed.await.map_err(refuse)?.into()))
    }

    /// Look for a host's record in DNS now.
    #[oai(
        path = "/domains/:id/verify",
        method = "post",
        operation_id = "verify_domain"
    )]
    async fn verify(&self, asker: Asker, id: Path<Uuid>) -> Result<Json<Domain>, Refusal> {
        let ctx = manage(asker)?;
        let looked = self.0.domains.verify(ctx.tenant.id, id.0, &ctx.clock).await;
        let domain = looked.map_err(refuse)?;
        let domain = domain.ok_or_else(|| refuse(Problem::not_found()))?;
        Ok(Json(domain.into()))
    }

    /// Give a host up: it is served no more.
    #[oai(
        path = "/domains/:id",
        method = "delete",
        operation_id = "give_up_domain"
    )]
    async fn give_up(&self, asker: Asker, id: Path<Uuid>) -> Result<Json<DomainList>, Refusal> {
        let ctx = manage(asker)?;
        let (domains, by) = (&self.0.domains, who(&ctx));
        let gone = domains.give_up(ctx.tenant.id, id.0, &by).await;
        if !gone.map_err(refuse)? {
            return Err(refuse(Problem::not_found()));
        }
        let left = self.0.domains.list(ctx.tenant.id).await.map_err(refuse)?;
        let items = left.into_iter().map(Into::into).collect();
        Ok(Json(DomainList { items }))
    }
}

fn manage(asker: Asker) -> Result<Context, Refusal> {
    let ctx = asker.context();
    ctx.authorize(Permission::DomainManage).map_err(refuse)?;
    Ok(ctx)
}

/// Who asks, as the audit trail names them.
fn who(ctx: &Context) -> Operator {
    Operator(ctx.actor.to_string())
}
