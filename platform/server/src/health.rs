//! Whether this process lives, and whether it can serve.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use berth_tenancy::Tenancy;
use poem::{IntoResponse as _, Response, handler, http::StatusCode, web::Data};

/// Whether requests are welcome; no longer once the process is to end.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    tenancy: Tenancy,
    leaving: Arc<AtomicBool>,
}

impl Health {
    pub(crate) fn new(tenancy: Tenancy) -> Self {
        Self {
            tenancy,
            leaving: Arc::new(AtomicBool::new(false)),
        }
    }

    /// From now on the process says that it is not ready.
    pub(crate) fn leave(&self) {
        self.leaving.store(true, Ordering::SeqCst);
    }
}

/// Alive: touches nothing, so that a slow database gets no process killed.
#[handler]
pub(crate) fn live() -> &'static str {
    "alive\n"
}

/// Ready: the database answers and is migrated.
#[handler]
pub(crate) async fn ready(health: Data<&Health>) -> Response {
    let (status, text) = if health.leaving.load(Ordering::SeqCst) {
        (StatusCode::SERVICE_UNAVAILABLE, "leaving\n")
    } else {
        match health.tenancy.database().ready().await {
            Ok(true) => (StatusCode::OK, "ready\n"),
            Ok(false) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the database is not migrated\n",
            ),
            Err(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer\n",
            ),
        }
    };
    text.with_status(status).into_response()
}
