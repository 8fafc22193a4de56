//! What a use case needs to know of the request it serves.

use std::sync::Arc;

use berth_kernel::{Cause, Clock, Kind, Problem, UserId};
use berth_tenancy::Tenant;

use crate::{Access, Actor, Permission, Scope};

/// The request at hand: whose tenant, who asks, when, and under which id.
#[derive(Clone, Debug)]
pub struct Context {
    /// The tenant the request is for.
    pub tenant: Arc<Tenant>,
    /// Who asks.
    pub actor: Actor,
    /// The time.
    pub clock: Clock,
    /// The request's id, carried on by every event it causes.
    pub cause: Cause,
    access: Arc<Access>,
}

impl Context {
    /// Puts the pieces together.
    #[must_use]
    pub fn new(
        tenant: Arc<Tenant>,
        actor: Actor,
        access: Arc<Access>,
        clock: Clock,
        cause: Cause,
    ) -> Self {
        Self {
            tenant,
            actor,
            clock,
            cause,
            access,
        }
    }

    /// How far `permission` reaches for the asker.
    ///
    /// # Errors
    /// 401 `UNAUTHENTICATED` for nobody known, 403 `FORBIDDEN` otherwise.
    pub fn authorize(&self, permission: Permission) -> Result<Scope, Problem> {
        self.access
            .scope(&self.actor, permission)
            .ok_or_else(|| match self.actor {
                Actor::Anonymous => Problem::new(
                    Kind::Unauthenticated,
                    "UNAUTHENTICATED",
                    "Please sign in first.",
                ),
                Actor::User { .. } | Actor::ApiKey(_) => {
                    Problem::new(Kind::Forbidden, "FORBIDDEN", "You may not do this.")
                }
            })
    }

    /// Whose things the asker may reach with `permission`: everyone's (`None`), or one account's.
    ///
    /// # Errors
    /// As [`Context::authorize`].
    pub fn authorize_owner(&self, permission: Permission) -> Result<Option<UserId>, Problem> {
        match self.authorize(permission)? {
            Scope::Any => Ok(None),
            // An asker without an account owns nothing; an id nobody has says just that.
            Scope::Own => Ok(Some(self.actor.user().unwrap_or_else(UserId::new))),
        }
    }
}
