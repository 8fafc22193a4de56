//! Whether a tenant is served, what it is like, and its end.

use std::sync::atomic::Ordering;

use berth_events::tenant::{Archived, Deleted, Resumed, Suspended, Updated};
use berth_kernel::{Event, TenantId};
use berth_tenancy::{
    Error, TenantKey,
    lifecycle::{self, Change, Filter},
};
use berth_testkit::{NoBooks, TestPlatform};

use crate::{
    admin, audited, create,
    files::Store,
    gym, operate,
    registry::{another_process, until},
};

fn by(action: &str) -> (String, String) {
    ("cli:tester".to_owned(), action.to_owned())
}

/// What was told of a tenant after its making, which has to be one event.
async fn told<E: Event>(platform: &TestPlatform, id: TenantId, nth: usize) -> E {
    let told = platform.events(id.uuid()).await;
    told[nth].open().unwrap().expect("another event")
}

#[tokio::test]
async fn a_suspended_tenant_is_unknown_everywhere_at_once_until_it_is_resumed() {
    let platform = TestPlatform::start().await;
    let registry = another_process(&platform);
    let slug = TenantKey::Slug("alpha-clinic".to_owned());
    let operator = operate(&platform);
    until(&registry, &slug, true).await;
    let suspend = async || operator.suspend("alpha-clinic", "The bill").await;
    assert!(suspend().await.unwrap());
    until(&registry, &slug, false).await;
    assert!(!suspend().await.unwrap(), "it was suspended already");
    assert!(operator.resume("alpha-clinic").await.unwrap());
    until(&registry, &slug, true).await;
    assert!(!operator.resume("alpha-clinic").await.unwrap());
    let unknown = operator.suspend("nobody-here", "").await;
    assert!(
        matches!(unknown, Err(Error::UnknownTenant(_))),
        "{unknown:?}"
    );

    let id = platform.alpha().id;
    let suspended: Suspended = told(&platform, id, 1).await;
    assert_eq!((suspended.version, &*suspended.reason), (2, "The bill"));
    let resumed: Resumed = told(&platform, id, 2).await;
    assert_eq!(resumed.version, 3);
    assert_eq!(
        audited(&platform, id.uuid()).await[1..],
        [by("tenant.suspended"), by("tenant.resumed")]
    );
}

#[tokio::test]
async fn particulars_change_at_once_everywhere_and_what_is_wrong_changes_nothing() {
    let platform = TestPlatform::start().await;
    let registry = another_process(&platform);
    let operator = operate(&platform);
    let key = |slug: &str| TenantKey::Slug(slug.to_owned());
    until(&registry, &key("alpha-clinic"), true).await;
    let change = Change {
        slug: Some("omega-clinic".into()),
        color: Some("#112233".into()),
        accent_color: Some("#445566".into()),
        logo_url: Some("https://cdn.example/logo.svg".into()),
        tax_id: Some("DE123456789".into()),
        plan: Some("business".into()),
        canary: Some(true),
        ..Change::default()
    };
    let after = operator.change("alpha-clinic", &change).await.unwrap();
    assert_eq!(
        (after.version, &*after.slug, after.canary),
        (2, "omega-clinic", true)
    );
    until(&registry, &key("omega-clinic"), true).await;
    until(&registry, &key("alpha-clinic"), false).await;
    let seen = registry.find(&key("omega-clinic")).await.unwrap().unwrap();
    assert_eq!(
        (&*seen.tenant.color, seen.tenant.accent()),
        ("#112233", "#445566")
    );
    assert_eq!(seen.tenant.tax_id.as_deref(), Some("DE123456789"));
    assert_eq!(seen.tenant.allowance.requests_per_second, 1_000);

    let wrong = [
        Change {
            slug: Some("beta-theatre".into()),
            ..Change::default()
        },
        Change {
            slug: Some("adm1n".into()),
            ..Change::default()
        },
        Change {
            color: Some("blue".into()),
            ..Change::default()
        },
        Change {
            accent_color: Some("blue".into()),
            ..Change::default()
        },
        Change {
            logo_url: Some("http://cdn.example/x".into()),
            ..Change::default()
        },
        Change {
            timezone: Some("Mars/Olympus".into()),
            ..Change::default()
        },
        Change {
            locale: Some("en_US".into()),
            ..Change::default()
        },
        Change {
            plan: Some("free-beer".into()),
            ..Change::default()
        },
        Change {
            name: Some(String::new()),
            ..Change::default()
        },
    ];
    for change in wrong {
        let refused = operator.change("omega-clinic", &change).await;
        assert!(
            matches!(refused, Err(Error::Fields(_) | Error::SlugTaken(_))),
            "{change:?}: {refused:?}"
        );
    }
    let now = operator.particulars("omega-clinic").await.unwrap();
    assert_eq!((now.version, &*now.color), (2, "#112233"));
    let empty = Change {
        accent_color: Some(String::new()),
        logo_url: Some(String::new()),
        ..Change::default()
    };
    let after = operator.change("omega-clinic", &empty).await.unwrap();
    assert_eq!((after.logo_url, after.accent_color), (None, None));
    let updated: Updated = told(&platform, after.id, 2).await;
    assert_eq!(updated.version, 3);
    let names = async |filter: &Filter, after: &str| {
        let listed = operator.list(filter, after, 10).await.unwrap();
        listed.into_iter().map(|one| one.slug).collect::<Vec<_>>()
    };
    let everybody = Filter::default();
    assert_eq!(
        names(&everybody, "").await,
        ["beta-theatre", "omega-clinic"]
    );
    assert_eq!(names(&everybody, "beta-theatre").await, ["omega-clinic"]);
    let sound = Filter {
        quarantined: Some(false),
        ..Filter::default()
    };
    assert_eq!(names(&sound, "").await.len(), 2);
    operator.suspend("omega-clinic", "The bill").await.unwrap();
    let suspended = Filter {
        status: Some("suspended".to_owned()),
        ..Filter::default()
    };
    assert_eq!(names(&suspended, "").await, ["omega-clinic"]);
    let of_a_plan = Filter {
        plan: Some("no-such-plan".to_owned()),
        ..suspended
    };
    assert!(names(&of_a_plan, "").await.is_empty());
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_anywhere() {
    let platform = TestPlatform::start().await;
    let registry = another_process(&platform);
    let operator = operate(&platform);
    let secret = operator
        .create_api_key("alpha-clinic", "till")
        .await
        .unwrap();
    let key = TenantKey::ApiKey(lifecycle::hash_api_key(secret.expose()));
    until(&registry, &key, true).await;
    let listed = operator.api_keys("alpha-clinic").await.unwrap();
    let till = listed.iter().find(|key| key.label == "till").unwrap();
    // Not through another tenant.
    assert!(
        !operator
            .revoke_api_key("beta-theatre", till.id)
            .await
            .unwrap()
    );
    until(&registry, &key, true).await;
    assert!(
        operator
            .revoke_api_key("alpha-clinic", till.id)
            .await
            .unwrap()
    );
    until(&registry, &key, false).await;
    assert!(
        !operator
            .revoke_api_key("alpha-clinic", till.id)
            .await
            .unwrap()
    );
    assert_eq!(
        audited(&platform, platform.alpha().id.uuid()).await[1..],
        [by("tenant.api_key.created"), by("tenant.api_key.revoked")]
    );
}

#[tokio::test]
async fn an_erased_tenant_leaves_a_certificate_and_nothing_else() {
    let platform = TestPlatform::start().await;
    let operator = operate(&platform);
    let made = create(&platform, &gym("gamma-gym")).await.unwrap();
    let found = platform.tenancy().registry().get(made.id).await.unwrap();
    let (id, role) = (made.id.uuid(), found.unwrap().role().to_owned());
    admin(
        &platform,
        format!("INSERT INTO {role}.receipt_counter (year, last) VALUES (2026, 1), (2027, 2)"),
    )
    .await;
    let files = Store::default();
    files.put(made.id, "receipts/1.pdf", "one");
    files.put(made.id, "receipts/2.pdf", "two");
    files.put(platform.alpha().id, "receipts/1.pdf", "another's");
    let erase = async || {
        lifecycle::erase_leaving(platform.settings(), &files, &NoBooks, platform.clock()).await
    };
    assert_eq!(erase().await.unwrap().0, 0, "nobody was to leave");
    let early = operator.erase("gamma-gym").await;
    assert!(matches!(early, Err(Error::NotArchived(_))), "{early:?}");
    assert!(operator.archive("gamma-gym").await.unwrap());
    let archived: Archived = told(&platform, made.id, 1).await;
    assert_eq!(archived.version, 2);
    assert!(operator.erase("gamma-gym").await.unwrap());
    assert!(!operator.erase("gamma-gym").await.unwrap(), "asked already");
    let resumed = operator.resume("gamma-gym").await;
    assert!(matches!(resumed, Err(Error::Standing(_))), "{resumed:?}");

    let updated: Updated = told(&platform, made.id, 2).await;
    assert_eq!(updated.version, 3);
    let of_booking = format!(
        "INSERT INTO platform.outbox (event_id, tenant_id, event_type, entity_id, envelope)
         VALUES (gen_random_uuid(), '{id}', 'booking.booking.created', gen_random_uuid(), '{{}}')"
    );
    admin(&platform, of_booking).await;

    let figures = format!(
        "INSERT INTO platform.booking_day (tenant_id, day, made, confirmed, cancelled)
         VALUES ('{id}', '2027-01-01', 5, 3, 2), ('{nil}', '2027-01-01', 7, 7, 0);
         INSERT INTO platform.money_day
         VALUES ('{id}', '2027-01-01', 'EUR', 900, 100, 20, 10), ('{id}', '2027-01-02', 'EUR', 1, 0, 0, 0)",
        nil = uuid::Uuid::nil()
    );
    admin(&platform, figures).await;

    // Interrupted before anything went, and when all went but the last, it is gone on with.
    files.failures.store(1, Ordering::SeqCst);
    let (erased, failed) = erase().await.unwrap();
    assert!(
        erased == 0 && matches!(failed[..], [Error::Files(_)]),
        "{failed:?}"
    );
    let never = "ALTER TABLE platform.erased_tenant ADD CONSTRAINT never CHECK (false) NOT VALID";
    admin(&platform, never.to_owned()).await;
    for _ in 0..2 {
        let (erased, failed) = erase().await.unwrap();
        assert!(erased == 0 && failed.len() == 1, "{failed:?}");
    }
    let trail = operator.trail("gamma-gym").await.unwrap();
    let mut failures = trail
        .iter()
        .filter(|entry| entry.action == "tenant.erasure.failed");
    let why = failures.next().unwrap().detail["error"].to_string();
    assert!(why.contains("never"), "{why}");
    assert_eq!(failures.count(), 1, "each reason once");
    assert!(files.paths(made.id).is_empty());
    let again = "ALTER TABLE platform.erased_tenant DROP CONSTRAINT never";
    admin(&platform, again.to_owned()).await;
    assert_eq!(erase().await.unwrap().0, 1);
    // Written by something that was at work meanwhile.
    files.put(made.id, "receipts/3.pdf", "three");
    assert_eq!(erase().await.unwrap().0, 0);
    let certificate = operator.certificate("gamma-gym").await.unwrap();
    assert_eq!(certificate.digest, certificate.reckoned());
    assert_eq!((certificate.tenant_id, certificate.files), (made.id, 2));
    assert_eq!(certificate.requested_by, "cli:tester");
    assert_eq!(certificate.tables.get("receipt_counter"), Some(&2));
    assert_eq!(certificate.tables.get("booking"), Some(&0));
    assert_eq!(certificate.shared.get("api_key"), Some(&1));
    assert_eq!(certificate.shared.get("outbox"), Some(&1));

    assert!(files.paths(made.id).is_empty());
    assert_eq!(files.paths(platform.alpha().id).len(), 1);
    let left: (bool, bool, i64) = sqlx::query_as(
        "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1),
                EXISTS (SELECT FROM pg_roles WHERE rolname = $1),
                (SELECT count(*) FROM platform.tenant WHERE id = $2)",
    )
    .bind(&role)
    .bind(id)
    .fetch_one(platform.admin_pool())
    .await
    .unwrap();
    assert_eq!(left, (false, false, 0));
    // The platform's own totals stay what they were, and nobody's.
    let totals: (i64, i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT sum(made)::bigint FROM platform.booking_day WHERE day = '2027-01-01'),
                (SELECT sum(sales)::bigint FROM platform.money_day),
                (SELECT count(*) FROM platform.booking_day WHERE tenant_id <> $1),
                (SELECT count(*) FROM platform.money_day WHERE tenant_id <> $1)",
    )
    .bind(uuid::Uuid::nil())
    .fetch_one(platform.admin_pool())
    .await
    .unwrap();
    assert_eq!(totals, (12, 901, 0, 0));
    let told = platform.events(id).await;
    // What was not carried yet of its own life is told to its end, without a gap.
    let versions: Vec<_> = told
        .iter()
        .map(|event| event.metadata.entity_version)
        .collect();
    assert_eq!(versions, [1, 2, 3, 4]);
    let deleted: Deleted = told[3].open().unwrap().unwrap();
    assert_eq!(deleted.version, 4);
    let again = create(&platform, &gym("gamma-gym")).await;
    assert!(matches!(again, Err(Error::SlugTaken(_))), "{again:?}");
    let alike = create(&platform, &gym("garnma-gym")).await;
    assert!(matches!(alike, Err(Error::SlugTaken(_))), "{alike:?}");
    let last = audited(&platform, id).await.pop().unwrap();
    assert_eq!(
        last,
        ("provisioner".to_owned(), "tenant.deleted".to_owned())
    );
}

#[tokio::test]
async fn a_name_that_was_given_up_is_nobody_elses() {
    let platform = TestPlatform::start().await;
    let operator = operate(&platform);
    let rename = |slug: &str| Change {
        slug: Some(slug.to_owned()),
        ..Change::default()
    };
    operator
        .change("alpha-clinic", &rename("gamma-clinic"))
        .await
        .unwrap();
    for taken in ["alpha-clinic", "a1pha-clinic"] {
        let made = create(&platform, &gym(taken)).await;
        assert!(
            matches!(made, Err(Error::SlugTaken(_))),
            "{taken}: {made:?}"
        );
        let renamed = operator.change("beta-theatre", &rename(taken)).await;
        assert!(
            matches!(renamed, Err(Error::SlugTaken(_))),
            "{taken}: {renamed:?}"
        );
    }
    // Its own it may have again, and then the other is kept.
    operator
        .change("gamma-clinic", &rename("alpha-clinic"))
        .await
        .unwrap();
    let made = create(&platform, &gym("gamma-clinic")).await;
    assert!(matches!(made, Err(Error::SlugTaken(_))), "{made:?}");
    // What is audited holds no particulars of people.
    let change = Change {
        legal_name: Some("Ada Lovelace".into()),
        address: Some("12 St James's Square".into()),
        ..Change::default()
    };
    operator.change("alpha-clinic", &change).await.unwrap();
    let kept: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM platform.audit WHERE detail::text ~ 'Lovelace|Square'",
    )
    .fetch_one(platform.admin_pool())
    .await
    .unwrap();
    assert_eq!(kept, 0);
}
