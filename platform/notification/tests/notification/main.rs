//! What customers are told: in which words, and exactly once.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails the test it helps"
)]

mod choice;
mod sample;
mod sending;
mod smtp;
mod words;
