//! What needs the machine for itself.

mod chaos;
mod race;
