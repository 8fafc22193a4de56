//! The development kit behind `./dev`: private Postgres, Redis and RabbitMQ,
//! a mailbox that can be looked at, and the commands that start, test and
//! check the product.
//!
//! **Owns**: everything under `.dev/` (ports, pids, logs, secrets, data), the
//! environment a development copy of the product runs with
//! ([`environment`]), and `.dev/endpoints.json` ([`Endpoints`]).
//!
//! **Must not know**: any crate of the product. It is built before all of
//! them, in about a minute on a fresh machine, and talks to the product only
//! through its command line, its environment and HTTP. Nothing of it is ever
//! linked into the product.
//!
//! **To add a setting** the product needs in development, add one line in
//! [`environment`]. **To add a command**, write a file in [`commands`] and one
//! arm in [`cli`]. **To add a private service**, write a file in
//! [`services`] that describes its process and how readiness is seen, and one
//! line in [`services::ServiceSet`].
//!
//! Tests of other crates use [`services`] for brokers they may kill and
//! [`mailbox`] for mail they want to read.

pub mod bench;
pub mod cli;
pub mod commands;
pub mod demo;
mod endpoints;
pub mod environment;
pub mod files;
pub mod ledger;
pub mod mailbox;
pub mod ports;
pub mod process;
pub mod progress;
pub mod secrets;
pub mod services;
mod workspace;

pub use endpoints::{Endpoints, SignIn, Tenant};
pub use workspace::Workspace;
