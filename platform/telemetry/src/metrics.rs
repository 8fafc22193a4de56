//! Metrics in Prometheus' text form.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::Error;

/// Buckets for times, in seconds: from a cached answer to a handler's limit.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// Renders what was recorded.
#[derive(Clone, Debug)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Installs the recorder behind the `metrics` macros.
    ///
    /// # Errors
    /// [`Error::Installed`] when there is one already.
    pub fn install() -> Result<Self, Error> {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)
            .map_err(|error| Error::Installed(error.to_string()))?;
        let handle = builder
            .install_recorder()
            .map_err(|error| Error::Installed(error.to_string()))?;
        Ok(Self(handle))
    }

    /// The page a scraper reads.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}
