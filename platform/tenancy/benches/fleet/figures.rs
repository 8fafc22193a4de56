//! What was measured, beside what is aimed for.

use std::time::Duration;

use serde_json::json;

/// One figure.
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    /// At most.
    aim: Option<f64>,
}

/// All of them.
pub(crate) struct Figures {
    tenants: usize,
    all: Vec<Figure>,
}

impl Figures {
    pub(crate) const fn new(tenants: usize) -> Self {
        Self {
            tenants,
            all: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, name: &'static str, value: f64, unit: &'static str, aim: f64) {
        self.put(name, value, unit, Some(aim));
    }

    pub(crate) fn note(&mut self, name: &'static str, value: f64, unit: &'static str) {
        self.put(name, value, unit, None);
    }

    fn put(&mut self, name: &'static str, value: f64, unit: &'static str, aim: Option<f64>) {
        let figure = Figure {
            name,
            value,
            unit,
            aim,
        };
        println!("  {}", figure.line());
        self.all.push(figure);
    }

    pub(crate) fn print(&self) {
        println!("\nWith {} tenants:", self.tenants);
        for figure in &self.all {
            println!("  {}", figure.line());
        }
    }

    pub(crate) fn json(&self) -> serde_json::Result<Vec<u8>> {
        let figure = |one: &Figure| {
            let met = one.aim.map(|aim| one.value <= aim);
            json!({ "name": one.name, "value": one.value, "unit": one.unit, "aim": one.aim, "met": met })
        };
        let all: Vec<_> = self.all.iter().map(figure).collect();
        serde_json::to_vec_pretty(&json!({ "tenants": self.tenants, "figures": all }))
    }
}

impl Figure {
    fn line(&self) -> String {
        let aim = match self.aim {
            Some(aim) if self.value <= aim => format!("at most {aim}: reached"),
            Some(aim) => format!("at most {aim}: MISSED"),
            None => String::new(),
        };
        format!(
            "{:48} {:>10.2} {:5} {aim}",
            self.name, self.value, self.unit
        )
    }
}

/// Milliseconds, in order of size.
pub(crate) fn sorted_ms(took: &[Duration]) -> Vec<f64> {
    let mut ms: Vec<f64> = took.iter().map(|one| one.as_secs_f64() * 1_000.0).collect();
    ms.sort_unstable_by(f64::total_cmp);
    ms
}

/// The value that so many in a hundred do not exceed.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied().unwrap_or(f64::NAN)
}
