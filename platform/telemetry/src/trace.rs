//! Carrying a trace across the broker: W3C `traceparent` out and in.

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

const HEADER: &str = "traceparent";

/// The present span's `traceparent`; none when traces are off.
#[must_use]
pub fn parent() -> Option<String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carrier);
    carrier.remove(HEADER)
}

/// Makes `span` a child of the span that `parent` names.
pub fn follow(span: &Span, parent: Option<&str>) {
    let Some(parent) = parent else { return };
    let carrier = HashMap::from([(HEADER.to_owned(), parent.to_owned())]);
    // Refused only when the span is no part of a trace; there is nothing to follow then.
    let _ = span.set_parent(TraceContextPropagator::new().extract(&carrier));
}
