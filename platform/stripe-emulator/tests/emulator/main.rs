//! The emulator as its clients see it: over HTTP, started in the test's process.

mod control;
mod delivery;
mod faults;
mod idempotency;
mod isolation;
mod money;
mod pages;
mod payments;
mod receiver;
mod restart;
mod support;
mod tiktok;
