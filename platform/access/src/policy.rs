//! Casbin's decisions, reckoned once into a table.

use std::collections::HashMap;

use casbin::{CoreApi as _, DefaultModel, Enforcer, StringAdapter};

use crate::{Actor, Permission, Role};

/// How far a permission reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// What belongs to the asker.
    Own,
    /// Everything in the tenant.
    Any,
}

/// The policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A file is not of its form.
    #[error("the access policy cannot be read")]
    Unreadable(#[from] casbin::Error),
}

/// The decisions for every role and permission.
#[derive(Debug)]
pub struct Access {
    table: HashMap<(Role, Permission), Scope>,
}

impl Access {
    /// Asks Casbin about every role and permission under the policy this program was built with.
    ///
    /// # Errors
    /// [`PolicyError`] when a policy file is not of its form.
    pub async fn load() -> Result<Self, PolicyError> {
        Self::from_policy(include_str!("../../../policies/policy.csv")).await
    }

    /// The same, for another policy.
    ///
    /// # Errors
    /// [`PolicyError`] when it is not of its form.
    pub async fn from_policy(policy: &str) -> Result<Self, PolicyError> {
        let model = DefaultModel::from_str(include_str!("../../../policies/model.conf")).await?;
        let enforcer = Enforcer::new(model, StringAdapter::new(policy)).await?;
        let mut table = HashMap::new();
        for role in Role::ALL {
            for permission in Permission::ALL.iter().copied() {
                let asks = |scope: &'static str| {
                    enforcer.enforce((
                        role.as_str(),
                        permission.object(),
                        permission.action(),
                        scope,
                    ))
                };
                if asks("any")? {
                    table.insert((role, permission), Scope::Any);
                } else if asks("own")? {
                    table.insert((role, permission), Scope::Own);
                }
            }
        }
        Ok(Self { table })
    }

    /// How far `permission` reaches for `actor`; `None` if not at all.
    #[must_use]
    pub fn scope(&self, actor: &Actor, permission: Permission) -> Option<Scope> {
        self.table.get(&(actor.role(), permission)).copied()
    }

    /// The same for a role.
    #[must_use]
    pub fn scope_of(&self, role: Role, permission: Permission) -> Option<Scope> {
        self.table.get(&(role, permission)).copied()
    }
}
