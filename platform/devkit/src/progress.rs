//! What a person sees while something takes time. All of it goes to standard
//! error: standard output carries results only.

use std::fmt::Display;
use std::time::Instant;

/// Says something in passing.
pub fn note(text: &str) {
    eprintln!("  {text}");
}

/// Says what is about to happen.
pub fn heading(text: &str) {
    eprintln!("\n== {text}");
}

/// Says that something went wrong, without ending.
pub fn warning(text: &str) {
    eprintln!("  ! {text}");
}

/// Runs one step and says how long it took.
///
/// # Errors
/// Those of the step.
pub async fn timed<T, E: Display>(
    title: &str,
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let started = Instant::now();
    let done = step.await;
    let seconds = started.elapsed().as_secs_f64();
    let mark = if done.is_ok() { "ready" } else { "FAILED" };
    eprintln!("  {title:<34} {mark:<7} {seconds:>6.1} s");
    done
}
