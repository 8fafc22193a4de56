//! The development kit against the real thing: SMTP conversations over TCP,
//! and private services that are started, killed and started again.

mod mailbox;
mod services;
