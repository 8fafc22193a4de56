//! Money: asked, taken, given back, and accounted for. Owns payments, refunds and the ledger.

pub mod provider;
