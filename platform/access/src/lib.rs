//! Who is asking, and what they may do.
//!
//! - [`Actor`]: the asker, as proven by a token or key.
//! - [`Access`]: Casbin's decisions over `policies/`, reckoned once at start into a table, so that a
//!   request pays one look-up.
//! - [`Tokens`]: signed access tokens.
//! - [`Context`]: everything a use case needs to know of the request it serves.
//!
//! Must not know any service or HTTP. To add a permission: a line in [`Permission`]'s list and its
//! lines in `policies/policy.csv`; the golden matrix under `tests/` shows what changed.

mod actor;
mod context;
mod permission;
mod policy;
pub mod token;

pub use actor::{Actor, Person, Role};
pub use context::Context;
pub use permission::Permission;
pub use policy::{Access, PolicyError, Scope};
pub use token::{LIFETIME as TOKEN_LIFETIME, Tokens};
