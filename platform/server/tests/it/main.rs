//! The whole product, from outside: started as its operator starts it, called as its users call it.
//! One module a promise; those in `heavy` load the whole machine and run alone.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod addresses;
mod backoffice;
mod bad_input;
mod blocks;
mod books;
mod browser;
mod bucket;
mod calendars;
mod caller;
mod canary;
mod catalog_add_ons;
mod catalog_holidays;
mod catalog_locations;
mod catalog_search;
mod catalog_tree;
mod courses;
mod dead_letters;
mod document;
mod domains;
mod explain;
mod fleet;
mod heavy;
mod holds;
mod house;
mod images;
mod interrupted;
mod isolation;
mod kinds;
mod life;
mod limits;
mod lost_broker;
mod neighbours;
mod observed;
mod onboarding;
mod operators;
mod outages;
mod prices;
mod questions;
mod recount;
mod refunds;
mod relocation;
mod rentals;
mod repeats;
mod seats;
mod shop;
mod sign_out;
mod stays;
mod tables;
mod takeover;
mod together;
mod two_releases;
mod waitlist;
