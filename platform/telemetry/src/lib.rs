//! What the running program tells its operators: structured logs, traces, metrics.
//!
//! - Logs are JSON lines; a request's id is a field of every line that belongs to it, up to the
//!   mail that ends it.
//! - Traces go out over OTLP when an endpoint is configured.
//! - Metrics are answered on a port of their own, which is not for the public.
//!
//! Must not know any service. To add a metric, use the `metrics` macros where the thing happens.

pub mod logs;
pub mod metrics;
pub mod panics;
pub mod trace;

use serde::Deserialize;

/// How much is told, and where.
#[derive(Clone, Debug, Deserialize)]
pub struct TelemetrySettings {
    /// Filter in `tracing`'s directive form, as in `info,sqlx=warn`.
    #[serde(default = "default_log")]
    pub log: String,
    /// OTLP endpoint for traces over gRPC, as in `http://collector:4317`; none sends none.
    #[serde(default)]
    pub otlp_endpoint: Option<String>,
    /// Name the traces carry.
    #[serde(default = "default_service")]
    pub service_name: String,
}

fn default_log() -> String {
    "info".into()
}

fn default_service() -> String {
    "berth".into()
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            log: default_log(),
            otlp_endpoint: None,
            service_name: default_service(),
        }
    }
}

/// Telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter is not of its form.
    #[error("the log filter cannot be read")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The trace exporter could not be made.
    #[error("the trace exporter cannot be set up")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// A subscriber or recorder is installed already.
    #[error("telemetry is already set up: {0}")]
    Installed(String),
}
