//! The catalog against a real database.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use std::time::Duration;

use berth_access::{Actor, Context, Person, Role};
use berth_catalog::{
    Catalog, Discount, Error, Listing, NewProduct, NewVoucher, PaymentMode, Pricing, Product,
    ProductChange, ProductKind, VoucherChange,
};
use berth_kernel::{Currency, ProductId, SessionTokenId, UserId};
use berth_tenancy::{
    Tenancy,
    lifecycle::{Change, Lifecycle, Operator},
};
use berth_testkit::TestPlatform;
use tokio_util::sync::CancellationToken;

fn check_up() -> NewProduct {
    NewProduct {
        kind: ProductKind::Appointment,
        category_id: None,
        location_id: None,
        name: "Check-up".into(),
        description: String::new(),
        duration_min: 30,
        step_min: 15,
        buffer_before_min: 0,
        buffer_after_min: 0,
        timezone: None,
        price_minor: 5_000,
        currency: Currency::EUR,
        payment_mode: PaymentMode::Online,
        max_quantity: 1,
        min_notice_min: 0,
        window_days: 365,
        hold_min: 15,
        cancellation_policy: vec![],
        requirements: vec![],
        pool_id: None,
        stay: None,
        rental: None,
        seating: None,
        pricing: Pricing::default(),
        customer_limit: None,
        approval_hours: None,
        questions: Vec::new(),
        names_required: false,
        tags: vec![],
        listing: Listing::default(),
    }
}

fn admin() -> Actor {
    Actor::User {
        id: UserId::new(),
        role: Role::Admin,
        session: SessionTokenId::new(),
        person: Person {
            name: "Ada".into(),
            email: "ada@example.test".into(),
            locale: "en".into(),
        },
    }
}

/// An admin and a stranger, at the first tenant.
fn askers(platform: &TestPlatform) -> (Context, Context) {
    let alpha = platform.alpha();
    let staff = platform.context(&alpha, admin());
    (staff, platform.context(&alpha, Actor::Anonymous))
}

fn priced(product: &Product, price_minor: i64) -> ProductChange {
    ProductChange {
        version: product.version,
        price_minor: Some(price_minor),
        ..ProductChange::default()
    }
}

/// A product of the first tenant that the public has looked at, and the catalog that remembers it.
async fn looked_at(
    platform: &TestPlatform,
    staff: &Context,
    public: &Context,
) -> (Catalog, Product) {
    let catalog = Catalog::new(platform.tenancy().clone());
    let made = catalog.create_product(staff, &check_up(), None).await;
    let product = made.unwrap();
    catalog.product(public, product.id).await.unwrap();
    (catalog, product)
}

/// Asks until the answer is as it should be. What is remembered grows old by itself after five
/// seconds; this has to be sooner.
async fn until(
    catalog: &Catalog,
    ctx: &Context,
    id: ProductId,
    right: impl Fn(Result<Product, Error>) -> bool,
) {
    let asking = async {
        while !right(catalog.product(ctx, id).await) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(3), asking)
        .await
        .expect("the change is seen in time");
}

#[tokio::test]
async fn the_public_sees_a_change_at_once_wherever_it_was_made() {
    let platform = TestPlatform::start().await;
    let (staff, public) = askers(&platform);
    let here = Catalog::new(platform.tenancy().clone());
    let there = Catalog::new(Tenancy::new(platform.tenancy().database().clone()));
    let stop = CancellationToken::new();
    let following = tokio::spawn({
        let (there, stop) = (there.clone(), stop.clone());
        async move { there.follow_changes(stop).await }
    });
    let mut product = here
        .create_product(&staff, &check_up(), None)
        .await
        .unwrap();
    let id = product.id;
    for price in [6_000, 7_000, 8_000] {
        for catalog in [&here, &there] {
            let seen = catalog.product(&public, id).await.unwrap();
            assert_eq!(seen.price, product.price);
        }
        let change = priced(&product, price);
        product = here.update_product(&staff, id, &change).await.unwrap();
        let seen = here.product(&public, id).await.unwrap();
        assert_eq!(seen.price.amount, price, "where it was made");
        until(&there, &public, id, |seen| {
            seen.unwrap().price.amount == price
        })
        .await;
    }
    let change = ProductChange {
        version: product.version,
        active: Some(false),
        ..ProductChange::default()
    };
    here.update_product(&staff, id, &change).await.unwrap();
    let seen = here.product(&public, id).await;
    assert!(matches!(seen, Err(Error::NotFound)), "{seen:?}");
    until(&there, &public, id, |seen| {
        matches!(seen, Err(Error::NotFound))
    })
    .await;
    stop.cancel();
    following.await.unwrap();
}

#[tokio::test]
async fn what_the_public_looks_at_is_read_once_and_staff_always_see_what_is() {
    let platform = TestPlatform::start().await;
    let (staff, public) = askers(&platform);
    let (catalog, product) = looked_at(&platform, &staff, &public).await;
    // Behind everybody's back: the version is raised, and nobody is told.
    let role = platform.alpha();
    let role = role.role();
    let sql = format!(
        "ALTER TABLE {role}.catalog_version DISABLE TRIGGER USER;
         UPDATE {role}.product SET name = 'Changed';
         UPDATE {role}.catalog_version SET version = version + 1"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(platform.admin_pool())
        .await
        .unwrap();
    let seen = catalog.product(&public, product.id).await.unwrap();
    assert_eq!(seen.name, "Check-up");
    let seen = catalog.product(&staff, product.id).await.unwrap();
    assert_eq!(seen.name, "Changed");
}

#[tokio::test]
async fn what_is_remembered_of_one_tenant_is_nothing_to_another() {
    let platform = TestPlatform::start().await;
    let (staff, public) = askers(&platform);
    let (catalog, product) = looked_at(&platform, &staff, &public).await;
    let stranger = platform.context(&platform.beta(), Actor::Anonymous);
    let seen = catalog.product(&stranger, product.id).await;
    assert!(matches!(seen, Err(Error::NotFound)), "{seen:?}");
}

#[tokio::test]
async fn a_currency_that_changes_beside_the_first_product_leaves_no_price_in_another() {
    let platform = TestPlatform::start().await;
    let id = platform.alpha().id;
    let catalog = Catalog::new(platform.tenancy().clone());
    let lifecycle = Lifecycle::new(
        platform.tenancy().clone(),
        Operator("cli:tester".to_owned()),
        platform.clock().clone(),
    );
    let now = async || {
        platform
            .tenancy()
            .registry()
            .refresh(id)
            .await
            .unwrap()
            .unwrap()
    };
    for round in 0..20 {
        let tenant = now().await;
        let was = tenant.currency;
        let other = match was == Currency::EUR {
            true => "USD".parse().unwrap(),
            false => Currency::EUR,
        };
        let seller = platform.context(&tenant, admin());
        let new = NewProduct {
            currency: was,
            ..check_up()
        };
        let change = Change {
            currency: Some(other),
            ..Change::default()
        };
        // Who is first differs from round to round.
        let sale = async {
            if round % 2 == 1 {
                tokio::task::yield_now().await;
            }
            catalog.create_product(&seller, &new, None).await
        };
        let (sold, changed) = tokio::join!(sale, lifecycle.change_by_id(id, &change));
        assert_ne!(sold.is_ok(), changed.is_ok(), "{sold:?}, {changed:?}");
        if let Ok(product) = sold {
            assert_eq!(product.price.currency, now().await.currency);
        }
        let forget = format!("DELETE FROM {}.product", tenant.role());
        sqlx::raw_sql(sqlx::AssertSqlSafe(forget))
            .execute(platform.admin_pool())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_voucher_keeps_the_currency_too() {
    let platform = TestPlatform::start().await;
    let (staff, _) = askers(&platform);
    let catalog = Catalog::new(platform.tenancy().clone());
    let new = NewVoucher {
        code: "GIFT".into(),
        label: "A gift".into(),
        discount: Discount::Amount(1_005),
        product_ids: vec![],
        valid_from: None,
        valid_until: None,
        least_minor: 0,
        max_uses: None,
        max_per_customer: None,
    };
    let made = catalog.create_voucher(&staff, &new, None).await.unwrap();
    let lifecycle = Lifecycle::new(
        platform.tenancy().clone(),
        Operator("cli:tester".to_owned()),
        platform.clock().clone(),
    );
    let change = Change {
        currency: Some("JPY".parse().unwrap()),
        ..Change::default()
    };
    lifecycle
        .change_by_id(staff.tenant.id, &change)
        .await
        .unwrap_err();
    // However a text is filled up, it is kept as it is counted.
    let label = VoucherChange {
        version: made.version,
        label: Some(format!("B{}", "\n".repeat(250))),
        ..VoucherChange::default()
    };
    let changed = catalog.change_voucher(&staff, made.id, &label).await;
    assert_eq!(changed.unwrap().label, "B");
}
