//! Purchases reach TikTok once, and tokens reach nobody.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails the test it helps"
)]

mod connecting;
mod converting;
mod stage;
