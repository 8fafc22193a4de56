//! What happened, for counting: a row per happening, and word of the purchases.
//!
//! Owns the table `tracked_event`. What is tracked:
//!
//! | event | row | told on |
//! |---|---|---|
//! | `booking.booking.requested`, or else `created` | `InitiateCheckout` | no: kept for funnels |
//! | `payment.payment.succeeded` | `Purchase` | `analytics.event.tracked`, in the same transaction |
//!
//! Names are those the advertising world counts by. The id a browser's pixel gave its own event is
//! kept, so that the pair counts once; without one an id is made from the booking's.
//!
//! Must not know: who is told of purchases outside, and how.
//!
//! To track one more thing: an arm in [`model::tracked`].

pub mod model;
mod reactions;
mod store;

pub use reactions::Reactions;
