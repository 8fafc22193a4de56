//! Payments against a real database, with a provider that only knows accounts.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod accounts;
mod inbox;
mod teller;

use std::sync::Arc;

use berth_kernel::Secret;
use berth_payment::{PaymentSettings, Payments};
use berth_testkit::TestPlatform;

use teller::Teller;

/// A platform whose first tenant has the account `acct_alpha` and whose second has `acct_beta`.
struct Stage {
    platform: TestPlatform,
    teller: Arc<Teller>,
    payments: Payments,
}

impl Stage {
    async fn set() -> Self {
        let platform = TestPlatform::start().await;
        let teller = Arc::new(Teller::default());
        let settings = PaymentSettings {
            application_fee_basis_points: 0,
            webhook_secret: Secret::new("whsec_test"),
            webhook_secret_previous: None,
            publishable_key: "pk_test".to_owned(),
            livemode: false,
        };
        let (tenancy, clock) = (platform.tenancy().clone(), platform.clock().clone());
        let payments = Payments::new(tenancy, teller.clone(), settings, clock);
        let stage = Self {
            platform,
            teller,
            payments,
        };
        for (account, tenant) in [
            ("acct_alpha", stage.platform.alpha()),
            ("acct_beta", stage.platform.beta()),
        ] {
            sqlx::query(
                "INSERT INTO platform.stripe_account (account_id, tenant_id) VALUES ($1, $2)",
            )
            .bind(account)
            .bind(tenant.id.uuid())
            .execute(stage.platform.admin_pool())
            .await
            .unwrap();
        }
        stage
    }
}
