//! A stateful stand-in for Stripe (and for TikTok's Events API) over real HTTP,
//! for development and tests. The product never links it.
//!
//! It owns what those services would own: connected accounts, payments, refunds,
//! balances, events and their webhooks, the hosted pages, and Stripe.js. It must
//! not know the product: no type, table or setting of it. What it answers has
//! the keys that Stripe's typed clients ask for.
//!
//! - `api`: the REST API, one file per resource; `model`: what is stored and
//!   how it is shown; `world`: all state behind one lock.
//! - `webhook`: signed deliveries, tried again until taken.
//! - `pages`: onboarding, 3-D Secure, and `stripe.js`, a stand-in for Stripe.js.
//! - `tiktok`: the Events API. `control`: everything under `/_emulator`.
//! - `faults`: what goes wrong on demand. `persist`: the snapshot file.
//!
//! To add an operation: a line in `api/routes.rs` and its function in the file
//! of its resource. To add a resource: a struct with `shown` in `model`, a shelf
//! in `world::Books`, a file in `api`. To add a magic card: a row in
//! `model/card.rs`. To add a fault: a variant in `faults::Kind`, and the place
//! that takes it.
//!
//! What it leaves out: manual capture, customers, invoices, unknown parameters
//! (Stripe refuses them, the emulator reads past them), and reversed transfers.

// A charge has more keys than `json!` can nest by default.
#![recursion_limit = "256"]

mod api;
mod control;
mod core;
mod error;
mod faults;
mod gate;
mod ids;
mod log;
mod model;
mod money;
mod pages;
mod params;
mod persist;
mod schedule;
mod server;
mod shelf;
mod summary;
mod tiktok;
mod webhook;
mod world;

pub use server::{Config, Emulator, Running, WebhookTarget};
