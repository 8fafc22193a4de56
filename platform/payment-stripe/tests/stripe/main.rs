//! The adapter against servers that behave, and servers that do not.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod answers;
mod emulator;
mod faults;
mod fixture;
