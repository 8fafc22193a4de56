//! Bringing the fleet up to date.

use std::{sync::Mutex, time::Duration};

use berth_tenancy::{
    DatabaseSettings, Error, Tenant,
    migrate::{self, Difference, Pace, Progress, Report, Wave},
};
use berth_testkit::TestPlatform;

use crate::{admin, create, gym, tables};

async fn run(platform: &TestPlatform) -> Result<Report, Error> {
    migrate::run(platform.settings(), Pace::default(), &|_| {}).await
}

/// A run that finds these tenants to bring up to date, and nothing else.
fn moved(tenants: usize) -> Report {
    Report {
        tenants,
        ..Report::default()
    }
}

/// Takes a tenant back to before its first migration.
async fn unmigrate(platform: &TestPlatform, tenant: &Tenant) {
    let role = tenant.role();
    let sql = format!(
        "BEGIN; DROP SCHEMA {role} CASCADE; CREATE SCHEMA {role}; GRANT USAGE ON SCHEMA {role} TO {role}; \
         ALTER DEFAULT PRIVILEGES IN SCHEMA {role} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}; \
         ALTER DEFAULT PRIVILEGES IN SCHEMA {role} GRANT USAGE ON SEQUENCES TO {role}; \
         UPDATE platform.tenant_schema SET version = 0 WHERE role = '{role}'; \
         UPDATE platform.tenant SET schema_version = 0 WHERE role = '{role}'; COMMIT"
    );
    admin(platform, sql).await;
}

async fn version(platform: &TestPlatform, tenant: &Tenant) -> i64 {
    sqlx::query_scalar("SELECT schema_version FROM platform.tenant WHERE id = $1")
        .bind(tenant.id.uuid())
        .fetch_one(platform.admin_pool())
        .await
        .unwrap()
}

/// Whether the tenant's own role can use its tables.
async fn works(platform: &TestPlatform, tenant: &Tenant) -> bool {
    let mut tx = platform.tenancy().begin(tenant).await.unwrap();
    sqlx::query("SELECT (SELECT count(*) FROM account) + (SELECT count(*) FROM booking)")
        .execute(tx.conn())
        .await
        .is_ok()
}

/// Puts a table of the tenant's own where one of a later migration goes.
async fn poison(platform: &TestPlatform, tenant: &Tenant) {
    let sql = format!("CREATE TABLE {}.account (id int)", tenant.role());
    admin(platform, sql).await;
}

async fn name_canary(platform: &TestPlatform, tenant: &Tenant) {
    let sql = format!(
        "UPDATE platform.tenant SET canary = true WHERE id = '{}'",
        tenant.id
    );
    admin(platform, sql).await;
}

/// A move copies rows by their keys and knows no sequence; a migration that forgets a key would stop every change of
/// its table while a tenant is copied.
#[tokio::test]
async fn every_table_of_a_tenant_can_be_moved() {
    let platform = TestPlatform::start().await;
    let role = platform.alpha().role().to_owned();
    let keyless: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c
         WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p')
           AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
         UNION ALL
         SELECT c.relname FROM pg_class c WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'S'",
    )
    .bind(&role)
    .fetch_all(platform.admin_pool())
    .await
    .unwrap();
    assert_eq!(keyless, Vec::<String>::new());
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = $1")
        .bind(&role)
        .fetch_one(platform.admin_pool())
        .await
        .unwrap();
    assert!(tables > 30, "{tables} tables were looked at");
}

#[tokio::test]
async fn a_run_with_nothing_to_do_does_nothing() {
    let platform = TestPlatform::start().await;
    assert_eq!(run(&platform).await.unwrap(), moved(0));
    assert_eq!(run(&platform).await.unwrap(), moved(0));
    let status = migrate::status(platform.settings()).await.unwrap();
    assert!(status.platform_current);
    assert_eq!(status.versions, [(status.wanted, 2)]);
}

#[tokio::test]
async fn two_runs_at_once_share_the_work() {
    let platform = TestPlatform::start().await;
    let before = tables(&platform, platform.alpha().role()).await;
    for tenant in [platform.alpha(), platform.beta()] {
        unmigrate(&platform, &tenant).await;
    }
    let status = migrate::status(platform.settings()).await.unwrap();
    assert_eq!(status.versions, [(0, 2)]);
    let (one, two) = tokio::join!(run(&platform), run(&platform));
    assert_eq!(one.unwrap().tenants + two.unwrap().tenants, 2);
    for tenant in [platform.alpha(), platform.beta()] {
        assert_eq!(tables(&platform, tenant.role()).await, before);
        assert!(works(&platform, &tenant).await);
    }
}

#[tokio::test]
async fn a_poisoned_tenant_is_put_in_quarantine_and_the_others_go_on() {
    let platform = TestPlatform::start().await;
    let (alpha, beta) = (platform.alpha(), platform.beta());
    let newest = version(&platform, &alpha).await;
    for tenant in [&alpha, &beta] {
        unmigrate(&platform, tenant).await;
    }
    // In the way of a migration that is not the first: what came before it must go too.
    poison(&platform, &alpha).await;
    let report = run(&platform).await.unwrap();
    assert_eq!(report.tenants, 1);
    let [stays] = report.quarantined.as_slice() else {
        panic!("{report:?}");
    };
    assert_eq!((&*stays.slug, stays.version), ("alpha-clinic", 0));
    assert_eq!(stays.wanted, newest);
    assert!(stays.reason.contains("account"), "{}", stays.reason);
    assert_eq!(version(&platform, &beta).await, newest);
    assert!(works(&platform, &beta).await);
    assert_eq!(
        tables(&platform, alpha.role()).await,
        ["account"],
        "half a migration is left"
    );
    // It is not tried again by itself, and seen by whoever looks.
    assert_eq!(
        run(&platform).await.unwrap(),
        Report {
            tenants: 0,
            ..report.clone()
        }
    );
    let status = migrate::status(platform.settings()).await.unwrap();
    assert_eq!(status.quarantined, report.quarantined);

    admin(&platform, format!("DROP TABLE {}.account", alpha.role())).await;
    let retry = Pace {
        retry: true,
        ..Pace::default()
    };
    let report = migrate::run(platform.settings(), retry, &|_| {}).await;
    assert_eq!(report.unwrap(), moved(1));
    assert!(works(&platform, &alpha).await);
    assert_eq!(run(&platform).await.unwrap(), moved(0));
}

#[tokio::test]
async fn a_column_made_by_hand_stops_its_own_tenant_and_says_so() {
    let platform = TestPlatform::start().await;
    let (alpha, beta) = (platform.alpha(), platform.beta());
    let newest = version(&platform, &alpha).await;
    let settings = next(
        &platform,
        "CREATE TABLE channel (name text PRIMARY KEY);
         ALTER TABLE booking ADD COLUMN channel text REFERENCES channel",
    );
    let by_hand = format!(
        "ALTER TABLE {}.booking ADD COLUMN channel integer",
        alpha.role()
    );
    admin(&platform, by_hand).await;
    let run = async |retry: bool| {
        let pace = Pace {
            retry,
            ..Pace::default()
        };
        migrate::run(&settings, pace, &|_| {}).await.unwrap()
    };
    let report = run(false).await;
    let [stays] = report.quarantined.as_slice() else {
        panic!("{report:?}");
    };
    assert_eq!((&*stays.slug, stays.version), ("alpha-clinic", newest));
    let words = "column \"channel\" of relation \"booking\" already exists";
    assert!(stays.reason.contains(words), "{}", stays.reason);
    assert_eq!(version(&platform, &beta).await, newest + 1);
    // The table before the column is gone with it, and the tenant is served as it was.
    let left = tables(&platform, alpha.role()).await;
    assert!(!left.contains(&"channel".to_owned()), "{left:?}");
    assert!(works(&platform, &alpha).await && works(&platform, &beta).await);
    let mended = format!("ALTER TABLE {}.booking DROP COLUMN channel", alpha.role());
    admin(&platform, mended).await;
    assert_eq!(run(true).await.tenants, 1);
    assert_eq!(version(&platform, &alpha).await, newest + 1);
}

#[tokio::test]
async fn a_canary_goes_first_and_if_it_fails_nobody_else_does() {
    let platform = TestPlatform::start().await;
    let (alpha, beta) = (platform.alpha(), platform.beta());
    name_canary(&platform, &beta).await;
    for tenant in [&alpha, &beta] {
        unmigrate(&platform, tenant).await;
    }
    poison(&platform, &beta).await;
    let stopped = run(&platform).await;
    assert!(
        matches!(
            stopped,
            Err(Error::BudgetSpent {
                failed: 1,
                of: 1,
                ..
            })
        ),
        "{stopped:?}"
    );
    assert_eq!(version(&platform, &alpha).await, 0);
    // Nor does a run that is simply repeated walk past it.
    let again = run(&platform).await;
    assert!(matches!(again, Err(Error::BudgetSpent { .. })), "{again:?}");
    assert_eq!(version(&platform, &alpha).await, 0);

    admin(&platform, format!("DROP TABLE {}.account", beta.role())).await;
    let retry = Pace {
        retry: true,
        ..Pace::default()
    };
    let told = Mutex::new(Vec::new());
    let progress = |progress: Progress| {
        let heard = (progress.wave, progress.all, progress.later);
        told.lock().unwrap().push(heard);
    };
    let report = migrate::run(platform.settings(), retry, &progress).await;
    assert_eq!(report.unwrap(), moved(2));
    let told = told.into_inner().unwrap();
    assert_eq!(told[0], (Wave::Canaries, 1, 1));
    assert!(told.len() == 2 && told[1].0 > Wave::Canaries, "{told:?}");
    assert_eq!((told[1].1, told[1].2), (1, 0));
}

/// A tenant that is in a wave of the fleet: it is chosen by a tenant's id.
async fn in_wave(platform: &TestPlatform, slug: &str, wave: std::ops::Range<i64>) {
    let made = create(platform, &gym(slug)).await.unwrap();
    let id = made.id.uuid();
    // What refers to the id says nothing that matters here.
    let sql = format!(
        "BEGIN; SET LOCAL session_replication_role = replica; \
         UPDATE platform.tenant SET id = (SELECT u FROM (SELECT gen_random_uuid() AS u FROM generate_series(1, 10000)) s \
             WHERE abs(hashtext(u::text)::bigint) % 100 BETWEEN {} AND {} LIMIT 1) WHERE id = '{id}'; COMMIT",
        wave.start,
        wave.end - 1
    );
    admin(platform, sql).await;
}

#[tokio::test]
async fn a_fleet_moves_in_waves_and_one_that_fails_too_often_is_the_last() {
    let platform = TestPlatform::start().await;
    name_canary(&platform, &platform.alpha()).await;
    name_canary(&platform, &platform.beta()).await;
    in_wave(&platform, "of-hundredth", 0..1).await;
    for slug in ["tenth-one", "tenth-two", "tenth-three"] {
        in_wave(&platform, slug, 1..10).await;
    }
    in_wave(&platform, "of-rest", 10..100).await;
    let settings = next(&platform, NEXT);
    let by_hand = async |what: &str| {
        let sql = format!(
            "DO $$ DECLARE place text; BEGIN FOR place IN SELECT role FROM platform.tenant \
             WHERE slug IN ('tenth-one', 'tenth-two') LOOP EXECUTE format('{what}', place); END LOOP; END $$"
        );
        admin(&platform, sql).await;
    };
    by_hand("CREATE TABLE %I.channel (mine int)").await;
    let heard = Mutex::new(Vec::new());
    let progress = |progress: Progress| heard.lock().unwrap().push(progress.wave);
    let run = async |retry: bool| {
        let pace = Pace {
            retry,
            ..Pace::default()
        };
        migrate::run(&settings, pace, &progress).await
    };
    // Of so few one may fail.
    let stopped = run(false).await;
    let Err(Error::BudgetSpent { wave, failed, of }) = &stopped else {
        panic!("{stopped:?}");
    };
    assert_eq!((wave.as_str(), *failed, *of), ("the first tenth", 2, 3));
    let behind = async || {
        let sql = "SELECT slug FROM platform.tenant WHERE schema_version < $1 ORDER BY slug";
        let slugs: Vec<String> = sqlx::query_scalar(sql)
            .bind(settings.files.latest())
            .fetch_all(platform.admin_pool())
            .await
            .unwrap();
        slugs
    };
    assert_eq!(behind().await, ["of-rest", "tenth-one", "tenth-two"]);
    let waves = std::mem::take(&mut *heard.lock().unwrap());
    assert!(waves.is_sorted(), "{waves:?}");
    assert_eq!(
        (waves[0], waves[waves.len() - 1]),
        (Wave::Canaries, Wave::Tenth)
    );

    by_hand("DROP TABLE %I.channel").await;
    assert_eq!(run(true).await.unwrap(), moved(3));
    assert!(behind().await.is_empty());
    let waves = heard.into_inner().unwrap();
    assert_eq!(waves.last(), Some(&Wave::Rest));
}

#[tokio::test]
async fn a_tenant_that_takes_too_long_stops_nobody_else() {
    let platform = TestPlatform::start().await;
    let (alpha, beta) = (platform.alpha(), platform.beta());
    // As the database says it of a statement that ran out of time.
    let slow = format!(
        "DO $$ BEGIN IF current_schema() = '{}' THEN \
             RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = '57014'; \
         END IF; END $$",
        alpha.role()
    );
    let settings = next(&platform, &slow);
    let report = migrate::run(&settings, Pace::default(), &|_| {})
        .await
        .unwrap();
    let [stays] = report.quarantined.as_slice() else {
        panic!("{report:?}");
    };
    assert_eq!((&*stays.slug, report.tenants), ("alpha-clinic", 1));
    assert!(
        stays.reason.contains("statement timeout"),
        "{}",
        stays.reason
    );
    assert_eq!(version(&platform, &beta).await, settings.files.latest());
}

#[tokio::test]
async fn a_dry_run_finds_whoever_is_in_the_way_and_changes_nothing() {
    let platform = TestPlatform::start().await;
    let (alpha, beta) = (platform.alpha(), platform.beta());
    name_canary(&platform, &beta).await;
    let settings = next(&platform, NEXT);
    let in_the_way = format!("CREATE TABLE {}.channel (mine int)", beta.role());
    admin(&platform, in_the_way).await;
    let before = (
        version(&platform, &alpha).await,
        tables(&platform, alpha.role()).await,
    );
    let dry = Pace {
        dry: true,
        ..Pace::default()
    };
    let report = migrate::run(&settings, dry, &|_| {}).await.unwrap();
    assert_eq!((report.platform, report.tenants), (0, 1));
    let [stays] = report.quarantined.as_slice() else {
        panic!("{report:?}");
    };
    assert_eq!(
        (&*stays.slug, stays.wanted),
        (&*beta.slug, settings.files.latest())
    );
    assert!(stays.reason.contains("already exists"), "{}", stays.reason);
    let after = (
        version(&platform, &alpha).await,
        tables(&platform, alpha.role()).await,
    );
    assert_eq!(before, after);
    // Nobody is in quarantine for it, so that nothing stops the run that follows.
    admin(&platform, format!("DROP TABLE {}.channel", beta.role())).await;
    let report = migrate::run(&settings, Pace::default(), &|_| {})
        .await
        .unwrap();
    assert_eq!((report.tenants, report.quarantined.len()), (2, 0));
}

#[tokio::test]
async fn a_tenant_in_use_is_waited_for() {
    let platform = TestPlatform::start().await;
    let beta = platform.beta();
    unmigrate(&platform, &beta).await;
    let mut user = platform.admin_pool().begin().await.unwrap();
    sqlx::query("SELECT FROM platform.tenant WHERE id = $1 FOR UPDATE")
        .bind(beta.id.uuid())
        .execute(&mut *user)
        .await
        .unwrap();
    // Longer than a migration waits for a lock, and shorter than it tries.
    let release = async {
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        user.rollback().await.unwrap();
    };
    let (report, ()) = tokio::join!(run(&platform), release);
    assert_eq!(report.unwrap(), moved(1));
    assert!(works(&platform, &beta).await);
}

#[tokio::test]
async fn a_run_that_is_killed_is_gone_on_with() {
    let platform = TestPlatform::start().await;
    let (alpha, beta) = (platform.alpha(), platform.beta());
    for tenant in [&alpha, &beta] {
        unmigrate(&platform, tenant).await;
    }
    // A worker that waits for this row is in the middle of its tenant.
    let mut user = platform.admin_pool().begin().await.unwrap();
    sqlx::query("SELECT FROM platform.tenant WHERE id = $1 FOR UPDATE")
        .bind(beta.id.uuid())
        .execute(&mut *user)
        .await
        .unwrap();
    let kill = async {
        let waiting = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                       WHERE datname = current_database() AND application_name LIKE 'berth-owner %'
                         AND wait_event_type = 'Lock' AND query LIKE 'BEGIN%'";
        loop {
            let killed: i64 = sqlx::query_scalar(waiting)
                .fetch_one(platform.admin_pool())
                .await
                .unwrap();
            if killed > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        user.rollback().await.unwrap();
    };
    let (killed, ()) = tokio::join!(run(&platform), kill);
    assert!(matches!(killed, Err(Error::Unavailable(_))), "{killed:?}");
    let report = run(&platform).await.unwrap();
    assert!(report.quarantined.is_empty(), "{report:?}");
    for tenant in [&alpha, &beta] {
        assert!(works(&platform, tenant).await);
    }
    assert_eq!(run(&platform).await.unwrap(), moved(0));
}

#[tokio::test]
async fn an_applied_file_that_was_edited_is_refused() {
    let platform = TestPlatform::start().await;
    admin(
        &platform,
        "UPDATE platform.schema_migration SET checksum = '\\x00'".to_owned(),
    )
    .await;
    let refused = run(&platform).await;
    assert!(
        matches!(refused, Err(Error::MigrationChanged(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn who_is_on_the_way_to_another_node_is_left_and_it_is_said() {
    let platform = TestPlatform::start().await;
    let (alpha, beta) = (platform.alpha(), platform.beta());
    for tenant in [&alpha, &beta] {
        unmigrate(&platform, tenant).await;
    }
    let moving = format!(
        "INSERT INTO platform.relocation (tenant_id, role, from_node, from_bucket, to_node, to_bucket, state)
         VALUES ('{}', '{}', 0, 0, 1, 0, 'copying')",
        alpha.id,
        alpha.role()
    );
    admin(&platform, moving).await;
    let report = run(&platform).await.unwrap();
    assert_eq!((report.tenants, report.left), (1, 1));
    assert_eq!(version(&platform, &alpha).await, 0);
    admin(&platform, "DELETE FROM platform.relocation".to_owned()).await;
    assert_eq!(run(&platform).await.unwrap(), moved(1));
}

#[tokio::test]
async fn the_address_of_a_node_that_leads_to_another_is_refused() {
    let platform = TestPlatform::start().await;
    let mut settings = platform.settings().clone();
    settings.nodes.push(settings.url.clone());
    let refused = migrate::run(&settings, Pace::default(), &|_| {}).await;
    assert!(
        matches!(refused, Err(Error::OtherNode { asked: 1, is: 0 })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn what_the_files_make_is_what_the_baseline_makes() {
    let platform = TestPlatform::start().await;
    // Made from the baseline, as every new tenant; the other file by file.
    unmigrate(&platform, &platform.beta()).await;
    assert_eq!(run(&platform).await.unwrap(), moved(1));
    let report = migrate::drift(platform.settings()).await.unwrap();
    assert_eq!((report.compared, report.other_version), (2, 0));
    assert!(report.drifted.is_empty(), "{:#?}", report.drifted);
    let made = async |tenant: &Tenant| {
        let role = tenant.role();
        // Rows the files themselves write, and rights on what will be made.
        let sql = format!(
            "SELECT (SELECT string_agg(v::text, ',') FROM {role}.catalog_version v)
                 || (SELECT string_agg(d.defaclobjtype::text || replace(d.defaclacl::text, '{role}', 'own'), ','
                                       ORDER BY d.defaclobjtype)
                     FROM pg_default_acl d WHERE d.defaclnamespace = '{role}'::regnamespace)"
        );
        let made: String = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(platform.admin_pool())
            .await
            .unwrap();
        made
    };
    assert_eq!(made(&platform.alpha()).await, made(&platform.beta()).await);
}

#[tokio::test]
async fn what_was_changed_by_hand_is_reported_and_nothing_else() {
    let platform = TestPlatform::start().await;
    let role = platform.alpha().role().to_owned();
    let other = platform.beta().role().to_owned();
    let by_hand = format!(
        "ALTER TABLE {role}.booking ADD COLUMN mine text; DROP INDEX {role}.booking_start; \
         ALTER TABLE {role}.variant DROP CONSTRAINT variant_price_minor_check; \
         ALTER TABLE {role}.resource ALTER COLUMN name DROP NOT NULL; \
         GRANT SELECT ON {role}.account TO berth_platform; \
         GRANT UPDATE ON {role}.ledger_entry TO {role}; \
         DROP TRIGGER catalog_version_told ON {role}.catalog_version; \
         ALTER TABLE {role}.ledger_entry DISABLE TRIGGER USER; \
         COMMENT ON TABLE {role}.booking IS 'transient'; \
         ALTER TABLE {role}.product ENABLE ROW LEVEL SECURITY; \
         CREATE POLICY mine ON {role}.product USING (active); \
         CREATE OR REPLACE FUNCTION {role}.claim_lock(resources uuid[]) RETURNS boolean LANGUAGE sql \
           AS 'SELECT true'; \
         UPDATE platform.tenant SET schema_version = 1 WHERE role = '{other}'"
    );
    admin(&platform, by_hand).await;
    let report = migrate::drift(platform.settings()).await.unwrap();
    assert_eq!((report.compared, report.other_version), (1, 1));
    let [drifted] = report.drifted.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!((&*drifted.slug, &drifted.schema), ("alpha-clinic", &role));
    let named = |differs: fn(&Difference) -> bool| -> Vec<&str> {
        let found = drifted.differences.iter().filter(|one| differs(one));
        found.map(|one| one.object.as_str()).collect()
    };
    assert_eq!(
        named(|one| one.is.is_none()),
        [
            "constraint variant.variant_price_minor_check",
            "index booking_start",
            "trigger catalog_version.catalog_version_told"
        ]
    );
    assert_eq!(
        named(|one| one.should.is_none()),
        ["column booking.mine", "policy product.mine"]
    );
    assert_eq!(
        named(|one| one.is.is_some() && one.should.is_some()),
        [
            "column resource.name",
            "function claim_lock(resources uuid[])",
            "table account",
            "table booking",
            "table ledger_entry",
            "table product",
            "trigger ledger_entry.ledger_entry_balances"
        ]
    );
}

/// Settings of a program of the next release, which has one more file.
fn next(platform: &TestPlatform, sql: &str) -> DatabaseSettings {
    let mut settings = platform.settings().clone();
    settings.files = settings.files.and(sql);
    settings
}

/// What a next release may do to a fleet.
const NEXT: &str = "ALTER TABLE booking ADD COLUMN channel text, ADD COLUMN priority integer NOT NULL DEFAULT 0; \
                    CREATE INDEX booking_channel ON booking (channel); \
                    CREATE TABLE channel (name text PRIMARY KEY)";

#[tokio::test]
async fn a_tenant_that_has_not_moved_keeps_the_others_from_nothing() {
    let platform = TestPlatform::start().await;
    let (alpha, beta) = (platform.alpha(), platform.beta());
    let settings = next(&platform, NEXT);
    let files = &settings.files;
    // In the way of the next release's table.
    admin(
        &platform,
        format!("CREATE TABLE {}.channel (mine int)", alpha.role()),
    )
    .await;
    let report = migrate::run(&settings, Pace::default(), &|_| {});
    let report = report.await.unwrap();
    assert_eq!((report.tenants, report.quarantined.len()), (1, 1));
    assert_eq!(report.quarantined[0].wanted, files.latest());
    for tenant in [&alpha, &beta] {
        assert!(works(&platform, tenant).await);
    }
    // A program of this release finds nothing to do with either.
    let report = run(&platform).await.unwrap();
    assert_eq!(report.tenants, 0);
    assert_eq!(version(&platform, &beta).await, files.latest());
}

#[tokio::test]
async fn a_statement_planned_for_other_columns_fails_once_and_then_not_again() {
    let platform = TestPlatform::start().await;
    let alpha = platform.alpha();
    let read = async || -> Result<(), Error> {
        let mut tx = platform.tenancy().begin(&alpha).await?;
        let rows = sqlx::query("SELECT year FROM receipt_counter").execute(tx.conn());
        rows.await?;
        tx.rollback().await
    };
    read().await.unwrap();
    let sql = format!(
        "ALTER TABLE {}.receipt_counter ALTER COLUMN year TYPE bigint",
        alpha.role()
    );
    admin(&platform, sql).await;
    let failed = read().await;
    assert!(matches!(failed, Err(Error::Unavailable(_))), "{failed:?}");
    for _ in 0..8 {
        read().await.unwrap();
    }
}
