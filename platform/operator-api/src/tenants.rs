//! Tenants from their making to their erasure.

use berth_access::Permission;
use berth_kernel::{ApiKeyId, Problem};
use berth_tenancy::lifecycle::{Filter, Lifecycle};
use berth_web::{Refusal, refuse};
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{
    OperatorApi, OperatorScheme,
    shapes::{
        AdminAnswer, AdminRequest, ChangeRequest, CreateRequest, CreatedAnswer, EraseRequest, Key,
        KeyAnswer, KeyList, KeyRequest, Standing, Step, SuspendRequest, Tag, Tenant, TenantPage,
        Trail,
    },
};

/// Most tenants of a page.
const MAX_LIMIT: u16 = 100;

/// The operations.
pub(crate) struct TenantsApi(pub(crate) OperatorApi);

#[OpenApi(tag = "Tag::Tenants")]
impl TenantsApi {
    /// Tenants in the order of their names in addresses.
    #[oai(path = "/tenants", method = "get", operation_id = "list_tenants")]
    async fn list(
        &self,
        operator: OperatorScheme,
        /// The name in addresses after which the page begins.
        after: Query<Option<String>>,
        /// How many at most: 1 to 100, 20 unless given.
        limit: Query<Option<u16>>,
        /// Only those of this standing.
        status: Query<Option<Standing>>,
        /// Only those that pay for the plan of this name.
        plan: Query<Option<String>>,
        /// Only those whose schema is in quarantine, or is not.
        quarantined: Query<Option<bool>>,
    ) -> Result<Json<TenantPage>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantRead)?;
        let limit = limit.0.unwrap_or(20);
        if !(1..=MAX_LIMIT).contains(&limit) {
            let detail = "Must be between 1 and 100.";
            return Err(refuse(Problem::field("limit", "OUT_OF_RANGE", detail)));
        }
        let filter = Filter {
            status: status.0.map(|status| status.as_str().to_owned()),
            plan: plan.0,
            quarantined: quarantined.0,
        };
        let after = after.0.unwrap_or_default();
        let found = lifecycle.list(&filter, &after, limit).await;
        let items: Vec<Tenant> = found.map_err(refuse)?.into_iter().map(Into::into).collect();
        let full = items.len() == usize::from(limit);
        let next = items.last().filter(|_| full).map(|last| last.slug.clone());
        Ok(Json(TenantPage { items, next }))
    }

    /// Make a tenant, with its first API key and administrator.
    #[oai(path = "/tenants", method = "post", operation_id = "create_tenant")]
    async fn create(
        &self,
        operator: OperatorScheme,
        body: Json<CreateRequest>,
    ) -> Result<Json<CreatedAnswer>, Refusal> {
        let lifecycle = self.0.act(operator.0.clone(), Permission::TenantManage)?;
        let (onboarding, admin) = (&self.0.onboarding, body.admin.account());
        let founded = onboarding.found(body.tenant(), &admin, operator.0).await;
        let founded = founded.map_err(refuse)?;
        Ok(Json(CreatedAnswer {
            tenant: show(&lifecycle, &body.slug).await?.0,
            // Shown once, to whoever made the tenant; kept as a hash only.
            api_key: founded.api_key.expose().to_owned(),
            admin_id: founded.admin_id.uuid(),
        }))
    }

    /// One tenant.
    #[oai(path = "/tenants/:slug", method = "get", operation_id = "get_tenant")]
    async fn get(
        &self,
        operator: OperatorScheme,
        /// Its name in addresses.
        slug: Path<String>,
    ) -> Result<Json<Tenant>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantRead)?;
        show(&lifecycle, &slug).await
    }

    /// Change a tenant's names, brand, legal data or plan.
    #[oai(
        path = "/tenants/:slug",
        method = "patch",
        operation_id = "change_tenant"
    )]
    async fn change(
        &self,
        operator: OperatorScheme,
        /// Its name in addresses, as it is now.
        slug: Path<String>,
        body: Json<ChangeRequest>,
    ) -> Result<Json<Tenant>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantManage)?;
        let changed = lifecycle.change(&slug, &body.0.into()).await;
        Ok(Json(changed.map_err(refuse)?.into()))
    }

    /// Serve a tenant no more for the time being.
    #[oai(
        path = "/tenants/:slug/suspend",
        method = "post",
        operation_id = "suspend_tenant"
    )]
    async fn suspend(
        &self,
        operator: OperatorScheme,
        /// Its name in addresses.
        slug: Path<String>,
        body: Json<SuspendRequest>,
    ) -> Result<Json<Tenant>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantManage)?;
        lifecycle
            .suspend(&slug, &body.reason)
            .await
            .map_err(refuse)?;
        show(&lifecycle, &slug).await
    }

    /// Serve a suspended or archived tenant again.
    #[oai(
        path = "/tenants/:slug/resume",
        method = "post",
        operation_id = "resume_tenant"
    )]
    async fn resume(
        &self,
        operator: OperatorScheme,
        /// Its name in addresses.
        slug: Path<String>,
    ) -> Result<Json<Tenant>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantManage)?;
        lifecycle.resume(&slug).await.map_err(refuse)?;
        show(&lifecycle, &slug).await
    }

    /// Let a restored tenant be served, and what it owes be sent.
    #[oai(
        path = "/tenants/:slug/release",
        method = "post",
        operation_id = "release_tenant"
    )]
    async fn release(
        &self,
        operator: OperatorScheme,
        /// Its name in addresses.
        slug: Path<String>,
    ) -> Result<Json<Tenant>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantManage)?;
        lifecycle.release(&slug).await.map_err(refuse)?;
        show(&lifecycle, &slug).await
    }

    /// Put a tenant to rest: it is served no more, its data is kept.
    #[oai(
        path = "/tenants/:slug/archive",
        method = "post",
        operation_id = "archive_tenant"
    )]
    async fn archive(
        &self,
        operator: OperatorScheme,
        /// Its name in addresses.
        slug: Path<String>,
    ) -> Result<Json<Tenant>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantManage)?;
        lifecycle.archive(&slug).await.map_err(refuse)?;
        show(&lifecycle, &slug).await
    }

    /// Have an archived tenant and all its data erased. Nothing brings them back.
    #[oai(
        path = "/tenants/:slug/erase",
        method = "post",
        operation_id = "erase_tenant"
    )]
    async fn erase(
        &self,
        operator: OperatorScheme,
        /// Its name in addresses.
        slug: Path<String>,
        body: Json<EraseRequest>,
    ) -> Result<Json<Tenant>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantErase)?;
        if body.confirm != slug.0 {
            let detail = "Must repeat the tenant's name in addresses.";
            return Err(refuse(Problem::field("confirm", "NOT_CONFIRMED", detail)));
        }
        lifecycle.erase(&slug).await.map_err(refuse)?;
        show(&lifecycle, &slug).await
    }

    /// What was erased with a tenant that is gone.
    #[oai(
        path = "/erased/:slug",
        method = "get",
        operation_id = "get_certificate"
    )]
    async fn certificate(
        &self,
        operator: OperatorScheme,
        /// The name in addresses it had.
        slug: Path<String>,
    ) -> Result<Json<serde_json::Value>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantRead)?;
        let certificate = lifecycle.certificate(&slug).await.map_err(refuse)?;
        Ok(Json(serde_json::json!(certificate)))
    }

    /// What was done to a tenant and by whom, newest first; of one that is gone too.
    #[oai(
        path = "/tenants/:slug/audit",
        method = "get",
        operation_id = "list_audit"
    )]
    async fn audit(
        &self,
        operator: OperatorScheme,
        /// Its name in addresses.
        slug: Path<String>,
    ) -> Result<Json<Trail>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantRead)?;
        let items = lifecycle.trail(&slug).await.map_err(refuse)?;
        let items = items.into_iter().map(Step::from).collect();
        Ok(Json(Trail { items }))
    }

    /// What was done to no tenant in particular: operators' keys, plans, migrations.
    #[oai(path = "/audit", method = "get", operation_id = "list_platform_audit")]
    async fn platform_audit(&self, operator: OperatorScheme) -> Result<Json<Trail>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantRead)?;
        let items = lifecycle.platform_trail().await.map_err(refuse)?;
        let items = items.into_iter().map(Step::from).collect();
        Ok(Json(Trail { items }))
    }

    /// Make a further administrator of a tenant.
    #[oai(
        path = "/tenants/:slug/administrators",
        method = "post",
        operation_id = "add_administrator"
    )]
    async fn add_administrator(
        &self,
        operator: OperatorScheme,
        /// The tenant's name in addresses.
        slug: Path<String>,
        body: Json<AdminRequest>,
    ) -> Result<Json<AdminAnswer>, Refusal> {
        self.0.authorize(Permission::TenantManage)?;
        let onboarding = &self.0.onboarding;
        let added = onboarding.add_administrator(&slug, body.account(), operator.0);
        let admin_id = added.await.map_err(refuse)?.uuid();
        Ok(Json(AdminAnswer { admin_id }))
    }

    /// The API keys of a tenant, without the keys.
    #[oai(
        path = "/tenants/:slug/api-keys",
        method = "get",
        operation_id = "list_api_keys"
    )]
    async fn keys(
        &self,
        operator: OperatorScheme,
        /// Its name in addresses.
        slug: Path<String>,
    ) -> Result<Json<KeyList>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantRead)?;
        let keys = lifecycle.api_keys(&slug).await.map_err(refuse)?;
        let items = keys.into_iter().map(Key::from).collect();
        Ok(Json(KeyList { items }))
    }

    /// Make a further API key of a tenant.
    #[oai(
        path = "/tenants/:slug/api-keys",
        method = "post",
        operation_id = "create_api_key"
    )]
    async fn create_key(
        &self,
        operator: OperatorScheme,
        /// Its name in addresses.
        slug: Path<String>,
        body: Json<KeyRequest>,
    ) -> Result<Json<KeyAnswer>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantManage)?;
        let key = lifecycle.create_api_key(&slug, &body.label).await;
        // Shown once, to whoever asked for it; kept as a hash only.
        let api_key = key.map_err(refuse)?.expose().to_owned();
        Ok(Json(KeyAnswer { api_key }))
    }

    /// Let an API key open nothing any more.
    #[oai(
        path = "/tenants/:slug/api-keys/:id/revoke",
        method = "post",
        operation_id = "revoke_api_key"
    )]
    async fn revoke_key(
        &self,
        operator: OperatorScheme,
        /// The tenant's name in addresses.
        slug: Path<String>,
        /// The key's id.
        id: Path<Uuid>,
    ) -> Result<Json<KeyList>, Refusal> {
        let lifecycle = self.0.act(operator.0, Permission::TenantManage)?;
        let id = ApiKeyId::from(id.0);
        lifecycle.revoke_api_key(&slug, id).await.map_err(refuse)?;
        let keys = lifecycle.api_keys(&slug).await.map_err(refuse)?;
        if !keys.iter().any(|key| key.id == id) {
            return Err(refuse(Problem::not_found()));
        }
        let items = keys.into_iter().map(Key::from).collect();
        Ok(Json(KeyList { items }))
    }
}

async fn show(lifecycle: &Lifecycle, slug: &str) -> Result<Json<Tenant>, Refusal> {
    let found = lifecycle.particulars(slug).await.map_err(refuse)?;
    Ok(Json(found.into()))
}
