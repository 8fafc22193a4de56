//! What was put back from an export does nothing of its own accord until somebody releases it.

use berth_devkit::{
    Tenant,
    demo::{self, Client},
    environment::Role,
    mailbox::Filter,
};
use serde_json::{Value, json};

use crate::{
    backoffice::resource,
    calendar_host::Host,
    house::House,
    shop::{self, Checkout, until},
    wait::once,
};

/// Lets a resource of the tenant read a calendar outside.
async fn attach(tenant: &Tenant, host: &Host) {
    host.is_busy("\"one\"", &[]);
    let admin = Client::sign_in(tenant, &tenant.admin).await.unwrap();
    let ada = resource(&admin, "staff", "Ada").await;
    let path = format!("/v1/resources/{ada}/external-calendars");
    let calendar = json!({ "name": "Private", "url": host.url() });
    admin.post(&path, &calendar).await.unwrap();
    once("read", async || host.asked() > 0).await;
}

/// Mails to a tenant's customer.
fn mails(house: &House, tenant: &Tenant) -> usize {
    let to = Filter {
        to: Some(tenant.customer.email.clone()),
        ..Filter::default()
    };
    house.mailbox.messages(&to).len()
}

/// Webhooks of the tenant that wait for its release.
async fn waiting(house: &House, tenant: &Tenant) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM platform.webhook_inbox w
         JOIN platform.stripe_account s ON s.account_id = w.account
         JOIN platform.tenant t ON t.id = s.tenant_id
         WHERE t.slug = '{}' AND w.state = 'waiting' AND w.last_error LIKE '%held until it is released%'",
        tenant.slug
    );
    house.count(tenant, &sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_tenant_sends_nothing_and_takes_nothing_until_it_is_released() {
    let mut house = House::with(&[("BERTH_CALENDAR_SECONDS", "1")]).await;
    let (clinic, gym) = (house.clinic().clone(), house.gym().clone());
    let (of_clinic, of_gym) = (Host::open().await, Host::open().await);
    attach(&clinic, &of_clinic).await;
    attach(&gym, &of_gym).await;
    let customer = Client::sign_in(&gym, &gym.customer).await.unwrap();
    let wish = shop::first_session(&gym).await;
    // One that can be paid at the provider, and one that nobody has heard of yet.
    let first = customer.post("/v1/bookings", &wish).await.unwrap();
    let first = first["id"].as_str().unwrap();
    let payment = shop::payable(&customer, first).await;
    house.stop(Role::Worker).await;
    let second = customer.post("/v1/bookings", &wish).await.unwrap();
    let second = second["id"].as_str().unwrap();
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("export");
    let folder = folder.to_str().unwrap();
    let slug = gym.slug.as_str();
    for arguments in [
        &["tenant", "export", "--slug", slug, "--to", folder][..],
        &["tenant", "suspend", "--slug", slug, "--reason", "restore"],
        &["tenant", "restore", "--from", folder, "--into", slug],
    ] {
        house.berth(arguments).await.unwrap();
    }

    let (asked, written) = (of_gym.asked(), mails(&house, &gym));
    house.start(Role::Worker).await;
    let paid = Checkout::at(&house).pay(&payment, "pm_card_visa").await;
    assert_eq!(paid, 200);
    once("held back", async || waiting(&house, &gym).await > 0).await;
    // The neighbour's calendar is read and its customer written to, by the same worker at the same time.
    let so_far = of_clinic.asked();
    demo::play(&house.endpoints, &clinic, |_| {}).await.unwrap();
    once("read", async || of_clinic.asked() > so_far + 2).await;
    assert_eq!(of_gym.asked(), asked);
    assert_eq!(mails(&house, &gym), written);
    let payments = format!("SELECT count(*) FROM payment WHERE booking_id = '{second}'");
    assert_eq!(house.count(&gym, &payments).await, 0);
    let confirmed = "SELECT count(*) FROM booking WHERE status = 'CONFIRMED'";
    assert_eq!(house.count(&gym, confirmed).await, 0);

    let release = ["tenant", "release", "--slug", slug];
    house.berth(&release).await.unwrap();
    // Sessions end with a restore.
    let customer = Client::sign_in(&gym, &gym.customer).await.unwrap();
    shop::payable(&customer, second).await;
    let path = format!("/v1/bookings/{first}");
    once("confirmed", async || {
        let booking = customer.get(&path).await.unwrap();
        booking["status"] == "CONFIRMED"
    })
    .await;
    once("written to", async || mails(&house, &gym) > written).await;
    once("read", async || of_gym.asked() > asked).await;
    let receipts = format!("/v1/receipts?booking_id={first}");
    until(&customer, &receipts, |page: &Value| {
        page["items"][0]["number"].is_string().then_some(())
    })
    .await;
}
