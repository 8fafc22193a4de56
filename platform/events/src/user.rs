//! Told by the user service.

use berth_kernel::UserId;
use serde::{Deserialize, Serialize};

use crate::event;

/// An account as others need to see it.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct User {
    /// The account.
    pub user_id: UserId,
    /// Version after the change the event tells of.
    pub version: i64,
    /// Name as the person writes it.
    pub name: String,
    /// Address.
    pub email: String,
    /// `customer`, `staff`, `admin`.
    pub role: String,
}

/// Somebody registered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Created {
    /// The account.
    #[serde(flatten)]
    pub user: User,
}
event!(Created, "user.user.created", user.user_id, user.version);

/// An account was changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Updated {
    /// The account as it now is.
    #[serde(flatten)]
    pub user: User,
}
event!(Updated, "user.user.updated", user.user_id, user.version);

/// An account was closed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deleted {
    /// The account.
    pub user_id: UserId,
    /// Version after the change.
    pub version: i64,
}
event!(Deleted, "user.user.deleted", user_id, version);
