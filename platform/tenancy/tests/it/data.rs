//! A tenant's data, taken out and put back.

use std::{path::Path, sync::atomic::Ordering, time::Duration};

use berth_events::user::Deleted;
use berth_kernel::{Cause, Envelope, EventId, TenantId, UserId};
use berth_tenancy::{
    Error, Tenant, TenantKey,
    data::{self, DataError, Manifest, Restored},
    lifecycle::NewTenant,
    migrate,
};
use berth_testkit::TestPlatform;

use crate::{admin, audited, create, files::Store, gym, operate, tester};

/// Rows of every awkward kind: text that CSV has to quote, none and empty, JSON, dates, references
/// to rows of the same table, and an order of letters that databases disagree on.
async fn furnish(platform: &TestPlatform, tenant: &Tenant) {
    let role = tenant.role();
    let sql = format!(
        "INSERT INTO {role}.category (id, parent_id, name, created_at) VALUES
           ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002', E'a \"b\", c\nd', now()),
           ('00000000-0000-7000-8000-000000000002', NULL, 'top', now());
         INSERT INTO {role}.idempotency (principal, route, key, request_hash, body) VALUES
           ('a', 'POST /x', 'Zebra', '\\x00ff', '{{\"a\": null}}'), ('a', 'POST /x', 'äpfel', '\\x', ''),
           ('a', 'POST /x', 'apple', '\\x01', E'\\\\.'), ('a', 'POST /x', 'b', '\\x01', E'\r\n');
         INSERT INTO {role}.receipt_counter (year, last) VALUES (2026, 12);
         INSERT INTO {role}.account (id, email, name, phone, locale, role, created_at, updated_at) VALUES
           ('00000000-0000-7000-8000-000000000003', 'a@example.test', 'Ärztin 李', '', 'de', 'admin', now(), now()),
           ('00000000-0000-7000-8000-000000000004', 'b@example.test', 'NULL', NULL, 'de', 'staff', now(), now())"
    );
    admin(platform, sql).await;
}

async fn export(
    platform: &TestPlatform,
    folder: &Path,
    files: &Store,
) -> Result<Manifest, DataError> {
    data::export(
        platform.settings(),
        "alpha-clinic",
        folder,
        files,
        &tester(),
        platform.clock(),
    )
    .await
}

async fn as_new(
    platform: &TestPlatform,
    folder: &Path,
    files: &Store,
) -> Result<Restored, DataError> {
    let (settings, clock) = (platform.settings(), platform.clock());
    data::restore_as_new(
        settings,
        folder,
        Some("copy-clinic"),
        files,
        &tester(),
        clock,
    )
    .await
}

async fn in_place(
    platform: &TestPlatform,
    folder: &Path,
    files: &Store,
) -> Result<Restored, DataError> {
    let (settings, clock) = (platform.settings(), platform.clock());
    data::restore_in_place(
        settings,
        folder,
        "alpha-clinic",
        None,
        files,
        &tester(),
        clock,
    )
    .await
}

/// The hashes of a tenant's tables, by another export.
fn hashes(manifest: &Manifest) -> Vec<(&str, &str)> {
    let tables = manifest.tables.iter();
    tables.map(|table| (&*table.name, &*table.sha256)).collect()
}

#[tokio::test]
async fn what_is_restored_as_a_new_tenant_is_what_was_exported_and_is_held() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    furnish(&platform, &alpha).await;
    let files = Store::default();
    files.put(alpha.id, "receipts/2026/R-1.pdf", "a receipt");
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("export");
    let manifest = export(&platform, &folder, &files).await.unwrap();
    assert_eq!(manifest.files.len(), 1);
    let category = manifest
        .tables
        .iter()
        .find(|table| table.name == "category")
        .unwrap();
    assert_eq!((category.rows, &*category.key), (2, &["id".to_owned()][..]));
    let again = export(&platform, &folder, &files).await;
    assert!(matches!(again, Err(DataError::Folder { .. })), "{again:?}");
    assert!(!folder.join("unfinished").exists());

    let restored = as_new(&platform, &folder, &files).await.unwrap();
    assert_eq!(
        restored.rows,
        manifest.tables.iter().map(|table| table.rows).sum::<u64>()
    );
    assert_eq!(files.paths(restored.id), ["receipts/2026/R-1.pdf"]);
    let registry = platform.tenancy().registry();
    let key = TenantKey::Slug("copy-clinic".into());
    let found = registry.find(&key).await.unwrap().unwrap().tenant;
    assert!(found.held && !found.active);
    // Exported once more it is the same, row by row.
    let second = place.path().join("second");
    let (settings, by, clock) = (platform.settings(), tester(), platform.clock());
    let copied = data::export(settings, "copy-clinic", &second, &files, &by, clock).await;
    assert_eq!(hashes(&copied.unwrap()), hashes(&manifest));
    assert!(
        migrate::drift(platform.settings())
            .await
            .unwrap()
            .drifted
            .is_empty()
    );

    let operator = operate(&platform);
    let resumed = operator.resume("copy-clinic").await;
    assert!(matches!(resumed, Err(Error::Standing(_))), "{resumed:?}");
    assert!(operator.release("copy-clinic").await.unwrap());
    let actions: Vec<_> = audited(&platform, restored.id.uuid()).await;
    let actions: Vec<_> = actions.iter().map(|(_, action)| action.as_str()).collect();
    assert_eq!(
        actions,
        ["tenant.restored", "tenant.exported", "tenant.released"]
    );
    let taken = as_new(&platform, &folder, &files).await;
    assert!(
        matches!(taken, Err(DataError::Database(Error::SlugTaken(_)))),
        "{taken:?}"
    );
}

#[tokio::test]
async fn an_export_takes_the_place_of_what_a_tenant_has_only_when_nobody_is_served() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    furnish(&platform, &alpha).await;
    let files = Store::default();
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("export");
    let manifest = export(&platform, &folder, &files).await.unwrap();
    admin(
        &platform,
        format!(
            "DELETE FROM {0}.account; DELETE FROM {0}.idempotency",
            alpha.role()
        ),
    )
    .await;
    let served = in_place(&platform, &folder, &files).await;
    assert!(matches!(served, Err(DataError::Served(_))), "{served:?}");
    operate(&platform)
        .suspend("alpha-clinic", "restore")
        .await
        .unwrap();
    let quarantine = format!(
        "INSERT INTO platform.migration_quarantine (tenant_id, wanted, reason)
         VALUES ('{}', 1000000000, 'a column in the way')",
        alpha.id
    );
    admin(&platform, quarantine).await;
    let restored = in_place(&platform, &folder, &files).await.unwrap();
    assert_eq!(restored.id, alpha.id);
    // What was in the way went with the rest.
    let status = migrate::status(platform.settings()).await.unwrap();
    assert!(status.quarantined.is_empty());
    let second = place.path().join("second");
    assert_eq!(
        hashes(&export(&platform, &second, &files).await.unwrap()),
        hashes(&manifest)
    );
    assert!(
        migrate::drift(platform.settings())
            .await
            .unwrap()
            .drifted
            .is_empty()
    );
    operate(&platform).release("alpha-clinic").await.unwrap();
    let registry = platform.tenancy().registry();
    let alpha = registry.refresh(alpha.id).await.unwrap().unwrap();
    assert_eq!(alpha.timeline, 1);
    let mut tx = platform.tenancy().begin(&alpha).await.unwrap();
    sqlx::query("INSERT INTO receipt_counter VALUES (2030, 1)")
        .execute(tx.conn())
        .await
        .unwrap();
}

#[tokio::test]
async fn what_began_before_a_restore_is_not_let_into_what_was_restored() {
    let platform = TestPlatform::start().await;
    let made = create(&platform, &gym("gamma-gym")).await.unwrap();
    let registry = platform.tenancy().registry();
    let before = registry.refresh(made.id).await.unwrap().unwrap();
    let (files, place) = (Store::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("export");
    let (settings, by, clock) = (platform.settings(), tester(), platform.clock());
    data::export(settings, "gamma-gym", &folder, &files, &by, clock)
        .await
        .unwrap();
    let operator = operate(&platform);
    operator.suspend("gamma-gym", "restore").await.unwrap();
    let restoring =
        data::restore_in_place(settings, &folder, "gamma-gym", None, &files, &by, clock).await;
    restoring.unwrap();
    operator.release("gamma-gym").await.unwrap();
    let stale = platform.tenancy().begin(&before).await;
    assert!(matches!(stale, Err(Error::PutBack)), "{stale:?}");
    let after = registry.refresh(made.id).await.unwrap().unwrap();
    platform.tenancy().begin(&after).await.unwrap();
    assert_ne!(before.role(), after.role());
}

#[tokio::test]
async fn a_restore_that_fails_leaves_the_tenant_the_standing_it_had() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    furnish(&platform, &alpha).await;
    let (files, place) = (Store::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("export");
    files.put(alpha.id, "receipts/1.pdf", "a receipt");
    export(&platform, &folder, &files).await.unwrap();
    let operator = operate(&platform);
    operator.suspend("alpha-clinic", "fraud").await.unwrap();
    let stands = async || operator.particulars("alpha-clinic").await.unwrap().status;
    // Only while it is put back does it turn out.
    files.failures.store(1, Ordering::SeqCst);
    in_place(&platform, &folder, &files).await.unwrap_err();
    assert_eq!(stands().await, "suspended");
    // Before anything is touched.
    let path = folder.join("files/receipts/1.pdf");
    std::fs::write(&path, "a recipe").unwrap();
    let damaged = in_place(&platform, &folder, &files).await;
    assert!(matches!(damaged, Err(DataError::Damaged(_))), "{damaged:?}");
    assert_eq!(stands().await, "suspended");
    std::fs::write(&path, "a receipt").unwrap();
    in_place(&platform, &folder, &files).await.unwrap();
    assert_eq!(stands().await, "held");
}

#[tokio::test]
async fn what_was_put_back_is_held_until_its_files_are_right() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    furnish(&platform, &alpha).await;
    let (files, place) = (Store::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("export");
    files.put(alpha.id, "receipts/1.pdf", "a receipt");
    export(&platform, &folder, &files).await.unwrap();
    files.put(alpha.id, "receipts/2.pdf", "a later receipt");
    let operator = operate(&platform);
    operator.suspend("alpha-clinic", "restore").await.unwrap();
    // The file of the export is written; what came after it is not found.
    files.spared.store(1, Ordering::SeqCst);
    files.failures.store(1, Ordering::SeqCst);
    in_place(&platform, &folder, &files).await.unwrap_err();
    for _ in 0..2 {
        let stands = operator.particulars("alpha-clinic").await.unwrap().status;
        assert_eq!(stands, "held");
        operator.release("alpha-clinic").await.unwrap_err();
        operator.resume("alpha-clinic").await.unwrap_err();
        // Nor does a repeat that fails before it has done anything give it back.
        files.failures.store(1, Ordering::SeqCst);
        in_place(&platform, &folder, &files).await.unwrap_err();
    }
    in_place(&platform, &folder, &files).await.unwrap();
    assert_eq!(files.paths(alpha.id), ["receipts/1.pdf"]);
    assert!(operator.release("alpha-clinic").await.unwrap());
}

#[tokio::test]
async fn of_two_exports_put_back_at_once_one_is_there_whole() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    furnish(&platform, &alpha).await;
    let (files, place) = (Store::default(), tempfile::tempdir().unwrap());
    let folders = ["one", "two"].map(|name| place.path().join(name));
    files.put(alpha.id, "receipts/1.pdf", "a receipt");
    export(&platform, &folders[0], &files).await.unwrap();
    files.put(alpha.id, "receipts/2.pdf", "a later receipt");
    admin(&platform, format!("DELETE FROM {}.account", alpha.role())).await;
    export(&platform, &folders[1], &files).await.unwrap();
    let operator = operate(&platform);
    operator.suspend("alpha-clinic", "restore").await.unwrap();
    for _ in 0..3 {
        let both = tokio::join!(
            in_place(&platform, &folders[0], &files),
            in_place(&platform, &folders[1], &files),
        );
        both.0.unwrap();
        both.1.unwrap();
        let tenant = platform.tenancy().registry().refresh(alpha.id).await;
        let sql = format!(
            "SELECT count(*) FROM {}.account",
            tenant.unwrap().unwrap().role()
        );
        let accounts: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(platform.admin_pool())
            .await
            .unwrap();
        let expected: &[&str] = match accounts {
            0 => &["receipts/1.pdf", "receipts/2.pdf"],
            _ => &["receipts/1.pdf"],
        };
        assert_eq!(files.paths(alpha.id), expected, "{accounts} accounts");
    }
    assert!(operator.release("alpha-clinic").await.unwrap());
}

#[tokio::test]
async fn a_manifest_that_says_what_no_tenant_can_be_is_refused() {
    let platform = TestPlatform::start().await;
    furnish(&platform, &platform.alpha()).await;
    let (files, place) = (Store::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("export");
    export(&platform, &folder, &files).await.unwrap();
    let path = folder.join("manifest.json");
    let text = std::fs::read_to_string(&path).unwrap();
    for (is, becomes) in [
        ("\"currency\": \"EUR\"", "\"currency\": \"ZZZ\""),
        (
            "\"timezone\": \"Europe/Berlin\"",
            "\"timezone\": \"Mars/Olympus\"",
        ),
    ] {
        let compact = |words: &str| words.replace(": ", ":");
        let other = text
            .replace(is, becomes)
            .replace(&compact(is), &compact(becomes));
        assert_ne!(other, text);
        std::fs::write(&path, other).unwrap();
        let refused = as_new(&platform, &folder, &files).await;
        assert!(
            matches!(refused, Err(DataError::Database(Error::Fields(_)))),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn nobody_is_signed_in_to_what_was_put_back() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    furnish(&platform, &alpha).await;
    let sign_in = format!(
        "INSERT INTO {0}.login_session (id, account_id, kind, created_at, last_used_at, expires_at)
         VALUES ('00000000-0000-7000-8000-000000000005', '00000000-0000-7000-8000-000000000003', 'api',
                 now(), now(), now() + interval '1 day');
         INSERT INTO {0}.refresh_token (token_hash, session_id)
         VALUES ('\\x01', '00000000-0000-7000-8000-000000000005')",
        alpha.role()
    );
    admin(&platform, sign_in).await;
    let (files, place) = (Store::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("export");
    let manifest = export(&platform, &folder, &files).await.unwrap();
    let mut tables = manifest.tables.iter().map(|table| table.name.as_str());
    assert!(!tables.any(|name| matches!(name, "login_session" | "refresh_token")));
    let copy = as_new(&platform, &folder, &files).await.unwrap();
    let operator = operate(&platform);
    operator.suspend("alpha-clinic", "restore").await.unwrap();
    in_place(&platform, &folder, &files).await.unwrap();
    let registry = platform.tenancy().registry();
    for id in [copy.id, alpha.id] {
        let tenant = registry.refresh(id).await.unwrap().unwrap();
        let mut tx = platform.tenancy().begin(&tenant).await.unwrap();
        let (accounts, sessions): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM login_session)",
        )
        .fetch_one(tx.conn())
        .await
        .unwrap();
        assert_eq!((accounts, sessions), (2, 0));
    }
}

#[tokio::test]
async fn what_was_made_by_hand_is_named_before_anything_is_put_back() {
    let platform = TestPlatform::start().await;
    let role = platform.alpha().role().to_owned();
    let files = Store::default();
    for (n, (by_hand, mend, named)) in [
        (
            format!("ALTER TABLE {role}.account ADD COLUMN nickname text"),
            format!("ALTER TABLE {role}.account DROP COLUMN nickname"),
            "the column account.nickname",
        ),
        (
            format!("CREATE TABLE {role}.nickname (name text)"),
            format!("DROP TABLE {role}.nickname"),
            "the table nickname",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        admin(&platform, by_hand).await;
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join(n.to_string());
        export(&platform, &folder, &files).await.unwrap();
        let refused = as_new(&platform, &folder, &files).await;
        assert!(
            matches!(&refused, Err(DataError::HandMade(what)) if what == named),
            "{refused:?}"
        );
        admin(&platform, mend).await;
    }
}

#[tokio::test]
async fn a_tenant_of_an_earlier_release_is_not_released() {
    let platform = TestPlatform::start().await;
    let (files, place) = (Store::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("export");
    export(&platform, &folder, &files).await.unwrap();
    let copy = as_new(&platform, &folder, &files).await.unwrap();
    let operator = operate(&platform);
    let version = async |change: i64| {
        sqlx::query(
            "UPDATE platform.tenant SET schema_version = schema_version + $2 WHERE id = $1",
        )
        .bind(copy.id.uuid())
        .bind(change)
        .execute(platform.admin_pool())
        .await
        .unwrap();
    };
    version(-1).await;
    let early = operator.release("copy-clinic").await;
    assert!(matches!(early, Err(Error::Standing(_))), "{early:?}");
    version(1).await;
    assert!(operator.release("copy-clinic").await.unwrap());
}

/// A move is under way, or was killed.
#[tokio::test]
async fn what_a_move_has_in_the_schema_is_none_of_the_tenants() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    furnish(&platform, &alpha).await;
    let role = alpha.role();
    let mark = format!("CREATE TABLE {role}.relocation_marker (arrived boolean PRIMARY KEY)");
    admin(&platform, mark).await;
    let (files, place) = (Store::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("export");
    export(&platform, &folder, &files).await.unwrap();
    as_new(&platform, &folder, &files).await.unwrap();
}

#[tokio::test]
async fn what_is_put_back_cannot_be_erased_or_released_meanwhile() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    furnish(&platform, &alpha).await;
    let (files, place) = (Store::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("export");
    export(&platform, &folder, &files).await.unwrap();
    let operator = operate(&platform);
    operator.suspend("alpha-clinic", "restore").await.unwrap();
    // Stops the restore in its middle: it wants to clear figures away, and cannot.
    let mut barrier = platform.admin_pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE platform.booking_day IN SHARE MODE")
        .execute(&mut *barrier)
        .await
        .unwrap();
    let restoring = in_place(&platform, &folder, &files);
    let meddling = async {
        while operator.particulars("alpha-clinic").await.unwrap().status != "held" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let waits = "SELECT EXISTS (SELECT FROM pg_locks l WHERE NOT l.granted
                       AND l.relation = 'platform.booking_day'::regclass)";
        while !sqlx::query_scalar::<_, bool>(waits)
            .fetch_one(platform.admin_pool())
            .await
            .unwrap()
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let erased = operator.erase("alpha-clinic").await;
        assert!(matches!(erased, Err(Error::Unavailable(_))), "{erased:?}");
        let released = operator.release("alpha-clinic").await;
        assert!(matches!(released, Err(Error::Standing(_))), "{released:?}");
        barrier.rollback().await.unwrap();
    };
    let (restored, ()) = tokio::join!(restoring, meddling);
    restored.unwrap();
    assert!(operator.release("alpha-clinic").await.unwrap());
}

/// Tells an event in the tenant's name; its id.
async fn tell(platform: &TestPlatform, tenant: &Tenant) -> EventId {
    let event = Deleted {
        user_id: UserId::new(),
        version: 1,
    };
    let at = platform.clock().now();
    let envelope = Envelope::wrap(&event, tenant.id, at, &Cause::fresh()).unwrap();
    sqlx::query(
        "INSERT INTO platform.outbox (event_id, tenant_id, event_type, entity_id, envelope, published_at)
         VALUES ($1, $2, $3, $4, $5, now())",
    )
    .bind(envelope.event_id.uuid())
    .bind(tenant.id.uuid())
    .bind(&envelope.event_type)
    .bind(envelope.metadata.entity_id)
    .bind(serde_json::to_string(&envelope).unwrap())
    .execute(platform.admin_pool())
    .await
    .unwrap();
    envelope.event_id
}

/// What a tenant has told itself: the envelopes, and whether each is still to be published.
async fn told(platform: &TestPlatform, tenant: TenantId) -> Vec<(Envelope, bool)> {
    let rows: Vec<(String, bool)> = sqlx::query_as(
        "SELECT envelope, published_at IS NULL FROM platform.outbox
         WHERE tenant_id = $1 AND event_type NOT LIKE 'tenant.%' ORDER BY seq",
    )
    .bind(tenant.uuid())
    .fetch_all(platform.admin_pool())
    .await
    .unwrap();
    let parse = |(text, waits): (String, bool)| (serde_json::from_str(&text).unwrap(), waits);
    rows.into_iter().map(parse).collect()
}

#[tokio::test]
async fn what_was_told_before_the_export_is_told_again_and_nothing_of_later() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    let files = Store::default();
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("export");
    let before = [tell(&platform, &alpha).await, tell(&platform, &alpha).await];
    let manifest = export(&platform, &folder, &files).await.unwrap();
    assert_eq!(manifest.events.count, 2);
    tell(&platform, &alpha).await;
    tell(&platform, &platform.beta()).await;
    operate(&platform)
        .suspend("alpha-clinic", "restore")
        .await
        .unwrap();
    in_place(&platform, &folder, &files).await.unwrap();
    let again = told(&platform, alpha.id).await;
    let ids: Vec<EventId> = again.iter().map(|(event, _)| event.event_id).collect();
    assert_eq!(ids, before);
    for (event, waits) in &again {
        assert!(*waits && event.metadata.timeline == 1, "{event:?}");
    }
    assert_eq!(told(&platform, platform.beta().id).await.len(), 1);

    let copy = as_new(&platform, &folder, &files).await.unwrap();
    let copied = told(&platform, copy.id).await;
    assert_eq!(copied.len(), 2);
    for (event, waits) in &copied {
        assert!(*waits && event.tenant_id == copy.id && event.metadata.timeline == 0);
        assert!(!before.contains(&event.event_id), "two events of one id");
    }
    // Once more: the next timeline.
    in_place(&platform, &folder, &files).await.unwrap();
    let again = told(&platform, alpha.id).await;
    assert_eq!(again[0].0.metadata.timeline, 2);
    let spoilt = folder.join("events.jsonl");
    let text = std::fs::read_to_string(&spoilt).unwrap();
    std::fs::write(&spoilt, text.replace("user", "loser")).unwrap();
    let refused = in_place(&platform, &folder, &files).await;
    assert!(matches!(refused, Err(DataError::Damaged(_))), "{refused:?}");
}

#[tokio::test]
async fn a_damaged_export_changes_nothing() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    furnish(&platform, &alpha).await;
    let files = Store::default();
    files.put(alpha.id, "receipts/1.pdf", "a receipt");
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("export");
    export(&platform, &folder, &files).await.unwrap();
    let counts = "SELECT (SELECT count(*) FROM platform.tenant) + (SELECT count(*) FROM platform.tenant_schema)
                       + (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 't\\_%')";
    let count = async || -> i64 {
        sqlx::query_scalar(counts)
            .fetch_one(platform.admin_pool())
            .await
            .unwrap()
    };
    let before = count().await;
    let spoil = |path: &str, from: &str, to: &str| {
        let path = folder.join(path);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
    };
    let refused = async |what: &str| {
        let refused = as_new(&platform, &folder, &files).await;
        assert!(refused.is_err(), "{what} was taken: {refused:?}");
        assert_eq!(count().await, before, "{what} left something");
    };
    spoil("tables/account.csv", "a@example.test", "z@example.test");
    refused("a changed row").await;
    spoil("tables/account.csv", "z@example.test", "a@example.test");
    spoil("files/receipts/1.pdf", "receipt", "recipe");
    refused("a changed file").await;
    spoil("files/receipts/1.pdf", "recipe", "receipt");
    spoil(
        "manifest.json",
        "\"path\": \"receipts/1.pdf\"",
        "\"path\": \"../tables/account.csv\"",
    );
    refused("a path that leads out").await;
    spoil("manifest.json", "../tables/account.csv", "receipts/1.pdf");
    spoil(
        "manifest.json",
        "\"schema_version\": ",
        "\"schema_version\": 9",
    );
    refused("a newer release's").await;
    spoil(
        "manifest.json",
        "\"schema_version\": 9",
        "\"schema_version\": ",
    );
    files.failures.store(1, Ordering::SeqCst);
    refused("a store that fails").await;
    as_new(&platform, &folder, &files).await.unwrap();
}

#[tokio::test]
async fn an_export_of_an_older_release_is_brought_up_to_date() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    furnish(&platform, &alpha).await;
    let newest = migrate::TenantFiles::of_this_release().latest();
    // As it was before the last file.
    let older = format!(
        "DROP TABLE {0}.conversion, {0}.connection;
         UPDATE platform.tenant_schema SET version = {1} WHERE role = '{0}';
         UPDATE platform.tenant SET schema_version = {1} WHERE role = '{0}'",
        alpha.role(),
        newest - 1
    );
    admin(&platform, older).await;
    let files = Store::default();
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("export");
    assert_eq!(
        export(&platform, &folder, &files)
            .await
            .unwrap()
            .schema_version,
        newest - 1
    );
    as_new(&platform, &folder, &files).await.unwrap();
    let report = migrate::drift(platform.settings()).await.unwrap();
    assert_eq!((report.compared, report.other_version), (2, 1));
    assert!(report.drifted.is_empty(), "{:?}", report.drifted);
}

#[tokio::test]
async fn a_tenant_is_not_given_what_is_anothers_unless_that_is_said() {
    let platform = TestPlatform::start().await;
    furnish(&platform, &platform.alpha()).await;
    let (files, place) = (Store::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("export");
    export(&platform, &folder, &files).await.unwrap();
    let euros = NewTenant {
        currency: "EUR".parse().unwrap(),
        ..gym("delta-gym")
    };
    let made = create(&platform, &euros).await.unwrap();
    let operator = operate(&platform);
    for slug in ["delta-gym", "beta-theatre"] {
        operator.suspend(slug, "restore").await.unwrap();
    }
    let into = async |slug, of| {
        let (settings, clock) = (platform.settings(), platform.clock());
        data::restore_in_place(settings, &folder, slug, of, &files, &tester(), clock).await
    };
    let standing = async || {
        let is = operator.particulars("delta-gym").await.unwrap();
        (is.status, is.version)
    };
    let before = standing().await;
    for of in [None, Some("delta-gym"), Some("beta-theatre")] {
        let refused = into("delta-gym", of).await;
        assert!(
            matches!(&refused, Err(DataError::OtherTenant(of)) if of == "alpha-clinic"),
            "{refused:?}"
        );
    }
    // Its prices would be dollars.
    let refused = into("beta-theatre", Some("alpha-clinic")).await;
    assert!(
        matches!(&refused, Err(DataError::OtherCurrency(of)) if of == "EUR"),
        "{refused:?}"
    );
    assert_eq!(
        standing().await,
        before,
        "who is refused is left as they were"
    );

    into("delta-gym", Some("alpha-clinic")).await.unwrap();
    operator.release("delta-gym").await.unwrap();
    let trail = operator.trail("delta-gym").await.unwrap();
    let restored = trail.iter().find(|one| one.action == "tenant.restored");
    assert_eq!(restored.unwrap().detail["from"], "alpha-clinic");
    let from: Option<bool> = sqlx::query_scalar(
        "SELECT figures_from > ($2::timestamptz AT TIME ZONE 'UTC')::date FROM platform.tenant WHERE id = $1",
    )
    .bind(made.id.uuid())
    .bind(jiff_sqlx::Timestamp::from(platform.clock().now()))
    .fetch_one(platform.admin_pool())
    .await
    .unwrap();
    assert_eq!(from, Some(true), "the other's days are the other's");
    // A step of its life is told for each version it has had.
    let told: Vec<i64> = sqlx::query_scalar(
        "SELECT (envelope::jsonb->'data'->>'version')::bigint FROM platform.outbox
         WHERE entity_id = $1 AND event_type LIKE 'tenant.%' ORDER BY seq",
    )
    .bind(made.id.uuid())
    .fetch_all(platform.admin_pool())
    .await
    .unwrap();
    let count = i64::try_from(told.len()).unwrap();
    assert_eq!(told, (1..=count).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_release_beside_another_restore_lets_out_no_half() {
    let platform = TestPlatform::start().await;
    let (files, place) = (Store::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("export");
    export(&platform, &folder, &files).await.unwrap();
    let operator = operate(&platform);
    let standing = async || -> (String, Option<String>) {
        sqlx::query_as(
            "SELECT status, former_status FROM platform.tenant WHERE slug = 'alpha-clinic'",
        )
        .fetch_one(platform.admin_pool())
        .await
        .unwrap()
    };
    for _ in 0..3 {
        operator.suspend("alpha-clinic", "restore").await.unwrap();
        in_place(&platform, &folder, &files).await.unwrap();
        let (again, released) = tokio::join!(
            in_place(&platform, &folder, &files),
            operator.release("alpha-clinic")
        );
        // Whoever comes first; and both when the release comes after the end.
        let stands = standing().await;
        let held = ("held".to_owned(), None);
        let active = ("active".to_owned(), None);
        let expected = if released.is_ok() { active } else { held };
        assert_eq!(stands, expected, "{again:?}, {released:?}");
        assert!(again.is_ok() || released.is_ok(), "{again:?}, {released:?}");
        operator.release("alpha-clinic").await.unwrap();
    }
}
