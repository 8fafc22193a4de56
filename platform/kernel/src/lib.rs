//! The words every room of the house shares: ids, money, clock, problems, event envelope, secrets
//! and pages.
//!
//! The kernel knows nobody: no database, no network, no file. Whatever it holds can be built and
//! compared in a unit test without any set-up.
//!
//! To add an id, add a line to the [`id`] module's macro call. To add a refusal, build a
//! [`Problem`] from your module's own error enum; the kernel does not list codes.

pub mod clock;
pub mod event;
pub mod id;
pub mod language;
pub mod money;
pub mod page;
pub mod problem;
pub mod secret;

pub use clock::{Clock, YEARS};
pub use event::{Cause, Envelope, Event};
pub use id::*;
pub use language::is_language_tag;
pub use money::{Currency, Money};
pub use page::{Cursor, Page, RankCursor};
pub use problem::{FieldError, Kind, Problem, chain};
pub use secret::Secret;
