//! A tenant made from another's export has the other's data, and none of its money.

use berth_devkit::{Tenant, demo::Client};
use serde_json::{Value, json};

use crate::{
    backoffice::refused,
    house::House,
    shop::{self, Checkout, Intention, until},
    wait::once,
};

/// The same people at another name.
fn copy_of(tenant: &Tenant, slug: &str) -> Tenant {
    let there = |address: &str| address.replacen(&tenant.slug, slug, 1);
    Tenant {
        slug: slug.to_owned(),
        host: there(&tenant.host),
        api: there(&tenant.api),
        ..tenant.clone()
    }
}

/// What all tenants together took in and booked.
async fn totals(house: &House) -> (i64, i64) {
    let sql = "SELECT coalesce(sum(made), 0)::bigint, (SELECT coalesce(sum(sales), 0)::bigint FROM platform.money_day)
               FROM platform.booking_day";
    sqlx::query_as(sql)
        .fetch_one(house.platform.admin_pool())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_moves_no_money_of_the_original_and_is_not_counted_twice() {
    let mut house = House::with(&[("BERTH_ROLLUP_SECONDS", "1")]).await;
    house
        .start(berth_devkit::environment::Role::Provisioner)
        .await;
    let gym = house.gym().clone();
    let customer = Client::sign_in(&gym, &gym.customer).await.unwrap();
    let checkout = Checkout::at(&house);
    let wish = shop::first_session(&gym).await;
    let paid = shop::shop(&checkout, &customer, wish.clone(), Intention::Pay).await;
    let held = customer.post("/v1/bookings", &wish).await.unwrap();
    let held = held["id"].as_str().unwrap().to_owned();
    let payment = shop::payable(&customer, &held).await;
    once("counted", async || {
        let (made, sales) = totals(&house).await;
        made == 2 && sales == paid.price
    })
    .await;

    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("export");
    let folder = folder.to_str().unwrap();
    let export = ["tenant", "export", "--slug", &gym.slug, "--to", folder];
    house.berth(&export).await.unwrap();
    let slug = "copied-gym";
    let restore = ["tenant", "restore", "--from", folder, "--slug", slug];
    house.berth(&restore).await.unwrap();
    let release = ["tenant", "release", "--slug", slug];
    house.berth(&release).await.unwrap();
    let copy = copy_of(&gym, slug);
    let admin = Client::sign_in(&copy, &copy.admin).await.unwrap();

    // What was paid is given back by whom it was paid to.
    let payments = format!("/v1/payments?booking_id={}", paid.id);
    let there = admin.get(&payments).await.unwrap();
    let refund = format!(
        "/v1/payments/{}/refunds",
        there["items"][0]["id"].as_str().unwrap()
    );
    let refused = refused(admin.post(&refund, &json!({ "reason": "copied" })).await);
    assert_eq!(refused, (409, "PAYMENT_ELSEWHERE".to_owned()));
    let cancel = format!("/v1/bookings/{}/cancel", paid.id);
    admin.post(&cancel, &json!({})).await.unwrap();
    // What was to be paid cannot be paid there, and goes on here.
    let pay = json!({ "booking_id": held });
    let ended = admin.post("/v1/payments", &pay).await.unwrap();
    assert_eq!(ended["status"], "CANCELED", "{ended}");
    until(
        &admin,
        &format!("/v1/bookings/{held}"),
        |booking: &Value| (booking["status"] == "FAILED").then_some(()),
    )
    .await;
    assert_eq!(checkout.pay(&payment, "pm_card_visa").await, 200);
    until(
        &customer,
        &format!("/v1/bookings/{held}"),
        |booking: &Value| (booking["status"] == "CONFIRMED").then_some(()),
    )
    .await;
    let here = customer.get(&payments).await.unwrap();
    assert_eq!(here["items"][0]["status"], "SUCCEEDED", "{here}");
    let open = "SELECT count(*) FROM refund";
    for tenant in [&gym, &copy] {
        assert_eq!(house.count(tenant, open).await, 0, "{}", tenant.slug);
    }

    // Reckoned while the copy is served, and once more when it is erased.
    once("counted", async || {
        totals(&house).await == (2, 2 * paid.price)
    })
    .await;
    house
        .berth(&["tenant", "archive", "--slug", slug])
        .await
        .unwrap();
    let delete = ["tenant", "delete", "--slug", slug, "--confirm", slug];
    house.berth(&delete).await.unwrap();
    let certificate = ["tenant", "certificate", "--slug", slug];
    once("erased", async || house.berth(&certificate).await.is_ok()).await;
    assert_eq!(totals(&house).await, (2, 2 * paid.price));
}
