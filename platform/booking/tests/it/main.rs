//! The engine against a real database.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod lane;
mod model;
mod offers;
mod random_life;
