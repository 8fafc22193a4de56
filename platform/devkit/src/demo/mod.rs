//! The demo: tenants made the way a business would be signed up, and a booking played the way a
//! customer would make it, seen from outside through the API, the mailbox and the emulator.

mod client;
mod evidence;
mod play;
mod seed;

pub use client::{ApiError, Client};
pub use evidence::Evidence;
pub use play::{Played, Step, play};
pub use seed::{Business, Product, Seeder, furnish, seed, sign_up};
