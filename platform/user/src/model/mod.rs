//! Types and rules: pure, no IO.

mod account;
mod fields;
mod password;
mod session;

pub use account::{Account, NewAccount, ProfileChange};
pub use fields::canonical_email;
pub use session::{
    LoginSession, PORTAL_ABSOLUTE, PORTAL_IDLE, PortalSession, PortalUser, REFRESH_ABSOLUTE,
    REFRESH_GRACE, REFRESH_IDLE, SessionKind, SignedIn,
};

pub(crate) use account::{Candidate, Pseudonym};
pub(crate) use fields::canonical_user_agent;
pub(crate) use password::check_password;
pub(crate) use session::{PortalVerdict, RefreshVerdict, api_expiry, judge_portal, judge_refresh};
