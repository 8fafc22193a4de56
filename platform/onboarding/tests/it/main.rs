//! The way in, on a real database: one module a theme.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod found;
mod sign_up;

use berth_kernel::Secret;
use berth_onboarding::Onboarding;
use berth_tenancy::lifecycle::{NewTenant, Operator};
use berth_testkit::TestPlatform;
use berth_user::{NewAccount, Users};
use tokio_util::sync::CancellationToken;

const PASSWORD: &str = "correct horse battery";

fn onboarding(platform: &TestPlatform) -> Onboarding {
    let users = Users::new(platform.tenancy().clone(), platform.tokens());
    Onboarding::new(platform.tenancy().clone(), users, platform.clock().clone())
}

fn ops() -> Operator {
    Operator("key:ops".to_owned())
}

fn gym(slug: &str) -> NewTenant {
    NewTenant {
        slug: slug.into(),
        name: "Gamma Gym".into(),
        kind: "gym".into(),
        timezone: "Asia/Kathmandu".into(),
        currency: "INR".parse().unwrap(),
        locale: "ne".into(),
        color: "#1f4b99".into(),
        legal_name: "Gamma Gym".into(),
        address: String::new(),
        accent_color: None,
        logo_url: None,
        tax_id: None,
        plan: None,
        founder: None,
    }
}

fn owner(email: &str) -> NewAccount {
    NewAccount {
        email: email.into(),
        password: Secret::new(PASSWORD),
        name: "Maya".into(),
        phone: None,
        locale: None,
    }
}

/// Standing of a tenant.
async fn status(platform: &TestPlatform, slug: &str) -> Option<String> {
    sqlx::query_scalar("SELECT status FROM platform.tenant WHERE slug = $1")
        .bind(slug)
        .fetch_optional(platform.admin_pool())
        .await
        .unwrap()
}

/// The accounts of a tenant that is served: address and role.
async fn accounts(platform: &TestPlatform, slug: &str) -> Vec<(String, String)> {
    let key = berth_tenancy::TenantKey::Slug(slug.to_owned());
    platform.tenancy().registry().forget();
    let found = platform.tenancy().registry().find(&key).await.unwrap();
    let mut tx = platform
        .tenancy()
        .begin(&found.unwrap().tenant)
        .await
        .unwrap();
    sqlx::query_as("SELECT email, role FROM account ORDER BY email")
        .fetch_all(tx.conn())
        .await
        .unwrap()
}

/// Makes every further account fail, as if whoever makes it had been killed before.
async fn break_accounts(platform: &TestPlatform, broken: bool) {
    let sql = if broken {
        "DO $$ DECLARE s text; BEGIN
           FOR s IN SELECT nspname FROM pg_namespace WHERE nspname ~ '^t_[a-z0-9]{12}$' LOOP
             EXECUTE format('ALTER TABLE %I.account ADD CONSTRAINT broken CHECK (false) NOT VALID', s);
           END LOOP; END $$"
    } else {
        "DO $$ DECLARE s text; BEGIN
           FOR s IN SELECT nspname FROM pg_namespace WHERE nspname ~ '^t_[a-z0-9]{12}$' LOOP
             EXECUTE format('ALTER TABLE %I.account DROP CONSTRAINT broken', s);
           END LOOP; END $$"
    };
    sqlx::raw_sql(sql)
        .execute(platform.admin_pool())
        .await
        .unwrap();
}

/// Does in the background what a worker does for tenants left half-way, until dropped.
struct Sweeping(CancellationToken);

impl Sweeping {
    fn start(platform: &TestPlatform) -> Self {
        let stop = CancellationToken::new();
        let (onboarding, stopped) = (onboarding(platform), stop.clone());
        tokio::spawn(async move { onboarding.run(stopped).await });
        Self(stop)
    }
}

impl Drop for Sweeping {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
