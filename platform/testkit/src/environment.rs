//! Where the servers for tests are. Nothing is assumed when a variable is missing: a test that
//! quietly skips or finds somebody's own database is worse than one that stops.
//!
//! | variable | what |
//! |---|---|
//! | `BERTH_TEST_DATABASE_URL` | a superuser's URL of a private Postgres cluster |
//! | `BERTH_TEST_AMQP_URL` | a RabbitMQ broker |
//! | `BERTH_TEST_REDIS_URL` | a Redis server |

/// A superuser's URL of a private Postgres cluster; its database is only used for maintenance.
///
/// # Panics
/// When `BERTH_TEST_DATABASE_URL` is not set.
#[must_use]
pub fn database_url() -> String {
    required("BERTH_TEST_DATABASE_URL")
}

/// A RabbitMQ broker.
///
/// # Panics
/// When `BERTH_TEST_AMQP_URL` is not set.
#[must_use]
pub fn amqp_url() -> String {
    required("BERTH_TEST_AMQP_URL")
}

/// A Redis server.
///
/// # Panics
/// When `BERTH_TEST_REDIS_URL` is not set.
#[must_use]
pub fn redis_url() -> String {
    required("BERTH_TEST_REDIS_URL")
}

fn required(name: &str) -> String {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => value,
        _ => panic!("{name} is not set: run ./dev test, which starts what the tests need"),
    }
}
