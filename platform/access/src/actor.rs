//! The asker.

use std::{fmt, str::FromStr};

use berth_kernel::{ApiKeyId, SessionTokenId, UserId};
use serde::{Deserialize, Serialize};

/// What an asker is; the subjects of `policies/policy.csv`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Nobody known.
    Anonymous,
    /// A tenant's customer.
    Customer,
    /// One of a tenant's people.
    Staff,
    /// Who runs the tenant.
    Admin,
    /// A tenant's software, with an API key.
    Service,
    /// Who runs the platform; belongs to no tenant.
    Operator,
}

impl Role {
    /// All of them, from least to most.
    pub const ALL: [Self; 6] = [
        Self::Anonymous,
        Self::Customer,
        Self::Staff,
        Self::Admin,
        Self::Service,
        Self::Operator,
    ];

    /// Its name in policies, tokens and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Customer => "customer",
            Self::Staff => "staff",
            Self::Admin => "admin",
            Self::Service => "service",
            Self::Operator => "operator",
        }
    }
}

/// The text names no role.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no role")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// What an account says of its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
    /// BCP 47 tag of the language.
    pub locale: String,
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody known.
    Anonymous,
    /// A person with an account.
    User {
        /// The account.
        id: UserId,
        /// Customer, staff or admin.
        role: Role,
        /// The signed-in device.
        session: SessionTokenId,
        /// Who that is, as of the sign-in.
        person: Person,
    },
    /// A tenant's software.
    ApiKey(ApiKeyId),
}

impl Actor {
    /// What the asker is.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self {
            Self::Anonymous => Role::Anonymous,
            Self::User { role, .. } => *role,
            Self::ApiKey(_) => Role::Service,
        }
    }

    /// The account, if the asker has one.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::Anonymous | Self::ApiKey(_) => None,
        }
    }
}

impl fmt::Display for Actor {
    /// A name for tables and logs: `user:…`, `key:…`, `anonymous`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::User { id, .. } => write!(f, "user:{id}"),
            Self::ApiKey(id) => write!(f, "key:{id}"),
        }
    }
}
