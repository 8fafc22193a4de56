//! What needs the machine for itself.

mod chaos;
mod contention;
mod freeze;
mod race;
