//! The adapter against servers that behave, and servers that do not.

mod answers;
mod fixture;
