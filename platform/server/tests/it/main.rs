//! The whole product, from outside: started as its operator starts it, called as its users call it.
//! One module a promise; those in `heavy` load the whole machine and run alone.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod books;
mod browser;
mod heavy;
mod house;
mod isolation;
mod shop;
