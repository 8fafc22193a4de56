//! Private services: they answer when `start` returns, survive a crash on the
//! same port and data, and leave no process behind.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use berth_devkit::ports;
use berth_devkit::services::{
    PostgresOptions, PrivatePostgres, PrivateRabbit, PrivateRedis, RabbitOptions, RedisOptions,
    ServiceError, accepts, postgres_program,
};

/// A directory that the account which runs Postgres can reach.
fn place() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    place
}

fn sql(url: &str, statement: &str) -> String {
    let psql = postgres_program("psql", None).unwrap();
    let output = Command::new(psql)
        .args(["-X", "-qtA", "-d", url, "-c", statement])
        .output();
    let output = output.unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn postgres_keeps_what_was_committed_across_a_crash() {
    let place = place();
    let mut postgres = PrivatePostgres::start(place.path(), PostgresOptions::default())
        .await
        .unwrap();
    let url = postgres.ensure_database("sample").await.unwrap();
    assert_eq!(postgres.ensure_database("sample").await.unwrap(), url);
    sql(&url, "CREATE TABLE kept AS SELECT 42 AS answer");

    postgres.kill().await;
    assert!(!accepts(postgres.port()).await);
    postgres.restart().await.unwrap();
    assert_eq!(sql(&url, "SELECT answer FROM kept"), "42");

    postgres.stop().await;
    assert!(!accepts(postgres.port()).await);
}

#[tokio::test]
async fn redis_is_restarted_on_its_port() {
    let place = place();
    let mut redis = PrivateRedis::start(place.path(), RedisOptions::default())
        .await
        .unwrap();
    let (url, port) = (redis.url(), redis.port());
    assert!(accepts(port).await);
    redis.kill().await;
    assert!(!accepts(port).await);
    redis.restart().await.unwrap();
    assert_eq!(redis.url(), url);
    redis.stop().await;
    assert!(!accepts(port).await);
}

#[tokio::test]
async fn a_broker_keeps_durable_queues_across_a_crash_and_runs_beside_another() {
    let (one, other) = (place(), place());
    let (mut rabbit, beside) = futures::future::join(
        PrivateRabbit::start(one.path(), RabbitOptions::default()),
        PrivateRabbit::start(other.path(), RabbitOptions::default()),
    )
    .await;
    let (rabbit, beside) = (rabbit.as_mut().unwrap(), beside.unwrap());
    rabbit.control(&["add_vhost", "kept"]).await.unwrap();

    rabbit.kill().await;
    assert!(!accepts(rabbit.port()).await);
    assert!(accepts(beside.port()).await);
    rabbit.restart().await.unwrap();
    let hosts = rabbit.control(&["-q", "list_vhosts"]).await.unwrap();
    assert!(hosts.contains("kept"), "{hosts}");
    rabbit.stop().await;
    assert!(!accepts(rabbit.port()).await);
}

/// Pids of processes whose command line names this directory.
fn processes_of(place: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(&*place.to_string_lossy()) {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found
}

#[tokio::test]
async fn dropped_services_leave_no_process() {
    let place = place();
    let (one, other) = (place.path().join("postgres"), place.path().join("rabbit"));
    let (postgres, rabbit) = futures::future::join(
        PrivatePostgres::start(&one, PostgresOptions::default()),
        PrivateRabbit::start(&other, RabbitOptions::default()),
    )
    .await;
    let ports = [
        postgres.as_ref().unwrap().port(),
        rabbit.as_ref().unwrap().port(),
    ];
    assert!(!processes_of(place.path()).is_empty());
    drop((postgres, rabbit));
    let deadline = Instant::now() + Duration::from_secs(30);
    // A process loses its name before its sockets are closed.
    while !processes_of(place.path()).is_empty() || any_accepts(&ports).await {
        let left = processes_of(place.path());
        assert!(Instant::now() < deadline, "still there: {left:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn any_accepts(ports: &[u16]) -> bool {
    for port in ports {
        if accepts(*port).await {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn a_service_on_a_taken_port_is_refused() {
    let place = place();
    let reserved = ports::reserve().unwrap();
    let port = reserved.port();
    let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    drop(reserved);
    let options = RedisOptions {
        port: Some(port),
        ..RedisOptions::default()
    };
    let error = PrivateRedis::start(place.path(), options)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ServiceError::Files { source, .. }
        if source.kind() == std::io::ErrorKind::AddrInUse),
        "{error}"
    );
}

#[tokio::test]
async fn a_start_that_fails_says_why() {
    let place = place();
    let options = PostgresOptions {
        settings: vec!["shared_buffers=nonsense".to_owned()],
        ..PostgresOptions::default()
    };
    let error = PrivatePostgres::start(place.path(), options)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("shared_buffers"), "{error}");
    assert!(error.contains("postgres.log"), "{error}");
}
