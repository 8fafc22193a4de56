//! A tenant as requests see it, and the ways to name one.

use std::sync::Arc;

use berth_kernel::{Currency, TenantId};

use crate::NodeId;

/// A business that signed up. Held in `Arc`s by the registry's cache: a snapshot, never changed
/// in place.
#[derive(Debug)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name in addresses: `{slug}.host`.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What kind of business it is.
    pub kind: String,
    /// Whether requests are served.
    pub active: bool,
    /// Whether it was restored and not released yet, or is to be erased: nothing is handled or sent for
    /// it.
    pub held: bool,
    /// IANA zone of its main place.
    pub timezone: String,
    /// The currency it prices in.
    pub currency: Currency,
    /// BCP 47 tag of the language it writes in.
    pub locale: String,
    /// Brand colour, `#rrggbb`.
    pub color: String,
    /// Colour of links and buttons, where it is another.
    pub accent_color: Option<String>,
    /// Name on receipts.
    pub legal_name: String,
    /// Address on receipts.
    pub address: String,
    /// Address of its logo.
    pub logo_url: Option<String>,
    /// Tax number on receipts.
    pub tax_id: Option<String>,
    /// How much of the machines it may take.
    pub allowance: Allowance,
    /// The connected payment account.
    pub account: Option<PaymentAccount>,
    /// How often its data was put back to an earlier state; see [`crate::data`].
    pub timeline: u32,
    /// The version its schema had when it was looked up. It may have been brought further since; brought
    /// back it is only by a restore, to a timeline of its own, whose tenant this is not. Code that needs
    /// what a release's file adds asks here, and does without until it is there.
    pub schema_version: i64,
    /// Schema and role.
    pub(crate) role: Arc<str>,
    /// Where its schema is.
    pub(crate) node: NodeId,
    /// Which pool of logins may take on the role.
    pub(crate) bucket: u16,
    /// The ready-made message that begins a transaction in the tenant's schema.
    pub(crate) begin: Arc<str>,
}

/// How much of the machines a tenant may take, by its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Requests a second of each server, on average; twice as many in one second.
    pub requests_per_second: u32,
    /// Requests answered at once by each server.
    pub concurrent_requests: u32,
    /// Events handled at once by each worker's consumer.
    pub concurrent_events: u32,
}

/// A tenant's account at the payment provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentAccount {
    /// The provider's id, as in `acct_…`.
    pub id: String,
    /// Whether it may take money.
    pub charges_enabled: bool,
    /// Whether its money reaches a bank.
    pub payouts_enabled: bool,
}

impl Tenant {
    /// Colour of links and buttons, `#rrggbb`.
    #[must_use]
    pub fn accent(&self) -> &str {
        self.accent_color.as_deref().unwrap_or(&self.color)
    }

    /// Name of the tenant's schema and role; opaque.
    #[must_use]
    pub fn role(&self) -> &str {
        &self.role
    }

    /// The same, shared: a key for what is cached per tenant.
    #[must_use]
    pub fn role_name(&self) -> Arc<str> {
        Arc::clone(&self.role)
    }
}

/// How a request names its tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TenantKey {
    /// By the name in the address.
    Slug(String),
    /// By a host of its own.
    Host(String),
    /// By id, as jobs and tokens carry it.
    Id(TenantId),
    /// By the SHA-256 of an API key.
    ApiKey([u8; 32]),
}

/// Whether a role of the database is some tenant's, by its name: `t_` and twelve small letters or digits.
#[must_use]
pub fn is_tenant_role(role: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    role.strip_prefix("t_")
        .is_some_and(|rest| rest.len() == 12 && rest.bytes().all(sign))
}

/// The message that begins a transaction as `role`. Everything is transaction-local: after COMMIT
/// or ROLLBACK the connection is as bare as before. The limits on time are the login's own: taking on
/// a role changes none of its settings.
pub(crate) fn begin_message(role: &str) -> Arc<str> {
    debug_assert!(
        role.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    );
    format!("BEGIN; SET LOCAL ROLE {role}; SET LOCAL search_path = {role}, public, pg_temp").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenants_role_is_known_by_its_name() {
        assert!(is_tenant_role("t_abc123abc123"));
        for other in [
            "t_admin",
            "t_ABC123abc123",
            "t_abc123abc1234",
            "berth_platform",
            "",
        ] {
            assert!(!is_tenant_role(other), "{other}");
        }
    }

    #[test]
    fn the_begin_message_names_the_role_in_every_setting() {
        let message = begin_message("t_abc123abc123");
        assert!(message.contains("SET LOCAL ROLE t_abc123abc123"));
        assert!(message.contains("search_path = t_abc123abc123, public, pg_temp"));
    }
}
