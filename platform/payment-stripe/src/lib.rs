//! Stripe behind the payment service's port: one HTTP call per method, and what became of it.
//!
//! Owns the wire to Stripe: keys, the pinned API version, amounts as Stripe counts them, the few
//! fields of its answers we read, and the sorting of failures into refused, unavailable and
//! unknown. It is a crate of its own, and the only one to name `async-stripe`, because Stripe's
//! generated types are slow to build.
//!
//! It must not know tables, tenants' settings or what follows from an answer. It never retries a
//! change: the payment service decides that, with the key it committed beforehand.
//!
//! To add a call: a method on the port; a typed request of `async-stripe` in `accounts`,
//! `intents` or `refunds`, sent through `Transport` with a small struct in `answers` that names
//! only the fields we read (the library's full objects fail as a whole when one key is missing);
//! a test against the emulator.

mod accounts;
mod amount;
mod answers;
mod failure;
mod intents;
mod port;
mod refunds;
mod settings;
mod transport;

pub use self::{
    port::Stripe,
    settings::{SettingsError, StripeSettings},
};
