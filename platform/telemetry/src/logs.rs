//! Logs: one JSON object a line on standard output.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{Error, TelemetrySettings};

/// Flushes traces when dropped.
#[derive(Debug)]
pub struct Guard(Option<SdkTracerProvider>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take() {
            let _ = provider.shutdown();
        }
    }
}

/// Installs logs and, if an endpoint is set, traces. Keep the guard until the end of `main`.
///
/// # Errors
/// [`Error`], for a bad filter or endpoint, or when called twice.
pub fn install(settings: &TelemetrySettings) -> Result<Guard, Error> {
    let filter = EnvFilter::builder().parse(&settings.log)?;
    let json = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(true)
        .with_target(true);
    let provider = settings
        .otlp_endpoint
        .as_deref()
        .map(|endpoint| exporter(settings, endpoint));
    let provider = provider.transpose()?;
    let traces = provider
        .as_ref()
        .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("berth")));
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    tracing_subscriber::registry()
        .with(filter)
        .with(json)
        .with(traces)
        .try_init()
        .map_err(|error| Error::Installed(error.to_string()))?;
    Ok(Guard(provider))
}

fn exporter(settings: &TelemetrySettings, endpoint: &str) -> Result<SdkTracerProvider, Error> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()?;
    let resource = Resource::builder()
        .with_service_name(settings.service_name.clone())
        .build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build())
}
