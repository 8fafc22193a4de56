//! Receipts: what they say, and that each payment has one.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails the test it helps"
)]

mod content;
mod issuing;
mod reading;
mod stage;
