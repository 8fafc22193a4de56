//! The development kit against the real thing: SMTP conversations over TCP,
//! and private services that are started, killed and started again.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail like the tests themselves"
)]

mod mailbox;
mod services;
