//! Receipts: what they say, and that each payment has one.

mod content;
mod issuing;
mod reading;
mod stage;
