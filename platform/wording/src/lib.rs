//! How amounts, days and times are written for people, in their language.
//!
//! Receipts and mails show the same price and the same hour; both get their words here, so that
//! they cannot differ. What is written for programs (JSON, logs) has its own forms and does not
//! belong here.
//!
//! Must not know: any service, template or file. To add a language: a variant in [`Language`],
//! and its arm wherever the compiler then asks for one.

mod language;
mod money;
mod text;
mod time;

pub use language::Language;
pub use text::single_line;
pub use time::{local_date, zone};
