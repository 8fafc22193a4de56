//! Clearing away what is kept for a time only.

use std::time::Duration;

use berth_messaging::inbox;
use berth_onboarding::Onboarding;
use berth_payment::Payments;
use berth_tenancy::{Tenancy, Tenant, idempotency};
use berth_user::Users;
use tokio_util::sync::CancellationToken;

/// How often; the first time when the process starts.
const ROUND: Duration = Duration::from_secs(3_600);

/// Who keeps rows in the shared tables for a time.
pub(crate) struct Shared {
    pub(crate) payments: Payments,
    pub(crate) users: Users,
    pub(crate) onboarding: Onboarding,
}

/// Clears away, until cancelled. Two who do it at once do no harm.
pub(crate) async fn run(tenancy: Tenancy, shared: Shared, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = round(&tenancy, &shared).await {
            tracing::warn!(
                error = berth_kernel::chain(&*error),
                "old rows were not cleared away, will try again: {error}"
            );
        }
        tokio::select! {
            () = tokio::time::sleep(ROUND) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn round(tenancy: &Tenancy, shared: &Shared) -> anyhow::Result<()> {
    shared.payments.forget_webhooks().await?;
    shared.users.forget_revocations().await?;
    shared.onboarding.forget_old().await?;
    for id in tenancy.registry().active().await? {
        if let Some(tenant) = tenancy.registry().get(id).await?
            && let Err(error) = clear(tenancy, &tenant).await
        {
            tracing::warn!(tenant_id = %id, error = berth_kernel::chain(&error), "old rows of {id} stay for now: {error}");
        }
    }
    Ok(())
}

async fn clear(tenancy: &Tenancy, tenant: &Tenant) -> Result<(), berth_tenancy::Error> {
    let mut tx = tenancy.begin(tenant).await?;
    let answers = idempotency::forget_old(&mut tx).await?;
    let events = inbox::forget_old(&mut tx).await?;
    tx.commit().await?;
    if answers + events > 0 {
        tracing::info!(tenant_id = %tenant.id, answers, events, "old rows cleared away");
    }
    Ok(())
}
