//! What travels.

use berth_kernel::Secret;
use berth_tenancy::lifecycle::{self, Change, NewTenant, Particulars};
use berth_user::NewAccount;
use berth_web::text::{CurrencyCode, Instant};
use poem_openapi::{Enum, Object, Tags};
use uuid::Uuid;

/// The parts of the API.
#[derive(Tags)]
pub(crate) enum Tag {
    /// Tenants from their making to their erasure.
    Tenants,
    /// What tenants can pay for.
    Plans,
    /// Which versions the tenants' schemas have.
    Migrations,
    /// Figures over all tenants.
    Figures,
}

/// Where a tenant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum Standing {
    /// Not served before its first administrator has an account, in a moment.
    Opening,
    /// Served.
    Active,
    /// Served no more for the time being.
    Suspended,
    /// Served no more, data kept.
    Archived,
    /// To be erased.
    Leaving,
    /// Restored, and not released yet.
    Held,
}

impl Standing {
    const ALL: [Self; 6] = [
        Self::Opening,
        Self::Active,
        Self::Suspended,
        Self::Archived,
        Self::Leaving,
        Self::Held,
    ];

    /// As the registry calls it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Archived => "archived",
            Self::Leaving => "leaving",
            Self::Held => "held",
        }
    }
}

/// A tenant, as operators see it.
#[derive(Debug, Object)]
pub struct Tenant {
    /// Its id.
    pub id: Uuid,
    /// Its name in addresses.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What kind of business it is.
    pub kind: String,
    /// Where it stands.
    pub status: Standing,
    /// What it pays for, by the plan's name.
    pub plan: String,
    /// Which database its schema is in.
    pub node: i16,
    /// IANA zone of its main place.
    pub timezone: String,
    /// ISO 4217 code it prices in.
    pub currency: String,
    /// BCP 47 tag of the language it writes in.
    pub locale: String,
    /// Brand colour, `#rrggbb`.
    pub color: String,
    /// Colour of links and buttons, where it is another.
    #[oai(skip_serializing_if_is_none)]
    pub accent_color: Option<String>,
    /// Address of its logo.
    #[oai(skip_serializing_if_is_none)]
    pub logo_url: Option<String>,
    /// Name on receipts.
    pub legal_name: String,
    /// Address on receipts.
    pub address: String,
    /// Tax number on receipts.
    #[oai(skip_serializing_if_is_none)]
    pub tax_id: Option<String>,
    /// Whether it is migrated before all others.
    pub canary: bool,
    /// The version its schema has.
    pub schema_version: i64,
    /// Why its schema could not be brought to a newer one, if it is in quarantine for that.
    #[oai(skip_serializing_if_is_none)]
    pub quarantine: Option<String>,
    /// Raised by every change.
    pub version: i64,
    /// When it was made.
    pub created_at: Instant,
}

impl From<Particulars> for Tenant {
    fn from(tenant: Particulars) -> Self {
        let status = Standing::ALL
            .into_iter()
            .find(|standing| standing.as_str() == tenant.status)
            .unwrap_or(Standing::Active);
        Self {
            id: tenant.id.uuid(),
            slug: tenant.slug,
            name: tenant.name,
            kind: tenant.kind,
            status,
            plan: tenant.plan,
            node: tenant.node,
            timezone: tenant.timezone,
            currency: tenant.currency,
            locale: tenant.locale,
            color: tenant.color,
            accent_color: tenant.accent_color,
            logo_url: tenant.logo_url,
            legal_name: tenant.legal_name,
            address: tenant.address,
            tax_id: tenant.tax_id,
            canary: tenant.canary,
            schema_version: tenant.schema_version,
            quarantine: tenant.quarantine,
            version: tenant.version,
            created_at: Instant(tenant.created_at),
        }
    }
}

/// Tenants in the order of their names in addresses.
#[derive(Debug, Object)]
pub struct TenantPage {
    /// The tenants.
    pub items: Vec<Tenant>,
    /// What `after` is for the next page; none after the last.
    #[oai(skip_serializing_if_is_none)]
    pub next: Option<String>,
}

/// A tenant to be made.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct CreateRequest {
    /// Its name in addresses: 3 to 40 of a-z, 0-9 and single hyphens.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What kind of business it is: clinic, gym, theatre, …
    pub kind: String,
    /// IANA zone of its main place.
    pub timezone: String,
    /// ISO 4217 code it prices in.
    pub currency: CurrencyCode,
    /// BCP 47 tag of the language it writes in; `en` unless given.
    pub locale: Option<String>,
    /// Brand colour, `#rrggbb`.
    pub color: Option<String>,
    /// Colour of links and buttons, like it; the brand colour unless given.
    pub accent_color: Option<String>,
    /// Address of its logo, `https://…`.
    pub logo_url: Option<String>,
    /// Name on receipts; the name for people unless given.
    pub legal_name: Option<String>,
    /// Address on receipts.
    pub address: Option<String>,
    /// Tax number on receipts.
    pub tax_id: Option<String>,
    /// What it pays for, by the plan's name; the usual one unless given.
    pub plan: Option<String>,
    /// Its first administrator.
    pub admin: AdminRequest,
}

impl CreateRequest {
    pub(crate) fn tenant(&self) -> NewTenant {
        let or =
            |given: &Option<String>, usual: &str| given.clone().unwrap_or_else(|| usual.to_owned());
        NewTenant {
            slug: self.slug.clone(),
            name: self.name.clone(),
            kind: self.kind.clone(),
            timezone: self.timezone.clone(),
            currency: self.currency.0,
            locale: or(&self.locale, "en"),
            color: or(&self.color, "#1f4b99"),
            accent_color: self.accent_color.clone(),
            legal_name: or(&self.legal_name, &self.name),
            address: or(&self.address, ""),
            logo_url: self.logo_url.clone(),
            tax_id: self.tax_id.clone(),
            plan: self.plan.clone(),
            founder: None,
        }
    }
}

/// An administrator to be made.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminRequest {
    /// Address to sign in with.
    pub email: String,
    /// Name.
    pub name: String,
    /// First password.
    pub password: String,
}

impl AdminRequest {
    pub(crate) fn account(&self) -> NewAccount {
        NewAccount {
            email: self.email.clone(),
            password: Secret::new(self.password.clone()),
            name: self.name.clone(),
            phone: None,
            locale: None,
        }
    }
}

/// An administrator that was made.
#[derive(Debug, Object)]
pub struct AdminAnswer {
    /// Its account.
    pub admin_id: Uuid,
}

/// A tenant that was made.
#[derive(Debug, Object)]
pub struct CreatedAnswer {
    /// The tenant.
    pub tenant: Tenant,
    /// Its first API key; shown once.
    pub api_key: String,
    /// Its first administrator.
    pub admin_id: Uuid,
}

/// What is to become different; what is not given stays.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ChangeRequest {
    /// The version it was read at: 409 `VERSION_CONFLICT` if it was changed since. Without it the last change wins.
    pub version: Option<i64>,
    /// Another name in addresses. The present one leads nowhere from then on.
    pub slug: Option<String>,
    /// Its name for people.
    pub name: Option<String>,
    /// Brand colour, `#rrggbb`.
    pub color: Option<String>,
    /// Colour of links and buttons, like it; an empty text makes it the brand colour again.
    pub accent_color: Option<String>,
    /// Address of its logo, `https://…`; an empty text removes it.
    pub logo_url: Option<String>,
    /// BCP 47 tag of the language it writes in.
    pub locale: Option<String>,
    /// ISO 4217 code it prices in; only while nothing has a price yet.
    pub currency: Option<CurrencyCode>,
    /// IANA zone of its main place.
    pub timezone: Option<String>,
    /// Name on receipts.
    pub legal_name: Option<String>,
    /// Address on receipts.
    pub address: Option<String>,
    /// Tax number on receipts; an empty text removes it.
    pub tax_id: Option<String>,
    /// What it pays for, by the plan's name.
    pub plan: Option<String>,
    /// Whether it is migrated before all others.
    pub canary: Option<bool>,
}

impl From<ChangeRequest> for Change {
    fn from(change: ChangeRequest) -> Self {
        Self {
            version: change.version,
            slug: change.slug,
            name: change.name,
            color: change.color,
            accent_color: change.accent_color,
            logo_url: change.logo_url,
            locale: change.locale,
            currency: change.currency.map(|currency| currency.0),
            timezone: change.timezone,
            legal_name: change.legal_name,
            address: change.address,
            tax_id: change.tax_id,
            plan: change.plan,
            canary: change.canary,
        }
    }
}

/// Why a tenant is suspended.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct SuspendRequest {
    /// The reason; audited and told.
    #[oai(validator(min_length = 1, max_length = 500))]
    pub reason: String,
}

/// That a tenant is really to be erased.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct EraseRequest {
    /// The tenant's name in addresses, again.
    pub confirm: String,
}

/// An API key to be made.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct KeyRequest {
    /// What it is for.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub label: String,
}

/// An API key that was made.
#[derive(Debug, Object)]
pub struct KeyAnswer {
    /// The key; shown once.
    pub api_key: String,
}

/// An API key, without the key.
#[derive(Debug, Object)]
pub struct Key {
    /// Its id.
    pub id: Uuid,
    /// What it is for.
    pub label: String,
    /// When it was made.
    pub created_at: Instant,
    /// Since when it opens nothing any more.
    #[oai(skip_serializing_if_is_none)]
    pub revoked_at: Option<Instant>,
}

impl From<lifecycle::ApiKeyEntry> for Key {
    fn from(key: lifecycle::ApiKeyEntry) -> Self {
        Self {
            id: key.id.uuid(),
            label: key.label,
            created_at: Instant(key.created_at),
            revoked_at: key.revoked_at.map(Instant),
        }
    }
}

/// The keys of a tenant.
#[derive(Debug, Object)]
pub struct KeyList {
    /// The keys, newest first.
    pub items: Vec<Key>,
}

/// One step in a tenant's life.
#[derive(Debug, Object)]
pub struct Step {
    /// When.
    pub at: Instant,
    /// Who: `cli:root`, `key:ops`, `user:…`, `sign-up`.
    pub operator: String,
    /// What: `tenant.suspended`.
    pub action: String,
    /// More about it.
    pub detail: serde_json::Value,
}

impl From<lifecycle::AuditEntry> for Step {
    fn from(entry: lifecycle::AuditEntry) -> Self {
        Self {
            at: Instant(entry.at),
            operator: entry.operator,
            action: entry.action,
            detail: entry.detail,
        }
    }
}

/// What was done, to a tenant or to none in particular.
#[derive(Debug, Object)]
pub struct Trail {
    /// The last five hundred steps, newest first.
    pub items: Vec<Step>,
}
