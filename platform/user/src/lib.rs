//! Accounts of a tenant's customers and staff: registering, signing in, staying signed in.
//!
//! Owns the tables `account`, `login_session` and `refresh_token`, and tells `user.user.created`,
//! `.updated` and `.deleted`. Every account belongs to one tenant; the same person at two tenants
//! has two accounts that know nothing of each other.
//!
//! - Passwords: [`Users::register`], [`Users::create_staff`], [`Users::change_password`].
//! - A tenant's first administrator: [`Users::founder`], [`Users::settle_founder`].
//! - The API's sign-in, an access token and a refresh token: [`Users::sign_in`],
//!   [`Users::refresh`], [`Users::sign_out`].
//! - The portal's sign-in, a browser's cookie: [`Users::portal_sign_in`],
//!   [`Users::portal_session`], [`Users::portal_sign_out`].
//! - A session that ends takes its access tokens with it, in this process at once and in the others
//!   by [`Users::follow_revocations`].
//!
//! Must not know: bookings, payments, HTTP, cookies. Who may call what is decided by
//! `berth-access`; limits on tries per address of the network are the web layer's.
//!
//! To add a command: a file here with one `impl Users`, its rule in [`model`], its SQL in
//! `store`, and a test under `tests/it`. What changes the account's profile raises its version by
//! one and tells it; what changes only how somebody signs in does neither, and ends sessions.

mod delete;
mod error;
mod founder;
mod list;
pub mod model;
mod password;
mod portal;
mod profile;
mod refresh;
mod register;
mod revoke;
mod sessions;
mod sign_in;
mod store;
mod token;

use berth_access::Tokens;
use berth_tenancy::Tenancy;

pub use error::Error;
pub use model::{
    Account, LoginSession, NewAccount, PortalSession, PortalUser, ProfileChange, SessionKind,
    SignedIn,
};

use password::Hasher;

/// The user service; cheap to clone.
#[derive(Clone, Debug)]
pub struct Users {
    tenancy: Tenancy,
    tokens: Tokens,
    hasher: Hasher,
}

impl Users {
    /// Joins the ways to the data and the maker of access tokens.
    #[must_use]
    pub fn new(tenancy: Tenancy, tokens: Tokens) -> Self {
        Self {
            tenancy,
            tokens,
            hasher: Hasher::new(),
        }
    }
}
