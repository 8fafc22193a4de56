//! The demo: tenants made the way a business would be signed up, and a booking played the way a
//! customer would make it, seen from outside through the API, the mailbox and the emulator.

mod businesses;
mod client;
mod evidence;
mod furnish;
mod play;
mod seed;

pub use businesses::{Business, Product};
pub use client::{ApiError, Client};
pub use evidence::Evidence;
pub use furnish::furnish;
pub use play::{Played, Step, play};
pub use seed::{Cast, Seeder, seed, sign_up};
