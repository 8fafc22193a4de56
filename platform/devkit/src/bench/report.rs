//! What was measured, for people and for programs.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::load::Answered;
use super::pgbench::Reached;
use super::usage::{Standing, Usage};
use super::works::{Aim, Work};
use crate::files;

/// One turn of ceiling and product.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub ceiling: Reached,
    pub ceiling_used: Usage,
    pub product: Answered,
    pub product_used: Usage,
}

impl Round {
    fn ratio(&self) -> f64 {
        self.product.rate / self.ceiling.rate
    }

    /// In short.
    pub fn line(&self) -> String {
        format!(
            "pgbench {:.0}/s, HTTP {:.0}/s, ratio {:.2}",
            self.ceiling.rate,
            self.product.rate,
            self.ratio()
        )
    }
}

/// All figures of a run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    measured_at: jiff::Timestamp,
    processors: usize,
    connections: usize,
    seconds_each: u64,
    works: Vec<Figures>,
    server: Option<Standing>,
}

/// The figures of one work; medians over the rounds.
#[derive(Debug, Serialize)]
struct Figures {
    name: &'static str,
    /// What is switched on, how much there is.
    conditions: &'static str,
    rounds: usize,
    http_rate: f64,
    pgbench_rate: f64,
    /// HTTP by pgbench, of the same round.
    ratio: f64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    pgbench_mean_ms: f64,
    /// Processor milliseconds a request.
    app_cpu_ms: f64,
    database_cpu_ms: f64,
    /// Processor milliseconds a pgbench transaction, of Postgres.
    pgbench_database_cpu_ms: f64,
    aim: Aim,
    /// Whether the aim is reached.
    met: Option<bool>,
}

impl Report {
    pub fn new(connections: usize, seconds: Duration) -> Self {
        Self {
            measured_at: jiff::Timestamp::now(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            connections,
            seconds_each: seconds.as_secs(),
            works: Vec::new(),
            server: None,
        }
    }

    pub fn stands(&mut self, server: Standing) {
        self.server = Some(server);
    }

    pub fn add(&mut self, work: &Work, rounds: &[Round]) {
        let of = |figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
        let each = |used: Duration, round: &Round| {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            let count = round.product.count.max(1) as f64;
            used.as_secs_f64() * 1_000.0 / count
        };
        let ceiling_each = |round: &Round| {
            let transactions = round.ceiling.rate * self.seconds_each as f64;
            round.ceiling_used.database.as_secs_f64() * 1_000.0 / transactions.max(1.0)
        };
        let ratio = of(&Round::ratio);
        let app_cpu_ms = of(&|round| each(round.product_used.app, round));
        let database_cpu_ms = of(&|round| each(round.product_used.database, round));
        self.works.push(Figures {
            aim: work.aim,
            met: work.aim.is_met(ratio, app_cpu_ms, database_cpu_ms),
            name: work.name,
            conditions: work.conditions,
            rounds: rounds.len(),
            http_rate: of(&|round| round.product.rate),
            pgbench_rate: of(&|round| round.ceiling.rate),
            ratio,
            p50_ms: of(&|round| percentile(&round.product.took_ms, 50)),
            p95_ms: of(&|round| percentile(&round.product.took_ms, 95)),
            p99_ms: of(&|round| percentile(&round.product.took_ms, 99)),
            pgbench_mean_ms: of(&|round| round.ceiling.mean_ms),
            app_cpu_ms,
            database_cpu_ms,
            pgbench_database_cpu_ms: of(&ceiling_each),
        });
    }

    pub fn save(&self, file: &Path) -> std::io::Result<()> {
        files::write_json(file, self)
    }

    pub fn print(&self) {
        println!(
            "\n{} connections, {} processors, medians; CPU in milliseconds a request",
            self.connections, self.processors
        );
        println!(
            "\n{:<34} {:>8} {:>9} {:>6} {:>8} {:>8} {:>8} {:>8} {:>11}  aim",
            "work",
            "HTTP/s",
            "pgbench/s",
            "ratio",
            "p50 ms",
            "p99 ms",
            "CPU app",
            "CPU db",
            "CPU pgbench"
        );
        for work in &self.works {
            println!(
                "{:<34} {:>8.0} {:>9.0} {:>6.2} {:>8.2} {:>8.2} {:>8.3} {:>8.3} {:>11.3}  {} {}",
                work.name,
                work.http_rate,
                work.pgbench_rate,
                work.ratio,
                work.p50_ms,
                work.p99_ms,
                work.app_cpu_ms,
                work.database_cpu_ms,
                work.pgbench_database_cpu_ms,
                work.aim,
                match work.met {
                    Some(true) => "reached",
                    Some(false) => "missed",
                    None => "",
                }
            );
        }
        for work in &self.works {
            println!("  {}: {}", work.name, work.conditions);
        }
        if let Some(server) = self.server {
            println!(
                "\nThe server: {:.0} ms from its start to an answer from the database (aim 300), \
                 {:.0} MiB idle (aim 40), {:.0} MiB after all works (aim 80)",
                server.start_ms, server.idle_mib, server.loaded_mib
            );
        }
    }
}

/// The value below which `hundredths` of the sorted values are; 0 for none.
pub(super) fn percentile(sorted: &[f64], hundredths: usize) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let index = (sorted.len() * hundredths / 100).min(last);
    sorted.get(index).copied().unwrap_or(0.0)
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    percentile(&values, 50)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_medians_of_few_values() {
        let sorted = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(percentile(&sorted, 50), 3.0);
        assert_eq!(percentile(&sorted, 99), 4.0);
        assert_eq!(percentile(&[], 99), 0.0);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    }
}
