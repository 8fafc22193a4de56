//! The table `platform.stripe_account`: the tenants' accounts at the provider, as last heard.

use berth_kernel::TenantId;
use berth_tenancy::PlatformTx;
use sqlx::types::Json;

use super::Result;
use crate::{AccountState, provider::Account};

/// How far a tenant's account is; none before it is opened.
pub(crate) async fn account(tx: &mut PlatformTx, tenant: TenantId) -> Result<Option<AccountState>> {
    let row = sqlx::query!(
        r#"SELECT account_id, charges_enabled, payouts_enabled, details_submitted,
                  requirements AS "requirements: Json<Vec<String>>"
           FROM platform.stripe_account WHERE tenant_id = $1"#,
        tenant.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| AccountState {
        account_id: Some(row.account_id),
        charges_enabled: row.charges_enabled,
        payouts_enabled: row.payouts_enabled,
        details_submitted: row.details_submitted,
        requirements: row.requirements.0,
    }))
}

/// Whose account it is.
pub(crate) async fn owner_of(tx: &mut PlatformTx, account: &str) -> Result<Option<TenantId>> {
    let tenant = sqlx::query_scalar!(
        "SELECT tenant_id FROM platform.stripe_account WHERE account_id = $1",
        account,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(tenant.map(TenantId::from))
}

/// Writes down what the provider says of a tenant's account. A tenant keeps the account it opened
/// first.
pub(crate) async fn save_account(
    tx: &mut PlatformTx,
    tenant: TenantId,
    account: &Account,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO platform.stripe_account (account_id, tenant_id, charges_enabled, payouts_enabled,
             details_submitted, requirements, livemode)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id) DO UPDATE SET charges_enabled = excluded.charges_enabled,
             payouts_enabled = excluded.payouts_enabled, details_submitted = excluded.details_submitted,
             requirements = excluded.requirements, updated_at = clock_timestamp()
         WHERE stripe_account.account_id = excluded.account_id",
        account.id,
        tenant.uuid(),
        account.charges_enabled,
        account.payouts_enabled,
        account.details_submitted,
        Json(&account.requirements) as _,
        account.livemode,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Asks about an account as late as if it had just been heard of.
pub(crate) async fn put_off(tx: &mut PlatformTx, tenant: TenantId) -> Result<()> {
    sqlx::query!(
        "UPDATE platform.stripe_account SET updated_at = clock_timestamp() WHERE tenant_id = $1",
        tenant.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Accounts that may not do everything yet and were not heard of for two minutes, or, when they
/// are older, for a quarter of their age: who gave up is asked about ever more rarely.
pub(crate) async fn unfinished(tx: &mut PlatformTx) -> Result<Vec<(TenantId, String)>> {
    let rows = sqlx::query!(
        "SELECT tenant_id, account_id FROM platform.stripe_account
         WHERE NOT (charges_enabled AND payouts_enabled)
           AND updated_at < clock_timestamp() - greatest(interval '2 minutes', (updated_at - created_at) / 4)
         ORDER BY updated_at LIMIT 20",
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.tenant_id.into(), row.account_id))
        .collect())
}
