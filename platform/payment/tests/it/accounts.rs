//! What is known of accounts, and what looking at one does to what is remembered of other tenants.

use berth_access::{Actor, Person, Role};
use berth_kernel::{SessionTokenId, UserId};
use berth_tenancy::TenantKey;

use crate::Stage;

#[tokio::test]
async fn an_account_that_moved_is_seen_and_no_other_tenant_is_forgotten_for_it() {
    let stage = Stage::set().await;
    let platform = &stage.platform;
    let registry = platform.tenancy().registry();
    let (alpha, beta) = (platform.alpha(), platform.beta());
    for tenant in [&alpha, &beta] {
        registry.refresh(tenant.id).await.unwrap();
    }
    let admin = Actor::User {
        id: UserId::new(),
        role: Role::Admin,
        session: SessionTokenId::new(),
        person: Person {
            name: "Ada".into(),
            email: "ada@example.test".into(),
            locale: "en".into(),
        },
    };
    // Of what is remembered this is nothing: whoever looks again sees it.
    sqlx::query("UPDATE platform.tenant SET name = 'Renamed unheard' WHERE id = $1")
        .bind(beta.id.uuid())
        .execute(platform.admin_pool())
        .await
        .unwrap();
    let state = stage
        .payments
        .refresh_account(&platform.context(&alpha, admin))
        .await
        .unwrap();
    assert!(state.charges_enabled);
    let found = async |id| registry.find(&TenantKey::Id(id)).await.unwrap().unwrap();
    let account = found(alpha.id).await.tenant.account.clone();
    assert!(account.is_some_and(|account| account.charges_enabled));
    assert_eq!(found(beta.id).await.tenant.name, beta.name);
}
